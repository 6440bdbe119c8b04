//! What can happen to a case once routing has it: the words that travel with its events.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{CaseType, Department, GroupId, Guide, HistoricalName};

/// A case is handed to a group at a department (*vidareskickat*), still open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwarding {
    /// Its type.
    pub case_type: CaseType,
    /// The group that has it from now on.
    pub group: GroupId,
    /// The version of the agreements it is bound to; `None` where it came with an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<i64>,
    /// The rule that decided, such as `bygg/bygglov: urgent`.
    pub rule: String,
    /// When it was registered, so that handling time needs no other event.
    pub registered_at: Timestamp,
    /// Working seconds at the centre from registration to this, its first forwarding, in the municipality's own working time;
    /// `None` for a later one, and where an import does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centre_working_s: Option<i64>,
    /// The limit: open after this, it is overdue. `None` where an import names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// The guide who registered it or asked for it to be forwarded, where the centre says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guide: Option<Guide>,
    /// Whether it came with an import of an older system's cases, of which nobody is told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
    /// What an older system called the place it was at, for what the agreements do not know; `None` where they know all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub historical: Option<Historical>,
}

/// What an older system called the place that an imported case was at. Figures keep such places under these very names;
/// what is `None` is known to the agreements and stands in the event as always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Historical {
    /// The department's code, such as `ISD`. The event's own department is [`Historical::DEPARTMENT`] then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<HistoricalName>,
    /// The queue's name, such as `ISD_Housing (INTERNAL)`. The event's own group is made from it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<HistoricalName>,
}

impl Historical {
    /// Stands for every department that the agreements do not know where only a label will do, such as in subjects.
    pub const DEPARTMENT: &str = "historical";
}

impl Forwarding {
    /// Under which name figures count it by department; `department` is the event's.
    pub fn department_key<'a>(&'a self, department: &'a Department) -> &'a str {
        let historical = self.historical.as_ref();
        historical
            .and_then(|h| h.department.as_ref())
            .map_or(department.as_str(), HistoricalName::as_str)
    }

    /// Under which name figures count it by queue: `department/group`, since departments name their groups each for itself,
    /// or what an older system called the queue. `department` is the event's.
    pub fn queue_key(&self, department: &Department) -> String {
        let historical = self.historical.as_ref();
        match historical.and_then(|h| h.queue.as_ref()) {
            Some(queue) => queue.to_string(),
            None => format!("{department}/{}", self.group),
        }
    }
}

/// A case is closed (*avslutat*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// How it ended.
    pub outcome: CaseOutcome,
    /// Which way the department said so.
    pub by: ClosedBy,
    /// Working seconds at the department, pauses not counted; `None` where they are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_s: Option<i64>,
}

/// How a case ended at its department.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CaseOutcome {
    /// Done: what was asked for is done or decided (*åtgärdat*).
    Done,
    /// Declined: it was decided against (*avslag*).
    Declined,
    /// No action was needed (*ingen åtgärd*).
    NoAction,
    /// The citizen withdrew it (*återkallat*).
    Withdrawn,
}

/// Which way a case was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedBy {
    /// An officer, on the case page.
    Page,
    /// The department's system, over the bus.
    Bus,
    /// The department's system, by webhook.
    Webhook,
    /// An import of an older system's cases.
    Import,
}

/// Why a case is paused: the department waits for somebody else.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// For the citizen to answer or complete (*väntar på den enskilde*).
    Citizen,
    /// For another authority (*väntar på annan myndighet*).
    Authority,
    /// For a date that is set, such as a meeting or an inspection (*väntar på bestämd dag*).
    Date,
}

/// A case comes back (*studs*): it was sent to the wrong place. Routing forwards it anew at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounce {
    /// Its type, since bounces are counted by it: they are evidence for mending the rules.
    pub case_type: CaseType,
    /// The rule that had sent it there.
    pub rule: String,
    /// Where it belongs, if the group said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub belongs_to: Option<Department>,
}

macro_rules! named {
    ($name:ident { $($variant:ident = $text:literal, $swedish:literal, $english:literal;)* }) => {
        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As it stands in data.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// In Swedish, for screens.
            pub fn swedish(self) -> &'static str {
                match self { $(Self::$variant => $swedish),* }
            }

            /// In English.
            pub fn english(self) -> &'static str {
                match self { $(Self::$variant => $english),* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|o| o.as_str() == text).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|o| o.as_str()).collect();
                    format!("must be one of {}", known.join(", "))
                })
            }
        }
    };
}

named!(CaseOutcome {
    Done = "done", "Åtgärdat", "done";
    Declined = "declined", "Avslag", "declined";
    NoAction = "no_action", "Ingen åtgärd behövdes", "no action needed";
    Withdrawn = "withdrawn", "Återkallat", "withdrawn";
});

named!(PauseReason {
    Citizen = "citizen", "Väntar på den enskilde", "waiting for the citizen";
    Authority = "authority", "Väntar på annan myndighet", "waiting for another authority";
    Date = "date", "Väntar på bestämd dag", "waiting for a date";
});
