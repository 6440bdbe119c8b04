//! A case's events, and the facts they add up to.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    Bounce, CaseId, CaseType, Closing, ContactId, Department, Forwarding, Guide, PauseReason,
    Promise, StepTaken, Zone, local_day,
};

/// Something that happened to a case, told without personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseEvent {
    /// The case.
    pub case: CaseId,
    /// When it happened.
    pub at: Timestamp,
    /// The department it is about.
    pub department: Department,
    /// What happened.
    #[serde(flatten)]
    pub what: CaseWhat,
}

/// What happened to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum CaseWhat {
    /// It came in.
    Registered {
        /// Its type, as the agreements name it.
        case_type: CaseType,
        /// Its ROSA group.
        rosa_group: RosaGroup,
        /// Complaint or praise, where it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opinion: Option<Opinion>,
        /// An urgent complaint is phoned to an officer.
        urgent: bool,
        /// The secrecy zone, where it belongs to one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<Zone>,
        /// The contact it came from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contact: Option<ContactId>,
        /// Whether the guide asks at once for it to be forwarded.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        forward: bool,
        /// The guide who registered it, where the centre says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guide: Option<Guide>,
    },
    /// Answered and closed at the centre (*löst*).
    Resolved,
    /// The citizen came back about the same matter (*återkontakt*): it was not resolved after all.
    RepeatContact,
    /// The guide asks routing to hand it to its department.
    ForwardRequested {
        /// The guide who asks, where the centre says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guide: Option<Guide>,
    },
    /// Routing has handed it to a group at the department (*vidareskickat*).
    Forwarded(Forwarding),
    /// An officer has taken it.
    Taken,
    /// The department waits for somebody else: the clock stands.
    Paused {
        /// Why.
        reason: PauseReason,
        /// The clock goes on then, if not before.
        until: Timestamp,
    },
    /// The clock goes on.
    Resumed {
        /// The limit, later by the pause.
        due: Option<Timestamp>,
    },
    /// Sent back as sent to the wrong place (*studs*).
    Bounced(Bounce),
    /// Its group works on it and has promised a day.
    Promised(Promise),
    /// Ended by the department (*avslutat*).
    Closed(Closing),
    /// Its group was reminded of it (*påminnelse*).
    Reminded(StepTaken),
    /// Its limit has passed, and its group was reminded of that (*försenat*).
    Overdue(StepTaken),
    /// Those above the group were told (*eskalering*).
    Escalated(StepTaken),
}

impl CaseWhat {
    /// The kind of event, such as `case.registered`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Registered { .. } => "case.registered",
            Self::Resolved => "case.resolved",
            Self::RepeatContact => "case.repeat_contact",
            Self::ForwardRequested { .. } => "case.forward_requested",
            Self::Forwarded(_) => "case.forwarded",
            Self::Taken => "case.taken",
            Self::Paused { .. } => "case.paused",
            Self::Resumed { .. } => "case.resumed",
            Self::Bounced(_) => "case.bounced",
            Self::Promised(_) => "case.promised",
            Self::Closed(_) => "case.closed",
            Self::Reminded(_) => "case.reminded",
            Self::Overdue(_) => "case.overdue",
            Self::Escalated(_) => "case.escalated",
        }
    }
}

/// ROSA group 1-6: 1-4 can be the centre's, 5 and 6 are the department's (Trelleborg).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "u8", into = "u8")]
#[schema(value_type = u8, minimum = 1, maximum = 6)]
pub struct RosaGroup(u8);

impl TryFrom<u8> for RosaGroup {
    type Error = String;
    fn try_from(group: u8) -> Result<Self, String> {
        if (1..=6).contains(&group) {
            Ok(Self(group))
        } else {
            Err("must be a ROSA group from 1 (information) to 6 (judgement)".to_owned())
        }
    }
}

impl From<RosaGroup> for u8 {
    fn from(group: RosaGroup) -> u8 {
        group.0
    }
}

/// Complaint or praise, together *synpunkt*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Opinion {
    /// Klagomål.
    Complaint,
    /// Beröm.
    Praise,
}

/// What is known of one case; see [`crate::ContactFacts`] for why each field moves one way only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFacts {
    /// The department.
    pub department: Department,
    /// When it was registered.
    pub registered: Option<Timestamp>,
    /// When it was last resolved.
    pub resolved: Option<Timestamp>,
    /// When the citizen last came back.
    pub repeat_contact: Option<Timestamp>,
    /// When forwarding was last asked for.
    pub forward_requested: Option<Timestamp>,
}

impl CaseFacts {
    /// A case of which nothing is known yet but its department.
    pub fn new(department: Department) -> Self {
        Self {
            department,
            registered: None,
            resolved: None,
            repeat_contact: None,
            forward_requested: None,
        }
    }

    /// Adds what one event tells.
    pub fn apply(&mut self, event: &CaseEvent) {
        let at = event.at;
        match event.what {
            CaseWhat::Registered { .. } => {
                self.registered = Some(self.registered.map_or(at, |t| t.min(at)));
            }
            CaseWhat::Resolved => self.resolved = self.resolved.max(Some(at)),
            CaseWhat::RepeatContact => self.repeat_contact = self.repeat_contact.max(Some(at)),
            CaseWhat::ForwardRequested { .. } => {
                self.forward_requested = self.forward_requested.max(Some(at))
            }
            // What a department does with it is in other facts.
            CaseWhat::Forwarded(_)
            | CaseWhat::Taken
            | CaseWhat::Paused { .. }
            | CaseWhat::Resumed { .. }
            | CaseWhat::Bounced(_)
            | CaseWhat::Promised(_)
            | CaseWhat::Closed(_)
            | CaseWhat::Reminded(_)
            | CaseWhat::Overdue(_)
            | CaseWhat::Escalated(_) => {}
        }
    }

    /// What it adds to the figures, and where: registered on the day it came in, resolved on the day it was resolved,
    /// unless the citizen has come back since.
    pub fn counted(&self) -> Vec<(CaseCell, CaseSums)> {
        let cell = |at| CaseCell {
            day: local_day(at),
            department: self.department.clone(),
        };
        let registered = self.registered.map(|at| {
            (
                cell(at),
                CaseSums {
                    registered: 1,
                    resolved: 0,
                },
            )
        });
        let resolved = self
            .resolved
            .filter(|at| self.repeat_contact.is_none_or(|back| *at > back))
            .map(|at| {
                (
                    cell(at),
                    CaseSums {
                        registered: 0,
                        resolved: 1,
                    },
                )
            });
        registered.into_iter().chain(resolved).collect()
    }
}

/// The cell of the figures that a case belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CaseCell {
    /// The local day.
    pub day: Date,
    /// The department.
    pub department: Department,
}

/// What is summed in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CaseSums {
    /// Cases registered.
    pub registered: i64,
    /// Cases resolved and not come back.
    pub resolved: i64,
}

impl CaseSums {
    /// Adds (`sign` 1) or takes away (`sign` -1) another's counts.
    pub fn add(&mut self, other: &Self, sign: i64) {
        self.registered += sign * other.registered;
        self.resolved += sign * other.resolved;
    }
}
