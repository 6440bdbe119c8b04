//! What is wrong in one file: that it is found, at its line, and that it is said what to write instead.

use super::*;

/// What is wrong with `bygg.toml` when a line of it is another.
fn with(line: &str, instead: &str) -> String {
    assert_eq!(BYGG.matches(line).count(), 1, "`{line}` is not one line");
    problems("bygg.toml", &BYGG.replace(line, instead))
}

/// What is wrong when something is put after `bygg.toml`'s last line, which is in `[case_types.bygglov]`.
fn after(text: &str) -> String {
    problems("bygg.toml", &format!("{BYGG}{text}\n"))
}

/// What is wrong when something is put before `bygg.toml`'s first line.
fn before(text: &str) -> String {
    problems("bygg.toml", &format!("{text}\n{BYGG}"))
}

#[test]
fn what_is_no_toml_is_told_by_line() {
    let told = with("rosa_group = 4", "rosa_group 4");
    assert!(
        told.starts_with("bygg.toml:13: this is not TOML: "),
        "{told}"
    );
    assert_eq!(
        after("depth = \"centre\""),
        "bygg.toml:17: `depth` is written twice; remove one of them"
    );
    assert_eq!(
        after("[case_types.bygglov]"),
        "bygg.toml:17: `bygglov` is written twice; remove one of them"
    );
    // A whole table that is there twice is one error, and hides no other.
    assert_eq!(
        after(
            "[case_types.bygglov]\nrosa_group = 4\ndepth = \"centre\"\n[contact]\nname = \"a\"\nname = \"b\""
        ),
        "bygg.toml:17: `bygglov` is written twice; remove one of them\n\
         bygg.toml:22: `name` is written twice; remove one of them"
    );
}

#[test]
fn a_missing_key_is_named_with_an_example() {
    assert_eq!(
        with("pause_cap_working_hours = 80\n", ""),
        "bygg.toml:1: `pause_cap_working_hours` is missing; write for example `pause_cap_working_hours = 80`"
    );
    assert_eq!(
        with("rosa_group = 4\n", ""),
        "bygg.toml:12: `case_types.bygglov.rosa_group` is missing; write for example `rosa_group = 4`"
    );
    assert_eq!(
        with(", email = \"jour@bygg.example\"", ""),
        "bygg.toml:10: `groups.jour.email` is missing; write for example `email = \"kontaktperson@bygg.example\"`"
    );
}

#[test]
fn an_unknown_key_is_named_with_the_nearest() {
    assert_eq!(
        with("pause_cap_working_hours", "pause_cap_workinghours")
            .lines()
            .last()
            .unwrap(),
        "bygg.toml:4: there is no `pause_cap_workinghours`; write `pause_cap_working_hours`"
    );
    assert_eq!(
        after("check_list = \"x\""),
        "bygg.toml:17: there is no `case_types.bygglov.check_list`; write `checklist`"
    );
    let told = after("rules = [{ urgent = true, group = \"jour\", secret = true }]");
    assert!(
        told.starts_with(
            "bygg.toml:17: there is no `case_types.bygglov.rules.secret`; write one of `urgent`, "
        ),
        "{told}"
    );
    assert_eq!(
        before("targets = { answerrate = 0.9 }"),
        "bygg.toml:1: there is no `targets.answerrate`; write `answer_rate`"
    );
}

#[test]
fn every_section_tells_unknown_keys() {
    for (name, text) in super::example::FILES {
        let lines: Vec<&str> = text.lines().collect();
        for (i, line) in lines.iter().enumerate() {
            if !line.starts_with('[') || *line == "[zones]" {
                continue;
            }
            let mut lines = lines.clone();
            lines.insert(i + 1, "nonsense = [\"x\"]");
            let mut files: Vec<_> = super::example::FILES.to_vec();
            let text = lines.join("\n");
            files.retain(|(own, _)| *own != name);
            files.push((name, &text));
            let told = read_files(&files).unwrap_err();
            let at = Some(i + 2);
            assert_eq!(
                (told.len(), told[0].line),
                (1, at),
                "{name} {line}: {told:?}"
            );
            assert!(told[0].text.contains("nonsense"), "{line}: {told:?}");
        }
    }
}

#[test]
fn a_wrong_value_is_told_with_an_example() {
    assert_eq!(
        with("rosa_group = 4", "rosa_group = 7"),
        "bygg.toml:13: `case_types.bygglov.rosa_group`: must be a ROSA group from 1 (information) to 6 (judgement); \
         write for example `rosa_group = 4`"
    );
    let told = with("depth = \"centre\"", "depth = \"center\"");
    assert!(
        told.starts_with("bygg.toml:14: `case_types.bygglov.depth`: unknown variant `center`"),
        "{told}"
    );
    let told = with("[groups]", "[[groups]]");
    assert!(
        told.contains("bygg.toml:8: `groups` must be a table"),
        "{told}"
    );
    assert_eq!(
        with("name = \"Byggförvaltningen\"", "name = \" \""),
        "bygg.toml:1: `name` must be a line of text; write for example `name = \"Byggförvaltningen\"`"
    );
    assert_eq!(
        after("checklist = \" \""),
        "bygg.toml:17: `case_types.bygglov.checklist` is empty; write the questions, or remove it"
    );
}

#[test]
fn names_of_groups_and_case_types_are_labels() {
    let told = after("[case_types.\"Bygg lov\"]\nrosa_group = 4");
    assert_eq!(
        told,
        "bygg.toml:17: the name `Bygg lov` must be 1 to 32 characters of a-z, 0-9 and -, such as `bygglov`"
    );
}

#[test]
fn limits_are_whole_hours_above_zero() {
    for wrong in ["0", "-1", "2001", "1.5", "\"40\""] {
        let told = problems(
            "bygg.toml",
            &BYGG.replace(
                "\nlimit_working_hours = 40",
                &format!("\nlimit_working_hours = {wrong}"),
            ),
        );
        assert!(
            told.starts_with("bygg.toml:16: `case_types.bygglov.limit_working_hours`: ")
                && told.ends_with("; write for example `limit_working_hours = 40`"),
            "{told}"
        );
    }
}

#[test]
fn addresses_could_be_addresses() {
    for wrong in [
        "jour",
        "jour@bygg",
        "@bygg.example",
        "jour@bygg..example",
        "a@b@c.example",
        "jour @bygg.example",
        "Jour <jour@bygg.example>",
        "jour@bygg.example\\nBcc: x",
    ] {
        let told = with("jour@bygg.example", wrong);
        assert!(
            told.starts_with("bygg.toml:10: `groups.jour.email` is not an address; write"),
            "{wrong}: {told}"
        );
    }
}

#[test]
fn groups_five_and_six_are_the_departments() {
    for group in ["5", "6"] {
        let told = with("rosa_group = 4", &format!("rosa_group = {group}"));
        assert!(
            told.starts_with("bygg.toml:14: `case_types.bygglov.depth` cannot be `centre`, since ROSA groups 5 and 6"),
            "{told}"
        );
    }
}

#[test]
fn groups_and_zones_that_are_referred_to_exist() {
    assert_eq!(
        with("\ngroup = \"handlaggare\"", "\ngroup = \"handlagare\""),
        "bygg.toml:15: `case_types.bygglov.group` is `handlagare`, which is none of the department's groups; \
         write `handlaggare`"
    );
    assert_eq!(
        with(
            "default_group = \"handlaggare\"",
            "default_group = \"alla\""
        ),
        "bygg.toml:2: `default_group` is `alla`, which is none of the department's groups; \
         write one of `handlaggare`, `jour`"
    );
    assert_eq!(
        after("zone = \"socal\""),
        "bygg.toml:17: `case_types.bygglov.zone` is `socal`, which is none of the zones in municipality.toml; \
         write `social`, or add it there"
    );
}

#[test]
fn cases_of_a_zone_end_at_its_groups() {
    assert_eq!(after("zone = \"social\""), "");
    let lead = "which may not see the cases of the zone `social`; write one of `handlaggare`, or name it in `zones.social.groups` in \
                municipality.toml";
    assert_eq!(
        with(
            "\ngroup = \"handlaggare\"",
            "\ngroup = \"jour\"\nzone = \"social\""
        ),
        format!("bygg.toml:15: `case_types.bygglov.group` is `jour`, {lead}")
    );
    // A rule, by the type's zone or its own; and what no rule foresees.
    for rule in [
        "zone = \"social\"\nrules = [{ urgent = true, group = \"jour\" }]",
        "\nrules = [{ zone = \"social\", group = \"jour\" }]",
    ] {
        let told = after(rule);
        assert_eq!(
            told,
            format!("bygg.toml:18: `case_types.bygglov.rules.group` is `jour`, {lead}")
        );
    }
    assert_eq!(
        with(
            "default_group = \"handlaggare\"",
            "default_group = \"jour\""
        ),
        format!("bygg.toml:2: `default_group` is `jour`, {lead}")
    );
}

#[test]
fn rules_have_conditions_and_are_reached() {
    assert_eq!(
        after("rules = [{ group = \"jour\" }]"),
        "bygg.toml:17: `case_types.bygglov.rules.group` has no condition; write `urgent`, `opinion` or `zone` beside \
         it, or make it the case type's group"
    );
    assert_eq!(
        after("rules = [{ urgent = false, group = \"jour\" }]"),
        "bygg.toml:17: `case_types.bygglov.rules.urgent` can only be true: a rule without it fits all; write \
         `urgent = true`, or remove it"
    );
    assert_eq!(
        after(
            "rules = [\n{ urgent = true, group = \"jour\" },\n{ urgent = true, opinion = \"praise\", group = \"jour\" }]"
        ),
        "bygg.toml:19: `case_types.bygglov.rules.group` is never chosen, since the rule for urgent comes first; write \
         the narrower rule above it"
    );
    assert_eq!(
        after(
            "rules = [\n{ urgent = true, opinion = \"praise\", group = \"jour\" },\n{ urgent = true, group = \"jour\" }]"
        ),
        ""
    );
}

#[test]
fn targets_are_shares() {
    for wrong in ["1.01", "-0.1", "95", "nan"] {
        let told = before(&format!("targets = {{ resolution = {wrong} }}"));
        assert!(
            told.starts_with("bygg.toml:1: `targets.resolution` is ")
                && told.contains("must be from 0 to 1"),
            "{told}"
        );
    }
    assert_eq!(before("targets = { answer_rate = 1, service = 0.0 }"), "");
    let told = before("targets = { repeat_contact_days = 0 }");
    assert!(told.contains("must be 1 to 365 days"), "{told}");
}

#[test]
fn reminder_steps_come_one_after_the_other() {
    assert_eq!(
        before("reminders = { contact_person_after_working_hours = 16 }"),
        "bygg.toml:1: `reminders.heads_after_working_hours` must be more than the contact person's 16; write a larger number"
    );
    let told = after("reminders = { first_at_share = 1.0 }");
    assert!(
        told.starts_with("bygg.toml:17: `case_types.bygglov.reminders.first_at_share` must be above 0 and below 1"),
        "{told}"
    );
}

#[test]
fn hours_open_some_time_and_are_hours() {
    assert_eq!(
        before("hours = {}"),
        "bygg.toml:1: `hours` are never open, so no time limit would ever pass; write for example \
         `hours = { monday = [\"08:00-12:00\", \"13:00-16:30\"] }`"
    );
    let told = before("hours.half_day = [\"08:00-12:00\"]");
    assert!(told.contains("are never open"), "{told}");
    let told = after("[hours]\nmonday = [\"08:00-12:00\"]\nmondag = [\"08:00-12:00\"]");
    assert!(
        told.starts_with("bygg.toml:19: `hours`: unknown field `mondag`"),
        "{told}"
    );
    let told = after("[hours]\nmonday = [\"08:00-12:00\"]\nfriday = [\"8-12\"]");
    assert!(
        told.starts_with("bygg.toml:19: `hours`: must be hours and minutes"),
        "{told}"
    );
}

#[test]
fn closures_are_days_in_order_that_are_not_closed_already() {
    let closure = |from, until, more: &str| {
        format!("[[closures]]\nfrom = {from}\nuntil = {until}\nwhy = \"Planering\"\n{more}")
    };
    let may = closure("2027-05-03", "2027-05-07", "");
    assert_eq!(after(&may), "");
    assert_eq!(after(&closure("\"2027-05-03\"", "\"2027-05-07\"", "")), "");
    let told = after(&closure("2027-05-07", "2027-05-03", ""));
    assert!(
        told.starts_with(
            "bygg.toml:19: `closures.until` is not right: `until` must not be before `from`"
        ),
        "{told}"
    );
    let told = after(&closure("2027-05-32", "2027-05-03", ""));
    assert!(told.starts_with("bygg.toml:18: "), "{told}");
    assert_eq!(
        after(&format!("{may}{}", closure("2027-05-07", "2027-05-08", ""))),
        "bygg.toml:22: `closures.from` overlaps `Planering`, 2027-05-03 to 2027-05-07; write days that are not closed already"
    );
    let summer = closure("2027-05-01", "2027-08-08", "hours = [\"09:00-15:00\"]\n");
    assert_eq!(after(&format!("{may}{summer}")), "");
}

#[test]
fn a_key_on_the_bus_is_public_and_a_users() {
    let told = |key: &str| before(&format!("public_nkey = \"{key}\""));
    let pair = nkeys::KeyPair::new_user();
    assert_eq!(told(&pair.public_key()), "");
    let server = nkeys::KeyPair::new_server().public_key();
    assert!(told(&server).contains("is not the public key of a user"));
    let secret = pair.seed().unwrap();
    let told = told(&secret);
    assert!(told.contains("looks like a secret seed"), "{told}");
    assert!(!told.contains(&secret), "a secret is not repeated");
}

#[test]
fn a_meeting_is_on_a_weekday_with_work_before_the_weekend() {
    assert_eq!(
        before("meeting = \"tisdag\""),
        "bygg.toml:1: `meeting`: must be one of monday, tuesday, wednesday, thursday, friday, saturday, sunday; \
         write for example `meeting = \"tuesday\"`"
    );
    // The municipality of these tests works on Mondays only.
    let told = before("meeting = \"tuesday\"");
    assert!(
        told.starts_with("bygg.toml:1: `meeting` is on a day when the department is closed"),
        "{told}"
    );
    let own = "meeting = \"tuesday\"\nhours = { thursday = [\"08:00-12:00\"] }";
    assert_eq!(before(own), "");
}

#[test]
fn how_far_ahead_may_be_promised_is_in_whole_hours() {
    let told = before("promise_cap_working_hours = 0");
    assert!(
        told.starts_with(
            "bygg.toml:1: `promise_cap_working_hours`: must be 1 to 2000 whole working hours"
        ),
        "{told}"
    );
}

#[test]
fn the_guides_mailbox_is_an_address_or_left_out() {
    let with = |line: &str| {
        let text = format!("{line}\n{}", super::MUNICIPALITY);
        problems("municipality.toml", &text)
    };
    let told = with("guides = { name = \"Vägledarna\", email = \"vagledarna\" }");
    assert!(
        told.starts_with("municipality.toml:1: `guides.email` is not an address"),
        "{told}"
    );
    let told = with("guides = \"vagledarna@centrum.example\"");
    assert!(
        told.starts_with("municipality.toml:1: `guides` must be a table"),
        "{told}"
    );
    let told = with("guides = { email = \"vagledarna@centrum.example\" }");
    assert!(
        told.starts_with("municipality.toml:1: `guides.name` is missing"),
        "{told}"
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = BYGG
        .replace("rosa_group = 4", "rosa_group = 9")
        .replace("jour@bygg.example", "jour")
        .replace("pause_cap_working_hours = 80\n", "")
        .replace("\ngroup = \"handlaggare\"", "\ngroup = \"x\"");
    let told = problems("bygg.toml", &text);
    let lines: Vec<&str> = told
        .lines()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        lines,
        ["bygg.toml:1", "bygg.toml:9", "bygg.toml:12", "bygg.toml:14"]
    );
}
