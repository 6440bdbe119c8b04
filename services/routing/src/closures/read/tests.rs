use domain::{CaseOutcome, ClosureMessage, ClosureResult};
use serde_json::{Value, json};

use super::*;

fn good() -> Value {
    serde_json::from_str(WHOLE).unwrap()
}

/// The good one with `change` made.
fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut message = good();
    change(&mut message);
    message
}

fn fields(message: &[u8]) -> Vec<String> {
    let unreadable = read(message).unwrap_err();
    unreadable.wrong.into_iter().map(|w| w.field).collect()
}

#[test]
fn a_good_one_is_read() {
    let readable = read(WHOLE.as_bytes()).unwrap();
    assert_eq!(readable.id, "2026-00417");
    assert_eq!(readable.closure.outcome, CaseOutcome::Done);
    assert_eq!(readable.extensions, Vec::<String>::new());
    // As the types write it, too.
    let message: ClosureMessage = serde_json::from_str(WHOLE).unwrap();
    assert_eq!(message.data, readable.closure);
    assert_eq!(
        read(&serde_json::to_vec(&message).unwrap()).unwrap(),
        readable
    );
}

#[test]
fn what_cloudevents_allows_is_taken() {
    let message = with(|m| {
        m["time"] = json!("2026-11-23T09:12:00+01:00");
        m["datacontenttype"] = json!("application/json; charset=utf-8");
        m["subject"] = Value::Null;
        m["traceparent"] = json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        m["partitionkey"] = json!(7);
    });
    let readable = read(message.to_string().as_bytes()).unwrap();
    assert_eq!(readable.extensions, ["partitionkey", "traceparent"]);
    for outcome in CaseOutcome::ALL {
        let message = with(|m| m["data"]["outcome"] = json!(outcome.as_str()));
        let readable = read(message.to_string().as_bytes()).unwrap();
        assert_eq!(readable.closure.outcome, *outcome);
    }
    let longest = with(|m| m["id"] = json!("x".repeat(128)));
    assert!(read(longest.to_string().as_bytes()).is_ok());
}

#[test]
fn everything_wrong_is_told_at_once_with_what_is_right() {
    let message = json!({
        "specversion": "0.3",
        "id": "två ord",
        "type": "closed",
        "time": "yesterday",
        "Subject": "x",
        "partition": {},
        "data": { "case": "17", "outcome": "solved", "note": "ring 070-174 06 05" },
    });
    let unreadable = read(message.to_string().as_bytes()).unwrap_err();
    let fields: Vec<&str> = unreadable.wrong.iter().map(|w| w.field.as_str()).collect();
    let expected = [
        "specversion",
        "id",
        "source",
        "type",
        "time",
        "Subject",
        "partition",
        "data.case",
        "data.outcome",
        "data.note",
    ];
    assert_eq!(fields, expected);
    for wrong in &unreadable.wrong {
        assert!(!wrong.what.swedish.is_empty() && !wrong.what.english.is_empty());
        let (_, name) = wrong.field.rsplit_once('.').unwrap_or(("", &wrong.field));
        // What is to go away has no right way.
        assert_eq!(
            wrong.right.is_empty(),
            ["Subject", "partition", "note"].contains(&name)
        );
        assert!(wrong.right.is_empty() || wrong.right.starts_with(&format!("\"{name}\"")));
    }
    let answer = unreadable.answer(Some(7));
    assert_eq!(
        (answer.message, answer.result),
        (Some(7), ClosureResult::Refused)
    );
    assert!(
        answer
            .why
            .english
            .contains("`specversion` must be the text 1.0, such as")
    );
    assert!(answer.why.swedish.contains("`source` saknas, till exempel"));
    assert!(answer.why.english.contains("and more (2)"), "{answer:?}");
    for text in [
        &answer.why.swedish,
        &answer.why.english,
        &unreadable.reason(),
    ] {
        for value in ["två ord", "solved", "070", "yesterday", "0.3"] {
            assert!(!text.contains(value), "{text}");
        }
    }
}

#[test]
fn the_right_ways_are_right() {
    // Each is put into a message that lacks it.
    let nothing = read(b"{}").unwrap_err();
    let rights = nothing.wrong.iter().map(|w| w.right).collect::<Vec<_>>();
    let message = format!("{{ {} }}", rights.join(", "));
    assert!(read(message.as_bytes()).is_ok(), "{message}");
    let optional = ["time", "datacontenttype", "dataschema", "subject"];
    let message = with(|m| optional.iter().for_each(|name| m[name] = json!(1)));
    let wrong = read(message.to_string().as_bytes()).unwrap_err().wrong;
    assert_eq!(wrong.len(), optional.len());
    for wrong in wrong {
        let message = WHOLE.replacen('{', &format!("{{ {},", wrong.right), 1);
        assert!(read(message.as_bytes()).is_ok(), "{message}");
    }
}

#[test]
fn each_thing_alone_is_noticed() {
    let cases: [(&str, Value); 16] = [
        ("specversion", with(|m| m["specversion"] = json!(1.0))),
        ("id", with(|m| m["id"] = json!(""))),
        ("id", with(|m| m["id"] = json!("x".repeat(129)))),
        ("id", with(|m| m["id"] = json!("a b"))),
        ("id", with(|m| m["id"] = json!("å"))),
        ("id", with(|m| m["id"] = json!(17))),
        ("id", with(|m| m["id"] = Value::Null)),
        ("source", with(|m| m["source"] = json!(""))),
        (
            "type",
            with(|m| m["type"] = json!("se.kommunlots.case.closure.v2")),
        ),
        (
            "datacontenttype",
            with(|m| m["datacontenttype"] = json!("text/xml")),
        ),
        ("data_base64", with(|m| m["data_base64"] = json!("e30="))),
        ("data", with(|m| m["data"] = json!("{}"))),
        (
            "data.case",
            with(|m| m["data"]["case"] = json!("0192f0c45d7e7c3a9f102b6d1e8a4c55")),
        ),
        (
            "data.outcome",
            with(|m| m["data"]["outcome"] = json!("Done")),
        ),
        ("data.outcome", with(|m| m["data"]["outcome"] = Value::Null)),
        (
            "data.?",
            with(|m| m["data"]["Anna på Storgatan 3"] = json!(1)),
        ),
    ];
    for (field, message) in cases {
        assert_eq!(fields(message.to_string().as_bytes()), [field], "{message}");
    }
    for whole in [
        &b""[..],
        b"closed",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{\"id\":",
        b"\xef\xbb\xbf{}",
    ] {
        assert_eq!(fields(whole), [""], "{whole:?}");
    }
}

#[test]
fn what_can_be_read_is_answered_with() {
    let message = with(|m| m["type"] = json!("other"));
    let unreadable = read(message.to_string().as_bytes()).unwrap_err();
    let answer = unreadable.answer(None);
    assert_eq!(answer.closure.as_deref(), Some("2026-00417"));
    assert_eq!(
        answer.case.map(|c| c.to_string()).as_deref(),
        Some("0192f0c4-5d7e-7c3a-9f10-2b6d1e8a4c55")
    );
    assert_eq!(read(b"{}").unwrap_err().answer(None).closure, None);
}

#[test]
fn what_stands_twice_is_refused_wherever_it_stands() {
    let closure = |outcome: &str, more: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"7","source":"a","type":"se.kommunlots.case.closure.v1",{more}"data":{{"case":"0192f0c4-5d7e-7c3a-9f10-2b6d1e8a4c55",{outcome}}}}}"#
        )
    };
    let wrong = |text: String| {
        let unreadable = read(text.as_bytes()).unwrap_err();
        let fields = unreadable.wrong.iter().map(|w| w.field.clone());
        (
            fields.collect::<Vec<_>>().join(" "),
            unreadable.id.is_some(),
        )
    };
    let once = r#""outcome":"done""#;
    assert!(read(closure(once, "").as_bytes()).is_ok());
    let outcomes = r#""outcome":"done","outcome":"declined""#;
    assert_eq!(
        wrong(closure(outcomes, "")),
        ("data.outcome".to_owned(), true)
    );
    // Also where both say the same.
    let same = r#""outcome":"done","outcome":"done""#;
    assert_eq!(wrong(closure(same, "")), ("data.outcome".to_owned(), true));
    assert_eq!(
        wrong(closure(once, r#""id":"7","#)),
        ("id".to_owned(), false)
    );
    // A name that could be somebody's is not repeated.
    let secret = r#""Anna Andersson":1,"Anna Andersson":2,"#;
    let (fields, _) = wrong(closure(once, secret));
    assert!(!fields.contains("Anna"), "{fields}");
}

#[test]
fn what_the_bus_would_refuse_is_too_large() {
    let message = |length: usize| {
        let mut text = WHOLE.to_owned();
        text.push_str(&" ".repeat(length - text.len()));
        read(text.as_bytes())
    };
    assert!(message(MOST).is_ok());
    let unreadable = message(MOST + 1).unwrap_err();
    let what = &unreadable.wrong[0].what;
    assert!(what.swedish.contains("65537 byte"), "{what:?}");
    assert!(
        what.english.contains("at most 65536 with its headers"),
        "{what:?}"
    );
}
