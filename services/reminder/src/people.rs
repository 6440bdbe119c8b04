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

#[cfg(test)]
mod tests {
    use domain::CaseWhat;
    use jiff::SignedDuration;

    use super::*;
    use crate::rules::example::{at, event, forwarding};

    const WEEK: [&str; 5] = ["monday", "tuesday", "wednesday", "thursday", "friday"];

    /// A version in which one person has every role at the building department.
    fn version(
        version: i64,
        valid_from: &str,
        who: &str,
        closures: serde_json::Value,
    ) -> AgreementsVersion {
        let person = serde_json::json!({ "name": who, "email": format!("{who}@bygg.example") });
        let days = WEEK.map(|day| (day.to_owned(), serde_json::json!(["08:00-16:00"])));
        let hours = serde_json::Value::Object(days.into_iter().collect());
        let content = serde_json::json!({
            "municipality": "Exempel",
            "unit_head": {"name": "enhetschef", "email": "enhetschef@centrum.example"},
            "hours": hours, "closures": [], "zones": {},
            "registrator": {"department": "bygg", "group": "handlaggare", "limit_working_hours": 80},
            "departments": {"bygg": {
                "name": "Byggnadsförvaltningen", "hours": hours, "closures": closures,
                "groups": {"handlaggare": person}, "contact_person": person, "head": person,
                "targets": {}, "pause_cap_working_hours": 80, "default_group": "handlaggare",
                "default_limit_working_hours": 40, "default_reminders": {}, "case_types": {},
            }},
        });
        AgreementsVersion {
            version,
            valid_from: valid_from.parse().unwrap(),
            approved_by: "nämnden § 1".to_owned(),
            applied_at: at("2026-01-01 12:00"),
            content: serde_json::from_value(content).unwrap(),
        }
    }

    /// A case of version 1, forwarded on Monday 16 November 2026 with a limit of 40 working hours.
    fn plan(versions: &[AgreementsVersion]) -> Plan {
        let from = at("2026-11-16 08:00");
        let due = versions[0]
            .content
            .office_time()
            .add(from, SignedDuration::from_hours(40));
        let forwarding = forwarding(due);
        let event = event(from, CaseWhat::Forwarded(forwarding.clone()));
        let place = (&event.department, &forwarding.case_type, &forwarding.group);
        Plan::forwarded(&event, &forwarding, &terms(versions, Some(1), from, place))
    }

    #[test]
    fn who_has_the_role_when_the_step_comes_is_told() {
        let none = serde_json::json!([]);
        let versions = [
            version(1, "2026-01-01", "anna", none.clone()),
            version(2, "2026-11-24", "berit", none),
        ];
        let plan = plan(&versions);
        let told = |role, time: &str| {
            let address = address(&versions, &plan, role, at(time)).unwrap();
            address.address().to_string()
        };
        for role in [Role::Group, Role::ContactPerson, Role::DepartmentHead] {
            assert_eq!(told(role, "2026-11-23 15:00"), "anna@bygg.example");
            assert_eq!(told(role, "2026-11-24 08:00"), "berit@bygg.example");
        }
        let unit_head = told(Role::UnitHead, "2026-11-24 08:00");
        assert_eq!(unit_head, "enhetschef@centrum.example");
    }

    #[test]
    fn limits_are_counted_as_agreed_and_steps_are_taken_when_somebody_is_there() {
        let none = || serde_json::json!([]);
        let moves =
            serde_json::json!([{"from": "2026-11-18", "until": "2026-11-20", "why": "flytt"}]);
        let versions = [
            version(1, "2026-01-01", "anna", none()),
            version(2, "2026-11-17", "anna", moves),
            version(3, "2026-11-20", "anna", none()),
        ];
        let mut plan = plan(&versions[..1]);
        let next = |plan: &Plan, known: usize, now: &str| {
            plan.next(&terms_of(&versions[..known], plan), at(now))
        };
        let (half, limit) = (at("2026-11-18 12:00"), at("2026-11-23 08:00"));
        assert_eq!(next(&plan, 1, "2026-11-17 09:00"), Some(half));
        // Closed by the second, until the third is in force.
        assert_eq!(next(&plan, 2, "2026-11-17 09:00"), Some(limit));
        let opens = at("2026-11-20 08:00");
        assert_eq!(next(&plan, 3, "2026-11-17 09:00"), Some(opens));
        let terms = terms_of(&versions, &plan);
        assert!(plan.take(&terms, half).is_none());
        let taking = plan.take(&terms, opens).unwrap();
        assert_eq!(taking.step, domain::FollowUpStep::Share);
        // The limit is what it was.
        assert_eq!(next(&plan, 3, "2026-11-20 09:00"), Some(limit));
        assert_eq!(plan.due(), Some(at("2026-11-20 16:00")));
    }
}
