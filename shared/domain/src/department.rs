//! What passes between the product and a department's own system: closures in, news out.

mod schema;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    CaseId, CaseOutcome, CaseType, Department, Event, EventId, FollowUpStep, GroupId, Role, Words,
    Zone,
};

pub use schema::{
    answer_schema, bounced_schema, closed_schema, closure_schema, forwarded_schema, reminded_schema,
};

/// A label as JSON Schema says it; see [`crate::InvalidLabel`].
const LABEL: &str = "^[a-z0-9-]{1,32}$";

/// The stream that holds one department's closures until they are read. One each: the bus tells equal message ids apart by
/// stream only, so on a shared one a department could suppress another's message.
pub fn in_stream(department: &Department) -> String {
    format!("IN_{}", name(department))
}

/// The subject of a department's closures. The department publishes `closure` in its own account, and the server puts the
/// department's name to it: the subject is the identity, nothing in the message is.
pub fn in_subject(department: &Department) -> String {
    format!("in.closure.{department}")
}

/// The stream that holds what a department is told.
pub fn out_stream(department: &Department) -> String {
    format!("OUT_{}", name(department))
}

/// The subjects of what a department is told.
pub fn out_subjects(department: &Department) -> String {
    format!("out.{department}.>")
}

/// The account of a department on the bus.
pub fn account(department: &Department) -> String {
    format!("DEPT_{}", name(department))
}

/// `-` and `_` are both fine in names of streams; departments have only the former.
fn name(department: &Department) -> String {
    department.as_str().to_uppercase()
}

// Its schema and its reader, `routing::closures::read`, say the same; a test holds them to it.
/// A closure as a department's system sends it: a CloudEvent 1.0 in structured JSON. Published on `closure` in the department's
/// own account on the bus, or posted to `/routing/closures/<department>` with a signature.
///
/// Who sends it is told by the bus or the signature; the message is not asked. It holds no text, since what a citizen wrote
/// or is called does not belong on the bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[schemars(
    title = "Closure",
    extend(
        "propertyNames" = serde_json::json!({ "pattern": "^[a-z0-9]+$" }),
        "additionalProperties" = serde_json::json!({
            "description": "An extension attribute of CloudEvents. It is not read.",
            "type": ["string", "number", "boolean", "null"],
        }),
    )
)]
pub struct ClosureMessage {
    /// The version of CloudEvents.
    #[schemars(extend("const" = "1.0"))]
    pub specversion: String,
    /// The closure's id, of the department's own choice: 1-128 visible ASCII characters, a new one for each closure. The same
    /// id again is answered the same again and changes nothing. No personal identity number.
    #[schemars(regex(pattern = "^[!-~]{1,128}$"))]
    pub id: String,
    /// The system that sends it, as a URI: 1-512 visible ASCII characters. Not read.
    #[schemars(regex(pattern = "^[!-~]{1,512}$"))]
    pub source: String,
    /// What it is.
    #[serde(rename = "type")]
    #[schemars(extend("const" = CaseClosure::TYPE))]
    pub kind: String,
    /// When the department closed it. Not read: the case is closed when the closure is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// What `data` is; JSON also where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^application/json( *;.*)?$"))]
    pub datacontenttype: Option<String>,
    /// A schema of `data`. Not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataschema: Option<String>,
    /// What it is about, in the department's own terms. Not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Which case, and how it ended.
    pub data: CaseClosure,
}

/// A department's system says that it has closed a case. The `data` of its message.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema,
)]
#[serde(deny_unknown_fields)]
pub struct CaseClosure {
    /// The case, as `out.<department>.forwarded` named it.
    #[schemars(
        with = "Uuid",
        regex(pattern = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
    )]
    pub case: CaseId,
    /// How it ended.
    pub outcome: CaseOutcome,
}

impl CaseClosure {
    /// The CloudEvents `type`.
    pub const TYPE: &str = "se.kommunlots.case.closure.v1";
}

/// Something a department's system is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct News {
    /// Who is told.
    #[schemars(with = "String", regex(pattern = LABEL))]
    pub department: Department,
    /// When it happened.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: NewsOf,
}

/// What a department's system is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum NewsOf {
    /// A case is the department's now.
    Forwarded {
        /// The case.
        #[schemars(with = "Uuid")]
        case: CaseId,
        /// Its type.
        #[schemars(with = "String", regex(pattern = LABEL))]
        case_type: CaseType,
        /// The group that has it.
        #[schemars(with = "String", regex(pattern = LABEL))]
        group: GroupId,
        /// The limit; null where there is none.
        due: Option<Timestamp>,
        /// Whether it is urgent.
        urgent: bool,
        /// Its secrecy zone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>", regex(pattern = LABEL))]
        zone: Option<Zone>,
    },
    /// A case of the department's is followed up: its group or those above were told.
    Reminded {
        /// The case.
        #[schemars(with = "Uuid")]
        case: CaseId,
        /// The group that has it.
        #[schemars(with = "String", regex(pattern = LABEL))]
        group: GroupId,
        /// The limit; after it the case is overdue.
        due: Timestamp,
        /// Which step it is.
        step: FollowUpStep,
        /// Who was told, by role.
        to: Vec<Role>,
    },
    /// A case that the department has was closed another way than over the bus: by an officer on its page, by webhook. What
    /// its system closes over the bus it is told of by the answer, and by that alone.
    Closed {
        /// The case.
        #[schemars(with = "Uuid")]
        case: CaseId,
        /// How it ended.
        outcome: CaseOutcome,
    },
    /// An officer has sent a case back as sent to the wrong place: it is the department's no more.
    Bounced {
        /// The case.
        #[schemars(with = "Uuid")]
        case: CaseId,
    },
    /// What came of a closure that the department sent.
    Closure(ClosureAnswer),
}

/// What came of a closure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct ClosureAnswer {
    /// The `id` that the closure carried; left out where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closure: Option<String>,
    /// The case it named; left out where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Uuid>")]
    pub case: Option<CaseId>,
    /// The number of a message that could not be read, as `seq` in the bus's acknowledgement told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<u64>,
    /// What came of it.
    pub result: ClosureResult,
    /// Why, and what to do.
    pub why: Words,
}

/// What came of a closure.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ClosureResult {
    /// The case is closed.
    Accepted,
    /// It was closed before; nothing has changed.
    AlreadyClosed,
    /// The case is not closed, and will not be by sending the same again.
    Refused,
}

impl Event for News {
    fn kind(&self) -> &'static str {
        match self.what {
            NewsOf::Forwarded { .. } => "department.forwarded",
            NewsOf::Reminded { .. } => "department.reminded",
            NewsOf::Closed { .. } => "department.closed",
            NewsOf::Bounced { .. } => "department.bounced",
            NewsOf::Closure(_) => "department.closure",
        }
    }

    fn subject(&self) -> String {
        format!(
            "out.{}.{}",
            self.department,
            &self.kind()["department.".len()..]
        )
    }

    fn at(&self) -> Timestamp {
        self.at
    }

    /// Answers to one closure, which may come again, differ in time.
    fn id(&self) -> EventId {
        let about = match &self.what {
            NewsOf::Forwarded { case, .. }
            | NewsOf::Reminded { case, .. }
            | NewsOf::Closed { case, .. }
            | NewsOf::Bounced { case } => case.0,
            NewsOf::Closure(answer) => answer.about(&self.department),
        };
        EventId::derive(about, self.kind(), self.at)
    }
}

impl ClosureAnswer {
    /// What makes two answers at one instant different: the closure they answer, or the message that could not be read.
    fn about(&self, department: &Department) -> Uuid {
        let closure = self.closure.as_deref().unwrap_or("");
        let message = self.message.map_or_else(String::new, |n| n.to_string());
        Uuid::new_v5(
            &Uuid::NAMESPACE_OID,
            format!("{department}\u{1f}{closure}\u{1f}{message}").as_bytes(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_at_one_instant_are_told_apart() {
        let answer = |closure: Option<&str>, message| {
            let news = News {
                department: "bygg".parse().unwrap(),
                at: Timestamp::UNIX_EPOCH,
                what: NewsOf::Closure(ClosureAnswer {
                    closure: closure.map(str::to_owned),
                    case: None,
                    message,
                    result: ClosureResult::Refused,
                    why: Words {
                        swedish: String::new(),
                        english: String::new(),
                    },
                }),
            };
            assert_eq!(news.subject(), "out.bygg.closure");
            news.id()
        };
        let ids = [
            answer(Some("1"), None),
            answer(Some("2"), None),
            answer(None, Some(1)),
            answer(None, Some(2)),
            answer(Some("1"), Some(1)),
        ];
        let different: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(different.len(), ids.len());
        assert_eq!(ids[0], answer(Some("1"), None));
    }
}
