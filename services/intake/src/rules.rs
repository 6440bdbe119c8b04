//! Which changes a case allows. Pure.

use domain::{CaseWhat, Guide};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How it stands with a case at the centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Open at the centre.
    Registered,
    /// Answered and closed at the centre.
    Resolved,
    /// Waiting for routing to hand it over; from then on routing owns it.
    ForwardRequested,
    /// At its department.
    Forwarded,
    /// Closed by its department.
    Closed,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Resolved => "resolved",
            Self::ForwardRequested => "forward_requested",
            Self::Forwarded => "forwarded",
            Self::Closed => "closed",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Registered,
            Self::Resolved,
            Self::ForwardRequested,
            Self::Forwarded,
            Self::Closed,
        ];
        all.into_iter().find(|s| s.as_str() == text)
    }
}

/// What a guide may ask of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is answered and closed.
    Resolve,
    /// The citizen came back about the same matter.
    RepeatContact,
    /// Hand it to its department; with the guide who asks, where the centre says so.
    Forward { guide: Option<Guide> },
}

impl Change {
    /// The event it makes.
    pub(crate) fn event(&self) -> CaseWhat {
        match self {
            Self::Resolve => CaseWhat::Resolved,
            Self::RepeatContact => CaseWhat::RepeatContact,
            Self::Forward { guide } => CaseWhat::ForwardRequested {
                guide: guide.clone(),
            },
        }
    }

    /// The state it leads to, or why not.
    pub(crate) fn from(&self, state: State) -> Result<State, &'static str> {
        match (self, state) {
            (Self::Resolve, State::Registered) => Ok(State::Resolved),
            (Self::Resolve, State::Resolved) => Err("the case is resolved already"),
            (Self::Resolve | Self::Forward { .. }, State::ForwardRequested) => {
                Err("the case is on its way to its department, which closes it")
            }
            (Self::Resolve | Self::Forward { .. }, State::Forwarded) => {
                Err("the case is at its department, which closes it")
            }
            (Self::Resolve | Self::Forward { .. }, State::Closed) => Err(
                "the department has closed the case; mark the repeat contact to open it there anew",
            ),
            (Self::RepeatContact, State::Resolved) => Ok(State::Registered),
            // Routing opens it anew, at the group that closed it.
            (Self::RepeatContact, State::Closed) => Ok(State::ForwardRequested),
            (
                Self::RepeatContact,
                State::Registered | State::ForwardRequested | State::Forwarded,
            ) => Err(
                "the case is still open, so there is nothing to come back to; note it on the open case",
            ),
            (Self::Forward { .. }, State::Registered) => Ok(State::ForwardRequested),
            (Self::Forward { .. }, State::Resolved) => {
                Err("the case is resolved; mark the repeat contact first, then forward it")
            }
        }
    }
}
