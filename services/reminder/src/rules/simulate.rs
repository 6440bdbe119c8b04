//! What other agreements would have sent, worked out from what has happened to the cases.

mod lists;
mod replay;

use std::{collections::BTreeMap, ops::Range};

use domain::{Agreements, CaseEvent, CaseId, CaseWhat, Department, FollowUpStep, GroupId, Role};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::plan::Plan;
pub(crate) use lists::Lists;
use lists::Meetings;
use replay::replay;

/// A step that is sent less than this earlier or later is the same: sending takes a while, and is late at times.
const SAME: SignedDuration = SignedDuration::from_hours(1);

/// What would have been sent in a period under other agreements, beside what was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Simulation {
    /// Cases that were looked at.
    pub cases: u64,
    /// How many of those would have had other steps, or the same ones an hour or more apart.
    pub differ: u64,
    /// By department and step.
    pub counts: Vec<SimulatedCount>,
    /// The guides' lists of cases that became late, and the contact persons' before their meetings.
    pub digests: Vec<SimulatedDigest>,
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

/// How many lists somebody got, and would have got. Those with nothing in them are not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SimulatedDigest {
    /// The department whose contact person's they are; null for the guides'.
    pub department: Option<Department>,
    /// So many were sent.
    pub sent: u64,
    /// So many cases were in them, all together.
    pub sent_cases: u64,
    /// So many would have been sent.
    pub would: u64,
    /// So many cases would have been in them.
    pub would_cases: u64,
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
/// and says which steps would have been taken within it, beside those that were. Each case keeps the groups that it was at,
/// and its pauses and promises; its limits and steps are those of `agreements`. Nothing is ever down in it. At the most
/// `most` cases that differ are named. Histories are taken one by one, so there may be any number of them. Which lists they
/// would have been in is told apart: a list is of all cases, and these may be some.
pub(crate) fn simulate<I>(
    histories: I,
    agreements: &Agreements,
    period: Range<Timestamp>,
    most: usize,
) -> (Simulation, Lists)
where
    I: IntoIterator<Item = Vec<CaseEvent>>,
{
    let (mut result, mut lists) = (Simulation::default(), Lists::default());
    let meetings = Meetings::of(agreements, period.clone());
    let mut counts: BTreeMap<(Department, FollowUpStep), (u64, u64)> = BTreeMap::new();
    for history in histories {
        let Some(case) = history.first().map(|event| event.case) else {
            continue;
        };
        let within = |step: &SimulatedStep| period.contains(&step.at);
        let sent: Vec<_> = history.iter().filter_map(step).filter(within).collect();
        let mut guides_know = None;
        let stands = |plan: &Plan, stretch| {
            lists.add(plan, stretch, &meetings, &mut guides_know);
        };
        let would: Vec<_> = replay(&history, agreements, period.end, stands)
            .iter()
            .filter_map(step)
            .filter(within)
            .collect();
        result.cases += 1;
        for step in &sent {
            counts.entry(step.key()).or_default().0 += 1;
        }
        for step in &would {
            counts.entry(step.key()).or_default().1 += 1;
        }
        let same = sent.len() == would.len() && sent.iter().zip(&would).all(|(s, w)| s.like(w));
        if !same {
            result.differ += 1;
            if result.differing.len() < most {
                result.differing.push(Differing { case, sent, would });
            }
        }
    }
    result.counts = counts
        .into_iter()
        .map(|((department, step), (sent, would))| SimulatedCount {
            department,
            step,
            sent,
            would,
        })
        .collect();
    (result, lists)
}

impl SimulatedStep {
    fn key(&self) -> (Department, FollowUpStep) {
        (self.department.clone(), self.step)
    }

    fn like(&self, other: &Self) -> bool {
        self.key() == other.key() && self.at.duration_since(other.at).abs() < SAME
    }
}

/// The step that an event tells of, where somebody was told.
fn step(event: &CaseEvent) -> Option<SimulatedStep> {
    let (CaseWhat::Reminded(taken) | CaseWhat::Overdue(taken) | CaseWhat::Escalated(taken)) =
        &event.what
    else {
        return None;
    };
    (!taken.to.is_empty()).then(|| SimulatedStep {
        at: event.at,
        department: event.department.clone(),
        group: taken.group.clone(),
        step: taken.step,
        to: taken.to.clone(),
    })
}
