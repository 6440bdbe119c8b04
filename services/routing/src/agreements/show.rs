//! One version as a text for people: Swedish, with English beside the headings.

use std::fmt::Write;

use domain::Agreements;

use super::facts::{Fact, Topic, Value, facts};

/// One version as a text, line by line.
pub fn show(agreements: &Agreements) -> String {
    let municipality = &agreements.municipality;
    let mut text = format!("Överenskommelser för {municipality} (agreements)\n");
    let mut last: Option<Fact> = None;
    for fact in facts(agreements) {
        let new_department = last
            .as_ref()
            .is_none_or(|l| l.department != fact.department);
        let new_topic = new_department || last.as_ref().is_none_or(|l| l.topic != fact.topic);
        if new_department {
            text += &match &fact.department {
                None => "\nKommunen (the municipality)\n".to_owned(),
                Some(label) => format!("\nFörvaltning (department) {label}\n"),
            };
        }
        if new_topic {
            text += &match &fact.topic {
                Topic::Itself => String::new(),
                Topic::Group(group) => format!("  Grupp (group) {group}\n"),
                Topic::CaseType(case_type) => format!("  Ärendetyp (case type) {case_type}\n"),
            };
        }
        let indent = match &fact.topic {
            Topic::Itself => "  ",
            _ => "    ",
        };
        text += &line(&fact, indent);
        last = Some(fact);
    }
    text
}

fn line(fact: &Fact, indent: &str) -> String {
    let (swedish, english) = fact.label;
    let mut line = format!("{indent}{swedish}");
    if swedish != english {
        line += &format!(" ({english})");
    }
    match &fact.value {
        Value::One(words, (unit, _)) => {
            let value = format!("{} {unit}", words.swedish);
            line + &format!(": {}\n", value.trim_end())
        }
        Value::Lines(lines) => lines.iter().fold(line + ":\n", |mut text, words| {
            // Writing to a String does not fail.
            let _ = writeln!(text, "{indent}  {}", words.swedish);
            text
        }),
    }
}
