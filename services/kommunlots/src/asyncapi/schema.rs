//! JSON Schemas of messages as AsyncAPI has them: of draft-07, and with one place for all that they refer to.

use domain::{
    answer_schema, bounced_schema, closed_schema, closure_schema, forwarded_schema, reminded_schema,
};
use serde_json::{Map, Value, json};

/// Where a schema keeps what it refers to.
const OWN: &str = "#/$defs/";

/// The schemas of all messages, and of what they refer to. Two messages may call different things the same, so each has its
/// own: `Answer.News` and `Forwarded.News`.
pub(super) fn of_messages() -> Map<String, Value> {
    let mut schemas = Map::new();
    for (name, schema) in [
        ("Closure", closure_schema()),
        ("Forwarded", forwarded_schema()),
        ("Reminded", reminded_schema()),
        ("Closed", closed_schema()),
        ("Bounced", bounced_schema()),
        ("Answer", answer_schema()),
    ] {
        let Value::Object(mut schema) = schema else {
            continue;
        };
        schema.remove("$schema");
        if let Some(Value::Object(definitions)) = schema.remove("$defs") {
            for (inner, definition) in definitions {
                schemas.insert(format!("{name}.{inner}"), as_draft_07(definition, name));
            }
        }
        schemas.insert(name.to_owned(), as_draft_07(Value::Object(schema), name));
    }
    schemas
}

/// Of the message `name`. What stands beside a `$ref` is not read in draft-07, and so comes to stand around it.
fn as_draft_07(schema: Value, name: &str) -> Value {
    match schema {
        Value::Object(fields) => {
            let mut fields: Map<String, Value> = fields
                .into_iter()
                .map(|(field, value)| (field, as_draft_07(value, name)))
                .collect();
            let Some(Value::String(reference)) = fields.remove("$ref") else {
                return Value::Object(fields);
            };
            let there = reference
                .strip_prefix(OWN)
                .map(|inner| format!("#/components/schemas/{name}.{inner}"));
            let reference = json!({ "$ref": there.unwrap_or(reference) });
            if fields.is_empty() {
                return reference;
            }
            fields.insert("allOf".to_owned(), json!([reference]));
            Value::Object(fields)
        }
        Value::Array(all) => all.into_iter().map(|one| as_draft_07(one, name)).collect(),
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stands_beside_a_reference_and_every_reference_leads_somewhere() {
        let schemas = of_messages();
        fn look(value: &Value, schemas: &Map<String, Value>, found: &mut usize) {
            if let Some(reference) = value["$ref"].as_str() {
                *found += 1;
                assert_eq!(value.as_object().map(Map::len), Some(1), "{value}");
                let name = reference.strip_prefix("#/components/schemas/");
                assert!(name.is_some_and(|n| schemas.contains_key(n)), "{reference}");
            }
            match value {
                Value::Object(fields) => fields.values().for_each(|v| look(v, schemas, found)),
                Value::Array(all) => all.iter().for_each(|v| look(v, schemas, found)),
                _ => {}
            }
        }
        let mut found = 0;
        schemas
            .values()
            .for_each(|schema| look(schema, &schemas, &mut found));
        assert!(found > 5, "{found}");
        assert!(!Value::Object(schemas).to_string().contains("$defs"));
    }
}
