//! When a mail that was not taken is tried again.

use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// A server that is busy or restarting is met again soon; one that is down over a weekend is not besieged.
const FIRST: [Duration; 4] = [
    MINUTE,
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    HOUR,
];
/// Between attempts from then on. RFC 5321, 4.5.4.1: at least half an hour, and two or three hours are common.
const THEN: Duration = Duration::from_secs(4 * 3_600);
/// After so long a mail is given up. RFC 5321, 4.5.4.1: at least four to five days for a server in between; here the next
/// server is the municipality's own, and whoever waits should know before the week is over.
const LONGEST: Duration = Duration::from_secs(3 * 24 * 3_600);

/// How long to wait, in real time, after the `attempts`th attempt has failed; none when that was the last. Counted in
/// attempts and not in time gone by, so that a service that was down itself still gives a mail all of them.
pub(super) fn after(attempts: u32) -> Option<Duration> {
    let done = usize::try_from(attempts).unwrap_or(usize::MAX).max(1) - 1;
    if let Some(delay) = FIRST.get(done) {
        return Some(*delay);
    }
    let gone_by = FIRST.iter().sum::<Duration>()
        + THEN.saturating_mul(u32::try_from(done - FIRST.len()).unwrap_or(u32::MAX));
    (gone_by.saturating_add(THEN) <= LONGEST).then_some(THEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_end_within_three_days() {
        let delays: Vec<Duration> = (1..).map_while(after).collect();
        assert_eq!(
            delays[..6],
            [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, 4 * HOUR]
        );
        assert!(delays.is_sorted());
        let all: Duration = delays.iter().sum();
        assert!(all <= 72 * HOUR && all > 68 * HOUR, "{all:?}");
        assert_eq!(delays.len(), 21);
    }

    #[test]
    fn any_count_has_an_answer() {
        assert_eq!(after(0), Some(MINUTE));
        assert_eq!(after(22), None);
        assert_eq!(after(u32::MAX), None);
    }
}
