//! A contact's facts: what its events add up to, in whatever order and however often they come.

use jiff::{Timestamp, civil::Date};

use crate::{
    Channel, ContactEvent, ContactWhat, Department, QueueName, SERVICE_LEVEL_SECONDS,
    SHORT_ABANDON_SECONDS, TurnedAway, local_day,
};

/// What is known of one contact.
///
/// Each field only ever moves one way (earliest, or latest), so applying events is commutative and idempotent: late,
/// doubled and reordered events end in the same facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactFacts {
    /// The channel.
    pub channel: Channel,
    /// The queue.
    pub queue: QueueName,
    /// The department, where any event named one.
    pub department: Option<Department>,
    /// When it first came into the queue.
    pub first_queued: Option<Timestamp>,
    /// When it last came into the queue (a call can leave on a timeout and come back).
    pub last_queued: Option<Timestamp>,
    /// The first answer.
    pub answered: Option<TookIt>,
    /// The last time it left unanswered.
    pub left: Option<Left>,
    /// The last time it came into the queue of which it is known that it left again: a leaving tells how long it had waited.
    pub come_and_gone: Option<Timestamp>,
    /// The last time the PBX restarted while it waited, as far as is known.
    pub lost: Option<Timestamp>,
    /// When the conversation was over.
    pub ended: Option<Timestamp>,
}

/// A guide took the contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TookIt {
    /// When.
    pub at: Timestamp,
    /// Seconds waited, as the sender measured it.
    pub waited_s: Option<u32>,
}

/// The contact left without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// When.
    pub at: Timestamp,
    /// How.
    pub how: LeftHow,
    /// Seconds waited, as the sender measured it.
    pub waited_s: Option<u32>,
}

/// How a contact left unanswered. At the same instant the later variant wins: what somebody saw beats not knowing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftHow {
    /// The queue was closed.
    Closed,
    /// Offered and not answered.
    TurnedAway,
    /// Hung up or walked away.
    Abandoned,
}

/// How it stands with a contact. Waits are in milliseconds; `None` is an unknown wait, never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// In the queue since the instant given.
    Waiting(Timestamp),
    /// A guide took it.
    Answered(Option<i64>),
    /// The citizen left first.
    Abandoned(Option<i64>),
    /// Offered and not answered.
    TurnedAway(Option<i64>),
    /// It came to a closed queue and was never offered to a guide: counted nowhere.
    NotOffered,
    /// It is over, and how it went is unknown: counted nowhere.
    Unknown,
}

impl ContactFacts {
    /// A contact of which nothing is known yet but where `event` places it.
    pub fn new(event: &ContactEvent) -> Self {
        Self {
            channel: event.channel,
            queue: event.queue.clone(),
            department: None,
            first_queued: None,
            last_queued: None,
            answered: None,
            left: None,
            come_and_gone: None,
            lost: None,
            ended: None,
        }
    }

    /// Adds what one event tells.
    pub fn apply(&mut self, event: &ContactEvent) {
        // Told otherwise by two events, the lesser wins, whichever came first.
        self.channel = self.channel.min(event.channel);
        self.department = self.department.take().max(event.department.clone());
        let at = event.at;
        match event.what {
            ContactWhat::Queued => {
                self.first_queued = Some(self.first_queued.map_or(at, |t| t.min(at)));
                self.last_queued = self.last_queued.max(Some(at));
            }
            ContactWhat::Answered { waited_s } => {
                let this = TookIt { at, waited_s };
                self.answered = Some(self.answered.map_or(this, |t| t.min(this)));
            }
            ContactWhat::Abandoned { waited_s } => self.leave(at, LeftHow::Abandoned, waited_s),
            ContactWhat::TurnedAway { reason, waited_s } => {
                let how = match reason {
                    TurnedAway::Closed => LeftHow::Closed,
                    _ => LeftHow::TurnedAway,
                };
                self.leave(at, how, waited_s);
            }
            ContactWhat::Lost => self.lost = self.lost.max(Some(at)),
            ContactWhat::Ended => self.ended = self.ended.max(Some(at)),
        }
    }

    fn leave(&mut self, at: Timestamp, how: LeftHow, waited_s: Option<u32>) {
        self.left = self.left.max(Some(Left { at, how, waited_s }));
        self.come_and_gone = self.come_and_gone.max(waited_s.map(|s| back(at, s)));
    }

    /// How it stands.
    pub fn outcome(&self) -> Outcome {
        if let Some(took) = self.answered {
            return Outcome::Answered(self.wait_ms(took.at, took.waited_s));
        }
        match (self.left, self.last_queued) {
            // It came back after it had left: it waits again, since it first came.
            (Some(left), Some(queued)) if self.came_back(left, queued) => self.waiting(),
            (Some(left), _) => {
                let wait = self.wait_ms(left.at, left.waited_s);
                match left.how {
                    LeftHow::Abandoned => Outcome::Abandoned(wait),
                    LeftHow::TurnedAway => Outcome::TurnedAway(wait),
                    // Who stood in the queue when it closed was offered; who came afterwards was not.
                    LeftHow::Closed if self.first_queued.is_some() => Outcome::TurnedAway(wait),
                    LeftHow::Closed => Outcome::NotOffered,
                }
            }
            (None, Some(_)) => self.waiting(),
            _ => Outcome::Unknown,
        }
    }

    /// A PBX writes whole seconds, and a call that times out comes back within the same one. In that second it may also leave
    /// for good, such as from a queue that nobody staffs: then it has left after no wait.
    fn came_back(&self, left: Left, queued: Timestamp) -> bool {
        queued > left.at
            || (queued == left.at
                && left.how == LeftHow::TurnedAway
                && self.first_queued.is_some_and(|first| first < queued)
                && self.come_and_gone < Some(queued))
    }

    /// It waits, unless the PBX restarted since: then nobody knows. What is told of how it went counts all the same.
    fn waiting(&self) -> Outcome {
        match self.first_queued {
            Some(since) if self.lost.max(self.ended) < self.last_queued => Outcome::Waiting(since),
            _ => Outcome::Unknown,
        }
    }

    fn wait_ms(&self, until: Timestamp, measured_s: Option<u32>) -> Option<i64> {
        match self.first_queued {
            Some(since) => Some((until.as_millisecond() - since.as_millisecond()).max(0)),
            None => measured_s.map(|s| i64::from(s) * 1000),
        }
    }

    /// The day it arrived. Where the arrival was not told, it is reckoned back from the wait.
    pub fn day(&self) -> Option<Date> {
        let arrived = self
            .first_queued
            .or(self.answered.map(|t| back(t.at, t.waited_s.unwrap_or(0))))
            .or(self.left.map(|l| back(l.at, l.waited_s.unwrap_or(0))))
            .or(self.ended)?;
        Some(local_day(arrived))
    }

    /// What it adds to the figures, and where. `None` while undecided or unknown: then it is in neither number.
    pub fn counted(&self) -> Option<(ContactCell, ContactSums)> {
        let (wait, mut sums) = match self.outcome() {
            Outcome::Waiting(_) | Outcome::NotOffered | Outcome::Unknown => return None,
            Outcome::Answered(wait) => {
                let within = wait.is_some_and(|w| w <= i64::from(SERVICE_LEVEL_SECONDS) * 1000);
                let sums = ContactSums {
                    answered: 1,
                    answered_within: within.into(),
                    waits_known: wait.is_some().into(),
                    wait_of_answered_ms: wait.unwrap_or(0),
                    ..ContactSums::default()
                };
                (wait, sums)
            }
            Outcome::Abandoned(wait) => {
                let short = wait.is_some_and(|w| w <= i64::from(SHORT_ABANDON_SECONDS) * 1000);
                (
                    wait,
                    ContactSums {
                        abandoned: 1,
                        short_abandoned: short.into(),
                        ..ContactSums::default()
                    },
                )
            }
            Outcome::TurnedAway(wait) => (wait, ContactSums::default()),
        };
        sums.offered = 1;
        sums.longest_wait_ms = wait;
        let cell = ContactCell {
            day: self.day()?,
            channel: self.channel,
            queue: self.queue.clone(),
            department: self.department.clone(),
        };
        Some((cell, sums))
    }
}

/// When a wait began that ended at `at`.
fn back(at: Timestamp, waited_s: u32) -> Timestamp {
    at.checked_sub(jiff::SignedDuration::from_secs(waited_s.into()))
        .unwrap_or(at)
}

/// The cell of the figures that a contact belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContactCell {
    /// The local day it arrived.
    pub day: Date,
    /// The channel.
    pub channel: Channel,
    /// The queue.
    pub queue: QueueName,
    /// The department, where known.
    pub department: Option<Department>,
}

/// What is summed in a cell. Sums are kept, never recomputed from history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ContactSums {
    /// Decided contacts: answered, abandoned or turned away.
    pub offered: i64,
    /// Answered.
    pub answered: i64,
    /// Abandoned, short ones included.
    pub abandoned: i64,
    /// Abandoned within the short-abandon threshold.
    pub short_abandoned: i64,
    /// Answered within the service level's time.
    pub answered_within: i64,
    /// Answered with a known wait: what a mean divides by.
    pub waits_known: i64,
    /// Sum of the known waits of the answered, ms.
    pub wait_of_answered_ms: i64,
    /// The longest wait of any contact that was answered or left, ms.
    pub longest_wait_ms: Option<i64>,
}

impl ContactSums {
    /// Adds (`sign` 1) or takes away (`sign` -1) another's counts. The longest wait is a maximum, which cannot be taken
    /// away: adding raises it, taking away leaves it to the caller.
    pub fn add(&mut self, other: &Self, sign: i64) {
        self.offered += sign * other.offered;
        self.answered += sign * other.answered;
        self.abandoned += sign * other.abandoned;
        self.short_abandoned += sign * other.short_abandoned;
        self.answered_within += sign * other.answered_within;
        self.waits_known += sign * other.waits_known;
        self.wait_of_answered_ms += sign * other.wait_of_answered_ms;
        if sign > 0 {
            self.longest_wait_ms = self.longest_wait_ms.max(other.longest_wait_ms);
        }
    }
}
