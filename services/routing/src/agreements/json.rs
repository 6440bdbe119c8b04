//! Agreements as one JSON value, as they come over HTTP. It is written out as the files of a folder, and those are
//! checked: so both ways in know the same errors, and no others.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    assemble::MUNICIPALITY,
    folder::{self, Checked},
    problem::Problem,
};

type Object = Map<String, Value>;

/// Reads what [`domain::Agreements`] is written as. A problem's file is the one that a folder would have.
///
/// # Errors
/// When something in it is wrong: everything that is.
pub(crate) fn from_json(content: Value) -> Result<Checked, Vec<Problem>> {
    let mut files = BTreeMap::new();
    let mut problems = Vec::new();
    let mut municipality = object(content, MUNICIPALITY, &mut problems);
    rename(&mut municipality, "municipality", "name");
    let departments = municipality.remove("departments").unwrap_or_default();
    for (label, department) in object(departments, MUNICIPALITY, &mut problems) {
        let file = format!("{label}.toml");
        let mut department = object(department, &file, &mut problems);
        rename(&mut department, "default_reminders", "reminders");
        for case_type in below(&mut department, "case_types") {
            let rules = case_type.get_mut("rules").and_then(Value::as_array_mut);
            // A folder says nothing where JSON says no.
            for rule in rules.into_iter().flatten().filter_map(Value::as_object_mut) {
                rule.retain(|key, value| !(key == "urgent" && value == &Value::Bool(false)));
            }
        }
        if file == MUNICIPALITY {
            let taken = "the label `municipality` is not for a department; choose another";
            problems.push(Problem::of_file(&file, taken));
            continue;
        }
        write(file, department, &mut files, &mut problems);
    }
    write(
        MUNICIPALITY.to_owned(),
        municipality,
        &mut files,
        &mut problems,
    );
    // What cannot be written would be told as missing.
    if !problems.is_empty() {
        return Err(problems);
    }
    folder::check(&files, problems)
}

fn object(value: Value, file: &str, problems: &mut Vec<Problem>) -> Object {
    match value {
        Value::Object(object) => object,
        Value::Null => Object::new(),
        _ => {
            problems.push(Problem::of_file(
                file,
                "must be JSON objects, as `GET /routing/agreements/{version}` answers",
            ));
            Object::new()
        }
    }
}

fn below<'o>(object: &'o mut Object, key: &str) -> impl Iterator<Item = &'o mut Object> + use<'o> {
    let values = object.get_mut(key).and_then(Value::as_object_mut);
    values
        .into_iter()
        .flat_map(|values| values.values_mut())
        .filter_map(Value::as_object_mut)
}

/// Some things have a shorter name in a file. Where both are there, the longer one is left to be told as unknown.
fn rename(object: &mut Object, from: &str, to: &str) {
    if !object.contains_key(to)
        && let Some(value) = object.remove(from)
    {
        object.insert(to.to_owned(), value);
    }
}

fn write(
    name: String,
    content: Object,
    files: &mut BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) {
    match toml::to_string(&without_nulls(Value::Object(content))) {
        Ok(text) => {
            files.insert(name, text);
        }
        Err(error) => problems.push(Problem::of_file(&name, format!("cannot be read: {error}"))),
    }
}

/// TOML has no null: what is not known is left out.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(object) => object
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::agreements::example;

    fn value() -> Value {
        serde_json::to_value(example()).unwrap()
    }

    fn problem(content: Value) -> String {
        let problems = from_json(content).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        format!("{}: {}", problems[0].file, problems[0].text)
    }

    #[test]
    fn what_is_written_is_read_the_same() {
        assert_eq!(from_json(value()).unwrap().agreements, example());
    }

    #[test]
    fn what_a_folder_may_not_say_json_may_not_either() {
        let with = |pointer: &str, new: Value| {
            let mut content = value();
            *content.pointer_mut(pointer).unwrap() = new;
            problem(content)
        };
        for (pointer, new, named) in [
            ("/registrator/group", json!("kontor"), "`registrator.group`"),
            (
                "/departments/bygg/case_types/bygglov/group",
                json!("byggare"),
                "`case_types.bygglov.group`",
            ),
            (
                "/departments/bygg/default_reminders/first_at_share",
                json!(1.5),
                "`reminders.first_at_share`",
            ),
            (
                "/departments/bygg/case_types/bygglov/rosa_group",
                json!(5),
                "`case_types.bygglov.depth`",
            ),
            (
                "/departments/bygg/head/email",
                json!("a\nb@c.d"),
                "`head.email`",
            ),
            ("/departments/bygg", json!(7), "JSON objects"),
        ] {
            let problem = with(pointer, new);
            assert!(problem.contains(named), "{pointer}: {problem}");
        }
        let mut content = value();
        content["departments"]["bygg"]["public_nkey"] = json!("SUAH");
        assert!(problem(content).contains("bygg.toml: `public_nkey`"));
        let mut content = value();
        content["departments"]["bygg"]["gruops"] = json!({});
        assert!(problem(content).contains("there is no `gruops`"));
        let mut content = value();
        content["departments"]["municipality"] = json!({});
        assert!(problem(content).contains("choose another"));
    }

    #[test]
    fn anything_else_is_no_agreements() {
        for content in [
            Value::Null,
            json!([]),
            json!("x"),
            json!({ "departments": 1 }),
        ] {
            assert!(from_json(content).is_err());
        }
    }
}
