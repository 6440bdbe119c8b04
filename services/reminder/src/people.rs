//! Who is told: whoever has a role at the moment of the step, so that a new contact person gets the next one. And the
//! terms of a plan: its limit and steps stay as they were agreed, and who is told is told when they work now.

use std::collections::BTreeSet;

use domain::{
    Agreements, AgreementsVersion, CaseType, Department, GroupId, OpeningHours, Person, Role,
    WorkingTime, bound, in_force, local_day, numbered,
};
use jiff::{Timestamp, civil::Date};
use platform::mail::Address;

use crate::rules::{Plan, Terms};

/// What the version that a plan is bound to says of it.
pub(crate) fn terms_of(versions: &[AgreementsVersion], plan: &Plan) -> Terms {
    terms(
        versions,
        plan.agreement(),
        plan.forwarded_at(),
        (plan.department(), plan.case_type(), plan.group()),
    )
}

/// What the version `agreement` says; where a case is bound to none, the one of then.
pub(crate) fn terms(
    versions: &[AgreementsVersion],
    agreement: Option<i64>,
    then: Timestamp,
    (department, case_type, group): (&Department, &CaseType, &GroupId),
) -> Terms {
    let version = match agreement {
        Some(version) => numbered(versions, version),
        None => bound(versions, then),
    };
    match version {
        Some(version) => Terms {
            by_day: by_day(versions, department, local_day(then)),
            ..Terms::of(&version.content, department, case_type, group)
        },
        // Only an import comes without any agreements, and nobody is told of its cases.
        None => Terms {
            working_time: WorkingTime {
                hours: OpeningHours::default(),
                closures: Vec::new(),
            },
            by_day: Vec::new(),
            steps: domain::ReminderSteps::default(),
            department: department.to_string(),
            group: group.to_string(),
        },
    }
}

/// When a department works by the version in force on each day from `first` on: from which day on it is which.
fn by_day(
    versions: &[AgreementsVersion],
    department: &Department,
    first: Date,
) -> Vec<(Date, WorkingTime)> {
    let begun = versions.iter().map(|version| version.valid_from.max(first));
    let days: BTreeSet<Date> = begun.collect();
    let mut by_day: Vec<(Date, WorkingTime)> = Vec::new();
    for day in days {
        let Some(version) = in_force(versions, day) else {
            continue;
        };
        let working_time = version.content.working_time(department);
        if by_day.last().is_none_or(|(_, last)| *last != working_time) {
            by_day.push((day, working_time));
        }
    }
    by_day
}

/// The agreements in force now.
pub(crate) fn current(versions: &[AgreementsVersion], now: Timestamp) -> Option<&Agreements> {
    in_force(versions, local_day(now)).map(|version| &version.content)
}

/// Where mail to `role` of a plan's department goes now: by the version in force, else by the one the plan is bound to, else
/// to the centre's unit head. `None` where nobody has an address.
pub(crate) fn address(
    versions: &[AgreementsVersion],
    plan: &Plan,
    role: Role,
    now: Timestamp,
) -> Option<Address> {
    let current = current(versions, now);
    let before = plan.agreement().and_then(|v| numbered(versions, v));
    let both = [current, before.map(|version| &version.content)];
    let agreed = || {
        both.into_iter()
            .flatten()
            .filter_map(|a| a.departments.get(plan.department()))
    };
    let found = match role {
        Role::Group => agreed().find_map(|d| {
            let group = d.groups.get(plan.group())?;
            Address::new(&group.name, &group.email).ok()
        }),
        Role::ContactPerson => agreed().find_map(|d| of(&d.contact_person)),
        Role::DepartmentHead => agreed().find_map(|d| of(&d.head)),
        Role::UnitHead => None,
    };
    let unit_head = || both.into_iter().flatten().find_map(|a| of(&a.unit_head));
    match role {
        Role::Group => found,
        _ => found.or_else(unit_head),
    }
}

/// The unit head's address.
pub(crate) fn unit_head(agreements: &Agreements) -> Option<Address> {
    of(&agreements.unit_head)
}

/// Where the guides' list goes: to their mailbox, or to the unit head where they have none.
pub(crate) fn guides(agreements: &Agreements) -> Option<Address> {
    let guides = agreements.guides.as_ref();
    of(guides.unwrap_or(&agreements.unit_head))
}

/// A person's address.
pub(crate) fn of(person: &Person) -> Option<Address> {
    Address::new(&person.name, &person.email).ok()
}
