//! What is known of a case once it has been forwarded, and the states that it comes to.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{CaseEvent, CaseWhat, FollowUpStep};

/// Everything told of one case since it was forwarded. A set, so that it is the same however late, often and disordered
/// it is told; what it comes to is worked out anew from all of it, which is little.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ForwardedFacts(BTreeSet<Step>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Step {
    at: Timestamp,
    #[serde(flatten)]
    what: StepWhat,
}

/// In the order in which they follow each other where they happen at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
enum StepWhat {
    /// First, since who took it did not know yet of what else happened at that instant.
    FollowedUp {
        department: String,
        taken: FollowUpStep,
    },
    Forwarded {
        department: String,
        queue: String,
        registered_at: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Timestamp>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        imported: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        centre_working_s: Option<i64>,
    },
    Paused,
    Resumed {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Timestamp>,
    },
    Promised {
        promised: Timestamp,
    },
    Closed {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        working_s: Option<i64>,
    },
}

/// Where a forwarded case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForwardedState {
    /// The clock goes.
    Open,
    /// Open, but the department waits for somebody else: the clock stands.
    Paused,
    /// Ended by the department.
    Closed,
}

/// A stretch of time in which a forwarded case stood the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardedSpan {
    /// When it began.
    pub since: Timestamp,
    /// When the next one began; `None` for the one that holds now.
    pub until: Option<Timestamp>,
    /// Where the case stood.
    pub state: ForwardedState,
    /// The department that had it, under the name that figures use; see [`crate::Forwarding::department_key`].
    pub department: String,
    /// The group that had it, likewise; see [`crate::Forwarding::queue_key`].
    pub queue: String,
    /// Whether an import had put it there.
    pub imported: bool,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When it was forwarded for the first time.
    pub first_forwarded_at: Timestamp,
    /// When it was forwarded to where it was.
    pub forwarded_at: Timestamp,
    /// Its limit; while it is paused, the one of before.
    pub due: Option<Timestamp>,
    /// After this instant it was overdue, if that lies within the span or before; `None` where it cannot become so in it.
    pub late_from: Option<Timestamp>,
    /// Working seconds at the centre before it was forwarded for the first time; `None` where not known.
    pub centre_working_s: Option<i64>,
    /// Working seconds at departments, once it is closed; `None` where not all of them are known.
    pub working_s: Option<i64>,
    /// Steps of its follow-up that somebody was told of since it was last forwarded, each once, as they came.
    pub steps: Vec<FollowUpStep>,
    /// The day that its group has promised since then.
    pub promised: Option<Timestamp>,
}

impl ForwardedFacts {
    /// Whether an event tells anything of a case at a department. Others change no facts.
    pub fn concern(event: &CaseEvent) -> bool {
        step(event).is_some()
    }

    /// Adds what one event tells.
    pub fn apply(&mut self, event: &CaseEvent) {
        self.0.extend(step(event));
    }

    /// Every step of its follow-up that was told, whether or not it still concerned the case.
    pub fn followed_up(&self) -> impl Iterator<Item = FollowUpStep> {
        self.0.iter().filter_map(|step| match step.what {
            StepWhat::FollowedUp { taken, .. } => Some(taken),
            _ => None,
        })
    }

    /// How it has stood, first to last, without a gap from its first forwarding on.
    pub fn spans(&self) -> Vec<ForwardedSpan> {
        let mut spans: Vec<ForwardedSpan> = Vec::new();
        // Working time at departments so far; `None` as soon as some of it is not known.
        let mut worked = Some(0);
        for (since, step) in self.in_order() {
            let last = spans.last().cloned();
            let next = match (&step.what, last) {
                (
                    StepWhat::Forwarded {
                        department,
                        queue,
                        registered_at,
                        due,
                        imported,
                        centre_working_s,
                    },
                    last,
                ) => {
                    // A department that did not close it has not said how long it worked.
                    if last
                        .as_ref()
                        .is_some_and(|l| l.state != ForwardedState::Closed)
                    {
                        worked = None;
                    }
                    ForwardedSpan {
                        since,
                        until: None,
                        state: ForwardedState::Open,
                        department: department.clone(),
                        queue: queue.clone(),
                        imported: *imported,
                        registered_at: last.as_ref().map_or(*registered_at, |l| l.registered_at),
                        first_forwarded_at: last.as_ref().map_or(since, |l| l.first_forwarded_at),
                        forwarded_at: since,
                        due: *due,
                        late_from: *due,
                        centre_working_s: last.map_or(*centre_working_s, |l| l.centre_working_s),
                        working_s: None,
                        steps: Vec::new(),
                        promised: None,
                    }
                }
                (_, None) => continue,
                (_, Some(last)) if last.state == ForwardedState::Closed => continue,
                // A step told to where it no longer is was of a plan that had ended.
                (StepWhat::FollowedUp { department, taken }, Some(mut last)) => {
                    if last.department != *department || last.steps.contains(taken) {
                        continue;
                    }
                    last.steps.push(*taken);
                    ForwardedSpan { since, ..last }
                }
                (StepWhat::Promised { promised }, Some(last)) => ForwardedSpan {
                    since,
                    promised: Some(*promised),
                    ..last
                },
                // What was late before stays late; what was not cannot become so while the clock stands.
                (StepWhat::Paused, Some(last)) if last.state == ForwardedState::Open => {
                    ForwardedSpan {
                        since,
                        state: ForwardedState::Paused,
                        late_from: last.due.filter(|due| *due < since),
                        ..last
                    }
                }
                (StepWhat::Paused, Some(_)) => continue,
                (StepWhat::Resumed { due }, Some(last)) => ForwardedSpan {
                    since,
                    state: ForwardedState::Open,
                    due: *due,
                    late_from: *due,
                    ..last
                },
                (StepWhat::Closed { working_s }, Some(last)) => {
                    worked = worked.zip(*working_s).map(|(a, b)| a + b);
                    let late_from = match last.state {
                        ForwardedState::Paused => last.late_from,
                        _ => last.due.filter(|due| *due < step.at),
                    };
                    ForwardedSpan {
                        since,
                        state: ForwardedState::Closed,
                        late_from,
                        working_s: worked,
                        ..last
                    }
                }
            };
            match spans.last_mut() {
                Some(last) if last.since == since => *last = next,
                Some(last) => {
                    last.until = Some(since);
                    spans.push(next);
                }
                None => spans.push(next),
            }
        }
        spans
    }

    /// The steps with the times they count from. Exports of older systems hold cases that were closed before they came in:
    /// those are closed as they come in.
    fn in_order(&self) -> Vec<(Timestamp, &Step)> {
        let first_import = self.0.iter().find_map(|step| match step.what {
            StepWhat::Forwarded { imported, .. } => Some(imported.then_some(step.at)),
            _ => None,
        });
        let mut steps: Vec<(Timestamp, &Step)> = self
            .0
            .iter()
            .map(|step| match (&step.what, first_import.flatten()) {
                (StepWhat::Closed { .. }, Some(came)) => (step.at.max(came), step),
                _ => (step.at, step),
            })
            .collect();
        steps.sort_by(|(a, x), (b, y)| (a, &x.what).cmp(&(b, &y.what)));
        steps
    }
}

fn step(event: &CaseEvent) -> Option<Step> {
    let what = match &event.what {
        CaseWhat::Forwarded(forwarding) => StepWhat::Forwarded {
            department: forwarding.department_key(&event.department).to_owned(),
            queue: forwarding.queue_key(&event.department),
            registered_at: forwarding.registered_at,
            due: forwarding.due,
            imported: forwarding.imported,
            centre_working_s: forwarding.centre_working_s,
        },
        CaseWhat::Paused { .. } => StepWhat::Paused,
        CaseWhat::Resumed { due } => StepWhat::Resumed { due: *due },
        CaseWhat::Closed(closing) => StepWhat::Closed {
            working_s: closing.working_s,
        },
        CaseWhat::Promised(promise) => StepWhat::Promised {
            promised: promise.promised,
        },
        // What nobody was told of, since a later step was due as well, is no step that the closing may have taken.
        CaseWhat::Reminded(step) | CaseWhat::Overdue(step) | CaseWhat::Escalated(step)
            if step.to.is_empty() =>
        {
            return None;
        }
        CaseWhat::Reminded(step) | CaseWhat::Overdue(step) | CaseWhat::Escalated(step) => {
            StepWhat::FollowedUp {
                department: event.department.to_string(),
                taken: step.step,
            }
        }
        // Who sends it back has it forwarded anew at once.
        CaseWhat::Bounced(_)
        | CaseWhat::Taken
        | CaseWhat::Registered { .. }
        | CaseWhat::Resolved
        | CaseWhat::RepeatContact
        | CaseWhat::ForwardRequested { .. } => return None,
    };
    Some(Step { at: event.at, what })
}
