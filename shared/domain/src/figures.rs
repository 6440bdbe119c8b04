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
           still waiting, those whose outcome is unknown and those who came to a closed queue are in no number; neither is \
           one of which only is told that its conversation ended, since when it was answered is unknown. \
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

/// Forwarded cases: open, overdue, closed.
pub const FORWARDED: Definition = Definition {
    id: "forwarded/v1",
    text: "Cases by the local day (Europe/Stockholm) they were first forwarded, once each, under the department or queue \
           that has them last, all as of one instant: what happened later is not in it. A queue is `department/group`, since \
           departments name their groups each for itself. An import's cases count as \
           forwarded when they came in, under the older system's own names where the agreements know no others: a queue is \
           then that name alone, the same for every department that has it. closed: \
           ended by the department and not opened anew. closed_overdue: of those, closed after their limit. open: not \
           closed, paused ones included. open_overdue: of those, past their limit; while a case is paused its clock \
           stands, so it is overdue only where it was before. A limit itself is still in time. A case without a limit is \
           never overdue. forwarded = closed + open. On the wall: those open now, without an import's.",
    origin: "Östersund's audit 2014",
};

/// Handling time of forwarded cases.
pub const HANDLING: Definition = Definition {
    id: "handling/v1",
    text: "Cases that departments closed, by the local day (Europe/Stockholm) they were closed, without those opened anew \
           since. total: from registered to closed; centre: from registered to first forwarded; department: from first \
           forwarded to closed. calendar: all hours count, pauses and detours by other departments too. working: at the \
           centre, hours when the municipality's offices are open by the agreements that the case is bound to; at \
           departments, each one's own hours without pauses, known where each that had the case closed it; in total, their \
           sum where both are known. An import's cases count as forwarded when they came in, so their \
           time at the centre is not known. Queues are named as in forwarded/v1. median_s and p90_s: of the times in order, the first that at least 50 % and \
           90 % do not exceed. within_limit: closed within their limit, of those that have one. Null is not known.",
    origin: "Östersund's audit 2014",
};

/// How far forwarded cases had to be followed up until they were closed.
pub const FOLLOW_UP: Definition = Definition {
    id: "followup/v1",
    text: "Cases that departments closed, by the local day (Europe/Stockholm) they were closed, as of one instant: without \
           those opened anew by then. An import's cases are not followed up and are not in it. limited: those that have a \
           limit. closed_within_limit: of those, closed within it; a limit itself is in time, a pause moves it, a promise \
           does not. share_within_limit: closed_within_limit / limited, null where none has a limit. Steps are those of the \
           follow-up that were taken since the case was last forwarded, at the department that closed it, until it was \
           closed; each counts once. What was missed is no step. after_no_step: closed before any step. after_share, \
           after_limit, after_promised, after_contact_person, after_heads: closed when that step was the last one taken. \
           Each of these with its share of closed, which they add up to. mean_steps: steps / closed. Queues are named as in \
           forwarded/v1. promised: those whose \
           group had promised a day; promised_kept: of those, closed by then.",
    origin: "Östersund's audit 2014",
};

/// Every definition in force.
pub fn definitions() -> [Definition; 5] {
    [CONTACTS, CASES, FORWARDED, HANDLING, FOLLOW_UP]
}
