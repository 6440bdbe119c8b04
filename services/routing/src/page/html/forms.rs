//! What an officer can do with the case: plain forms, filled in again where something was wrong.

use domain::{CaseOutcome, PauseReason, local_day};
use maud::{Markup, html};

use super::{
    document::{both, sentence, time, words},
    sheet::{Said, Sheet},
};
use crate::{
    case::State,
    page::{
        form::{Action, BOUNCE_NOTE, Form, NOTE, Wrong},
        terms::length,
    },
};

/// Every form that can be of use as the case stands.
pub(super) fn forms(sheet: &Sheet<'_>) -> Markup {
    let case = sheet.terms.case;
    html! {
        section.card.actions aria-labelledby="actions" {
            h2 #actions { (both("Det här kan ni göra", "What you can do")) }
            @if case.taken_at.is_none() {
                (form(sheet, Action::Take, &html! {
                    button.main { (both("Ta ärendet", "Take the case")) }
                }))
            }
            @if case.state == State::Paused {
                (form(sheet, Action::Resume, &html! {
                    button.main { (both("Låt klockan gå igen", "Let the clock go on")) }
                }))
            }
            (close(sheet))
            (folded(sheet, Action::Note, ("Anteckna", "Make a note"), &note(sheet)))
            @if case.state != State::Paused {
                @if case.promised.is_none() {
                    (folded(sheet, Action::Promise, ("Lova en dag", "Promise a day"), &promise(sheet)))
                }
                (folded(sheet, Action::Pause, ("Pausa", "Pause"), &pause(sheet)))
            }
            (folded(sheet, Action::Bounce, ("Felskickat? Skicka tillbaka", "Wrongly sent? Send it back"), &bounce(sheet)))
        }
    }
}

fn form(sheet: &Sheet<'_>, action: Action, inside: &Markup) -> Markup {
    let address = format!("/routing/case/{}/{}", sheet.token, action.as_str());
    html! {
        form method="post" action=(address) autocomplete="off" { (inside) }
    }
}

/// A form that is out of the way until it is asked for, or has something wrong.
fn folded(sheet: &Sheet<'_>, action: Action, title: (&str, &str), inside: &Markup) -> Markup {
    html! {
        details.form open[sheet.sent(action).is_some()] {
            summary { (both(title.0, title.1)) }
            (form(sheet, action, inside))
        }
    }
}

/// What is wrong with a field, said at the field.
fn wrong(sheet: &Sheet<'_>, id: &str) -> Markup {
    html! {
        @if let Some(wrong) = sheet.wrong(id) {
            p.wrong id={ (id) "-wrong" } { (words(&sentence(&wrong.words))) }
        }
    }
}

/// The ids of what describes a field.
fn described(sheet: &Sheet<'_>, id: &str, hint: bool) -> Option<String> {
    let hint = hint.then(|| format!("{id}-hint"));
    let wrong = sheet.wrong(id).map(|_| format!("{id}-wrong"));
    match (hint, wrong) {
        (Some(hint), Some(wrong)) => Some(format!("{wrong} {hint}")),
        (hint, wrong) => wrong.or(hint),
    }
}

fn invalid(sheet: &Sheet<'_>, id: &str) -> Option<&'static str> {
    sheet.wrong(id).map(|_| "true")
}

/// One of a few, the first of which has the id `id`.
fn choice<'a>(
    sheet: &Sheet<'_>,
    action: Action,
    (id, name): (&str, &str),
    legend: (&str, &str),
    options: impl Iterator<Item = (&'a str, &'a str, &'a str)>,
) -> Markup {
    let chosen = sheet.sent(action).map_or("", |form| form.get(name));
    html! {
        fieldset aria-describedby=[described(sheet, id, false)] {
            legend { (both(legend.0, legend.1)) }
            (wrong(sheet, id))
            @for (at, (value, swedish, english)) in options.enumerate() {
                label.choice {
                    input type="radio" name=(name) value=(value) id=[(at == 0).then_some(id)] required
                        checked[chosen == value];
                    span { (both(swedish, english)) }
                }
            }
        }
    }
}

fn close(sheet: &Sheet<'_>) -> Markup {
    let outcomes = CaseOutcome::ALL.iter();
    // What comes first is to be taken, and then to be closed.
    let main = sheet.terms.case.taken_at.map(|_| "main");
    let inside = html! {
        h3 { (both("Avsluta ärendet", "Close the case")) }
        (choice(
            sheet,
            Action::Close,
            ("close-outcome", "outcome"),
            ("Hur slutade det?", "How did it end?"),
            outcomes.map(|o| (o.as_str(), o.swedish(), o.english())),
        ))
        button class=[main] { (both("Avsluta", "Close")) }
    };
    html! { div.close { (form(sheet, Action::Close, &inside)) } }
}

fn textarea(
    sheet: &Sheet<'_>,
    action: Action,
    (id, name): (&str, &str),
    most: usize,
    required: bool,
) -> Markup {
    html! {
        (wrong(sheet, id))
        textarea id=(id) name=(name) rows="4" maxlength=(most) required[required]
            aria-describedby=[described(sheet, id, true)] aria-invalid=[invalid(sheet, id)] {
            (sheet.sent(action).map_or("", |form| form.get(name)))
        }
    }
}

fn note(sheet: &Sheet<'_>) -> Markup {
    let last = sheet.history.lines.last().map_or(0, |line| line.id);
    let most = format!("Bara er grupp ser anteckningen. Högst {NOTE} tecken.");
    let english = format!("Only your group sees the note. At most {NOTE} characters.");
    html! {
        // The same form sent twice is one note.
        input type="hidden" name="after" value=(last);
        label for="note-text" { (both("Anteckning", "Note")) }
        p.hint #note-text-hint { (both(&most, &english)) }
        (textarea(sheet, Action::Note, ("note-text", "text"), NOTE, true))
        button { (both("Spara anteckningen", "Save the note")) }
    }
}

fn pause(sheet: &Sheet<'_>) -> Markup {
    let Some((left, cap)) = sheet.terms.pause_left(sheet.now) else {
        return html! {
            p { "Ärendet kan inte pausas: överenskommelsen tillåter inte mer paus." }
            p.en lang="en" { "The case cannot be paused: the agreement allows no more pause." }
        };
    };
    let left = length(left);
    let sent = sheet.sent(Action::Pause);
    html! {
        p.hint {
            "Högst " (left.swedish) " arbetstid till, som längst till " (time(cap)) ". "
            span.en lang="en" { "At most " (left.english) " of working time more, until then." }
        }
        (choice(
            sheet,
            Action::Pause,
            ("pause-reason", "reason"),
            ("Varför?", "Why?"),
            PauseReason::ALL.iter().map(|r| (r.as_str(), r.swedish(), r.english())),
        ))
        label for="pause-until" { (both("Till och med", "Up to and including")) }
        p.hint #pause-until-hint { (both("Klockan går igen när den dagens arbetstid är slut.", "The clock goes on at the end of that day's work.")) }
        (wrong(sheet, "pause-until"))
        input type="date" #pause-until name="until" required placeholder="2026-11-23"
            min=(local_day(sheet.now)) max=(local_day(cap)) value=(sent.map_or("", |form| form.get("until")))
            aria-describedby=[described(sheet, "pause-until", true)] aria-invalid=[invalid(sheet, "pause-until")];
        button { (both("Pausa ärendet", "Pause the case")) }
    }
}

fn promise(sheet: &Sheet<'_>) -> Markup {
    let Some((cap, by)) = sheet.terms.promise_by(sheet.now) else {
        return html! { p { (both(
            "Ingen dag kan lovas: ingen överenskommelse säger hur långt fram.",
            "No day can be promised: no agreement says how far ahead.",
        )) } };
    };
    let Some(by) = by else {
        return html! { p { (both(
            &format!("Ingen dag kan lovas nu: ni får lova högst {cap} arbetstimmar framåt, och dagens arbetstid slutar senare."),
            &format!("No day can be promised now: you may promise at most {cap} working hours ahead, and today's work ends later."),
        )) } };
    };
    let sent = sheet.sent(Action::Promise);
    html! {
        p.hint { (both(
            "Ni arbetar med ärendet, och säger när det är klart. Det görs en gång. Tidsgränsen står kvar, och efter den är ärendet \
             försenat; men kontaktperson och chefer får veta det först när även er dag har passerat.",
            "You work on the case, and say when it is done. That is done once. The limit stays, and after it the case is overdue; \
             but the contact person and heads are told only when your day has passed too.",
        )) }
        label for="promise-until" { (both("Klart senast den", "Done by")) }
        p.hint #promise-until-hint { (both(
            &format!("När den dagens arbetstid slutar. Senast {by}, högst {cap} arbetstimmar framåt."),
            &format!("When that day's work ends. {by} at the latest, at most {cap} working hours ahead."),
        )) }
        (wrong(sheet, "promise-until"))
        input type="date" #promise-until name="until" required placeholder="2026-11-23"
            min=(local_day(sheet.now)) max=(by) value=(sent.map_or("", |form| form.get("until")))
            aria-describedby=[described(sheet, "promise-until", true)] aria-invalid=[invalid(sheet, "promise-until")];
        button { (both("Lova dagen", "Promise the day")) }
    }
}

fn bounce(sheet: &Sheet<'_>) -> Markup {
    let chosen = sheet
        .sent(Action::Bounce)
        .map_or("", |form| form.get("belongs_to"));
    html! {
        p.hint { (both(
            "Ärendet lämnar er grupp genast, och länken slutar att gälla.",
            "The case leaves your group at once, and the link stops working.",
        )) }
        label for="bounce-to" { (both("Vart hör det?", "Where does it belong?")) }
        (wrong(sheet, "bounce-to"))
        select #bounce-to name="belongs_to" required
            aria-describedby=[described(sheet, "bounce-to", false)] aria-invalid=[invalid(sheet, "bounce-to")] {
            option value="" { "Välj (choose)" }
            // Whoever gets what nobody else knows must find out.
            @if !sheet.terms.is_at_registrator() {
                option value="unknown" selected[chosen == "unknown"] { "Vet inte (do not know)" }
            }
            @for other in sheet.terms.elsewhere() {
                option value=(other.value) selected[chosen == other.value] { (other.name) }
            }
        }
        label for="bounce-note" { (both("Ord på vägen, om det behövs", "A word on the way, if needed")) }
        p.hint #bounce-note-hint {
            @if sheet.terms.case.zone.is_some() {
                (both(
                    "Bara den som hör till sekretessområdet ser det.",
                    "Only who is of the secrecy zone sees it.",
                ))
            } @else {
                (both("Den som får ärendet ser det.", "Whoever gets the case sees it."))
            }
        }
        (textarea(sheet, Action::Bounce, ("bounce-note", "note"), BOUNCE_NOTE, false))
        button { (both("Skicka tillbaka", "Send it back")) }
    }
}

impl Sheet<'_> {
    /// The form of `action` as it was sent, where it came to nothing.
    fn sent(&self, action: Action) -> Option<&Form> {
        match &self.said {
            Said::NotDone {
                action: a, form, ..
            } if *a == action => Some(form),
            _ => None,
        }
    }

    fn wrong(&self, id: &str) -> Option<&Wrong> {
        match &self.said {
            Said::NotDone { wrong, .. } => wrong.iter().find(|w| w.field == Some(id)),
            _ => None,
        }
    }
}
