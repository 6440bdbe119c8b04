//! The folder's errors, one kind each; the example; what is shown and compared.

mod changes;
mod errors;
mod errors_between;

use std::{fs, path::Path};

use super::*;

/// A folder with the least that is right: `municipality.toml`, `bygg.toml` and `kansli.toml`.
pub(super) const MUNICIPALITY: &str = r#"name = "Exempelköping"
unit_head = { name = "Enhetschef", email = "chef@centrum.example" }
registrator = { department = "kansli", group = "registrator", limit_working_hours = 8 }
hours = { monday = ["08:00-12:00", "13:00-16:30"] }
zones.social = { name = "Socialtjänstens sekretess", groups = { bygg = ["handlaggare"] } }
"#;
pub(super) const BYGG: &str = r#"name = "Byggförvaltningen"
default_group = "handlaggare"
default_limit_working_hours = 40
pause_cap_working_hours = 80
contact_person = { name = "Kontaktperson", email = "kontakt@bygg.example" }
head = { name = "Chef", email = "chef@bygg.example" }

[groups]
handlaggare = { name = "Handläggare", email = "handlaggare@bygg.example" }
jour = { name = "Jour", email = "jour@bygg.example" }

[case_types.bygglov]
rosa_group = 4
depth = "centre"
group = "handlaggare"
limit_working_hours = 40
"#;
pub(super) const KANSLI: &str = r#"name = "Kansliet"
default_group = "registrator"
default_limit_working_hours = 8
pause_cap_working_hours = 80
contact_person = { name = "Kontaktperson", email = "kontakt@kansli.example" }
head = { name = "Chef", email = "chef@kansli.example" }
groups.registrator = { name = "Registrator", email = "registrator@kansli.example" }
"#;

/// Reads a folder of these files and nothing else.
pub(super) fn read_files(files: &[(&str, &str)]) -> Result<Checked, Vec<Problem>> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    read(dir.path())
}

/// Reads the least folder with this file in it, instead of or besides its own.
pub(super) fn read_with(name: &str, text: &str) -> Result<Checked, Vec<Problem>> {
    let mut files = vec![
        ("municipality.toml", MUNICIPALITY),
        ("bygg.toml", BYGG),
        ("kansli.toml", KANSLI),
    ];
    files.retain(|(own, _)| *own != name);
    files.push((name, text));
    read_files(&files)
}

/// All that is wrong, line by line, with this file.
pub(super) fn problems(name: &str, text: &str) -> String {
    let problems = match read_with(name, text) {
        Ok(checked) => checked.warnings,
        Err(problems) => problems,
    };
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn the_least_folder_is_right_and_defaults_are_filled_in() {
    let checked = read_with("bygg.toml", BYGG).unwrap();
    assert_eq!(checked.warnings, []);
    let agreements = checked.agreements;
    let bygg = &agreements.departments[&"bygg".parse().unwrap()];
    assert_eq!(bygg.hours, agreements.hours);
    assert_eq!(bygg.targets, domain::Targets::default());
    assert_eq!(bygg.meeting, jiff::civil::Weekday::Monday);
    assert_eq!(u32::from(bygg.promise_cap_working_hours), 40);
    assert_eq!(agreements.guides, None);
    let bygglov = &bygg.case_types[&"bygglov".parse().unwrap()];
    assert_eq!(bygglov.reminders, domain::ReminderSteps::default());
    assert_eq!(bygglov.rules, []);
}

#[test]
fn a_case_types_reminders_are_the_departments_but_for_what_it_says() {
    let text = format!(
        "{}reminders.first_at_share = 0.75\n[reminders]\nfirst_at_share = 0.25\nheads_after_working_hours = 24\n",
        BYGG
    );
    let agreements = read_with("bygg.toml", &text).unwrap().agreements;
    let bygg = &agreements.departments[&"bygg".parse().unwrap()];
    let bygglov = &bygg.case_types[&"bygglov".parse().unwrap()];
    assert_eq!(bygg.default_reminders.first_at_share, 0.25);
    assert_eq!(bygglov.reminders.first_at_share, 0.75);
    let heads = bygglov.reminders.heads_after_working_hours;
    assert_eq!(u32::from(heads), 24);
}

#[test]
fn the_example_is_right_and_its_eight_departments_are_served() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("new");
    write_example(&folder).unwrap();
    let checked = read(&folder).unwrap();
    assert_eq!(checked.warnings, []);
    assert_eq!(checked.agreements, example());
    assert_eq!(checked.agreements.departments.len(), 8);
    // Nothing is overwritten.
    fs::write(folder.join("bygg.toml"), "mine").unwrap();
    let error = write_example(&folder).unwrap_err();
    assert!(error.to_string().contains("bygg.toml"), "{error}");
    let kept = fs::read_to_string(folder.join("bygg.toml")).unwrap();
    assert_eq!(kept, "mine");
}

#[test]
fn the_example_is_the_folder_that_people_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/agreements");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let compiled_in = super::example::FILES.map(|(name, _)| name.to_owned());
    assert_eq!(files, compiled_in);
}

#[test]
fn a_version_stored_before_there_were_promises_meetings_and_guides_is_read() {
    let checked = read_with("bygg.toml", BYGG).unwrap();
    let mut stored = serde_json::to_value(&checked.agreements).unwrap();
    let bygg = stored["departments"]["bygg"].as_object_mut().unwrap();
    assert_eq!(bygg.remove("meeting").unwrap(), "monday");
    assert_eq!(bygg.remove("promise_cap_working_hours").unwrap(), 40);
    assert_eq!(stored.get("guides"), None);
    assert_eq!(
        serde_json::from_value::<domain::Agreements>(stored).unwrap(),
        checked.agreements
    );
}

#[test]
fn what_is_stored_is_what_was_read() {
    let agreements = example();
    let text = serde_json::to_string(&agreements).unwrap();
    assert_eq!(
        serde_json::from_str::<domain::Agreements>(&text).unwrap(),
        agreements
    );
}

/// Without a department: the municipality's hours and closures, and nobody's own.
#[test]
fn the_offices_are_open_when_the_municipality_says() {
    let office = example().office_time();
    let hours = |from: &str, until: &str| {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
        office.between(at(from), at(until)).as_secs_f64() / 3_600.0
    };
    // A Friday at 15:00, closed at 15:30, to the Monday after at 09:30; the building department ends at 15:00.
    let weekend = hours("2026-11-20T15:00:00+01:00", "2026-11-23T09:30:00+01:00");
    assert_eq!(weekend, 2.0);
    // The day before Christmas Eve, when the whole municipality is open until noon.
    assert_eq!(
        hours("2026-12-23T07:00:00+01:00", "2026-12-26T12:00:00+01:00"),
        4.0
    );
    // The building department's own closure is not the municipality's.
    assert_eq!(
        hours("2027-01-14T00:00:00+01:00", "2027-01-15T00:00:00+01:00"),
        8.5
    );
}
