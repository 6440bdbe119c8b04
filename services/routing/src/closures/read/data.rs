//! What a closure asks.

use domain::CaseOutcome;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    attributes::shown,
    value,
    wrong::{Wrong, in_words},
};

const DATA: &str =
    r#""data": { "case": "0192f0c4-5d7e-7c3a-9f10-2b6d1e8a4c55", "outcome": "done" }"#;
const CASE: &str = r#""case": "0192f0c4-5d7e-7c3a-9f10-2b6d1e8a4c55""#;
const OUTCOME: &str = r#""outcome": "done""#;

/// Reads the case and how it ended, each where that can be read.
pub(super) fn read(
    fields: &Map<String, Value>,
    wrong: &mut Vec<Wrong>,
) -> (Option<Uuid>, Option<CaseOutcome>) {
    let data = match value(fields, "data") {
        Some(Value::Object(data)) => data,
        Some(_) => {
            let what = in_words("måste vara ett JSON-objekt", "must be a JSON object");
            wrong.push(Wrong::new("data", what, DATA));
            return (None, None);
        }
        None => {
            let what = in_words("saknas", "is missing");
            wrong.push(Wrong::new("data", what, DATA));
            return (None, None);
        }
    };
    let case = field(data, "case", CASE, wrong, hyphenated, || {
        in_words(
            "måste vara ärendets id, så som out.<förvaltning>.forwarded angav det",
            "must be the case's id, as out.<department>.forwarded told it",
        )
    });
    let outcome = field(
        data,
        "outcome",
        OUTCOME,
        wrong,
        |t| t.parse().ok(),
        || {
            let all: Vec<&str> = CaseOutcome::ALL.iter().map(|o| o.as_str()).collect();
            let all = all.join(", ");
            in_words(
                &format!("måste vara ett av {all}"),
                &format!("must be one of {all}"),
            )
        },
    );
    for name in data.keys().filter(|n| *n != "case" && *n != "outcome") {
        let what = in_words(
            "är okänt; här står bara case och outcome, och inget om den enskilde",
            "is not known; only case and outcome belong here, and nothing about the citizen",
        );
        wrong.push(Wrong::new(&format!("data.{}", shown(name)), what, ""));
    }
    (case, outcome)
}

fn field<T>(
    data: &Map<String, Value>,
    name: &str,
    right: &'static str,
    wrong: &mut Vec<Wrong>,
    read: impl Fn(&str) -> Option<T>,
    must: impl Fn() -> domain::Words,
) -> Option<T> {
    let what = match data.get(name) {
        None => in_words("saknas", "is missing"),
        Some(value) => match value.as_str().and_then(read) {
            Some(done) => return Some(done),
            None => must(),
        },
    };
    wrong.push(Wrong::new(&format!("data.{name}"), what, right));
    None
}

/// An id with its hyphens, and no other way of writing one.
fn hyphenated(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|_| text.len() == 36)
}
