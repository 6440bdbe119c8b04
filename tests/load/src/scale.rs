//! How much is measured.

use std::time::Duration;

/// Sizes of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// Rounds of each side, in alternation.
    pub(crate) rounds: usize,
    /// How long one round of a throughput lasts.
    pub(crate) round: Duration,
    /// How long one rate is held when looking for the highest.
    pub(crate) step: Duration,
    /// Each rate is so many times the one before.
    pub(crate) more: f64,
    /// An idle process is left alone for this long before it is weighed.
    pub(crate) idle: Duration,
    /// How long latency is measured, each for even and for Poisson arrivals.
    pub(crate) latency: Duration,
    pub(crate) viewers: usize,
    /// Cases forwarded and closed in a round.
    pub(crate) closures: usize,
    /// Open plans, few and many, and steps that become due in a round.
    pub(crate) plans: [u64; 2],
    pub(crate) steps: u64,
    pub(crate) import_lines: usize,
    /// Contacts in the small and in the large history.
    pub(crate) histories: [u64; 2],
    /// New events whose cost is measured on each of them.
    pub(crate) new_events: u64,
}

impl Scale {
    pub(crate) const FULL: Self = Self {
        rounds: 3,
        round: Duration::from_secs(3),
        step: Duration::from_secs(4),
        more: 1.3,
        idle: Duration::from_secs(3),
        latency: Duration::from_secs(12),
        viewers: 200,
        closures: 1_000,
        plans: [1_000, 1_000_000],
        steps: 1_000,
        import_lines: 100_000,
        histories: [10_000, 2_000_000],
        new_events: 50_000,
    };

    pub(crate) const QUICK: Self = Self {
        rounds: 1,
        round: Duration::from_millis(500),
        step: Duration::from_secs(1),
        more: 2.0,
        idle: Duration::from_secs(1),
        latency: Duration::from_secs(2),
        viewers: 50,
        closures: 80,
        plans: [100, 2_000],
        steps: 100,
        import_lines: 5_000,
        histories: [2_000, 10_000],
        new_events: 3_000,
    };
}
