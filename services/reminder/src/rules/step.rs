//! When a plan's steps come, and taking them.

use domain::{CaseEvent, CaseWhat, FollowUpStep, StepTaken, Words};
use jiff::{SignedDuration, Timestamp};

use super::{
    clock::CaseClock,
    plan::{Done, Follow, How, Plan},
    terms::Terms,
    words,
};

/// A step was taken: what is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taking {
    /// The step.
    pub step: FollowUpStep,
    /// Earlier steps that were due as well, and are not taken any more.
    pub missed: Vec<FollowUpStep>,
    /// When it should have been taken.
    pub planned: Timestamp,
    /// How much later it was taken.
    pub late_by: SignedDuration,
    /// The same in the department's working time.
    pub late_by_working: SignedDuration,
    /// Where the limit is among what was missed: that the case is overdue, which is told before `event` and without a
    /// mail, so that nothing is escalated that is not known to be overdue. It is told as of the limit, to nobody.
    pub overdue: Option<CaseEvent>,
    /// What is told of the step, and mailed to those it names.
    pub event: CaseEvent,
}

/// A step to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ahead {
    pub(super) step: FollowUpStep,
    /// On the case's clock.
    pub(super) offset: SignedDuration,
    /// When, in working time.
    pub(super) at: Timestamp,
}

impl Plan {
    /// Takes the step that is due at `now`, if one is and the department works: the latest such one. Earlier ones are missed
    /// then; a case gets its present step, and no step twice, whatever the clock does.
    pub fn take(&mut self, terms: &Terms, now: Timestamp) -> Option<Taking> {
        let _ = (terms, now);
        None
    }

    /// When to look at the plan again: when its next step is due or, when one is due already, the next working instant.
    /// `None` while nothing is going to be due.
    pub fn next(&self, terms: &Terms, now: Timestamp) -> Option<Timestamp> {
        let _ = (terms, now);
        None
    }
}
