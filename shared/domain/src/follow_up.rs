//! Following up a forwarded case (the audit's recommendation): the steps, whom they go to, and the words that travel with
//! their events.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{GroupId, Words};

/// A step of a forwarded case's plan, in the order in which they come.
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
pub enum FollowUpStep {
    /// A share of the limit has passed; half unless the agreement says other. The group is reminded.
    Share,
    /// The limit has passed: the case is overdue. The group is reminded again.
    Limit,
    /// The day that the group has promised has passed. The group is reminded.
    Promised,
    /// The department's contact person is told.
    ContactPerson,
    /// The department's head and the centre's unit head are told.
    Heads,
}

/// Whom a step goes to: by role, so that whoever has it then is told.
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
pub enum Role {
    /// The group that has the case.
    Group,
    /// The department's contact person (*kontaktperson*).
    ContactPerson,
    /// The department's head (*förvaltningschef*).
    DepartmentHead,
    /// The centre's unit head (*enhetschef*).
    UnitHead,
}

impl FollowUpStep {
    /// Every step, in the order in which they come.
    pub const ALL: [Self; 5] = [
        Self::Share,
        Self::Limit,
        Self::Promised,
        Self::ContactPerson,
        Self::Heads,
    ];

    /// Whom it goes to.
    pub fn to(self) -> &'static [Role] {
        match self {
            Self::Share | Self::Limit | Self::Promised => &[Role::Group],
            Self::ContactPerson => &[Role::ContactPerson],
            Self::Heads => &[Role::DepartmentHead, Role::UnitHead],
        }
    }

    /// As it stands in data.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::Limit => "limit",
            Self::Promised => "promised",
            Self::ContactPerson => "contact_person",
            Self::Heads => "heads",
        }
    }
}

impl std::str::FromStr for FollowUpStep {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|step| step.as_str() == text);
        known.ok_or_else(|| format!("must be one of {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

/// A step was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTaken {
    /// Which.
    pub step: FollowUpStep,
    /// Whom it went to.
    pub to: Vec<Role>,
    /// The group that has the case.
    pub group: GroupId,
    /// The case's limit.
    pub due: Timestamp,
    /// Why now, without a word of the case's content.
    pub reason: Words,
}

/// The group works on it, and has promised a day (*vi arbetar med det, klart den ...*). The limit stays as it is: a
/// promise moves the follow-up, not the figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// It is to be closed by then.
    pub promised: Timestamp,
    /// The limit, which it is measured by all the same; `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}
