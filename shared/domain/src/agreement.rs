//! Agreements (*överenskommelser*): what the centre and its departments have agreed on, as data.
//!
//! A version is stored whole and never changed; a case keeps to the version that was in force when it was registered.
//! The terms come from the departments' written agreements and the audit's recommendation on reminders.

mod route;
mod version;
pub mod weekday;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, civil::Weekday};
use serde::{Deserialize, Serialize};

use crate::{
    CaseType, Closure, Department, GroupId, OpeningHours, Opinion, RosaGroup, WorkingTime, Zone,
};

pub use route::{CaseToRoute, Routed};
pub use version::{AgreementsVersion, bound, in_force, numbered};

/// One version of everything agreed on in a municipality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreements {
    /// The municipality's name.
    pub municipality: String,
    /// The centre's unit head (*enhetschef*), last in line when a case is overdue.
    pub unit_head: Person,
    /// The guides' mailbox, for the morning's list of what became late; the unit head's where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guides: Option<Person>,
    /// Who takes the cases of departments that are not in this version.
    pub registrator: Registrator,
    /// The municipality's office hours, for departments that name none of their own.
    pub hours: OpeningHours,
    /// When the whole municipality is closed.
    pub closures: Vec<Closure>,
    /// Every secrecy zone.
    pub zones: BTreeMap<Zone, SecrecyZone>,
    /// The departments.
    pub departments: BTreeMap<Department, DepartmentAgreement>,
}

/// A secrecy zone (*sekretessområde*): cases whose content only a closed circle may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecrecyZone {
    /// What it is called.
    pub name: String,
    /// The groups that may see its cases, by department.
    pub groups: BTreeMap<Department, BTreeSet<GroupId>>,
}

impl SecrecyZone {
    /// Whether a group is of the circle.
    pub fn has(&self, department: &Department, group: &GroupId) -> bool {
        self.groups
            .get(department)
            .is_some_and(|groups| groups.contains(group))
    }
}

/// Where a case goes that nobody else takes. It needs nothing else of the agreements: no case may be lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registrator {
    /// The department.
    pub department: Department,
    /// The group.
    pub group: GroupId,
    /// Time limit.
    pub limit_working_hours: WorkingHours,
}

/// What one department has agreed on with the centre.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DepartmentAgreement {
    /// The department's Swedish name.
    pub name: String,
    /// When it works: its time limits count these hours only.
    pub hours: OpeningHours,
    /// When it is closed, besides the municipality's closures.
    pub closures: Vec<Closure>,
    /// Those who get forwarded cases.
    pub groups: BTreeMap<GroupId, Group>,
    /// Meets the centre, and is told what is overdue.
    pub contact_person: Person,
    /// The department's head, told when the contact person has not helped.
    pub head: Person,
    /// The public key of the department's own user on the bus, where a system of its own closes cases there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_nkey: Option<String>,
    /// What is to be reached.
    pub targets: Targets,
    /// How long a case may be paused in all.
    pub pause_cap_working_hours: WorkingHours,
    /// How far ahead of the moment an officer may promise that a case will be done.
    #[serde(default = "WorkingHours::promise_cap")]
    pub promise_cap_working_hours: WorkingHours,
    /// The weekday of its meeting with the centre, before which its contact person gets the week's list.
    #[serde(default = "weekday::of_meeting", with = "weekday")]
    pub meeting: Weekday,
    /// Gets the cases of types that are not agreed on.
    pub default_group: GroupId,
    /// Time limit of case types that are not agreed on.
    pub default_limit_working_hours: WorkingHours,
    /// Reminder steps of case types that are not agreed on.
    pub default_reminders: ReminderSteps,
    /// The case types in scope.
    pub case_types: BTreeMap<CaseType, CaseTypeAgreement>,
}

/// A group at a department that gets forwarded cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its Swedish name.
    pub name: String,
    /// Where the link to a case is sent.
    pub email: String,
}

/// Somebody who is told, named by role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Name or role.
    pub name: String,
    /// Address.
    pub email: String,
}

/// A department's targets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Targets {
    /// Answer rate (*tillgänglighet*), 0-1; 0.95 in the audit.
    pub answer_rate: f64,
    /// Resolution rate (*lösningsgrad*), 0-1; 0.60 in Östersund.
    pub resolution: f64,
    /// Service grade, 0-1, the share of survey answers of 4 or 5; 0.75-0.80 in Östersund.
    pub service: f64,
    /// Days within which a citizen who comes back shows that the case was not resolved; 14.
    pub repeat_contact_days: u32,
}

impl Default for Targets {
    fn default() -> Self {
        Self {
            answer_rate: 0.95,
            resolution: 0.60,
            service: 0.75,
            repeat_contact_days: 14,
        }
    }
}

/// What is agreed on one case type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseTypeAgreement {
    /// Its ROSA group; 5 and 6 are always the department's.
    pub rosa_group: RosaGroup,
    /// How deep the centre goes.
    pub depth: Depth,
    /// Gets the cases that no rule sends elsewhere.
    pub group: GroupId,
    /// Rules that send some cases elsewhere; the first that fits decides.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Time limit, from forwarding, counted in the department's working time.
    pub limit_working_hours: WorkingHours,
    /// When who is reminded.
    pub reminders: ReminderSteps,
    /// The secrecy zone of its cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// The call script, one question a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checklist: Option<String>,
}

/// How deep the centre goes with a case type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// The centre may finish it.
    Centre,
    /// It is kept from the centre, and forwarded at once.
    Department,
}

/// A rule that sends some cases to another group. All its conditions must hold, and it has at least one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Only urgent cases.
    #[serde(default)]
    pub urgent: bool,
    /// Only complaints, or only praise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opinion: Option<Opinion>,
    /// Only cases of this zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// Gets them.
    pub group: GroupId,
    /// Their time limit, where it is not the case type's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_working_hours: Option<WorkingHours>,
}

/// When who is reminded of an open case. At the limit itself it is overdue, and the group is reminded again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReminderSteps {
    /// The group is reminded at this share of the limit, above 0 and below 1; 0.5 in the audit's recommendation.
    pub first_at_share: f64,
    /// The contact person is told so long after the limit.
    pub contact_person_after_working_hours: WorkingHours,
    /// The department's head and the centre's unit head are told so long after the limit, later than the contact person.
    pub heads_after_working_hours: WorkingHours,
}

impl Default for ReminderSteps {
    /// One and two working days after the limit, unless an agreement says other.
    fn default() -> Self {
        Self {
            first_at_share: 0.5,
            contact_person_after_working_hours: WorkingHours(8),
            heads_after_working_hours: WorkingHours(16),
        }
    }
}

/// Whole hours of a department's working time, 1 to 2000, somewhat more than a year's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct WorkingHours(u32);

impl WorkingHours {
    /// How far ahead an officer may promise unless an agreement says other: a working week.
    pub fn promise_cap() -> Self {
        Self(40)
    }

    /// As a length of time, to be counted in working time.
    pub fn duration(self) -> SignedDuration {
        SignedDuration::from_hours(self.0.into())
    }
}

impl TryFrom<u32> for WorkingHours {
    type Error = String;
    fn try_from(hours: u32) -> Result<Self, String> {
        if (1..=2000).contains(&hours) {
            Ok(Self(hours))
        } else {
            Err("must be 1 to 2000 whole working hours".to_owned())
        }
    }
}

impl From<WorkingHours> for u32 {
    fn from(hours: WorkingHours) -> u32 {
        hours.0
    }
}

impl std::fmt::Display for WorkingHours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The same said in Swedish and in English.
#[derive(
    Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, utoipa::ToSchema,
)]
pub struct Words {
    /// In Swedish.
    pub swedish: String,
    /// In English.
    pub english: String,
}

impl Agreements {
    /// Whether a group may see the content of a case of `zone`. Of a zone that is not in this version nobody may.
    pub fn may_see(&self, zone: Option<&Zone>, department: &Department, group: &GroupId) -> bool {
        zone.is_none_or(|zone| {
            let zone = self.zones.get(zone);
            zone.is_some_and(|zone| zone.has(department, group))
        })
    }

    /// The working time in which a department's limits are counted: its hours, less its own and the municipality's
    /// closures. A department that is not in this version has the municipality's office hours.
    pub fn working_time(&self, department: &Department) -> WorkingTime {
        self.time_of(self.departments.get(department))
    }

    /// The working time of the municipality's offices, where no department is asked about: the centre's time is counted in it.
    pub fn office_time(&self) -> WorkingTime {
        self.time_of(None)
    }

    fn time_of(&self, own: Option<&DepartmentAgreement>) -> WorkingTime {
        let closures = self.closures.iter();
        WorkingTime {
            hours: own.map_or(&self.hours, |d| &d.hours).clone(),
            closures: closures
                .chain(own.iter().flat_map(|d| &d.closures))
                .cloned()
                .collect(),
        }
    }
}
