//! The few distributions the simulation draws from. All durations are in seconds.

use rand::Rng;

/// True with probability `share`.
pub(super) fn chance(rng: &mut impl Rng, share: f64) -> bool {
    rng.random::<f64>() < share
}

/// Exponential with this mean: times between arrivals, and how long people have patience.
pub(super) fn exponential(rng: &mut impl Rng, mean: f64) -> f64 {
    // 1 - u lies in (0, 1], so the logarithm is finite.
    -(1.0 - rng.random::<f64>()).ln() * mean
}

/// Log-normal with this mean: most talks are short, a few are very long.
pub(super) fn log_normal(rng: &mut impl Rng, mean: f64, sigma: f64) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    let normal = radius * (std::f64::consts::TAU * rng.random::<f64>()).cos();
    (mean.ln() - sigma * sigma / 2.0 + sigma * normal).exp()
}

/// The offsets within a slot of `length` at which a Poisson process with `expected` arrivals has one.
pub(super) fn arrivals(rng: &mut impl Rng, expected: f64, length: f64) -> Vec<f64> {
    let mut offsets = Vec::new();
    if expected <= 0.0 {
        return offsets;
    }
    let mut offset = exponential(rng, length / expected);
    while offset < length {
        offsets.push(offset);
        offset += exponential(rng, length / expected);
    }
    offsets
}

/// One of the items, with probability in proportion to its weight. None of an empty slice only.
pub(super) fn weighted<'a, T>(
    rng: &mut impl Rng,
    items: &'a [T],
    weight: impl Fn(&T) -> u32,
) -> Option<&'a T> {
    let total: u32 = items.iter().map(&weight).sum();
    let mut ticket = rng.random_range(0..total.max(1));
    for item in items {
        match ticket.checked_sub(weight(item)) {
            Some(rest) => ticket = rest,
            None => return Some(item),
        }
    }
    items.last()
}
