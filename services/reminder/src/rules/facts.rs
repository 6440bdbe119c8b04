//! What a plan is found by and shown with.

use domain::{CaseId, CaseType, Department, GroupId, Guide};
use jiff::Timestamp;

use super::plan::{Follow, How, Plan, PlanState};

impl Plan {
    /// The case.
    pub(crate) fn case(&self) -> CaseId {
        self.case
    }

    /// The department that has it.
    pub(crate) fn department(&self) -> &Department {
        &self.department
    }

    /// The group that has it.
    pub(crate) fn group(&self) -> &GroupId {
        &self.group
    }

    /// The case's type.
    pub(crate) fn case_type(&self) -> &CaseType {
        &self.case_type
    }

    /// The guide who registered it or asked for it to be forwarded, where the centre says so.
    pub(crate) fn guide(&self) -> Option<&Guide> {
        self.guide.as_ref()
    }

    /// The version of the agreements that it is bound to; `None` where it came with an import.
    pub(crate) fn agreement(&self) -> Option<i64> {
        self.agreement
    }

    /// When it was forwarded to the group.
    pub(crate) fn forwarded_at(&self) -> Timestamp {
        self.clock.started
    }

    /// The limit; while the case is paused, the one of before. `None` where it has none.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        match self.follow {
            Follow::Limit { due, .. } => Some(due),
            Follow::Imported { due } => due,
            Follow::NoLimit => None,
        }
    }

    /// The day that the group has promised.
    pub(crate) fn promised(&self) -> Option<Timestamp> {
        self.promise.as_ref().map(|promise| promise.promised)
    }

    /// Where it stands.
    pub(crate) fn state(&self) -> PlanState {
        match (&self.ended, self.clock.standing()) {
            (Some(_), _) => PlanState::Ended,
            (None, Some(_)) => PlanState::Paused,
            (None, None) => PlanState::Open,
        }
    }

    /// After this it is overdue, as it stands: its limit; `None` where it has none, where it was paused before it, and where it
    /// has ended.
    pub(crate) fn late_from(&self) -> Option<Timestamp> {
        let until = self.clock.standing().map_or(Timestamp::MAX, |p| p.at);
        self.due()
            .filter(|due| self.ended.is_none() && *due < until)
    }

    /// Whether it is overdue at `now`: open after its limit or, while it is paused, paused after it.
    pub(crate) fn is_late(&self, now: Timestamp) -> bool {
        self.late_from().is_some_and(|from| from < now)
    }

    /// When its follow-up ended; `None` while it goes on.
    pub(crate) fn ended_at(&self) -> Option<Timestamp> {
        self.ended.as_ref().map(|ended| ended.at)
    }

    /// Whether it came with an import of an older system's cases: nobody is told of it.
    pub(crate) fn is_imported(&self) -> bool {
        matches!(self.follow, Follow::Imported { .. })
    }

    /// How many of its steps have been taken.
    pub(crate) fn steps_taken(&self) -> usize {
        let taken = self.done.iter();
        taken.filter(|d| matches!(d.how, How::Taken(_))).count()
    }
}
