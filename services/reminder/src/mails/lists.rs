//! Mails that list cases.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt::Write};

use domain::{Agreements, Department};
use jiff::{Timestamp, civil::Date};
use platform::mail::{Address, Mail};
use uuid::Uuid;

use crate::{
    rules::{Plan, PlanState, local},
    store::{HeadsLate, Listed},
};

/// Lines in one mail at the most; what is left out is counted.
const MOST: usize = 500;

/// Cases to list; `more` is whether there are more than those.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(crate) cases: Vec<Listed>,
    pub(crate) more: bool,
}

/// To the unit head: what should have reached the heads before, in one list.
pub(crate) fn of_heads_late(agreements: &Agreements, late: &[HeadsLate], to: Address) -> Mail {
    let mut by_department: BTreeMap<&Department, Vec<&HeadsLate>> = BTreeMap::new();
    for case in late.iter().take(MOST) {
        by_department
            .entry(&case.department)
            .or_default()
            .push(case);
    }
    let mut list = String::new();
    for (department, cases) in by_department {
        list += &format!("\n{}\n", name(agreements, department));
        for case in cases {
            line(&mut list, &case.case_type, Some(case.due), "", case.case);
        }
    }
    left_out(&mut list, late.len().saturating_sub(MOST));
    Mail {
        id: Uuid::new_v4(),
        to,
        subject: format!("{} försenade ärenden (Overdue cases)", late.len()),
        body: format!(
            "De här ärendena skulle ha nått förvaltningscheferna och dig tidigare, men uppföljningen har stått stilla. \
             Förvaltningscheferna har fått veta det nu. (These cases should have reached the heads before, but the follow-up \
             stood still. The departments' heads have been told now.)\n{list}"
        ),
    }
}

/// To the guides: forwarded cases that became late since the last list, by who forwarded them.
pub(crate) fn of_guides(agreements: &Agreements, day: Date, late: &Listing, to: Address) -> Mail {
    let mut by_guide: BTreeMap<Option<&str>, Vec<&Plan>> = BTreeMap::new();
    for case in &late.cases {
        let guide = case.plan.guide().map(domain::Guide::as_str);
        by_guide.entry(guide).or_default().push(&case.plan);
    }
    let mut list = String::new();
    for (guide, plans) in by_guide {
        match guide {
            Some(guide) => list += &format!("\nVägledare (guide) {guide}\n"),
            None => list += "\nUtan vägledare (no guide named)\n",
        }
        for plan in plans {
            let at = name(agreements, plan.department());
            // It became late before, and comes back late.
            let paused = match plan.state() {
                PlanState::Paused => ", pausat (paused)",
                _ => "",
            };
            line(
                &mut list,
                plan.case_type(),
                plan.due(),
                &format!("{at}{paused}"),
                plan.case(),
            );
        }
    }
    if late.more {
        list += "\n... och fler, som står i nästa lista (and more, which are in the next list)\n";
    }
    Mail {
        id: Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("guides {day}").as_bytes()),
        to,
        subject: format!(
            "Vidareskickade ärenden som blivit försenade, {day} (Cases that became late)"
        ),
        body: format!(
            "De här vidareskickade ärendena har blivit försenade sedan förra listan. (These forwarded cases have become late \
             since the last list.)\n{list}"
        ),
    }
}

/// To a department's contact person: its open cases, before the meeting.
pub(crate) fn of_contact_person(
    department: (&Department, &str),
    day: Date,
    open: &Listing,
    now: Timestamp,
    to: Address,
) -> Mail {
    let (label, name) = department;
    let mut parts: [(&str, Vec<&Plan>); 4] = [
        ("Försenade (overdue)", Vec::new()),
        ("Utlovade (promised)", Vec::new()),
        ("Pausade (paused)", Vec::new()),
        ("Öppna (open)", Vec::new()),
    ];
    for case in &open.cases {
        let plan = &case.plan;
        let part = match plan.state() {
            PlanState::Paused => 2,
            _ if plan.promised().is_some_and(|promised| promised > now) => 1,
            _ if plan.is_late(now) => 0,
            _ => 3,
        };
        parts[part].1.push(plan);
    }
    let mut list = String::new();
    for (title, plans) in parts.iter().filter(|(_, plans)| !plans.is_empty()) {
        list += &format!("\n{title}: {}\n", plans.len());
        for plan in plans {
            let promised = plan
                .promised()
                .map(|promised| format!("lovat till (promised for) {}", local(promised)));
            let promised = promised.unwrap_or_default();
            line(
                &mut list,
                plan.case_type(),
                plan.due(),
                &promised,
                plan.case(),
            );
        }
    }
    if open.more {
        list += "\n... och fler (and more)\n";
    }
    Mail {
        id: Uuid::new_v5(
            &Uuid::NAMESPACE_OID,
            format!("contact person {label} {day}").as_bytes(),
        ),
        to,
        subject: format!("Öppna ärenden hos {name}, {day} (Open cases)"),
        body: format!(
            "Inför mötet med kontaktcenter: det här är öppet hos {name}. (Before the meeting with the centre: what is open at the \
             department.)\n{list}"
        ),
    }
}

fn line(
    list: &mut String,
    case_type: &domain::CaseType,
    due: Option<Timestamp>,
    more: &str,
    case: domain::CaseId,
) {
    let due = due.map_or_else(|| "utan tidsgräns (no limit)".to_owned(), local);
    // Writing to a text cannot fail.
    let _ = write!(list, "  {due}  {case_type}");
    if !more.is_empty() {
        let _ = write!(list, ", {more}");
    }
    let _ = writeln!(list, "  [{case}]");
}

fn left_out(list: &mut String, cases: usize) {
    if cases > 0 {
        let _ = writeln!(list, "\n... och {cases} till (and {cases} more)");
    }
}

/// What the agreements call a department; its label where they do not know it.
fn name<'a>(agreements: &'a Agreements, department: &'a Department) -> &'a str {
    let known = agreements.departments.get(department);
    known.map_or(department.as_str(), |d| d.name.as_str())
}
