//! `municipality.toml`: what holds for all departments.

use std::collections::BTreeMap;

use domain::{Closure, Department, GroupId, OpeningHours, Person, Registrator, SecrecyZone, Zone};

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
    pub(super) zones: BTreeMap<Zone, SecrecyZone>,
    /// Where each zone's groups are named.
    pub(super) zone_lines: BTreeMap<Zone, usize>,
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
        let (zones, zone_lines) = zones(&section);
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
            zones,
            zone_lines,
        })
    }
}

/// The zones, and the lines that name their groups.
fn zones(section: &Section) -> (BTreeMap<Zone, SecrecyZone>, BTreeMap<Zone, usize>) {
    const NAME: &str = r#"name = "Socialtjänstens sekretess""#;
    const GROUPS: &str = r#"groups = { social = ["mottagning"] }"#;
    let (mut zones, mut lines) = (BTreeMap::new(), BTreeMap::new());
    let example = format!("zones.social = {{ {NAME}, {GROUPS} }}");
    for (label, below) in section.labelled::<Zone>("zones", &example) {
        lines.insert(label.clone(), below.line_of("groups"));
        // A zone that is partly wrong is there all the same; that others refer to it is no further problem.
        let zone = SecrecyZone {
            name: parts::text(&below, "name", NAME).unwrap_or_default(),
            groups: below.required("groups", GROUPS).unwrap_or_default(),
        };
        zones.insert(label, zone);
    }
    (zones, lines)
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
