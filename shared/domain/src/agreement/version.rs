//! Versions of the agreements, and which one a case is bound to.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::Agreements;
use crate::local_day;

/// A version of the agreements. Never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgreementsVersion {
    /// Its number; versions are numbered in the order in which they were applied.
    pub version: i64,
    /// The first day it holds.
    pub valid_from: Date,
    /// Who approved it.
    pub approved_by: String,
    /// When it was applied.
    pub applied_at: Timestamp,
    /// What it says.
    pub content: Agreements,
}

/// The version in force on a day: of those that are valid by then, the one that begins last, and of those the one applied
/// last. Before the first, the one that begins first: a case must go somewhere.
pub fn in_force(versions: &[AgreementsVersion], day: Date) -> Option<&AgreementsVersion> {
    let begun = versions.iter().filter(|v| v.valid_from <= day);
    begun
        .max_by_key(|v| (v.valid_from, v.version))
        .or_else(|| versions.iter().min_by_key(|v| (v.valid_from, v.version)))
}

/// The version that a case registered at `at` is bound to.
pub fn bound(versions: &[AgreementsVersion], at: Timestamp) -> Option<&AgreementsVersion> {
    in_force(versions, local_day(at))
}

/// The version with a number.
pub fn numbered(versions: &[AgreementsVersion], version: i64) -> Option<&AgreementsVersion> {
    versions.iter().find(|v| v.version == version)
}
