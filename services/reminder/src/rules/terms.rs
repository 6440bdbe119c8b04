//! What the agreements say of one case's follow-up.

use domain::{Agreements, CaseType, Department, GroupId, ReminderSteps, WorkingTime};

/// What the version of the agreements that a case is bound to says of following it up at one department. It never changes,
/// so it may be worked out anew whenever it is needed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Terms {
    /// When the department works: limits and steps are counted in it, and steps are taken in it.
    pub(crate) working_time: WorkingTime,
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
            steps: steps.unwrap_or_default(),
            department: own.map_or_else(|| department.to_string(), |d| d.name.clone()),
            group: group_name.map_or_else(|| group.to_string(), Clone::clone),
        }
    }
}
