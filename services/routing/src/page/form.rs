//! What an officer sends with a form, and what it asks for. Pure.

use std::str::FromStr;

use domain::{ClosedBy, Words};
use jiff::civil::Date;

use super::terms::Terms;
use crate::ask::{Ask, Place};

/// Characters of a note at the most.
pub(crate) const NOTE: usize = 4_000;
/// Characters of the note to whom a case belongs to.
pub(crate) const BOUNCE_NOTE: usize = 1_000;

/// What can be done on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Take,
    Note,
    Pause,
    Resume,
    Promise,
    Bounce,
    Close,
}

impl Action {
    const ALL: [Self; 7] = [
        Self::Take,
        Self::Note,
        Self::Pause,
        Self::Resume,
        Self::Promise,
        Self::Bounce,
        Self::Close,
    ];

    /// As it stands in addresses.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::Note => "note",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Promise => "promise",
            Self::Bounce => "bounce",
            Self::Close => "close",
        }
    }
}

impl FromStr for Action {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut all = Self::ALL.into_iter();
        all.find(|action| action.as_str() == text).ok_or(())
    }
}

/// A form's fields as they were sent. What is in them may be about a citizen: no [`std::fmt::Debug`].
#[derive(Clone, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the body of a form.
    pub(crate) fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// A field without the space around it; empty where it was left out.
    pub(crate) fn get(&self, name: &str) -> &str {
        let field = self.0.iter().find(|(field, _)| field == name);
        field.map_or("", |(_, value)| value.trim())
    }
}

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The id of the field to mend, where it is one.
    pub(crate) field: Option<&'static str>,
    pub(crate) words: Words,
}

impl Wrong {
    fn field(field: &'static str, swedish: impl Into<String>, english: impl Into<String>) -> Self {
        Self {
            field: Some(field),
            words: Words {
                swedish: swedish.into(),
                english: english.into(),
            },
        }
    }
}

/// What the form asks for, or every field that is wrong.
pub(crate) fn read(action: Action, form: &Form, terms: &Terms<'_>) -> Result<Ask, Vec<Wrong>> {
    match action {
        Action::Take => Ok(Ask::Take),
        Action::Resume => Ok(Ask::Resume),
        Action::Note => match text(form, "text", "note-text", NOTE) {
            Ok(Some(text)) => Ok(Ask::Note(text)),
            Ok(None) => Err(vec![Wrong::field(
                "note-text",
                "skriv något att anteckna",
                "write something to note",
            )]),
            Err(wrong) => Err(vec![wrong]),
        },
        Action::Pause => pause(form, terms),
        Action::Promise => promise(form, terms),
        Action::Bounce => bounce(form, terms),
        Action::Close => match form.get("outcome").parse() {
            Ok(outcome) => Ok(Ask::Close {
                outcome,
                by: ClosedBy::Page,
            }),
            Err(_) => Err(vec![Wrong::field(
                "close-outcome",
                "välj hur ärendet slutade",
                "choose how the case ended",
            )]),
        },
    }
}

fn pause(form: &Form, terms: &Terms<'_>) -> Result<Ask, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let reason = form.get("reason").parse().ok();
    if reason.is_none() {
        wrong.push(Wrong::field(
            "pause-reason",
            "välj varför ärendet pausas",
            "choose why the case is paused",
        ));
    }
    let until = form.get("until").parse::<Date>().ok();
    let until = until.and_then(|day| terms.end_of(day));
    if until.is_none() {
        wrong.push(Wrong::field(
            "pause-until",
            "skriv den sista dagen som år-månad-dag, till exempel 2026-11-23",
            "write the last day as year-month-day, such as 2026-11-23",
        ));
    }
    match (reason, until) {
        (Some(reason), Some(until)) => Ok(Ask::Pause { reason, until }),
        _ => Err(wrong),
    }
}

fn promise(form: &Form, terms: &Terms<'_>) -> Result<Ask, Vec<Wrong>> {
    let wrong = |swedish, english| vec![Wrong::field("promise-until", swedish, english)];
    let Ok(day) = form.get("until").parse::<Date>() else {
        return Err(wrong(
            "skriv dagen då det är klart som år-månad-dag, till exempel 2026-11-23",
            "write the day when it is done as year-month-day, such as 2026-11-23",
        ));
    };
    match terms.work_ends(day) {
        Some(until) => Ok(Ask::Promise { until }),
        None => Err(wrong(
            "ni arbetar inte den dagen, välj en arbetsdag",
            "nobody works on that day, choose a working day",
        )),
    }
}

fn bounce(form: &Form, terms: &Terms<'_>) -> Result<Ask, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let belongs_to: Option<Place> = match form.get("belongs_to") {
        "unknown" if !terms.is_at_registrator() => None,
        said => {
            let mut known = terms.elsewhere().into_iter();
            let found = known.find(|other| other.value == said);
            if found.is_none() {
                wrong.push(Wrong::field(
                    "bounce-to",
                    "välj vart ärendet hör, eller Vet inte",
                    "choose where the case belongs, or that you do not know",
                ));
            }
            found.map(|other| other.place)
        }
    };
    let note = text(form, "note", "bounce-note", BOUNCE_NOTE).unwrap_or_else(|error| {
        wrong.push(error);
        None
    });
    if wrong.is_empty() {
        Ok(Ask::Bounce { belongs_to, note })
    } else {
        Err(wrong)
    }
}

/// Free text with `\n` at the end of lines; `None` where there is none.
fn text(form: &Form, name: &str, id: &'static str, most: usize) -> Result<Option<String>, Wrong> {
    let text = form.get(name).replace("\r\n", "\n").replace('\r', "\n");
    let length = text.chars().count();
    if length > most {
        return Err(Wrong::field(
            id,
            format!("texten är {length} tecken, korta den till högst {most}"),
            format!("the text is {length} characters, shorten it to at most {most}"),
        ));
    }
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\t'))
    {
        return Err(Wrong::field(
            id,
            "texten har tecken som inte kan visas, skriv om den utan dem",
            "the text has characters that cannot be shown, write it without them",
        ));
    }
    Ok((!text.is_empty()).then_some(text))
}

#[cfg(test)]
mod tests {
    use domain::{CaseOutcome, PauseReason};

    use super::*;
    use crate::page::example;

    fn asked(action: Action, body: &str) -> Result<Ask, Vec<Option<&'static str>>> {
        let (case, versions) = (example::case(), example::versions());
        read(
            action,
            &Form::read(body.as_bytes()),
            &Terms::of(&case, &versions),
        )
        .map_err(|wrong| wrong.iter().map(|w| w.field).collect())
    }

    #[test]
    fn each_form_asks_for_its_own() {
        assert_eq!(asked(Action::Take, ""), Ok(Ask::Take));
        assert_eq!(asked(Action::Resume, "x=y"), Ok(Ask::Resume));
        assert_eq!(
            asked(Action::Note, "text=+Ringt%0D%0Aigen+%C3%A5+"),
            Ok(Ask::Note("Ringt\nigen å".to_owned()))
        );
        assert_eq!(
            asked(Action::Pause, "reason=citizen&until=2026-11-26"),
            Ok(Ask::Pause {
                reason: PauseReason::Citizen,
                until: "2026-11-26T17:00:00Z".parse().unwrap(),
            })
        );
        assert_eq!(
            asked(Action::Promise, "until=2026-11-26"),
            Ok(Ask::Promise {
                until: "2026-11-26T17:00:00Z".parse().unwrap(),
            })
        );
        assert_eq!(
            asked(Action::Bounce, "belongs_to=gata&note="),
            Ok(Ask::Bounce {
                belongs_to: Some(Place {
                    department: "gata".parse().unwrap(),
                    group: None,
                }),
                note: None,
            })
        );
        assert_eq!(
            asked(Action::Bounce, "belongs_to=bygg%2Ftillsyn"),
            Ok(Ask::Bounce {
                belongs_to: Some(Place {
                    department: "bygg".parse().unwrap(),
                    group: Some("tillsyn".parse().unwrap()),
                }),
                note: None,
            })
        );
        assert_eq!(
            asked(Action::Bounce, "belongs_to=unknown&note=inte+v%C3%A5rt"),
            Ok(Ask::Bounce {
                belongs_to: None,
                note: Some("inte vårt".to_owned()),
            })
        );
        assert_eq!(
            asked(Action::Close, "outcome=no_action"),
            Ok(Ask::Close {
                outcome: CaseOutcome::NoAction,
                by: ClosedBy::Page,
            })
        );
    }

    #[test]
    fn the_registrator_must_say_where_a_case_belongs() {
        let (mut case, versions) = (example::case(), example::versions());
        let asked = |case: &crate::case::Case, body: &str| {
            let form = Form::read(body.as_bytes());
            read(Action::Bounce, &form, &Terms::of(case, &versions)).is_ok()
        };
        assert!(asked(&case, "belongs_to=unknown"));
        case.department = Some("kansli".parse().unwrap());
        case.group_id = Some("registrator".parse().unwrap());
        assert!(!asked(&case, "belongs_to=unknown"));
        assert!(asked(&case, "belongs_to=kansli%2Fekonomi"));
        assert!(asked(&case, "belongs_to=gata"));
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let field = |id| Err(vec![Some(id)]);
        assert_eq!(asked(Action::Note, "text=+%0A"), field("note-text"));
        assert_eq!(asked(Action::Note, "text=a%00b"), field("note-text"));
        let long = format!("text={}", "%C3%A5".repeat(NOTE + 1));
        assert_eq!(asked(Action::Note, &long), field("note-text"));
        assert!(asked(Action::Note, &long[..long.len() - 6]).is_ok());
        let both = Err(vec![Some("pause-reason"), Some("pause-until")]);
        assert_eq!(asked(Action::Pause, ""), both);
        assert_eq!(
            asked(Action::Pause, "reason=date&until=26%2F11"),
            field("pause-until")
        );
        // A Saturday, words, nothing.
        for until in ["2026-11-28", "i+morgon", ""] {
            let body = format!("until={until}");
            assert_eq!(asked(Action::Promise, &body), field("promise-until"));
        }
        for own in ["bygg", "bygg%2Fhandlaggare", "gata%2Fdrift", "okand", ""] {
            let body = format!("belongs_to={own}");
            assert_eq!(asked(Action::Bounce, &body), field("bounce-to"), "{own}");
        }
        assert_eq!(asked(Action::Close, "outcome=gone"), field("close-outcome"));
    }
}
