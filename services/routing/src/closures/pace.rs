//! How fast a department may send closures that change nothing. What closes a case is bounded by the cases there are; what is
//! refused, unreadable or said again is not, and each is answered and kept for a time. So a flood of those waits on the
//! department's own stream until that is full, and the bus refuses the rest: it costs its sender's time and nobody's disk.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::Department;
use tokio::time::Instant;

/// So many pass at once: half of what a department's stream holds, and more than a system that starts anew repeats.
const AT_ONCE: f64 = 5_000.0;
/// So many pass each second from then on.
const EACH_SECOND: f64 = 2.0;

/// What each department may still send, whichever way; forgotten when the process ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pace(Arc<Mutex<HashMap<Department, Bucket>>>);

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    fn full(now: Instant) -> Self {
        Self {
            left: AT_ONCE,
            at: now,
        }
    }

    fn at(self, now: Instant) -> Self {
        let more = now.saturating_duration_since(self.at).as_secs_f64() * EACH_SECOND;
        Self {
            left: (self.left + more).min(AT_ONCE),
            at: now,
        }
    }

    fn spend(self, closures: usize) -> Self {
        Self {
            left: self.left - closures as f64,
            ..self
        }
    }

    /// How long until something is left; none where something is.
    fn wait(self) -> Option<Duration> {
        (self.left < 0.0).then(|| Duration::from_secs_f64(-self.left / EACH_SECOND))
    }
}

impl Pace {
    /// Counts closures of a department that changed nothing.
    pub(super) fn spend(&self, department: &Department, closures: usize) {
        if closures == 0 {
            return;
        }
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = all
            .get(department)
            .copied()
            .unwrap_or_else(|| Bucket::full(now));
        all.insert(department.clone(), bucket.at(now).spend(closures));
    }

    /// How long a department's next closure is to wait, if it is.
    pub(super) fn wait(&self, department: &Department) -> Option<Duration> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(department)?.at(Instant::now()).wait()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_a_few_each_second() {
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        let bucket = Bucket::full(begin).spend(5_000);
        assert_eq!(bucket.wait(), None, "what has come is settled");
        let bucket = bucket.spend(200);
        assert_eq!(bucket.wait(), Some(Duration::from_secs(100)));
        assert_eq!(bucket.at(after(60)).wait(), Some(Duration::from_secs(40)));
        assert_eq!(bucket.at(after(100)).wait(), None);
        // Rest does not add up to more than one burst.
        let rested = bucket.at(after(1_000_000));
        assert_eq!(rested.spend(5_001).wait(), Some(Duration::from_millis(500)));
    }

    #[test]
    fn each_department_has_its_own() {
        let pace = Pace::default();
        let department = |label: &str| -> Department { label.parse().unwrap() };
        pace.spend(&department("bygg"), 6_000);
        assert!(pace.wait(&department("bygg")).is_some());
        assert_eq!(pace.wait(&department("gata")), None);
    }
}
