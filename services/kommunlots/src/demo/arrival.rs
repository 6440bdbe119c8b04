//! One arrival: who comes, calls or writes, with all that chance decides about it.

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use rand::rngs::StdRng;

use super::departments::SWITCHBOARD;
use super::event::{Channel, Reason};
use super::hours::{self, CLOSING, OPENING};
use super::matter::{Matter, Outcome};
use super::random::{chance, exponential, log_normal};

/// The share of resolved contacts whose citizen comes back about the same matter.
const RETURNING: f64 = 0.06;

/// One citizen who comes, calls or writes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Arrival {
    pub(super) at: Timestamp,
    pub(super) channel: Channel,
    pub(super) queue: &'static str,
    /// Unknown of callers who did not choose in the menu.
    pub(super) department: Option<&'static str>,
    /// From when a guide is free until the contact is answered: ringing, or walking up to the desk.
    pub(super) pickup: SignedDuration,
    pub(super) work: SignedDuration,
    /// None of what is written: it waits as long as it must.
    pub(super) patience: Option<Patience>,
    pub(super) matter: Matter,
    /// The same citizen about the same matter, if it was not resolved after all.
    pub(super) comes_back: Option<Box<Arrival>>,
}

/// When somebody leaves the queue, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    pub(super) lasts: SignedDuration,
    /// None when they just leave: an abandoned contact.
    pub(super) reason: Option<Reason>,
}

impl Arrival {
    pub(super) fn call(
        rng: &mut StdRng,
        at: Timestamp,
        matter: impl Fn(&mut StdRng) -> Matter,
    ) -> Self {
        let matter = matter(rng);
        // Most choose in the menu; the others stay with the switchboard, which learns the department too late.
        let chose = chance(rng, 0.75);
        let waits = exponential(rng, 240.0);
        let patience = if chance(rng, 0.02) {
            // A pocket call, or the wrong number.
            Patience::new(rng.random_range(1.0..10.0), None)
        } else if waits > 900.0 {
            Patience::new(900.0, Some(Reason::TimedOut))
        } else if waits > 30.0 && chance(rng, 0.05) {
            Patience::new(waits, Some(Reason::PressedKey))
        } else {
            Patience::new(waits, None)
        };
        let mut call = Arrival {
            at,
            channel: Channel::Phone,
            queue: if chose { matter.queue } else { SWITCHBOARD },
            department: chose.then_some(matter.department),
            pickup: seconds(rng.random_range(2.0..7.0)),
            work: work(rng, 240.0),
            patience: Some(patience),
            matter,
            comes_back: None,
        };
        call.maybe_comes_back(rng);
        call
    }

    pub(super) fn visit(rng: &mut StdRng, at: Timestamp) -> Self {
        let pickup = seconds(rng.random_range(5.0..20.0));
        let waits = 180.0 + exponential(rng, 900.0);
        let mut visit = Self::at_desk(rng, at, (Channel::Visit, "besok"), 330.0);
        visit.pickup = pickup;
        visit.patience = Some(Patience::new(waits, None));
        visit
    }

    pub(super) fn written(rng: &mut StdRng, at: Timestamp, channel: Channel) -> Self {
        let (queue, mean) = match channel {
            Channel::WebForm => ("webb", 200.0),
            Channel::Social => ("sociala-medier", 150.0),
            _ => ("epost", 300.0),
        };
        Self::at_desk(rng, at, (channel, queue), mean)
    }

    fn at_desk(
        rng: &mut StdRng,
        at: Timestamp,
        (channel, queue): (Channel, &'static str),
        mean: f64,
    ) -> Self {
        let matter = Matter::draw(rng);
        let mut arrival = Arrival {
            at,
            channel,
            queue,
            department: Some(matter.department),
            pickup: SignedDuration::ZERO,
            work: work(rng, mean),
            patience: None,
            matter,
            comes_back: None,
        };
        arrival.maybe_comes_back(rng);
        arrival
    }

    /// Some of the resolved are not: they call later the same day, or on the next.
    fn maybe_comes_back(&mut self, rng: &mut StdRng) {
        if self.matter.outcome != Outcome::Resolved || !chance(rng, RETURNING) {
            return;
        }
        let local = hours::local(self.at);
        let (date, minute) = (local.date(), hours::minute_of(local));
        // Well before closing, so that most of them get through.
        let last = CLOSING - 30;
        let at = if hours::is_weekday(date) && minute < last - 120 && chance(rng, 0.5) {
            hours::at(date, rng.random_range(minute.max(OPENING) + 60..last))
        } else {
            hours::at(
                hours::weekday_after(date),
                rng.random_range(OPENING + 5..last),
            )
        };
        let matter = self.matter.clone();
        let mut call = Arrival::call(rng, at, |_| matter.clone());
        // A third contact about one matter would be a reopened case's: the department's by then.
        call.comes_back = None;
        self.comes_back = Some(Box::new(call));
    }
}

impl Patience {
    fn new(lasts: f64, reason: Option<Reason>) -> Self {
        Patience {
            lasts: seconds(lasts),
            reason,
        }
    }
}

/// How long a guide works on a contact; at most half an hour, so that a day ends.
fn work(rng: &mut StdRng, mean: f64) -> SignedDuration {
    seconds(log_normal(rng, mean, 0.6).clamp(20.0, 1800.0))
}

/// Whole milliseconds: finer would only make longer lines.
pub(super) fn seconds(seconds: f64) -> SignedDuration {
    SignedDuration::from_millis((seconds * 1000.0) as i64)
}
