//! What is shown of a version, and what differs between two.

use serde_json::{Value, json};

use super::*;

fn text(changes: &[Change]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

/// What differs when `bygg.toml` is another.
fn changed(bygg: &str) -> Vec<String> {
    let old = read_with("bygg.toml", BYGG).unwrap().agreements;
    let new = read_with("bygg.toml", bygg).unwrap().agreements;
    text(&diff(&old, &new))
}

fn with(line: &str, instead: &str) -> Vec<String> {
    assert_eq!(BYGG.matches(line).count(), 1, "`{line}` is not one line");
    changed(&BYGG.replace(line, instead))
}

#[test]
fn a_change_is_told_as_people_say_it() {
    assert_eq!(changed(BYGG), [""; 0]);
    assert_eq!(
        changed(&BYGG.replace("\nlimit_working_hours = 40", "\nlimit_working_hours = 24")),
        ["bygg: bygglov: tidsgräns 40 → 24 arbetstimmar (limit 40 → 24 working hours)"]
    );
    assert_eq!(
        with("depth = \"centre\"", "depth = \"department\""),
        [
            "bygg: bygglov: djup kontaktcenter får avsluta → vidare till förvaltningen \
             (depth the centre may finish it → to the department at once)"
        ]
    );
    assert_eq!(
        changed(&format!("targets.resolution = 0.655\n{BYGG}")),
        ["bygg: lösningsgrad 60\u{a0}% → 65,5\u{a0}% (resolution rate 60% → 65.5%)"]
    );
}

#[test]
fn the_terms_of_following_up_are_told() {
    let own = "promise_cap_working_hours = 16\nmeeting = \"tuesday\"\n\
               hours = { monday = [\"08:00-12:00\", \"13:00-16:30\"], tuesday = [\"08:00-12:00\"] }";
    let told = changed(&format!("{own}\n{BYGG}"));
    for change in [
        "bygg: löfte högst framåt 40 → 16 arbetstimmar (promise at most ahead 40 → 16 working hours)",
        "bygg: avstämning måndag → tisdag (meeting Monday → Tuesday)",
    ] {
        assert!(told.iter().any(|said| said == change), "{told:?}");
    }
    let old = read_with("bygg.toml", BYGG).unwrap().agreements;
    let guides = "guides = { name = \"Vägledarna\", email = \"vagledarna@centrum.example\" }";
    let text_of = format!("{guides}\n{MUNICIPALITY}");
    let new = read_with("municipality.toml", &text_of).unwrap().agreements;
    assert_eq!(
        text(&diff(&old, &new)),
        [
            "kommunen: vägledarna saknas → Vägledarna, vagledarna@centrum.example \
             (guides none → Vägledarna, vagledarna@centrum.example)"
        ]
    );
    assert!(show(&new).contains("  vägledarna (guides): Vägledarna, vagledarna@centrum.example\n"));
}

#[test]
fn what_comes_and_goes_is_told() {
    assert_eq!(
        changed(&format!("{BYGG}zone = \"social\"\n")),
        ["bygg: bygglov: sekretessområde saknas → social (secrecy zone none → social)"]
    );
    let more = format!("{BYGG}checklist = \"\"\"Vilken fastighet?\nVad ska byggas?\"\"\"\n");
    assert_eq!(
        changed(&more),
        [
            "bygg: bygglov: checklista, nytt: Vilken fastighet? (checklist, new)",
            "bygg: bygglov: checklista, nytt: Vad ska byggas? (checklist, new)"
        ]
    );
    assert_eq!(
        changed(&format!(
            "{BYGG}rules = [{{ urgent = true, opinion = \"complaint\", group = \"jour\", limit_working_hours = 4 }}]"
        )),
        [
            "bygg: bygglov: regler, nytt: brådskande klagomål → grupp jour, 4 arbetstimmar \
             (rules, new: urgent complaint → group jour, 4 working hours)"
        ]
    );
    let line = "jour = { name = \"Jour\", email = \"jour@bygg.example\" }\n";
    assert_eq!(
        with(line, ""),
        [
            "bygg: jour: gruppen utgår; adress jour@bygg.example; namn Jour \
             (group removed; address jour@bygg.example; name Jour)"
        ]
    );
}

#[test]
fn a_department_comes_and_goes_as_one() {
    let old = read_with("bygg.toml", BYGG).unwrap().agreements;
    let mut new = old.clone();
    new.departments.remove(&"bygg".parse().unwrap());
    let gone = text(&diff(&old, &new));
    assert_eq!(gone.len(), 1);
    assert!(
        gone[0].starts_with("bygg: förvaltningen utgår; "),
        "{}",
        gone[0]
    );
    let come = text(&diff(&new, &old));
    assert_eq!(come.len(), 1);
    assert!(
        come[0].starts_with("bygg: förvaltningen tillkommer; "),
        "{}",
        come[0]
    );
}

#[test]
fn another_order_of_rules_is_a_change() {
    let rules = |first, second| {
        format!(
            "{BYGG}rules = [{{ opinion = \"{first}\", group = \"jour\" }}, {{ opinion = \"{second}\", group = \"jour\" }}]"
        )
    };
    let old = read_with("bygg.toml", &rules("praise", "complaint")).unwrap();
    let new = read_with("bygg.toml", &rules("complaint", "praise")).unwrap();
    assert_eq!(
        text(&diff(&old.agreements, &new.agreements)),
        [
            "bygg: bygglov: regler: samma rader i annan ordning (rules: the same lines in another order)"
        ]
    );
}

/// Whatever is stored can be changed, and no change may go untold: each value in turn is made another.
#[test]
fn every_change_is_told() {
    let old = example();
    let stored = serde_json::to_value(&old).unwrap();
    let mut places = Vec::new();
    leaves(&stored, String::new(), &mut places);
    assert!(places.len() > 500, "{}", places.len());
    let mut told = 0;
    for place in places {
        let mut other = stored.clone();
        let value = other.pointer_mut(&place).unwrap();
        *value = match &*value {
            Value::Number(number) if number.is_u64() => json!(number.as_u64().unwrap() + 1),
            Value::Number(number) => json!(number.as_f64().unwrap() / 2.0),
            Value::Bool(yes) => json!(!yes),
            Value::String(text) => json!(another(text)),
            other => panic!("{place}: {other}"),
        };
        // Some cannot be other: a ROSA group 7, hours in another order.
        if let Ok(new) = serde_json::from_value(other) {
            assert_ne!(diff(&old, &new), [], "{place}");
            told += 1;
        }
    }
    assert!(told > 500, "{told}");
}

fn another(text: &str) -> String {
    match text {
        "centre" => "department".to_owned(),
        "department" => "centre".to_owned(),
        "complaint" => "praise".to_owned(),
        "praise" => "complaint".to_owned(),
        hours if hours.ends_with(":00") => hours.replace(":00", ":01"),
        hours if hours.ends_with(":30") => hours.replace(":30", ":31"),
        day if day.starts_with("20") => day.replace("2026-", "2025-").replace("2027-", "2028-"),
        other => format!("{other}x"),
    }
}

fn leaves(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, below) in fields {
                leaves(below, format!("{place}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (i, below) in items.iter().enumerate() {
                leaves(below, format!("{place}/{i}"), found);
            }
        }
        _ => found.push(place),
    }
}

#[test]
fn a_version_is_shown_in_swedish_with_english_beside() {
    let shown = show(&example());
    for line in [
        "Överenskommelser för Exempelköping (agreements)",
        "Kommunen (the municipality)",
        "  registrator: kansli/registrator",
        "    2026-12-23 Dagen före julafton, öppet 08:00-12:00",
        "Förvaltning (department) bygg",
        "  tillgänglighet (answer rate): 95\u{a0}%",
        "  torsdag (Thursday): 08:00-12:00, 13:00-18:00",
        "  söndag (Sunday): stängt",
        "  Grupp (group) karta",
        "    adress (address): karta@bygg.example",
        "  Ärendetyp (case type) bygglov",
        "    tidsgräns (limit): 40 arbetstimmar",
        "    första påminnelse (first reminder): 50\u{a0}% av tidsgränsen",
        "      brådskande → grupp tillsyn, 4 arbetstimmar",
        "      Vilken fastighet gäller det?",
        "    sekretessområde (secrecy zone): social",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
}
