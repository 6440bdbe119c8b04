//! What the simulated centre tells the product.

use jiff::Timestamp;
use serde::Serialize;

use super::matter::NewCase;

/// Something the centre does at the public API.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// A line of the contact feed.
    Contact(ContactEvent),
    /// A guide's work with a case.
    Case(CaseWork),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum CaseWork {
    /// A case is registered, and resolved or forwarded.
    Register(Box<Registration>),
    /// The citizen is back about a case that was thought resolved.
    Repeat {
        /// The contact the case came in by.
        of: String,
        /// The contact that tells.
        by: String,
    },
}

/// A case to register, and what comes after.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Registration {
    /// The contact it came in by: the case's own reference until the product has given it an id.
    pub(super) reference: String,
    pub(super) case: NewCase,
    /// Resolved at the centre, or else forwarded.
    pub(super) resolved: bool,
    /// The citizen will be back, so the id must be kept.
    pub(super) comes_back: bool,
}

/// One line of the contact feed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ContactEvent {
    pub(super) contact: String,
    #[serde(flatten)]
    pub(super) event: Event,
    pub(super) at: Timestamp,
    pub(super) channel: Channel,
    pub(super) queue: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) department: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event", content = "reason")]
pub(super) enum Event {
    Queued,
    Answered,
    Abandoned,
    TurnedAway(Reason),
    Ended,
}

/// Why somebody was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reason {
    TimedOut,
    PressedKey,
    QueueFull,
    Closed,
}

/// The channels the simulated citizens use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Channel {
    Phone,
    Visit,
    Email,
    WebForm,
    Social,
}

impl Channel {
    /// Somebody waits on the line or at the desk: served first, in opening hours only.
    pub(super) fn is_live(self) -> bool {
        matches!(self, Channel::Phone | Channel::Visit)
    }
}
