//! `municipality.toml`: what holds for all departments.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Closure, Department, GroupId, OpeningHours, Person, Registrator, Zone};

use super::{
    parts,
    section::{File, Section},
};

/// What could be read of it.
pub(super) struct Municipality {
    pub(super) name: Option<String>,
    pub(super) unit_head: Option<Person>,
    pub(super) guides: Option<Person>,
    pub(super) registrator: Option<RegistratorAt>,
    pub(super) hours: Option<OpeningHours>,
    pub(super) closures: Vec<Closure>,
    pub(super) zones: BTreeMap<Zone, String>,
}

/// The registrator, with the lines that name it.
pub(super) struct RegistratorAt {
    pub(super) registrator: Registrator,
    pub(super) department_line: usize,
    pub(super) group_line: usize,
}

impl Municipality {
    /// Reads it; none where it is not TOML.
    pub(super) fn read(file: &File) -> Option<Self> {
        let table = file.parse()?;
        let section = Section::root(file, &table);
        let hours = parts::hours(&section);
        if !section.has("hours") {
            section.wrong(
                "hours",
                format!("is missing; write for example `{}`", parts::HOURS),
            );
        }
        Some(Self {
            name: parts::text(&section, "name", r#"name = "Exempelköping""#),
            unit_head: parts::person(
                &section,
                "unit_head",
                r#"unit_head = { name = "Enhetschef", email = "enhetschef@kontaktcenter.example" }"#,
            ),
            guides: parts::optional_person(
                &section,
                "guides",
                r#"guides = { name = "Kommunvägledarna", email = "vagledarna@kontaktcenter.example" }"#,
            ),
            registrator: registrator(&section),
            hours,
            closures: parts::closures(&section),
            zones: section
                .optional(
                    "zones",
                    r#"zones = { social = "Socialtjänstens sekretess" }"#,
                )
                .unwrap_or_default(),
        })
    }

    /// The names of the zones.
    pub(super) fn zone_labels(&self) -> BTreeSet<Zone> {
        self.zones.keys().cloned().collect()
    }
}

fn registrator(section: &Section) -> Option<RegistratorAt> {
    let section = section.required_section(
        "registrator",
        r#"registrator = { department = "kansli", group = "registrator", limit_working_hours = 16 }"#,
    )?;
    let department: Option<Department> = section.required("department", r#"department = "kansli""#);
    let group: Option<GroupId> = section.required("group", r#"group = "registrator""#);
    let limit = section.required("limit_working_hours", "limit_working_hours = 16");
    Some(RegistratorAt {
        registrator: Registrator {
            department: department?,
            group: group?,
            limit_working_hours: limit?,
        },
        department_line: section.line_of("department"),
        group_line: section.line_of("group"),
    })
}
