//! Reminder's own Prometheus figures. Their labels come from closed sets.

use std::sync::LazyLock;

use domain::FollowUpStep;
use prometheus::{IntCounterVec, Opts};

/// Steps taken, and steps missed because a later one was due already when anybody could take them.
static STEPS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    let opts = Opts::new(
        "kommunlots_reminder_steps_total",
        "Steps of follow-up plans that were taken, or missed since a later one was due already.",
    );
    #[expect(
        clippy::expect_used,
        reason = "a name and labels that are written here"
    )]
    let meter = IntCounterVec::new(opts, &["step", "what"]).expect("a valid meter");
    // A second registration would be a mistake in this file; the figures are then missing, and nothing else.
    let _ = prometheus::register(Box::new(meter.clone()));
    meter
});

/// Makes every step appear in the very first scrape.
pub(crate) fn touch() {
    for step in FollowUpStep::ALL {
        for what in ["taken", "missed"] {
            STEPS.with_label_values(&[step.as_str(), what]);
        }
    }
}

pub(crate) fn taken(step: FollowUpStep) {
    STEPS.with_label_values(&[step.as_str(), "taken"]).inc();
}

pub(crate) fn missed(step: FollowUpStep) {
    STEPS.with_label_values(&[step.as_str(), "missed"]).inc();
}
