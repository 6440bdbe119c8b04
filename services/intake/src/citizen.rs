//! What a citizen who asked for it is told by e-mail: that the case is forwarded, late, closed. Pure.
//!
//! A mail says the case's number, what comes next and when; nothing of what the case is about, nor who has it: mailboxes are
//! read by others too.

use domain::{CaseEvent, CaseId, CaseWhat, ClosedBy, local_day};
use jiff::Timestamp;
use platform::mail::{Address, Mail};
use uuid::Uuid;

use crate::rules::State;

/// A case whose citizen asked to be told.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) number: i64,
    pub(crate) to: Address,
    pub(crate) state: State,
    /// Since when it stands so.
    pub(crate) changed_at: Timestamp,
}

/// Whether it is something that a citizen may be told.
pub(crate) fn concerns(event: &CaseEvent) -> bool {
    kind(event).is_some()
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Forwarded { due: Option<Timestamp> },
    Late { due: Timestamp },
    Closed,
}

fn kind(event: &CaseEvent) -> Option<Kind> {
    match &event.what {
        CaseWhat::Forwarded(to) if !to.imported => Some(Kind::Forwarded { due: to.due }),
        CaseWhat::Overdue(step) => Some(Kind::Late { due: step.due }),
        CaseWhat::Closed(closing) if closing.by != ClosedBy::Import => Some(Kind::Closed),
        _ => None,
    }
}

/// The mail that `event` is worth, as `case` stands then; the case stands as the event leaves it afterwards.
pub(crate) fn tell(case: &mut Asked, event: &CaseEvent) -> Option<Mail> {
    let kind = kind(event)?;
    match kind {
        // Reminder's word may come after routing's that it is closed, or with another group: then it is old news.
        Kind::Late { .. } if case.state == State::Closed || case.changed_at > event.at => {
            return None;
        }
        Kind::Late { .. } => {}
        Kind::Forwarded { .. } => {
            (case.state, case.changed_at) = (State::Forwarded, event.at);
        }
        Kind::Closed => (case.state, case.changed_at) = (State::Closed, event.at),
    }
    let number = case.number;
    let (subject, body) = match kind {
        Kind::Forwarded { due } => forwarded(number, due),
        Kind::Late { due } => late(number, due),
        Kind::Closed => closed(number),
    };
    Some(Mail {
        id: id(event.case, kind, event.at),
        to: case.to.clone(),
        subject,
        body: format!("{body}\n\n{}", foot(number)),
    })
}

/// Once for each forwarding and kind. A limit is of one forwarding, and is passed once, whenever that is told.
fn id(case: CaseId, kind: Kind, at: Timestamp) -> Uuid {
    let of = match kind {
        Kind::Forwarded { .. } => format!("citizen forwarded {at}"),
        Kind::Late { due } => format!("citizen late {due}"),
        Kind::Closed => format!("citizen closed {at}"),
    };
    Uuid::new_v5(&case.0, of.as_bytes())
}

fn forwarded(number: i64, due: Option<Timestamp>) -> (String, String) {
    let due = due.map(local_day);
    let (by, by_english) = match due {
        Some(day) => (
            format!("Det ska vara klart senast {day}."),
            format!("It is to be done by {day}."),
        ),
        None => (
            "Ingen dag är satt då det ska vara klart.".to_owned(),
            "No day is set by which it is to be done.".to_owned(),
        ),
    };
    (
        format!("Ärende {number} är vidareskickat (Your case has been forwarded)"),
        format!(
            "Ditt ärende {number} har lämnats till dem som ska ta hand om det. {by} Du får ett mejl när det är avslutat, och \
             även om det blir försenat.\n\n\
             (Your case {number} has been handed to those who will deal with it. {by_english} You will get a mail when it is \
             closed, and also if it is late.)"
        ),
    )
}

fn late(number: i64, due: Timestamp) -> (String, String) {
    let day = local_day(due);
    (
        format!("Ärende {number} är försenat (Your case is late)"),
        format!(
            "Ditt ärende {number} skulle ha varit klart {day}, men är det inte än. De som har det har påmints, och påminns tills \
             det är klart. Du får ett mejl när det är avslutat.\n\n\
             (Your case {number} was to be done by {day}, but is not yet. Those who have it have been reminded, and will be until \
             it is done. You will get a mail when it is closed.)"
        ),
    )
}

fn closed(number: i64) -> (String, String) {
    (
        format!("Ärende {number} är avslutat (Your case is closed)"),
        format!(
            "Ditt ärende {number} är avslutat. Är det ändå inte löst, hör av dig till kontaktcenter och säg numret, så öppnas \
             det igen.\n\n\
             (Your case {number} is closed. If it is not solved after all, get in touch with the contact centre and say the \
             number, and it will be opened anew.)"
        ),
    )
}

fn foot(number: i64) -> String {
    format!(
        "Du får mejlet för att du bad om det. Det går inte att svara på; undrar du något, fråga kontaktcenter om ärende \
         {number}.\n\n\
         (You get this mail because you asked for it. It cannot be answered; if you wonder about something, ask the contact \
         centre about case {number}.)\n"
    )
}

#[cfg(test)]
mod tests {
    use domain::{CaseOutcome, Closing, FollowUpStep, Forwarding, StepTaken, Words};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn asked() -> Asked {
        Asked {
            number: 4711,
            to: Address::new("", "invanare@example.org").unwrap(),
            state: State::ForwardRequested,
            changed_at: at("2026-11-20T08:00:00Z"),
        }
    }

    fn event(time: &str, what: CaseWhat) -> CaseEvent {
        CaseEvent {
            case: CaseId(Uuid::from_u128(1)),
            at: at(time),
            department: "social".parse().unwrap(),
            what,
        }
    }

    fn forwarding(due: Option<Timestamp>) -> Forwarding {
        Forwarding {
            case_type: "forsorjningsstod".parse().unwrap(),
            group: "forsorjning".parse().unwrap(),
            agreement: Some(1),
            rule: "social/forsorjningsstod".to_owned(),
            registered_at: at("2026-11-20T08:00:00Z"),
            due,
            centre_working_s: None,
            guide: None,
            imported: false,
            historical: None,
        }
    }

    fn overdue(time: &str, due: Timestamp) -> CaseEvent {
        let step = StepTaken {
            step: FollowUpStep::Limit,
            to: FollowUpStep::Limit.to().to_vec(),
            group: "forsorjning".parse().unwrap(),
            due,
            reason: Words {
                swedish: String::new(),
                english: String::new(),
            },
        };
        event(time, CaseWhat::Overdue(step))
    }

    fn closing(by: ClosedBy) -> CaseWhat {
        CaseWhat::Closed(Closing {
            outcome: CaseOutcome::Declined,
            by,
            working_s: None,
        })
    }

    /// The last minute of the 26th in Stockholm.
    const DUE: &str = "2026-11-26T22:59:00Z";

    #[test]
    fn a_citizen_is_told_number_and_day_and_nothing_of_the_matter() {
        let mut case = asked();
        let due = at(DUE);
        let told = [
            event(
                "2026-11-20T08:00:01Z",
                CaseWhat::Forwarded(forwarding(Some(due))),
            ),
            overdue("2026-11-27T08:00:00Z", due),
            event("2026-11-30T08:00:00Z", closing(ClosedBy::Page)),
        ]
        .map(|event| tell(&mut case, &event).unwrap());
        for (mail, says) in told.iter().zip(["vidareskickat", "försenat", "avslutat"]) {
            assert!(mail.subject.contains(says), "{}", mail.subject);
            let all = format!("{}\n{}", mail.subject, mail.body);
            assert!(all.contains("4711"));
            for secret in ["social", "forsorjning", "Avslag", "declined", "invanare"] {
                assert!(!all.contains(secret), "{secret} is in {all}");
            }
        }
        assert!(told[0].body.contains("senast 2026-11-26."));
        assert!(told[1].body.contains("was to be done by 2026-11-26,"));
        let ids: std::collections::BTreeSet<_> = told.iter().map(|mail| mail.id).collect();
        assert_eq!(ids.len(), 3);
    }

    #[test]
    fn the_same_news_is_the_same_mail_and_a_new_forwarding_another() {
        let forwarded = |time| {
            let what = CaseWhat::Forwarded(forwarding(None));
            tell(&mut asked(), &event(time, what)).unwrap().id
        };
        let first = forwarded("2026-11-20T08:00:01Z");
        assert_eq!(first, forwarded("2026-11-20T08:00:01Z"));
        assert_ne!(first, forwarded("2026-12-01T08:00:00Z"));
        let late = |time, due| tell(&mut asked(), &overdue(time, at(due))).unwrap().id;
        let once = late("2026-11-27T08:00:00Z", DUE);
        assert_eq!(once, late("2026-11-27T09:00:00Z", DUE));
        assert_ne!(once, late("2026-11-30T08:00:00Z", "2026-11-30T07:00:00Z"));
    }

    #[test]
    fn what_is_closed_or_with_another_group_is_not_late() {
        let mut case = asked();
        let close = event("2026-11-27T07:59:59Z", closing(ClosedBy::Bus));
        assert!(tell(&mut case, &close).is_some());
        assert!(tell(&mut case, &overdue("2026-11-27T08:00:00Z", at(DUE))).is_none());
        let mut case = asked();
        let forwarded = CaseWhat::Forwarded(forwarding(None));
        assert!(tell(&mut case, &event("2026-11-27T08:00:01Z", forwarded)).is_some());
        assert!(tell(&mut case, &overdue("2026-11-27T08:00:00Z", at(DUE))).is_none());
    }

    #[test]
    fn of_an_import_nobody_is_told() {
        let imported = Forwarding {
            imported: true,
            ..forwarding(None)
        };
        for what in [CaseWhat::Forwarded(imported), closing(ClosedBy::Import)] {
            let event = event("2026-11-20T08:00:01Z", what);
            assert!(!concerns(&event));
            assert!(tell(&mut asked(), &event).is_none());
        }
    }
}
