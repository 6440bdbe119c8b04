//! Reads a closure. What is wrong with it is told all at once, and each thing with what would be right, so that an integrator
//! mends a message once.

mod attributes;
mod data;
mod once;
#[cfg(test)]
mod tests;
mod wrong;

use domain::{CaseClosure, CaseId};
use serde_json::{Map, Value};

use attributes::shown;

pub use wrong::{Unreadable, Wrong};
use wrong::{WHOLE, in_words};

/// Bytes of a message at the most, with its headers: the bus refuses a larger one, and so does the webhook.
pub const MOST: usize = 65_536;

/// A closure that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable {
    /// The id that the department gave it.
    pub id: String,
    /// What is asked.
    pub closure: CaseClosure,
    /// Extension attributes, which are allowed and not read.
    pub extensions: Vec<String>,
}

/// Reads a CloudEvent 1.0 in structured JSON, as [`domain::ClosureMessage`] describes it.
///
/// # Errors
/// When it cannot be read.
pub fn read(payload: &[u8]) -> Result<Readable, Unreadable> {
    let (fields, twice) = object(payload).map_err(|wrong| Unreadable {
        id: None,
        case: None,
        wrong: vec![wrong],
    })?;
    let mut wrong = said_twice(&twice);
    let id = attributes::read(&fields, &mut wrong);
    let extensions = attributes::extensions(&fields, &mut wrong);
    let (case, outcome) = data::read(&fields, &mut wrong);
    match (id, case, outcome) {
        (Some(id), Some(case), Some(outcome)) if wrong.is_empty() => Ok(Readable {
            id,
            closure: CaseClosure {
                case: CaseId(case),
                outcome,
            },
            extensions,
        }),
        (id, case, _) => {
            // Of what is said twice, nobody knows which is meant.
            let once = |path: &str| !twice.iter().any(|t| t == path);
            let case = case.filter(|_| once("data") && once("data.case"));
            Err(Unreadable {
                id: id.filter(|_| once("id")),
                case: case.map(CaseId),
                wrong,
            })
        }
    }
}

/// Readers of JSON differ in which of two equal names they take.
fn said_twice(twice: &[String]) -> Vec<Wrong> {
    let wrong = twice.iter().map(|path| {
        let what = in_words(
            "står flera gånger; skriv det en gång",
            "stands there several times; write it once",
        );
        let path: Vec<&str> = path.split('.').map(shown).collect();
        Wrong::new(&path.join("."), what, "")
    });
    wrong.collect()
}

/// The fields, and the paths of those that are there more than once.
fn object(payload: &[u8]) -> Result<(Map<String, Value>, Vec<String>), Wrong> {
    let whole = |what| Wrong::new("", what, WHOLE);
    if payload.len() > MOST {
        let length = payload.len();
        return Err(whole(in_words(
            &format!(
                "är {length} byte, och får vara högst {MOST} med rubriker; bussen tar inte emot det"
            ),
            &format!(
                "is {length} bytes, and may be at most {MOST} with its headers; the bus refuses it"
            ),
        )));
    }
    if payload.starts_with(b"\xef\xbb\xbf") {
        return Err(whole(in_words(
            "börjar med en byteordningsmarkering (BOM); spara som UTF-8 utan BOM",
            "begins with a byte order mark (BOM); save it as UTF-8 without one",
        )));
    }
    let mut twice = Vec::new();
    match once::read(payload, &mut twice) {
        Ok(Value::Object(fields)) => Ok((fields, twice)),
        Ok(Value::Array(_)) => Err(whole(in_words(
            "är en lista; skicka en avslutning i varje meddelande",
            "is a list; send one closure in each message",
        ))),
        Ok(_) => Err(whole(in_words(
            "måste vara ett JSON-objekt",
            "must be a JSON object",
        ))),
        // Where, not what: the words would quote the message.
        Err(error) => Err(whole(in_words(
            &format!(
                "är inte JSON: fel på rad {}, tecken {}",
                error.line(),
                error.column()
            ),
            &format!(
                "is not JSON: an error on line {}, character {}",
                error.line(),
                error.column()
            ),
        ))),
    }
}

/// A field's value; null is the same as none, as CloudEvents has it.
fn value<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}
