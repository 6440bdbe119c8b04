//! Intake over HTTP: what is taken, what is refused and why, and that what is refused leaves no trace.

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Api, Product, contact};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];
const NDJSON: [(&str, &str); 1] = [("content-type", "application/x-ndjson")];

/// A good event with some fields put in, or taken out where they are null.
fn with(changes: Value) -> Value {
    let mut event = contact("c-1", "queued", "2021-02-01T08:00:00Z");
    for (field, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => drop(event.as_object_mut().expect("an object").remove(field)),
            value => event[field.as_str()] = value.clone(),
        }
    }
    event
}

/// Events that must be refused, with the field that is to be named.
fn bad_events(now: Timestamp) -> Vec<(Value, &'static str)> {
    let far = |d: SignedDuration| now.checked_add(d).expect("a time").to_string();
    vec![
        (json!({ "contact": null }), "contact"),
        (json!({ "contact": "" }), "contact"),
        (json!({ "contact": "x".repeat(129) }), "contact"),
        (json!({ "contact": "a\u{0}b" }), "contact"),
        (json!({ "contact": 7 }), "contact"),
        (json!({ "event": null }), "event"),
        (json!({ "event": "lost" }), "event"),
        (json!({ "at": null }), "at"),
        (json!({ "at": "yesterday" }), "at"),
        (json!({ "at": "2021-02-01T08:00:00" }), "at"),
        (json!({ "at": "2021-02-30T08:00:00Z" }), "at"),
        (json!({ "at": 1_612_166_400 }), "at"),
        // Ancient, and in a year that a database cannot hold.
        (json!({ "at": "1999-11-30T00:00:00Z" }), "at"),
        (json!({ "at": "-009999-06-01T00:00:00Z" }), "at"),
        (json!({ "at": "9999-06-01T00:00:00Z" }), "at"),
        (json!({ "at": far(SignedDuration::from_hours(1)) }), "at"),
        (json!({ "channel": null }), "channel"),
        (json!({ "channel": "fax" }), "channel"),
        (json!({ "queue": null }), "queue"),
        (json!({ "queue": "" }), "queue"),
        // A citizen's number must not reach the bus as a queue's name.
        (json!({ "queue": "0701740605" }), "queue"),
        (json!({ "department": "Bygg och miljö" }), "department"),
        (json!({ "department": "a.b" }), "department"),
        (json!({ "event": "answered", "waited_s": -1 }), "waited_s"),
        (
            json!({ "event": "answered", "waited_s": 31_622_401 }),
            "waited_s",
        ),
        (
            json!({ "event": "answered", "waited_s": 5_000_000_000_u64 }),
            "waited_s",
        ),
        (json!({ "waited_s": 3 }), "waited_s"),
        (json!({ "event": "turned_away" }), "reason"),
        (
            json!({ "event": "turned_away", "reason": "tired" }),
            "reason",
        ),
        (json!({ "reason": "timed_out" }), "reason"),
        (json!({ "system": "x".repeat(33) }), "system"),
        (json!({ "caller": "0701740605" }), "caller"),
    ]
}

/// Everything that could tell that something was stored.
pub(crate) async fn trace(api: &Api) -> anyhow::Result<(Value, Vec<Value>)> {
    let mut figures = api.figures("from=1990-01-01&to=2100-01-01&by=day").await?;
    for row in &mut figures {
        row["as_of"] = Value::Null;
    }
    Ok((api.get("/intake/sources").await?.1, figures))
}

#[tokio::test]
async fn bad_input_is_refused_by_the_name_of_its_field_and_leaves_no_trace() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let good = contact("good", "queued", "2021-02-01T08:00:00Z");
    let answered = contact("good", "answered", "2021-02-01T08:00:07Z");
    api.contacts(&[good.clone(), answered]).await?;
    let before = trace(&api).await?;

    #[expect(clippy::disallowed_methods, reason = "a client's own clock")]
    let now = Timestamp::now();
    let mut wrong = Vec::new();
    for (changes, field) in bad_events(now) {
        let event = with(changes);
        let (status, problem) = api
            .problem(Method::POST, "/intake/contacts", &JSON, event.to_string())
            .await?;
        assert_eq!(
            status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{event}: {problem}"
        );
        if problem["errors"][0]["field"] != field {
            wrong.push(format!("{field} is not named for {event}: {problem}"));
        }
        assert!(problem["errors"][0]["line"].is_null());
        assert!(
            !problem.to_string().contains("0701740605"),
            "what was sent is not to be said again: {problem}"
        );

        // The same in the middle of a batch: nothing of the batch is stored.
        let new = contact("new", "queued", "2021-02-01T09:00:00Z");
        let body = format!("{new}\n\n{event}\n{new}\n");
        let (status, problem) = api
            .problem(Method::POST, "/intake/contacts", &NDJSON, body)
            .await?;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let error = &problem["errors"][0];
        if (&error["line"], &error["field"]) != (&json!(3), &json!(field)) {
            wrong.push(format!("line 3, {field} is not named: {problem}"));
        }
        assert_eq!(problem["errors"].as_array().map(Vec::len), Some(1));
    }
    for body in [
        "",
        "{",
        "[]",
        "null",
        "\"x\"",
        "{}{}",
        "{\"contact\":\"a\",\"contact\":\"b\"}",
    ] {
        let (status, problem) = api
            .problem(Method::POST, "/intake/contacts", &JSON, body)
            .await?;
        assert_eq!(
            status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{body}: {problem}"
        );
    }
    let (status, _) = api
        .problem(
            Method::POST,
            "/intake/contacts",
            &JSON,
            vec![0xff_u8, 0xfe, 0],
        )
        .await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(trace(&api).await?, before);

    // Every wrong line of a batch is named, up to a number that can be read.
    let bad = with(json!({ "channel": "fax" }));
    let body = format!("{bad}\n").repeat(1_000);
    let (_, problem) = api
        .problem(Method::POST, "/intake/contacts", &NDJSON, body)
        .await?;
    let lines = problem["errors"]
        .as_array()
        .map(|e| e.iter().map(|e| e["line"].clone()).collect::<Vec<_>>());
    assert_eq!(lines, Some((1..=20).map(|n| json!(n)).collect()));
    assert_eq!(trace(&api).await?, before);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
