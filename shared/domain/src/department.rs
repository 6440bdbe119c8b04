//! What passes between the product and a department's own system: closures in, news out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{CaseId, CaseOutcome, CaseType, Department, Event, EventId, GroupId, Words, Zone};

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

/// A department's system says that it has closed a case. The `data` of a CloudEvent of type [`Closure::TYPE`]. No text: what
/// a citizen wrote or is called does not belong on the bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closure {
    /// The case, as `out.<department>.forwarded` named it.
    pub case: CaseId,
    /// How it ended.
    pub outcome: CaseOutcome,
}

impl Closure {
    /// The CloudEvents `type`.
    pub const TYPE: &str = "se.kommunlots.case.closure.v1";
}

/// Something a department's system is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// Who is told.
    pub department: Department,
    /// When it happened.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: NewsOf,
}

/// What a department's system is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum NewsOf {
    /// A case is the department's now.
    Forwarded {
        /// The case.
        case: CaseId,
        /// Its type.
        case_type: CaseType,
        /// The group that has it.
        group: GroupId,
        /// The limit.
        due: Option<Timestamp>,
        /// Whether it is urgent.
        urgent: bool,
        /// Its secrecy zone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<Zone>,
    },
    /// What came of a closure that the department sent.
    Closure(ClosureAnswer),
}

/// What came of a closure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosureAnswer {
    /// The `id` that the closure carried; `None` where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closure: Option<String>,
    /// The case it named, where that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseId>,
    /// What came of it.
    pub result: ClosureResult,
    /// Why, and what to do.
    pub why: Words,
}

/// What came of a closure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

    fn id(&self) -> EventId {
        let about = match &self.what {
            NewsOf::Forwarded { case, .. } => case.0,
            NewsOf::Closure(answer) => answer.about(&self.department),
        };
        EventId::derive(about, self.kind(), self.at)
    }
}

impl ClosureAnswer {
    /// What makes two answers at one instant different: the closure they answer.
    fn about(&self, department: &Department) -> Uuid {
        let closure = self.closure.as_deref().unwrap_or("");
        Uuid::new_v5(
            &Uuid::NAMESPACE_OID,
            format!("{department}\u{1f}{closure}").as_bytes(),
        )
    }
}
