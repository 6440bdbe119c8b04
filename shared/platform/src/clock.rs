//! The edge where time is read. Everything else is handed the time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};

/// The product's clock: the real one, or one that starts elsewhere and may run faster (the demo's).
#[derive(Debug, Clone)]
pub struct Clock(Option<Arc<Simulated>>);

#[derive(Debug)]
struct Simulated {
    start: Timestamp,
    started: Instant,
    speed: f64,
    /// How far the clock has been moved forward by hand, ms.
    jumped_ms: AtomicI64,
}

impl Clock {
    /// The real clock.
    pub fn real() -> Self {
        Self(None)
    }

    /// A clock that shows `start` now and runs `speed` seconds a real second.
    pub fn simulated(start: Timestamp, speed: f64) -> Self {
        let simulated = Simulated {
            start,
            started: Instant::now(),
            speed,
            jumped_ms: AtomicI64::new(0),
        };
        Self(Some(Arc::new(simulated)))
    }

    /// What the clock shows, in whole microseconds, since that is what the database keeps.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge that reads the clock"
    )]
    pub fn now(&self) -> Timestamp {
        let now = match &self.0 {
            None => Timestamp::now(),
            Some(s) => {
                let run =
                    SignedDuration::from_secs_f64(s.started.elapsed().as_secs_f64() * s.speed);
                let jumped = SignedDuration::from_millis(s.jumped_ms.load(Ordering::Relaxed));
                s.start.checked_add(run + jumped).unwrap_or(Timestamp::MAX)
            }
        };
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// Seconds of this clock in a real second.
    pub fn speed(&self) -> f64 {
        self.0.as_ref().map_or(1.0, |s| s.speed)
    }

    /// Moves a simulated clock forward to `to`. The real clock, and an instant already passed, leave it as it is.
    pub fn jump_to(&self, to: Timestamp) {
        if let Some(s) = &self.0 {
            let ahead = to.duration_since(self.now()).as_millis();
            s.jumped_ms
                .fetch_add(i64::try_from(ahead).unwrap_or(0).max(0), Ordering::Relaxed);
        }
    }

    /// Sleeps until this clock shows `until`.
    pub async fn sleep_until(&self, until: Timestamp) {
        loop {
            let left = until.duration_since(self.now()).as_secs_f64() / self.speed();
            if left <= 0.0 {
                return;
            }
            // In steps, so that a clock that jumped is noticed.
            tokio::time::sleep(Duration::from_secs_f64(left.clamp(0.001, 1.0))).await;
        }
    }
}
