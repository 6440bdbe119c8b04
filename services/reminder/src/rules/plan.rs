//! A case's plan: what has been told of it since it was forwarded, and what the plan has done.

use domain::{
    CaseEvent, CaseId, CaseOutcome, CaseType, CaseWhat, Department, FollowUpStep, Forwarding,
    GroupId, Guide, PauseReason, Words,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{clock::CaseClock, terms::Terms};

/// So many earlier turns are kept: no case goes around more often without somebody asking why.
const TURNS: usize = 10;

/// The follow-up of one case at one group, from its forwarding until it is closed or goes elsewhere.
///
/// Everything in it is measured on the case's own clock, which counts the department's working time and stands while the
/// case is paused. The [`Terms`] that it is asked with are those of the version that the case is bound to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(super) case: CaseId,
    pub(super) department: Department,
    pub(super) group: GroupId,
    pub(super) case_type: CaseType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) guide: Option<Guide>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) agreement: Option<i64>,
    pub(super) follow: Follow,
    pub(super) clock: CaseClock,
    /// When an officer took the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) officer: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) promise: Option<Promised>,
    /// Steps that are behind, in the order in which they were dealt with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) done: Vec<Done>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<Ended>,
    /// Where it was before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) earlier: Vec<Turn>,
}

/// Whether a case is followed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Follow {
    /// It is, by a limit.
    Limit {
        /// On the case's clock.
        length: SignedDuration,
        /// As the events tell it.
        due: Timestamp,
    },
    /// It came with an import of an older system's cases: nobody is told of it.
    Imported { due: Option<Timestamp> },
    /// It has no limit to be followed up by.
    NoLimit,
}

/// The group has promised a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Promised {
    pub(super) at: Timestamp,
    pub(super) promised: Timestamp,
}

/// A step that is behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) step: FollowUpStep,
    /// When it should have been taken.
    pub(super) planned: Timestamp,
    /// When it was dealt with.
    pub(super) at: Timestamp,
    pub(super) how: How,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum How {
    /// It was taken, for this reason.
    Taken(Words),
    /// A later one was due as well, and was taken instead.
    Missed,
}

/// How a plan ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ended {
    pub(super) at: Timestamp,
    pub(super) how: Ending,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ending {
    Closed(CaseOutcome),
    Bounced,
}

/// An earlier plan of the same case, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Turn {
    /// As they were called.
    pub(super) department: String,
    pub(super) group: String,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// `None` where it was forwarded anew without an ending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) how: Option<Ending>,
    /// How many steps were taken.
    pub(super) steps: usize,
}

/// Where a plan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanState {
    /// The clock goes.
    Open,
    /// The clock stands.
    Paused,
    /// Closed, or sent back.
    Ended,
}

impl PlanState {
    /// As it stands in data.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }
}

impl Plan {
    /// Lays the plan out when a case is forwarded. `event` is what told of it.
    pub(crate) fn forwarded(event: &CaseEvent, forwarding: &Forwarding, terms: &Terms) -> Self {
        let imported = forwarding.imported || forwarding.historical.is_some();
        let follow = match forwarding.due {
            due if imported => Follow::Imported { due },
            Some(due) => Follow::Limit {
                length: terms.working_time.between(event.at, due),
                due,
            },
            None => Follow::NoLimit,
        };
        Self {
            case: event.case,
            department: event.department.clone(),
            group: forwarding.group.clone(),
            case_type: forwarding.case_type.clone(),
            guide: forwarding.guide.clone(),
            agreement: forwarding.agreement,
            follow,
            clock: CaseClock::start(event.at),
            officer: None,
            promise: None,
            done: Vec::new(),
            ended: None,
            earlier: Vec::new(),
        }
    }

    /// The same as the plan that comes after `old` one of the same case, so that its outline tells of both. `terms` are the
    /// old one's.
    #[must_use]
    pub(crate) fn after(mut self, old: &Plan, terms: &Terms) -> Self {
        let taken = |done: &&Done| matches!(done.how, How::Taken(_));
        self.earlier.clone_from(&old.earlier);
        self.earlier.push(Turn {
            department: terms.department.clone(),
            group: terms.group.clone(),
            from: old.clock.started,
            until: old.ended.as_ref().map_or(self.clock.started, |e| e.at),
            how: old.ended.as_ref().map(|e| e.how.clone()),
            steps: old.done.iter().filter(taken).count(),
        });
        let surplus = self.earlier.len().saturating_sub(TURNS);
        self.earlier.drain(..surplus);
        self
    }

    /// Takes in what has been told of the case, and says whether that changed the plan. What is told twice changes it once.
    /// A forwarding makes another plan; see [`Plan::forwarded`].
    pub(crate) fn apply(&mut self, event: &CaseEvent, terms: &Terms) -> bool {
        if self.ended.is_some() || event.case != self.case || event.at < self.clock.started {
            return false;
        }
        match &event.what {
            CaseWhat::Taken => {
                let first = self.officer.is_none();
                self.officer.get_or_insert(event.at);
                first
            }
            CaseWhat::Paused { reason, until } => self.pause(event.at, *reason, *until, terms),
            CaseWhat::Resumed { due } => self.resume(event.at, *due, terms),
            CaseWhat::Promised(promise) => {
                let promised = Promised {
                    at: event.at,
                    promised: promise.promised,
                };
                self.promise.replace(promised.clone()) != Some(promised)
            }
            CaseWhat::Bounced(_) => self.end(event.at, Ending::Bounced),
            CaseWhat::Closed(closing) => self.end(event.at, Ending::Closed(closing.outcome)),
            // A forwarding makes another plan, the plan's own steps are known, and the rest is before it.
            CaseWhat::Forwarded(_)
            | CaseWhat::Reminded(_)
            | CaseWhat::Overdue(_)
            | CaseWhat::Escalated(_)
            | CaseWhat::Registered { .. }
            | CaseWhat::Resolved
            | CaseWhat::RepeatContact
            | CaseWhat::ForwardRequested { .. } => false,
        }
    }

    fn pause(
        &mut self,
        at: Timestamp,
        reason: PauseReason,
        until: Timestamp,
        terms: &Terms,
    ) -> bool {
        // The pause that has ended, told once more.
        if self.clock.pauses.iter().any(|pause| at <= pause.at) {
            return false;
        }
        self.clock.stop(&terms.working_time, (at, until), reason)
    }

    fn resume(&mut self, at: Timestamp, due: Option<Timestamp>, terms: &Terms) -> bool {
        if !self.clock.go_on(at) {
            return false;
        }
        match (&mut self.follow, due, self.clock.going()) {
            (Follow::Limit { length, due: known }, Some(due), Some((at, reading))) => {
                // Routing has the last word of what is left. What was late already stays as late as it was.
                if due > at {
                    *length = reading + terms.working_time.between(at, due);
                }
                *known = due;
            }
            (Follow::Imported { due: known }, Some(due), _) => *known = Some(due),
            _ => {}
        }
        true
    }

    fn end(&mut self, at: Timestamp, how: Ending) -> bool {
        self.ended = Some(Ended { at, how });
        true
    }
}
