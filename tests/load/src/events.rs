//! Contact events as a PBX would tell them.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};

/// The time, at the edge.
#[expect(
    clippy::disallowed_methods,
    reason = "a load generator is an edge: its events happen now"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

pub(crate) const QUEUES: [&str; 5] = ["vaxel", "bygg", "vatten", "skola", "omsorg"];

/// Calls that are on at any time in a stream of whole calls: as many as wait on a bad day.
const ON: u64 = 20;

/// Writes the `n`th of a series of distinct contacts that come into a queue, some milliseconds apart from each other.
/// The series began a month ago, so that they are no crowd that waits today.
pub(crate) fn arrival(text: &mut String, series: &str, n: u64, began: Timestamp) {
    let at = began + SignedDuration::from_micros(i64::try_from(n * 13_007).unwrap_or(0));
    line(text, series, n, "queued", at, "");
}

/// Writes the `n`th of a series of contacts that were answered at once told, with the wait that their system measured:
/// one event each, and decided.
pub(crate) fn answered(text: &mut String, series: &str, n: u64, at: Timestamp) {
    let waited = format!(",\"waited_s\":{}", n % 300);
    line(text, series, n, "answered", at, &waited);
}

/// Writes the `n`th event of a stream of whole calls: each is queued, then answered, then ended, with others between.
pub(crate) fn of_calls(text: &mut String, series: &str, n: u64, at: Timestamp) {
    let (turn, call) = (n % 3, n / 3);
    let (call, what) = match turn {
        1 if call >= ON => (call - ON, "answered"),
        2 if call >= 2 * ON => (call - 2 * ON, "ended"),
        // The first calls: nothing to answer yet, so others come in, by names that are not used again.
        1 => (1 << 40 | call, "queued"),
        2 => (1 << 41 | call, "queued"),
        _ => (call, "queued"),
    };
    line(text, series, call, what, at, "");
}

fn line(text: &mut String, series: &str, call: u64, what: &str, at: Timestamp, more: &str) {
    let queue = QUEUES[(call % QUEUES.len() as u64) as usize];
    let _ = writeln!(
        text,
        "{{\"contact\":\"{series}.{call}\",\"event\":\"{what}\",\"at\":\"{at}\",\"channel\":\"phone\",\"queue\":\"{queue}\"{more}}}"
    );
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_event_of_a_stream_comes_twice_and_few_calls_wait() {
        let (mut seen, mut waiting) = (HashSet::new(), 0i64);
        for n in 0..3_000 {
            let mut text = String::new();
            of_calls(&mut text, "s", n, Timestamp::UNIX_EPOCH);
            waiting += i64::from(text.contains("queued")) - i64::from(text.contains("answered"));
            assert!(seen.insert(text));
            assert!((0..=100).contains(&waiting), "{waiting} wait after {n}");
        }
    }
}
