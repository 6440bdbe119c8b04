//! What the agreements say of one case's follow-up.

use domain::{
    Agreements, CaseType, Department, GroupId, ReminderSteps, WorkingTime, local_day, start_of_day,
};
use jiff::{Timestamp, civil::Date};

/// What the version of the agreements that a case is bound to says of following it up at one department, which never
/// changes; and when that department works by the versions that came after it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Terms {
    /// When the department works by the version that the case is bound to: limits and steps are counted in it.
    pub(crate) working_time: WorkingTime,
    /// When it works by the version in force on the day, each from its day on, ascending: steps are taken in it, since who
    /// is told must be there. Empty where there are no other versions.
    pub(crate) by_day: Vec<(Date, WorkingTime)>,
    /// When who is told.
    pub(crate) steps: ReminderSteps,
    /// What the department is called; its label where the agreements do not know it.
    pub(crate) department: String,
    /// What the group is called, likewise.
    pub(crate) group: String,
}

impl Terms {
    /// What `agreements` say of a case of `case_type` at a department's group. A type that is not agreed on has the
    /// department's ordinary steps; a department that is not in the agreements has the municipality's hours and the steps
    /// of [`ReminderSteps::default`].
    pub(crate) fn of(
        agreements: &Agreements,
        department: &Department,
        case_type: &CaseType,
        group: &GroupId,
    ) -> Self {
        let own = agreements.departments.get(department);
        let steps = own.map(|d| {
            let agreed = d.case_types.get(case_type);
            agreed.map_or(d.default_reminders, |a| a.reminders)
        });
        let group_name = own.and_then(|d| d.groups.get(group)).map(|g| &g.name);
        Self {
            working_time: agreements.working_time(department),
            by_day: Vec::new(),
            steps: steps.unwrap_or_default(),
            department: own.map_or_else(|| department.to_string(), |d| d.name.clone()),
            group: group_name.map_or_else(|| group.to_string(), Clone::clone),
        }
    }
    /// When the department works on a day, by the version that is in force then.
    pub(crate) fn works_on(&self, day: Date) -> &WorkingTime {
        let begun = self.by_day.partition_point(|(from, _)| *from <= day);
        // Before the first the first holds, as for cases.
        let of_day = self.by_day.get(begun.saturating_sub(1));
        of_day.map_or(&self.working_time, |(_, working_time)| working_time)
    }

    /// Whether a step may be taken at `at`.
    pub(crate) fn works(&self, at: Timestamp) -> bool {
        self.works_on(local_day(at)).is_working(at)
    }

    /// The first instant from `at` on at which a step may be taken; `None` where there is none within ten years.
    pub(crate) fn next_work(&self, at: Timestamp) -> Option<Timestamp> {
        let mut from = at;
        loop {
            let day = local_day(from);
            let next = self.works_on(day).next_working(from);
            let until = self.by_day.iter().map(|(until, _)| *until);
            let Some(until) = until.into_iter().find(|until| *until > day) else {
                return next;
            };
            match next {
                Some(next) if local_day(next) < until => return Some(next),
                _ => from = start_of_day(until).ok()?,
            }
        }
    }
}
