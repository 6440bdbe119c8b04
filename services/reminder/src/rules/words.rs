//! How times, lengths and reasons are said.

use jiff::Timestamp;

/// A local time as people in Sweden write it, such as `2026-11-23 16:30`.
pub fn local(at: Timestamp) -> String {
    let local = at.to_zoned(domain::stockholm());
    local.strftime("%Y-%m-%d %H:%M").to_string()
}
