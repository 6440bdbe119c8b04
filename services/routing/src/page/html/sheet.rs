//! The page of a case that a group has: what was said, how it stands, what can be done.

use domain::{Content, ContentAnswer};
use jiff::Timestamp;
use maud::{Markup, html};

use super::{
    document::{Symbol, both, document, sentence, symbol, time, words},
    facts, forms, history,
};
use crate::{
    case::State,
    page::{
        form::{Action, Form, Wrong},
        terms::Terms,
    },
    store::History,
};

/// Everything that a case's page is made from.
pub(crate) struct Sheet<'a> {
    /// The link's own text, for the forms' addresses.
    pub(crate) token: &'a str,
    pub(crate) terms: Terms<'a>,
    pub(crate) now: Timestamp,
    /// What intake answered; not asked of a closed case, nor for a group outside the case's secrecy zone.
    pub(crate) content: Option<ContentAnswer>,
    pub(crate) history: History,
    pub(crate) said: Said,
}

/// What the page answers to what was done.
pub(crate) enum Said {
    /// Nothing was done.
    Nothing,
    /// It was done.
    Done(Action),
    /// It was not done; the form is there as it was sent.
    NotDone {
        action: Action,
        wrong: Vec<Wrong>,
        form: Form,
    },
}

/// The whole page.
pub(crate) fn sheet(sheet: &Sheet<'_>) -> Markup {
    let case = sheet.terms.case;
    let number = match &sheet.content {
        Some(ContentAnswer::Known(content)) => Some(content.number),
        _ => None,
    };
    let title = number.map_or_else(|| "Ärende".to_owned(), |number| format!("Ärende {number}"));
    let english = number.map_or_else(|| "Case".to_owned(), |number| format!("Case {number}"));
    let failed = matches!(sheet.said, Said::NotDone { .. });
    let main = html! {
        (said(&sheet.said))
        div.top {
            h1 { (both(&title, &english)) }
            (facts::marks(&sheet.terms, sheet.now))
        }
        @if case.state == State::Closed {
            (closed(sheet))
        } @else {
            div.columns {
                div.first {
                    (facts::due(&sheet.terms, sheet.now))
                    @if sheet.terms.may_see() { (content(sheet.content.as_ref())) } @else { (withheld()) }
                }
                div.second { (forms::forms(sheet)) }
                div.third {
                    section.card aria-labelledby="facts" {
                        h2 #facts { (both("Om ärendet", "About the case")) }
                        (facts::particulars(&sheet.terms))
                        (checklist(&sheet.terms))
                    }
                    (history::history(&sheet.terms, &sheet.history))
                }
            }
        }
    };
    let title = format!(
        "{}{title}: {}",
        if failed { "Fel: " } else { "" },
        case.case_type
    );
    document(&title, sheet.terms.municipality(), &main)
}

/// How it went with what was done.
fn said(said: &Said) -> Markup {
    match said {
        Said::Nothing => html! {},
        Said::Done(action) => {
            let (swedish, english) = done(*action);
            html! {
                div.said.done role="status" { (symbol(Symbol::Done)) p { (both(swedish, english)) } }
            }
        }
        Said::NotDone { wrong, .. } => html! {
            div.said.failed role="alert" tabindex="-1" autofocus {
                (symbol(Symbol::Wrong))
                div {
                    p { b { (both("Inget är ändrat", "nothing has changed")) } }
                    ul.plain {
                        @for wrong in wrong {
                            li {
                                @match wrong.field {
                                    Some(field) => a href={ "#" (field) } { (words(&sentence(&wrong.words))) },
                                    None => (words(&sentence(&wrong.words))),
                                }
                            }
                        }
                    }
                }
            }
        },
    }
}

fn done(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::Take => ("Ärendet är taget.", "The case is taken."),
        Action::Note => ("Anteckningen är sparad.", "The note is saved."),
        Action::Pause => ("Ärendet är pausat.", "The case is paused."),
        Action::Resume => ("Klockan går igen.", "The clock goes on."),
        Action::Promise => ("Dagen är lovad.", "The day is promised."),
        Action::Bounce => ("Ärendet är skickat vidare.", "The case has been sent on."),
        Action::Close => ("Ärendet är avslutat.", "The case is closed."),
    }
}

/// Said in place of the content to a group outside the case's secrecy zone.
fn withheld() -> Markup {
    html! {
        section.card.content aria-labelledby="content" {
            h2 #content { (both("Vad det gäller", "What it is about")) }
            div.lacking role="status" {
                p { b { (both("Innehållet visas inte för er grupp.", "The content is not shown to your group.")) } }
                p { (both(
                    "Ärendet hör till ett sekretessområde som er grupp inte ingår i. Skicka det till den det hör till.",
                    "The case belongs to a secrecy zone that your group is not of. Send it to where it belongs.",
                )) }
            }
        }
    }
}

/// What the citizen said. It must be told apart whether there is none or it could not be had.
fn content(answer: Option<&ContentAnswer>) -> Markup {
    html! {
        section.card.content aria-labelledby="content" {
            h2 #content { (both("Vad det gäller", "What it is about")) }
            @match answer {
                Some(ContentAnswer::Known(content)) => (known(content)),
                Some(ContentAnswer::Unknown) => p.lacking {
                    (both("Innehållet finns inte kvar i kontaktcentrets system.", "The content is no longer in the centre's system."))
                },
                Some(ContentAnswer::Away) | None => div.lacking role="status" {
                    p { b { (both("Innehållet kan inte visas just nu.", "The content cannot be shown right now.")) } }
                    p { (both(
                        "Kontaktcentrets system svarar inte. Ladda om sidan om en stund; allt annat här fungerar.",
                        "The centre's system does not answer. Load the page again in a while; all else here works.",
                    )) }
                },
            }
        }
    }
}

fn known(content: &Content) -> Markup {
    html! {
        @match &content.text {
            Some(text) => p.text dir="auto" { (text) },
            None => p.lacking { (both("Ingen text är registrerad.", "No text is registered.")) },
        }
        h3 { (both("Den som hörde av sig", "Who got in touch")) }
        @if content.name.is_none() && content.email.is_none() && content.phone.is_none() {
            p.lacking { (both("Inga kontaktuppgifter är registrerade.", "No contact details are registered.")) }
        } @else {
            dl.facts {
                @if let Some(name) = &content.name {
                    dt { (both("Namn", "Name")) } dd dir="auto" { (name) }
                }
                @if let Some(phone) = &content.phone {
                    dt { (both("Telefon", "Phone")) } dd { a href={ "tel:" (digits(phone)) } { (phone) } }
                }
                @if let Some(email) = &content.email {
                    dt { (both("E-post", "E-mail")) } dd { (mail_link(email)) }
                }
            }
        }
    }
}

/// A link that begins a mail, unless the address has what would be read as more than an address.
fn mail_link(email: &str) -> Markup {
    html! {
        @if email.contains(['?', '&', '%']) { (email) } @else { a href={ "mailto:" (email) } { (email) } }
    }
}

/// What a telephone can dial.
fn digits(phone: &str) -> String {
    let dialled = |c: &char| c.is_ascii_digit() || *c == '+';
    phone.chars().filter(dialled).collect()
}

fn checklist(terms: &Terms<'_>) -> Markup {
    let questions = terms.checklist();
    html! {
        @if !questions.is_empty() {
            h3 { (both("Det kontaktcenter skulle fråga", "What the centre was to ask")) }
            ul { @for question in questions { li { (question) } } }
        }
    }
}

/// All there is to see of a closed case.
fn closed(sheet: &Sheet<'_>) -> Markup {
    let case = sheet.terms.case;
    html! {
        section.card aria-labelledby="closed" {
            h2 #closed { (both("Ärendet är avslutat", "The case is closed")) }
            dl.facts {
                @if let Some(outcome) = case.outcome {
                    dt { (both("Resultat", "Outcome")) } dd { (both(outcome.swedish(), outcome.english())) }
                }
                @if let Some(at) = case.closed_at {
                    dt { (both("Avslutat", "Closed")) } dd { (time(at)) }
                }
                dt { (both("Typ", "Type")) } dd { (case.case_type) }
            }
            p { "Innehållet visas inte längre. Återkommer den enskilde öppnas ärendet igen, och ni får ett nytt mejl." }
            p.en lang="en" {
                "Its content is no longer shown. Should the citizen come back, the case is opened anew and you get a new mail."
            }
        }
    }
}
