//! The Prometheus figures that every service has. Labels come from closed sets: never an id, a person or a text.

use std::sync::LazyLock;

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, TextEncoder,
};

/// Buckets for what should take well under a tenth of a second.
const BUCKETS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

macro_rules! meter {
    ($(#[$doc:meta])* $name:ident: $kind:ty = $make:expr) => {
        $(#[$doc])*
        pub static $name: LazyLock<$kind> = LazyLock::new(|| {
            let meter = $make.expect("a valid meter");
            prometheus::register(Box::new(meter.clone())).expect("registered once");
            meter
        });
    };
}

fn counter(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
    IntCounterVec::new(Opts::new(name, help), labels)
}

meter!(
    /// Events committed to the event log.
    COMMITTED: IntCounterVec =
        counter("kommunlots_events_committed_total", "Events committed to the event log.", &["stream"])
);
meter!(
    /// Events that the bus has acknowledged.
    PUBLISHED: IntCounterVec =
        counter("kommunlots_events_published_total", "Events the bus has acknowledged.", &["stream"])
);
meter!(
    /// Committed events not yet acknowledged by the bus.
    UNPUBLISHED: IntGaugeVec = IntGaugeVec::new(
        Opts::new("kommunlots_events_unpublished", "Committed events the bus has not acknowledged yet."),
        &["stream"],
    )
);
meter!(
    /// Events applied.
    APPLIED: IntCounterVec =
        counter("kommunlots_events_applied_total", "Events applied by a consumer.", &["service", "stream"])
);
meter!(
    /// Events that came again and were skipped.
    SKIPPED: IntCounterVec =
        counter("kommunlots_events_skipped_total", "Events that came again and were skipped.", &["service", "stream"])
);
meter!(
    /// Gaps noticed, each of which was asked to be told again.
    GAPS: IntCounterVec = counter(
        "kommunlots_gaps_total",
        "Times a consumer missed events and asked the source to tell them again.",
        &["service", "stream"],
    )
);
meter!(
    /// Messages that could not be applied, and are dead letters where there was room.
    DEAD_LETTERS: IntCounterVec =
        counter("kommunlots_dead_letters_total", "Messages that could not be applied.", &["service", "stream"])
);
meter!(
    /// Dead letters that there was no room to keep; they are among those written too.
    DEAD_LETTERS_NOT_KEPT: IntCounterVec = counter(
        "kommunlots_dead_letters_not_kept_total",
        "Messages that could not be applied, of a sender of whom too many are kept already.",
        &["service", "stream"],
    )
);
meter!(
    /// Mails handed over.
    MAILS_SENT: IntCounterVec =
        counter("kommunlots_mails_sent_total", "Mails that the mail server has taken.", &["service"])
);
meter!(
    /// Mails given up. A failed attempt that is followed by another is not among them.
    MAILS_FAILED: IntCounterVec =
        counter("kommunlots_mails_failed_total", "Mails given up: refused for good, or for three days.", &["service"])
);
meter!(
    /// Mails queued and neither sent nor given up.
    MAILS_WAITING: IntGaugeVec = IntGaugeVec::new(
        Opts::new("kommunlots_mails_waiting", "Mails queued and neither sent nor given up."),
        &["service"],
    )
);
meter!(
    /// HTTP requests by route and status.
    HTTP: HistogramVec = HistogramVec::new(
        HistogramOpts::new("kommunlots_http_request_duration_seconds", "Time to answer an HTTP request.")
            .buckets(BUCKETS.to_vec()),
        &["method", "route", "status"],
    )
);

/// Makes every meter that has no labels of its own yet appear in the very first scrape.
pub fn touch(service: &str) {
    for stream in domain::Stream::ALL.map(domain::Stream::name) {
        for counter in [&APPLIED, &SKIPPED, &GAPS, &DEAD_LETTERS] {
            counter.with_label_values(&[service, stream]);
        }
    }
}

/// Everything registered, in Prometheus' text format.
///
/// # Errors
/// When the encoder fails.
pub fn scrape() -> prometheus::Result<Vec<u8>> {
    let mut text = Vec::new();
    TextEncoder::new().encode(&prometheus::gather(), &mut text)?;
    Ok(text)
}
