//! The attributes of a CloudEvent.

use domain::CaseClosure;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    value,
    wrong::{Wrong, in_words},
};

/// An attribute that CloudEvents names.
struct Attribute {
    name: &'static str,
    required: bool,
    fits: fn(&str) -> bool,
    /// What it must be, in Swedish and in English.
    must_be: (&'static str, &'static str),
    right: &'static str,
}

const ATTRIBUTES: [Attribute; 8] = [
    Attribute {
        name: "specversion",
        required: true,
        fits: |text| text == "1.0",
        must_be: ("texten 1.0", "the text 1.0"),
        right: r#""specversion": "1.0""#,
    },
    Attribute {
        name: "id",
        required: true,
        fits: |text| visible(text, 128),
        must_be: (
            "en text av 1 till 128 synliga tecken ur ASCII",
            "a text of 1 to 128 visible ASCII characters",
        ),
        right: r#""id": "2026-00417""#,
    },
    Attribute {
        name: "source",
        required: true,
        fits: |text| visible(text, 512),
        must_be: (
            "en URI av högst 512 tecken för systemet som skickar",
            "a URI of at most 512 characters for the system that sends",
        ),
        right: r#""source": "https://bygg.example/arenden""#,
    },
    Attribute {
        name: "type",
        required: true,
        fits: |text| text == CaseClosure::TYPE,
        must_be: (
            "texten se.kommunlots.case.closure.v1",
            "the text se.kommunlots.case.closure.v1",
        ),
        right: r#""type": "se.kommunlots.case.closure.v1""#,
    },
    Attribute {
        name: "time",
        required: false,
        fits: |text| text.parse::<Timestamp>().is_ok(),
        must_be: (
            "en tidpunkt med tidszon, eller utelämnas",
            "an instant with its offset, or be left out",
        ),
        right: r#""time": "2026-11-23T09:12:00+01:00""#,
    },
    Attribute {
        name: "datacontenttype",
        required: false,
        fits: is_json,
        must_be: (
            "application/json, eller utelämnas",
            "application/json, or be left out",
        ),
        right: r#""datacontenttype": "application/json""#,
    },
    Attribute {
        name: "dataschema",
        required: false,
        fits: |_| true,
        must_be: ("en text, eller utelämnas", "a text, or be left out"),
        right: r#""dataschema": "https://kommunlots.example/schemas/closure.json""#,
    },
    Attribute {
        name: "subject",
        required: false,
        fits: |_| true,
        must_be: ("en text, eller utelämnas", "a text, or be left out"),
        right: r#""subject": "2026-00417""#,
    },
];

fn visible(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn is_json(media: &str) -> bool {
    let kind = media.split(';').next().unwrap_or(media);
    kind.trim_end_matches(' ') == "application/json"
}

/// Checks the attributes that CloudEvents names, and returns the id.
pub(super) fn read(fields: &Map<String, Value>, wrong: &mut Vec<Wrong>) -> Option<String> {
    let mut id = None;
    for attribute in &ATTRIBUTES {
        let Attribute { name, right, .. } = attribute;
        let text = match value(fields, name) {
            None if attribute.required => {
                wrong.push(Wrong::new(name, in_words("saknas", "is missing"), right));
                continue;
            }
            None => continue,
            Some(value) => value.as_str().filter(|text| (attribute.fits)(text)),
        };
        let Some(text) = text else {
            let (swedish, english) = attribute.must_be;
            let what = in_words(
                &format!("måste vara {swedish}"),
                &format!("must be {english}"),
            );
            wrong.push(Wrong::new(name, what, right));
            continue;
        };
        if *name == "id" {
            id = Some(text.to_owned());
        }
    }
    id
}

/// Checks all other attributes, and returns their names. CloudEvents allows extensions to everybody, so gateways add them.
pub(super) fn extensions(fields: &Map<String, Value>, wrong: &mut Vec<Wrong>) -> Vec<String> {
    let mut names = Vec::new();
    for (name, value) in fields {
        if name == "data" || ATTRIBUTES.iter().any(|a| a.name == name) {
            continue;
        }
        let named = name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let what = if name == "data_base64" {
            in_words(
                "tas inte emot; skriv `data` som JSON",
                "is not taken; write `data` as JSON",
            )
        } else if !named || name.is_empty() {
            in_words(
                "är inget attribut i CloudEvents: namn skrivs med a-z och 0-9",
                "is no attribute of CloudEvents: names are written with a-z and 0-9",
            )
        } else if value.is_object() || value.is_array() {
            in_words(
                "är ett utökningsattribut och måste vara en text, ett tal eller sant/falskt",
                "is an extension attribute and must be a text, a number or true/false",
            )
        } else {
            names.push(shown(name).to_owned());
            continue;
        };
        wrong.push(Wrong::new(shown(name), what, ""));
    }
    names
}

/// A field's name as it may be repeated: one that is a sentence may hold what does not belong in logs.
pub(super) fn shown(name: &str) -> &str {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    if (1..=32).contains(&name.len()) && name.bytes().all(plain) && digits < 6 {
        name
    } else {
        "?"
    }
}
