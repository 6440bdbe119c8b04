//! What following a queue_log shows Prometheus. There is no series where none is followed.

use std::sync::LazyLock;

use jiff::Timestamp;
use prometheus::{Gauge, IntCounter, core::Collector};

static READ: LazyLock<Gauge> = LazyLock::new(|| {
    registered(Gauge::new(
        "kommunlots_queue_log_read_timestamp_seconds",
        "When the queue_log that is followed was last read to its end; 0 before that.",
    ))
});
static REFUSED: LazyLock<IntCounter> = LazyLock::new(|| {
    registered(IntCounter::new(
        "kommunlots_queue_log_lines_refused_total",
        "Lines of the queue_log that is followed which were none.",
    ))
});

fn registered<C: Collector + Clone + 'static>(made: prometheus::Result<C>) -> C {
    #[expect(clippy::expect_used, reason = "a name that is written here")]
    let meter = made.expect("a valid meter");
    // A second registration would be a mistake in this file; the figures are then missing, and nothing else.
    let _ = prometheus::register(Box::new(meter.clone()));
    meter
}

/// Makes them appear in the very first scrape.
pub(super) fn touch() {
    READ.set(0.0);
    REFUSED.inc_by(0);
}

pub(super) fn read_to_end(at: Timestamp) {
    READ.set(at.as_millisecond() as f64 / 1e3);
}

pub(super) fn refused() {
    REFUSED.inc();
}
