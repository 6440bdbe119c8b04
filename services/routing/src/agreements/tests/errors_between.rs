//! What is wrong between files, and with the folder.

use super::*;

#[test]
fn a_folder_that_cannot_be_read_says_so() {
    let told = read(Path::new("/nowhere/at/all")).unwrap_err();
    assert_eq!(told.len(), 1);
    assert!(
        told[0]
            .to_string()
            .starts_with("/nowhere/at/all: cannot read the folder: "),
        "{}",
        told[0]
    );
}

#[test]
fn the_municipality_and_a_department_are_needed() {
    let told = |files: &[(&str, &str)]| -> Vec<String> {
        let told = read_files(files).unwrap_err();
        told.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        told(&[("bygg.toml", BYGG)]),
        ["municipality.toml: is missing; write one, as in docs/examples/agreements"]
    );
    assert!(
        told(&[("municipality.toml", MUNICIPALITY)])
            .iter()
            .any(|p| p == "municipality.toml: no department has a file beside it; write one, such as `bygg.toml`")
    );
    // Nothing at all is where somebody begins.
    let told = told(&[]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("`kommunlots agreements example "),
        "{told:?}"
    );
}

#[test]
fn a_file_is_named_after_its_department() {
    assert_eq!(
        problems("Miljö.toml", ""),
        "Miljö.toml: the part before `.toml` is the department's label, which must be 1 to 32 characters of a-z, 0-9 \
         and -, such as `bygg`; rename the file"
    );
}

#[test]
fn a_file_that_is_not_read_is_told_but_for_notes() {
    let told = read_with("miljo.tml", "").unwrap().warnings;
    assert_eq!(
        told[0].to_string(),
        "miljo.tml: warning: is not read; name it `<department>.toml`, or move it elsewhere"
    );
    assert_eq!(read_with("README.md", "").unwrap().warnings, []);
    assert_eq!(read_with(".gitignore", "").unwrap().warnings, []);
}

#[test]
fn there_is_a_registrator_and_it_exists() {
    let with = |instead| {
        problems(
            "municipality.toml",
            &MUNICIPALITY.replace("\"kansli\", group = \"registrator\"", instead),
        )
    };
    let line = MUNICIPALITY.lines().nth(2).unwrap();
    let told = problems("municipality.toml", &MUNICIPALITY.replace(line, ""));
    assert!(
        told.starts_with(
            "municipality.toml:1: `registrator` is missing; write for example `registrator = {"
        ),
        "{told}"
    );
    assert_eq!(
        with("\"kansliet\", group = \"registrator\""),
        "municipality.toml:3: `registrator.department` is `kansliet`, which has no file; write `kansli`"
    );
    assert_eq!(
        with("\"kansli\", group = \"diarium\""),
        "municipality.toml:3: `registrator.group` is `diarium`, which is none of the groups in kansli.toml; \
         write one of `registrator`"
    );
}

#[test]
fn the_municipality_has_hours() {
    let line = MUNICIPALITY.lines().nth(3).unwrap();
    assert_eq!(
        problems("municipality.toml", &MUNICIPALITY.replace(line, "")),
        "municipality.toml:1: `hours` is missing; write for example \
         `hours = { monday = [\"08:00-12:00\", \"13:00-16:30\"] }`"
    );
}

#[test]
fn a_zone_names_groups_that_exist() {
    let with = |groups: &str| {
        problems(
            "municipality.toml",
            &MUNICIPALITY.replace("{ bygg = [\"handlaggare\"] }", groups),
        )
    };
    assert_eq!(with("{ bygg = [\"handlaggare\", \"jour\"] }"), "");
    assert_eq!(
        with("{ bygg = [\"handlaggare\", \"jouur\"] }"),
        "municipality.toml:5: `zones.social.groups` names `jouur`, which is none of the groups in bygg.toml; write `jour`"
    );
    assert_eq!(
        with("{ byg = [\"handlaggare\"] }"),
        "municipality.toml:5: `zones.social.groups` names `byg`, which has no file; write `bygg`"
    );
}

#[test]
fn a_case_type_of_two_departments_is_doubtful() {
    let text = format!(
        "{KANSLI}[case_types.bygglov]\nrosa_group = 1\ndepth = \"centre\"\ngroup = \"registrator\"\nlimit_working_hours = 8\n"
    );
    let checked = read_with("kansli.toml", &text).unwrap();
    assert_eq!(
        checked.warnings[0].to_string(),
        "kansli.toml:8: warning: the case type `bygglov` is also in bygg.toml; write another name, unless both have it"
    );
}

#[test]
fn two_departments_have_two_keys_on_the_bus() {
    let key = nkeys::KeyPair::new_user().public_key();
    let bygg = format!("public_nkey = \"{key}\"\n{BYGG}");
    let kansli = format!("public_nkey = \"{key}\"\n{KANSLI}");
    let told = read_files(&[
        ("municipality.toml", MUNICIPALITY),
        ("bygg.toml", &bygg),
        ("kansli.toml", &kansli),
    ])
    .unwrap_err();
    assert_eq!(told.len(), 1);
    let told = told[0].to_string();
    assert!(
        told.starts_with("kansli.toml:1: `public_nkey` is also that of bygg.toml"),
        "{told}"
    );
}

#[test]
fn a_file_with_errors_does_not_hide_those_of_another() {
    let told = read_files(&[
        ("municipality.toml", "name = "),
        (
            "bygg.toml",
            &BYGG.replace("rosa_group = 4", "rosa_group = 0"),
        ),
        ("kansli.toml", KANSLI),
    ])
    .unwrap_err();
    let files: Vec<(&str, Option<usize>)> =
        told.iter().map(|p| (p.file.as_str(), p.line)).collect();
    assert_eq!(
        files,
        [("bygg.toml", Some(13)), ("municipality.toml", Some(1))]
    );
}
