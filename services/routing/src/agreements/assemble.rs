//! Puts the files of a folder together, and checks what no file can tell alone.

use std::collections::BTreeMap;

use domain::{Agreements, Department, GroupId};

use super::{
    department::{self, Given},
    municipality::{Municipality, RegistratorAt},
    problem::{Problem, suggestion},
    section::File,
};

/// The name of the file that holds for all departments.
pub(super) const MUNICIPALITY: &str = "municipality.toml";

/// The agreements, where nothing is missing, and everything that is wrong. `files` are texts by name.
pub(super) fn assemble(files: &BTreeMap<String, String>) -> (Option<Agreements>, Vec<Problem>) {
    let mut problems = Vec::new();
    let municipality = match files.get(MUNICIPALITY) {
        Some(text) => {
            let file = File::new(MUNICIPALITY, text);
            let read = Municipality::read(&file);
            problems.extend(file.into_problems());
            read
        }
        None => {
            problems.push(Problem::of_file(
                MUNICIPALITY,
                "is missing; write one, as in docs/examples/agreements",
            ));
            None
        }
    };
    let given = Given {
        hours: municipality.as_ref().and_then(|m| m.hours.as_ref()),
        zones: municipality.as_ref().map(|m| &m.zones),
    };

    let mut read = BTreeMap::new();
    for (name, text) in files.iter().filter(|(name, _)| *name != MUNICIPALITY) {
        match name.strip_suffix(".toml").unwrap_or(name).parse::<Department>() {
            Err(error) => problems.push(Problem::of_file(
                name,
                format!("the part before `.toml` is the department's label, which {error}; rename the file"),
            )),
            Ok(label) => {
                let file = File::new(name, text);
                let department = department::read(&file, &label, &given);
                problems.extend(file.into_problems());
                read.insert(label, department);
            }
        }
    }
    if read.is_empty() {
        problems.push(Problem::of_file(
            MUNICIPALITY,
            "no department has a file beside it; write one, such as `bygg.toml`",
        ));
    }
    if let Some(at) = municipality.as_ref().and_then(|m| m.registrator.as_ref()) {
        problems.extend(registrator_unknown(at, &read));
    }
    if let Some(municipality) = &municipality {
        problems.extend(strangers_in_zones(municipality, &read));
    }
    problems.extend(twice(&read));
    (put_together(municipality, read), problems)
}

type ByDepartment = BTreeMap<Department, Option<department::Read>>;

fn put_together(municipality: Option<Municipality>, read: ByDepartment) -> Option<Agreements> {
    let municipality = municipality?;
    let departments = read
        .into_iter()
        .map(|(label, read)| Some((label, read?.agreement?)))
        .collect::<Option<_>>()?;
    Some(Agreements {
        municipality: municipality.name?,
        unit_head: municipality.unit_head?,
        guides: municipality.guides,
        registrator: municipality.registrator?.registrator,
        hours: municipality.hours?,
        closures: municipality.closures,
        zones: municipality.zones,
        departments,
    })
}

fn registrator_unknown(at: &RegistratorAt, read: &ByDepartment) -> Option<Problem> {
    let to = &at.registrator;
    match read.get(&to.department) {
        None => {
            let instead = suggestion(to.department.as_str(), read.keys().map(Department::as_str));
            Some(Problem::at(
                MUNICIPALITY,
                at.department_line,
                format!(
                    "`registrator.department` is `{}`, which has no file; {instead}",
                    to.department
                ),
            ))
        }
        Some(Some(department)) if !department.groups.contains(&to.group) => {
            let instead = suggestion(
                to.group.as_str(),
                department.groups.iter().map(GroupId::as_str),
            );
            Some(Problem::at(
                MUNICIPALITY,
                at.group_line,
                format!(
                    "`registrator.group` is `{}`, which is none of the groups in {}.toml; {instead}",
                    to.group, to.department
                ),
            ))
        }
        Some(_) => None,
    }
}

/// Departments and groups that a zone names and that do not exist.
fn strangers_in_zones(municipality: &Municipality, read: &ByDepartment) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (label, zone) in &municipality.zones {
        let line = municipality.zone_lines.get(label).copied().unwrap_or(1);
        let mut wrong = |what: String| {
            let text = format!("`zones.{label}.groups` {what}");
            problems.push(Problem::at(MUNICIPALITY, line, text));
        };
        for (department, groups) in &zone.groups {
            let Some(found) = read.get(department) else {
                let instead = suggestion(department.as_str(), read.keys().map(Department::as_str));
                wrong(format!(
                    "names `{department}`, which has no file; {instead}"
                ));
                continue;
            };
            let Some(found) = found else { continue };
            for group in groups.difference(&found.groups) {
                let known = found.groups.iter().map(GroupId::as_str);
                let instead = suggestion(group.as_str(), known);
                wrong(format!(
                    "names `{group}`, which is none of the groups in {department}.toml; {instead}"
                ));
            }
        }
    }
    problems
}

/// What two departments have, and should not.
fn twice(read: &ByDepartment) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut case_types = BTreeMap::new();
    let mut nkeys = BTreeMap::new();
    for (label, read) in read {
        let file = format!("{label}.toml");
        let Some(read) = read else { continue };
        for (case_type, line) in &read.case_types {
            if let Some(other) = case_types.insert(case_type, label) {
                let problem = Problem::at(
                    &file,
                    *line,
                    format!(
                        "the case type `{case_type}` is also in {other}.toml; write another name, unless both have it"
                    ),
                );
                problems.push(problem.warning());
            }
        }
        if let Some((key, line)) = &read.nkey
            && let Some(other) = nkeys.insert(key, label)
        {
            problems.push(Problem::at(
                &file,
                *line,
                format!(
                    "`public_nkey` is also that of {other}.toml, and tells the bus who speaks; write a key of this department's own"
                ),
            ));
        }
    }
    problems
}
