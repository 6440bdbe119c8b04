//! A contact while it is in the centre, and the guides who serve it.

use jiff::Timestamp;

use super::arrival::Arrival;
use super::event::{Action, CaseWork, ContactEvent, Event, Registration};
use super::matter::{ContactOf, Outcome};

#[derive(Debug)]
pub(super) struct Contact {
    pub(super) reference: String,
    pub(super) arrival: Box<Arrival>,
    /// The first contact's reference, when it is about a case that was thought resolved.
    pub(super) again: Option<String>,
    pub(super) state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    /// A guide is kept for it, and it can still leave.
    Ringing(usize),
    Serving(usize),
}

#[derive(Debug, Default)]
pub(super) struct Guide {
    /// Today's; empty for one who is away.
    pub(super) passes: Vec<(Timestamp, Timestamp)>,
    pub(super) busy: bool,
    pub(super) free_since: Timestamp,
}

impl Guide {
    pub(super) fn is_free(&self, at: Timestamp) -> bool {
        let on_pass = |(from, to): &(Timestamp, Timestamp)| *from <= at && at < *to;
        !self.busy && self.passes.iter().any(on_pass)
    }
}

impl Contact {
    pub(super) fn is_served(&self) -> bool {
        matches!(self.state, State::Serving(_))
    }

    pub(super) fn tells(&self, event: Event, at: Timestamp) -> Action {
        Action::Contact(ContactEvent {
            contact: self.reference.clone(),
            event,
            at,
            channel: self.arrival.channel,
            queue: self.arrival.queue,
            department: self.arrival.department,
        })
    }

    /// What the guide, by place in the rota, has to do when it has ended, and the citizen's next call about it.
    pub(super) fn finish(self, guide: usize) -> (Option<CaseWork>, Option<Box<Arrival>>) {
        let reference = self.reference;
        if let Some(of) = self.again {
            let by = reference;
            return (Some(CaseWork::Repeat { of, by }), None);
        }
        let Arrival {
            matter,
            comes_back,
            queue,
            ..
        } = *self.arrival;
        if matter.outcome == Outcome::Unregistered {
            return (None, None);
        }
        let mut case = matter.case;
        case.guide = Some(format!("v{:02}", guide + 1));
        case.contact = Some(ContactOf {
            reference: reference.clone(),
            queue,
        });
        let registration = Registration {
            reference,
            case,
            resolved: matter.outcome == Outcome::Resolved,
            comes_back: comes_back.is_some(),
        };
        (Some(CaseWork::Register(Box::new(registration))), comes_back)
    }
}
