//! What is wrong with a closure, in both languages, and what would be right.

use domain::{CaseId, ClosureAnswer, ClosureResult, Words};

use super::Readable;

/// A whole message, for one of which nothing can be read.
pub(super) const WHOLE: &str = r#"{ "specversion": "1.0", "id": "2026-00417", "source": "https://bygg.example/arenden", "type": "se.kommunlots.case.closure.v1", "data": { "case": "0192f0c4-5d7e-7c3a-9f10-2b6d1e8a4c55", "outcome": "done" } }"#;

/// So many things are told in one answer at the most; `kommunlots closure check` tells all.
const TOLD: usize = 8;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The field, such as `data.outcome`; empty for the whole message.
    pub field: String,
    /// What is wrong with it. Quotes no value.
    pub what: Words,
    /// How it could stand; empty for what is to go away.
    pub right: &'static str,
}

/// A closure that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its id, where that can be read.
    pub id: Option<String>,
    /// The case it names, where that can be read.
    pub case: Option<CaseId>,
    /// All that is wrong with it: one thing at least.
    pub wrong: Vec<Wrong>,
}

pub(super) fn in_words(swedish: &str, english: &str) -> Words {
    Words {
        swedish: swedish.to_owned(),
        english: english.to_owned(),
    }
}

impl Wrong {
    pub(super) fn new(field: &str, what: Words, right: &'static str) -> Self {
        Self {
            field: field.to_owned(),
            what,
            right,
        }
    }

    fn swedish(&self) -> String {
        let what = &self.what.swedish;
        match (self.field.as_str(), self.right) {
            ("", _) => format!("meddelandet {what}"),
            (field, "") => format!("`{field}` {what}"),
            (field, right) => format!("`{field}` {what}, till exempel {right}"),
        }
    }

    fn english(&self) -> String {
        let what = &self.what.english;
        match (self.field.as_str(), self.right) {
            ("", _) => format!("the message {what}"),
            (field, "") => format!("`{field}` {what}"),
            (field, right) => format!("`{field}` {what}, such as {right}"),
        }
    }
}

impl Unreadable {
    /// A closure that the database refuses, whatever was read of it.
    pub(crate) fn unstorable(read: &Result<Readable, Self>) -> Self {
        let (id, case) = match read {
            Ok(readable) => (Some(readable.id.clone()), Some(readable.closure.case)),
            Err(unreadable) => (unreadable.id.clone(), unreadable.case),
        };
        let what = in_words(
            "kan inte sparas; felet är vårt och har loggats",
            "cannot be stored; the fault is ours and has been logged",
        );
        Self {
            id,
            case,
            wrong: vec![Wrong::new("", what, "")],
        }
    }

    /// What the department is told; `message` is its number on the bus, if it came over the bus.
    pub(crate) fn answer(&self, message: Option<u64>) -> ClosureAnswer {
        let wrong = &self.wrong;
        let swedish = list(wrong.iter().map(Wrong::swedish), "och mer");
        let english = list(wrong.iter().map(Wrong::english), "and more");
        ClosureAnswer {
            closure: self.id.clone(),
            case: self.case,
            message,
            result: ClosureResult::Refused,
            why: Words {
                swedish: format!(
                    "avslutningen kan inte läsas: {swedish}; rätta och skicka igen, samma id går bra"
                ),
                english: format!(
                    "the closure cannot be read: {english}; mend it and send it again, the same id will do"
                ),
            },
        }
    }

    /// Why it is a dead letter.
    pub(crate) fn reason(&self) -> String {
        list(self.wrong.iter().map(Wrong::english), "and more")
    }
}

fn list(told: impl ExactSizeIterator<Item = String>, more: &str) -> String {
    let left = told.len().saturating_sub(TOLD);
    let mut told: Vec<String> = told.take(TOLD).collect();
    if left > 0 {
        told.push(format!("{more} ({left})"));
    }
    told.join("; ")
}
