//! JSON Schemas of what passes between the product and a department's system, made from the types.

use schemars::{generate::SchemaSettings, schema_for};
use serde_json::{Value, json};

use super::{ClosureMessage, News};
use crate::Envelope;

/// The schema of a closure as a department's system sends it.
pub fn closure_schema() -> Value {
    schema_for!(ClosureMessage).to_value()
}

/// The schema of a message on `out.<department>.forwarded`.
pub fn forwarded_schema() -> Value {
    told(
        "forwarded",
        "Forwarded",
        "A case is the department's now. On `out.<department>.forwarded`.",
    )
}

/// The schema of a message on `out.<department>.reminded`.
pub fn reminded_schema() -> Value {
    told(
        "reminded",
        "Reminded",
        "A case of the department's is followed up: its group or those above were told. On `out.<department>.reminded`.",
    )
}

/// The schema of a message on `out.<department>.closed`.
pub fn closed_schema() -> Value {
    told(
        "closed",
        "Closed",
        "A case that the department has was closed another way than over the bus. On `out.<department>.closed`.",
    )
}

/// The schema of a message on `out.<department>.bounced`.
pub fn bounced_schema() -> Value {
    told(
        "bounced",
        "Bounced",
        "A case was sent back, and is the department's no more. On `out.<department>.bounced`.",
    )
}

/// The schema of a message on `out.<department>.closure`.
pub fn answer_schema() -> Value {
    told(
        "closure",
        "Answer",
        "What came of a closure that the department sent. On `out.<department>.closure`.",
    )
}

/// The schema of one kind of [`News`] in its envelope: all of the type's but the other kinds.
fn told(event: &str, title: &str, description: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<Envelope<News>>()
        .to_value();
    schema["title"] = json!(title);
    schema["description"] = json!(description);
    schema["properties"]["source"]["description"] =
        json!("Who numbers: one source for each department, such as `routing/OUT_BYGG`.");
    schema["properties"]["type"] =
        json!({ "type": "string", "const": format!("department.{event}") });
    if let Some(kinds) = schema["$defs"]["News"]["oneOf"].as_array_mut() {
        kinds.retain(|kind| kind["properties"]["event"]["const"] == event);
    }
    // What only the others spoke of.
    loop {
        let text = schema.to_string();
        let Some(definitions) = schema["$defs"].as_object_mut() else {
            return schema;
        };
        let before = definitions.len();
        definitions.retain(|name, _| text.contains(&format!("\"#/$defs/{name}\"")));
        if definitions.len() == before {
            return schema;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_schema_of_its_own() {
        let (forwarded, answer) = (forwarded_schema(), answer_schema());
        let schemas = [
            ("forwarded", &forwarded),
            ("reminded", &reminded_schema()),
            ("closed", &closed_schema()),
            ("bounced", &bounced_schema()),
            ("closure", &answer),
        ];
        for (event, schema) in schemas {
            let kinds = schema["$defs"]["News"]["oneOf"].as_array().unwrap();
            assert_eq!(kinds.len(), 1);
            assert_eq!(kinds[0]["properties"]["event"]["const"], event);
            let text = schema.to_string();
            for (other, _) in schemas.iter().filter(|(other, _)| *other != event) {
                let other = format!("\"department.{other}\"");
                assert!(!text.contains(&other), "{text}");
            }
        }
        assert!(forwarded["$defs"]["ClosureAnswer"].is_null());
        assert!(answer["$defs"]["Words"].is_object());
    }
}
