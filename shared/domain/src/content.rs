//! What a citizen has said: asked of intake at the moment somebody looks at a case, and kept nowhere else.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{CaseId, Question};

/// Asks intake for a case's content, as a request over the bus. Only routing may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentRequest {
    /// The case.
    pub case: CaseId,
}

impl Question for ContentRequest {
    const SUBJECT: &str = "intake.content";
    type Answer = ContentAnswer;

    fn away() -> ContentAnswer {
        ContentAnswer::Away
    }
}

/// What intake answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum ContentAnswer {
    /// This is what is known.
    Known(Content),
    /// Intake has no such case.
    Unknown,
    /// Intake cannot say now, such as when its database is away.
    Away,
}

/// A case's content. Whatever was never given, or has been weeded out, is `None`.
///
/// It has no readable [`fmt::Debug`], so that it cannot come into a log by mistake.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What the guides call the case on the phone.
    pub number: i64,
    /// What it is about.
    pub text: Option<String>,
    /// The citizen's name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Content(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> Content {
        Content {
            number: 7,
            text: Some("grannens kompost".to_owned()),
            name: Some("någon".to_owned()),
            email: None,
            phone: Some("0701".to_owned()),
        }
    }

    #[test]
    fn content_does_not_show_itself() {
        let shown = format!("{:?}", ContentAnswer::Known(content()));
        assert_eq!(shown, "Known(Content(..))");
    }

    #[test]
    fn answers_are_told_apart_on_the_wire() {
        for (answer, text) in [
            (
                ContentAnswer::Known(content()),
                r#"{"answer":"known","number":7"#,
            ),
            (ContentAnswer::Unknown, r#"{"answer":"unknown"}"#),
            (ContentAnswer::Away, r#"{"answer":"away"}"#),
        ] {
            let wire = serde_json::to_string(&answer).unwrap();
            assert!(wire.starts_with(text), "{wire}");
            let back: ContentAnswer = serde_json::from_str(&wire).unwrap();
            assert!(back == answer);
        }
    }
}
