//! A plan in sentences.

use domain::{FollowUpStep, Words};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{plan::Plan, terms::Terms};

/// A sentence of a plan's outline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OutlineLine {
    /// When it happened, or is to happen; null where the sentence is not about a moment.
    pub at: Option<Timestamp>,
    /// Whether it has happened.
    pub state: OutlineState,
    /// The step it is about, where it is about one.
    pub step: Option<FollowUpStep>,
    /// The sentence, with its time.
    pub words: Words,
}

/// Whether what a sentence tells has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutlineState {
    /// It has.
    Happened,
    /// It was to happen, and something else did.
    Missed,
    /// It is to happen, unless the case is closed before.
    Planned,
    /// It is how things are.
    Holds,
}

impl Plan {
    /// Everything that has happened, in the order of time, and what comes next, in sentences for those who do not know how
    /// the plan works. `now` tells what is past.
    pub fn outline(&self, terms: &Terms, now: Timestamp) -> Vec<OutlineLine> {
        let _ = (terms, now);
        Vec::new()
    }
}
