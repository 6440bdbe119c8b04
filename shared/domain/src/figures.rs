//! Definitions of figures. A published definition never changes: a new meaning is a new version, and the figures already
//! summed under the old one stay.

use serde::Serialize;

/// A short abandon hung up after at most this many seconds; exactly this many is short (brief, answer rate).
pub const SHORT_ABANDON_SECONDS: u32 = 10;
/// The service level's time: answered after at most this many seconds.
pub const SERVICE_LEVEL_SECONDS: u32 = 60;

/// What a figure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Definition {
    /// Id and version, such as `contacts/v1`.
    pub id: &'static str,
    /// What is counted, in words.
    pub text: &'static str,
    /// Where the rule comes from.
    pub origin: &'static str,
}

/// Contacts: offered, answered, abandoned, waits.
pub const CONTACTS: Definition = Definition {
    id: "contacts/v1",
    text: "Contacts by the local day (Europe/Stockholm) they arrived. offered: answered, abandoned or turned away; those \
           still waiting, those whose outcome is unknown and those who came to a closed queue are in no number. \
           abandoned: the citizen left first, with short_abandoned among them (waited at most 10 s). answer_rate: answered / (offered - short_abandoned), null \
           where that is nothing. answered_within_60s: waited at most 60 s. longest_wait_s: of any that was answered or \
           left.",
    origin: "Östersund's audit 2014; national survey of municipal measures (KKiK)",
};

/// Cases registered and resolved.
pub const CASES: Definition = Definition {
    id: "cases/v1",
    text: "registered: cases by the local day they came in. resolved: cases by the local day the centre resolved them, \
           without those whose citizen came back since.",
    origin: "Östersund's audit 2014",
};

/// Every definition in force.
pub fn definitions() -> [Definition; 2] {
    [CONTACTS, CASES]
}
