//! Where a case goes, and why. There is always somewhere to go.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::{
    Agreements, CaseTypeAgreement, DepartmentAgreement, Depth, ReminderSteps, Rule, Words,
    WorkingHours,
};
use crate::{CaseType, Department, GroupId, Opinion, RosaGroup, Zone};

/// What the agreements need to know of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseToRoute {
    /// The department it is about.
    pub department: Department,
    /// Its type.
    pub case_type: CaseType,
    /// Its ROSA group as the guide registered it.
    pub rosa_group: RosaGroup,
    /// Whether it cannot wait.
    pub urgent: bool,
    /// Complaint or praise, where it is one.
    pub opinion: Option<Opinion>,
    /// The zone it was registered in; where it has none, the agreement's.
    pub zone: Option<Zone>,
}

/// Where a case goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Routed {
    /// The department; another than the case's where that one is not in the agreements.
    pub department: Department,
    /// The group.
    pub group: GroupId,
    /// The secrecy zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// Time limit, from forwarding.
    pub limit_working_hours: WorkingHours,
    /// When who is reminded.
    pub reminders: ReminderSteps,
    /// Whether the centre may not finish it, so that it is forwarded at once.
    pub must_forward: bool,
    /// The rule that decided, such as `bygg/bygglov: urgent`, `bygg/bygglov`, `bygg: default`, `bygg: zone social`,
    /// `bygg: group jour`, `registrator` or `default`. From a closed set, so that cases sent back can be counted by it.
    pub rule: String,
    /// How it was decided, step by step. Holds nothing a citizen wrote.
    pub why: Vec<Words>,
}

impl Agreements {
    /// Decides where a case goes: the case type's group, unless one of its rules fits; the department's default group for
    /// a type that is not agreed on; the registrator for a department that is not in the agreements. A case of a secrecy
    /// zone stays within the zone's groups where the department has any.
    pub fn route(&self, case: &CaseToRoute) -> Routed {
        let mut choice = self.by_department(case);
        choice.keep_in_zone(self, case);
        choice.routed(self, case)
    }

    /// Where a case goes that somebody has sent to a group of the case's department by name.
    pub fn route_to_group(&self, case: &CaseToRoute, group: &GroupId) -> Routed {
        let mut choice = self.by_department(case);
        let groups = self.departments.get(&case.department).map(|d| &d.groups);
        if let Some((group, named)) = groups.and_then(|groups| groups.get_key_value(group)) {
            choice.group = group;
            choice.rule = format!("{}: group {group}", case.department);
            choice.why.push(step(
                format!("skickat just till gruppen {group} ({})", named.name),
                format!("sent to the group {group} by name ({})", named.name),
            ));
        }
        choice.routed(self, case)
    }

    /// Where a case goes that nobody knows a better place for: the registrator's own group, with the registrator's limit.
    pub fn route_to_registrator(&self, case: &CaseToRoute) -> Routed {
        let to = &self.registrator;
        let why = step(
            format!("registrator avgör: {}/{}", to.department, to.group),
            format!("the registrator decides: {}/{}", to.department, to.group),
        );
        self.by_registrator("registrator", why).routed(self, case)
    }

    fn by_department<'a>(&'a self, case: &'a CaseToRoute) -> Choice<'a> {
        match self.departments.get(&case.department) {
            Some(department) => match department.case_types.get(&case.case_type) {
                Some(agreed) => by_agreement(case, department, agreed),
                None => by_default(case, department),
            },
            None => {
                let to = &self.registrator;
                let why = step(
                    format!(
                        "förvaltningen {} saknas i överenskommelserna: registrator {}/{}",
                        case.department, to.department, to.group
                    ),
                    format!(
                        "department {} is not in the agreements: registrator {}/{}",
                        case.department, to.department, to.group
                    ),
                );
                self.by_registrator("default", why)
            }
        }
    }

    fn by_registrator(&self, rule: &str, why: Words) -> Choice<'_> {
        let to = &self.registrator;
        let department = self.departments.get(&to.department);
        Choice {
            department: &to.department,
            group: &to.group,
            agreed: None,
            limit: to.limit_working_hours,
            reminders: department.map_or_else(ReminderSteps::default, |d| d.default_reminders),
            rule: rule.to_owned(),
            why: vec![why],
        }
    }
}

/// Where a case goes, before its own ROSA group and zone have had their say.
struct Choice<'a> {
    department: &'a Department,
    group: &'a GroupId,
    agreed: Option<&'a CaseTypeAgreement>,
    limit: WorkingHours,
    reminders: ReminderSteps,
    rule: String,
    why: Vec<Words>,
}

impl<'a> Choice<'a> {
    /// A guide may register any case in a zone; where its group is none of the zone's, the department's default group takes
    /// it if that is.
    fn keep_in_zone(&mut self, agreements: &'a Agreements, case: &CaseToRoute) {
        let Some(label) = zone(case, self.agreed) else {
            return;
        };
        let of_zone = agreements.zones.get(label);
        let department = agreements.departments.get(self.department);
        let (Some(of_zone), Some(department)) = (of_zone, department) else {
            return;
        };
        let default = &department.default_group;
        if of_zone.has(self.department, self.group) || !of_zone.has(self.department, default) {
            return;
        }
        self.why.push(step(
            format!(
                "gruppen {} hör inte till sekretessområdet: {default} tar det",
                self.group
            ),
            format!(
                "the group {} is not of the secrecy zone: {default} takes it",
                self.group
            ),
        ));
        self.rule = format!("{}: zone {label}", self.department);
        self.group = default;
    }

    fn routed(self, agreements: &Agreements, case: &CaseToRoute) -> Routed {
        // Without an agreement only the ROSA group keeps a case from the centre.
        let kept = self.agreed.is_some_and(|a| a.depth == Depth::Department);
        let departments = case.rosa_group.is_departments();
        let zone = zone(case, self.agreed);
        let mut why = self.why;
        if departments && !kept {
            why.push(rosa_step(case.rosa_group.into()));
        }
        why.push(step(
            format!("tidsgräns {} arbetstimmar", self.limit),
            format!("time limit {} working hours", self.limit),
        ));
        why.extend(zone.map(|zone| {
            step(
                format!("sekretessområde {zone}"),
                format!("secrecy zone {zone}"),
            )
        }));
        if !agreements.may_see(zone, self.department, self.group) {
            why.push(step(
                "gruppen hör inte till sekretessområdet och får inte se innehållet".to_owned(),
                "the group is not of the secrecy zone and is not shown the content".to_owned(),
            ));
        }
        Routed {
            department: self.department.clone(),
            group: self.group.clone(),
            zone: zone.cloned(),
            limit_working_hours: self.limit,
            reminders: self.reminders,
            must_forward: kept || departments,
            rule: self.rule,
            why,
        }
    }
}

fn by_agreement<'a>(
    case: &'a CaseToRoute,
    department: &'a DepartmentAgreement,
    agreed: &'a CaseTypeAgreement,
) -> Choice<'a> {
    let zone = zone(case, Some(agreed));
    let rule = agreed.rules.iter().find(|rule| rule.fits(case, zone));
    let place = format!("{}/{}", case.department, case.case_type);
    let group = rule.map_or(&agreed.group, |rule| &rule.group);
    let chosen = match rule {
        Some(rule) => step(
            format!("regeln för {}: grupp {group}", rule.conditions_swedish()),
            format!("the rule for {}: group {group}", rule.conditions()),
        ),
        None => step(
            format!("ingen särskild regel: ärendetypens grupp {group}"),
            format!("no rule fits: the case type's group {group}"),
        ),
    };
    let depth = match agreed.depth {
        Depth::Centre => step(
            "överenskommelsen: kontaktcenter får avsluta".to_owned(),
            "the agreement: the centre may finish it".to_owned(),
        ),
        Depth::Department => step(
            "överenskommelsen: vidare till förvaltningen direkt".to_owned(),
            "the agreement: forwarded to the department at once".to_owned(),
        ),
    };
    Choice {
        department: &case.department,
        group,
        agreed: Some(agreed),
        limit: rule
            .and_then(|rule| rule.limit_working_hours)
            .unwrap_or(agreed.limit_working_hours),
        reminders: agreed.reminders,
        rule: match rule {
            Some(rule) => format!("{place}: {}", rule.conditions()),
            None => place,
        },
        why: vec![department_step(case, department), depth, chosen],
    }
}

fn by_default<'a>(case: &'a CaseToRoute, department: &'a DepartmentAgreement) -> Choice<'a> {
    let (case_type, group) = (&case.case_type, &department.default_group);
    Choice {
        department: &case.department,
        group,
        agreed: None,
        limit: department.default_limit_working_hours,
        reminders: department.default_reminders,
        rule: format!("{}: default", case.department),
        why: vec![
            department_step(case, department),
            step(
                format!(
                    "ärendetypen {case_type} saknas i överenskommelsen: ordinarie mottagare {group}"
                ),
                format!("case type {case_type} is not in the agreement: the default group {group}"),
            ),
        ],
    }
}

/// The zone it was registered in, or else the agreement's.
fn zone<'a>(case: &'a CaseToRoute, agreed: Option<&'a CaseTypeAgreement>) -> Option<&'a Zone> {
    let agreed = agreed.and_then(|agreed| agreed.zone.as_ref());
    case.zone.as_ref().or(agreed)
}

impl RosaGroup {
    /// Whether its cases are the department's (groups 5 and 6, Trelleborg), so that the centre may not finish them.
    pub fn is_departments(self) -> bool {
        u8::from(self) >= 5
    }
}

impl Rule {
    /// Its conditions in a few words, such as `urgent complaint`.
    pub fn conditions(&self) -> String {
        self.words("urgent", "complaint", "praise", "zone")
    }

    /// The same in Swedish, such as `brådskande klagomål`.
    pub fn conditions_swedish(&self) -> String {
        self.words("brådskande", "klagomål", "beröm", "sekretessområde")
    }

    fn words(&self, urgent: &str, complaint: &str, praise: &str, zone: &str) -> String {
        let opinion = self.opinion.map(|opinion| match opinion {
            Opinion::Complaint => complaint.to_owned(),
            Opinion::Praise => praise.to_owned(),
        });
        let zone = self.zone.as_ref().map(|label| format!("{zone} {label}"));
        let urgent = self.urgent.then(|| urgent.to_owned());
        let words: Vec<String> = [urgent, opinion, zone].into_iter().flatten().collect();
        words.join(" ")
    }

    fn fits(&self, case: &CaseToRoute, zone: Option<&Zone>) -> bool {
        (!self.urgent || case.urgent)
            && (self.opinion.is_none() || self.opinion == case.opinion)
            && (self.zone.is_none() || self.zone.as_ref() == zone)
    }

    /// Whether every case that fits `other` fits this one too, so that `other` after it is never reached.
    pub fn covers(&self, other: &Self) -> bool {
        (!self.urgent || other.urgent)
            && (self.opinion.is_none() || self.opinion == other.opinion)
            && (self.zone.is_none() || self.zone == other.zone)
    }
}

fn step(swedish: String, english: String) -> Words {
    Words { swedish, english }
}

fn rosa_step(group: u8) -> Words {
    step(
        format!("ROSA-grupp {group} är förvaltningens: vidare direkt"),
        format!("ROSA group {group} is the department's: forwarded at once"),
    )
}

fn department_step(case: &CaseToRoute, department: &DepartmentAgreement) -> Words {
    let (label, name) = (&case.department, &department.name);
    step(
        format!("förvaltning {label} ({name})"),
        format!("department {label} ({name})"),
    )
}
