//! `<department>.toml`: one department's agreement.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    CaseType, Department, DepartmentAgreement, Group, GroupId, OpeningHours, ReminderSteps,
    SecrecyZone, Targets, WorkingHours, Zone, weekday,
};
use jiff::civil::Weekday;
use nkeys::{KeyPair, KeyPairType};
use serde::Deserialize;

use super::{
    case_type::{self, Known},
    parts,
    section::{File, Section},
};

/// What the municipality's file gives a department's.
pub(super) struct Given<'g> {
    /// Hours of a department that names none.
    pub(super) hours: Option<&'g OpeningHours>,
    /// The secrecy zones.
    pub(super) zones: Option<&'g BTreeMap<Zone, SecrecyZone>>,
}

/// What could be read of a department's file.
pub(super) struct Read {
    /// All of it, where nothing is missing.
    pub(super) agreement: Option<DepartmentAgreement>,
    /// Its groups.
    pub(super) groups: BTreeSet<GroupId>,
    /// Its case types, and their lines.
    pub(super) case_types: Vec<(CaseType, usize)>,
    /// Its key on the bus, and its line.
    pub(super) nkey: Option<(String, usize)>,
}

/// Reads it; none where it is not TOML.
pub(super) fn read(file: &File, label: &Department, given: &Given) -> Option<Read> {
    let table = file.parse()?;
    let section = Section::root(file, &table);

    let groups = groups(&section);
    let labels: BTreeSet<GroupId> = groups.keys().cloned().collect();
    let reminders = parts::reminders(&section, ReminderSteps::default());
    let known = Known {
        department: label,
        groups: &labels,
        zones: given.zones,
        reminders,
    };
    let mut case_types = BTreeMap::new();
    let mut lines = Vec::new();
    let example = r#"case_types.bygglov = { rosa_group = 4, depth = "centre", group = "handlaggare", limit_working_hours = 40 }"#;
    for (label, below) in section.labelled::<CaseType>("case_types", example) {
        lines.push((label.clone(), below.line()));
        case_types.extend(case_type::read(&below, &known).map(|agreed| (label, agreed)));
    }
    let nkey = nkey(&section);

    let name = parts::text(&section, "name", r#"name = "Byggförvaltningen""#);
    let own_hours = parts::hours(&section);
    let closures = parts::closures(&section);
    let contact_person = parts::person(
        &section,
        "contact_person",
        r#"contact_person = { name = "Kontaktperson Bygg", email = "kontaktperson@bygg.example" }"#,
    );
    let head = parts::person(
        &section,
        "head",
        r#"head = { name = "Förvaltningschef Bygg", email = "chef@bygg.example" }"#,
    );
    let targets = targets(&section);
    let pause_cap = section.required("pause_cap_working_hours", "pause_cap_working_hours = 80");
    let promise_cap = section.optional(
        "promise_cap_working_hours",
        "promise_cap_working_hours = 40",
    );
    let meeting = meeting(&section, own_hours.as_ref().or(given.hours));
    let default_group = parts::group(&section, "default_group", &labels);
    if let Some(group) = &default_group {
        for (zone, of_zone) in given.zones.into_iter().flatten() {
            // What no rule foresees of such a zone goes to the default group.
            if of_zone.groups.contains_key(label) {
                known.within(&section, "default_group", group, Some(zone));
            }
        }
    }
    let default_limit = section.required(
        "default_limit_working_hours",
        "default_limit_working_hours = 40",
    );
    // Not `?` before everything has been asked for: what is not asked for would be told as unknown.
    let agreement = || {
        Some(DepartmentAgreement {
            name: name?,
            hours: own_hours.or(given.hours.cloned())?,
            closures,
            groups,
            contact_person: contact_person?,
            head: head?,
            public_nkey: nkey.as_ref().map(|(key, _)| key.clone()),
            targets,
            pause_cap_working_hours: pause_cap?,
            promise_cap_working_hours: promise_cap.unwrap_or_else(WorkingHours::promise_cap),
            meeting,
            default_group: default_group?,
            default_limit_working_hours: default_limit?,
            default_reminders: reminders,
            case_types,
        })
    };
    Some(Read {
        agreement: agreement(),
        groups: labels,
        case_types: lines,
        nkey,
    })
}

fn groups(section: &Section) -> BTreeMap<GroupId, Group> {
    let example =
        r#"groups.handlaggare = { name = "Handläggare", email = "handlaggare@bygg.example" }"#;
    if !section.has("groups") {
        section.wrong(
            "groups",
            format!("is missing; write for example `{example}`"),
        );
    }
    let mut groups = BTreeMap::new();
    for (label, below) in section.labelled::<GroupId>("groups", example) {
        let name = parts::text(&below, "name", r#"name = "Handläggare""#);
        let email = parts::email(&below);
        // A group that is partly wrong is there all the same; that others refer to it is no further problem.
        let group = Group {
            name: name.unwrap_or_default(),
            email: email.unwrap_or_default(),
        };
        groups.insert(label, group);
    }
    groups
}

fn targets(section: &Section) -> Targets {
    let default = Targets::default();
    let Some(section) = section.optional_section("targets", "targets = { answer_rate = 0.95 }")
    else {
        return default;
    };
    let share = |key, default| {
        let example = format!("{key} = {default}");
        let share: f64 = section.optional(key, &example).unwrap_or(default);
        if !(0.0..=1.0).contains(&share) {
            section.wrong(
                key,
                format!("is {share}, and must be from 0 to 1; write for example `{example}`"),
            );
        }
        share
    };
    let days: u32 = section
        .optional("repeat_contact_days", "repeat_contact_days = 14")
        .unwrap_or(default.repeat_contact_days);
    if !(1..=365).contains(&days) {
        section.wrong(
            "repeat_contact_days",
            "must be 1 to 365 days; write for example `repeat_contact_days = 14`",
        );
    }
    Targets {
        answer_rate: share("answer_rate", default.answer_rate),
        resolution: share("resolution", default.resolution),
        service: share("service", default.service),
        repeat_contact_days: days,
    }
}

/// The meeting's weekday. The week's list waits for a working day, which the week must have by then.
fn meeting(section: &Section, hours: Option<&OpeningHours>) -> Weekday {
    #[derive(Deserialize)]
    struct Named(#[serde(with = "weekday")] Weekday);

    let named: Option<Named> = section.optional("meeting", r#"meeting = "tuesday""#);
    let day = named.map_or_else(weekday::of_meeting, |named| named.0);
    let open_in_days = |hours: &OpeningHours, days| {
        let mut week = day.cycle_forward().take(days);
        week.any(|day| !hours.on(day).is_empty())
    };
    let left = 7 - usize::from(day.to_monday_zero_offset().unsigned_abs());
    // Hours that are never open have been told.
    if hours.is_some_and(|hours| open_in_days(hours, 7) && !open_in_days(hours, left)) {
        section.wrong(
            "meeting",
            "is on a day when the department is closed, as are the rest of the week's days; write a weekday on which it \
             works, such as `meeting = \"tuesday\"`",
        );
    }
    day
}

fn nkey(section: &Section) -> Option<(String, usize)> {
    let key: String = section.optional("public_nkey", r#"public_nkey = "UA...""#)?;
    let is_user = KeyPair::from_public_key(&key)
        .is_ok_and(|pair| matches!(pair.key_pair_type(), KeyPairType::User));
    if key.starts_with('S') {
        section.wrong(
            "public_nkey",
            "looks like a secret seed, which must not be in a file that others read; make a new key, and write its public \
             half, which begins with U",
        );
    } else if !is_user {
        section.wrong(
            "public_nkey",
            "is not the public key of a user; write the 56 characters that begin with U, as `nk -pubout` prints them",
        );
    }
    Some((key, section.line_of("public_nkey")))
}
