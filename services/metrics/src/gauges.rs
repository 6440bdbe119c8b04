//! The figures of the board for Prometheus. What is unknown has no series.

use std::sync::LazyLock;

use domain::{BoardMessage, Channel, FollowUpStep};
use prometheus::{GaugeVec, IntCounterVec, Opts, core::Collector};

use crate::store::board::Open;

fn gauge(name: &str, help: &str, labels: &[&str]) -> GaugeVec {
    registered(GaugeVec::new(Opts::new(name, help), labels))
}

fn registered<C: Collector + Clone + 'static>(made: prometheus::Result<C>) -> C {
    #[expect(
        clippy::unwrap_used,
        reason = "names and labels are literals, each used once; a test scrapes them"
    )]
    let made = made.unwrap();
    #[expect(clippy::unwrap_used, reason = "see above")]
    prometheus::register(Box::new(made.clone())).unwrap();
    made
}

static WAITING: LazyLock<GaugeVec> = LazyLock::new(|| {
    gauge(
        "kommunlots_queue_length",
        "Contacts waiting now.",
        &["channel"],
    )
});
static LONGEST: LazyLock<GaugeVec> = LazyLock::new(|| {
    gauge(
        "kommunlots_queue_longest_wait_seconds",
        "Wait of the one who has waited longest now.",
        &["channel"],
    )
});
static RATE: LazyLock<GaugeVec> = LazyLock::new(|| {
    gauge(
        "kommunlots_answer_rate_ratio",
        "Answered of offered without short abandons, today.",
        &["definition"],
    )
});
static TARGET: LazyLock<GaugeVec> = LazyLock::new(|| {
    gauge(
        "kommunlots_answer_rate_target_ratio",
        "The answer rate to reach.",
        &["definition"],
    )
});
static CASES: LazyLock<GaugeVec> =
    LazyLock::new(|| gauge("kommunlots_cases_today", "Cases today.", &["state"]));
static FORWARDED_OPEN: LazyLock<GaugeVec> = LazyLock::new(|| {
    gauge(
        "kommunlots_forwarded_open",
        "Forwarded cases that are open, without imported ones.",
        &["department"],
    )
});
static FORWARDED_OVERDUE: LazyLock<GaugeVec> = LazyLock::new(|| {
    gauge(
        "kommunlots_forwarded_overdue",
        "Forwarded cases that are open past their limit, without imported ones.",
        &["department"],
    )
});
static FORWARDED_ESCALATED: LazyLock<GaugeVec> = LazyLock::new(|| {
    gauge(
        "kommunlots_forwarded_escalated",
        "Forwarded cases that are open and of which the department's head has been told.",
        &["department"],
    )
});
static STEPS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    registered(IntCounterVec::new(
        Opts::new(
            "kommunlots_follow_up_steps_total",
            "Steps of the follow-up of forwarded cases that were taken.",
        ),
        &["step"],
    ))
});
static SOURCE_AGE: LazyLock<GaugeVec> = LazyLock::new(|| {
    gauge(
        "kommunlots_source_age_seconds",
        "Time since a source last said that it lives and sees what it tells of.",
        &["source"],
    )
});
static AS_OF: LazyLock<GaugeVec> = LazyLock::new(|| {
    gauge(
        "kommunlots_board_as_of_timestamp_seconds",
        "When the board was last made, by the product's clock.",
        &[],
    )
});

fn set(gauge: &GaugeVec, label: &str, value: Option<f64>) {
    match value {
        Some(value) => gauge.with_label_values(&[label]).set(value),
        // It may never have been there.
        None => drop(gauge.remove_label_values(&[label])),
    }
}

/// Shows a board's figures.
pub(crate) fn show(message: &BoardMessage) {
    let board = &message.board;
    for queue in &board.queues {
        let channel: Channel = queue.channel;
        let longest = queue
            .longest_since
            .map(|since| message.as_of.duration_since(since).as_secs_f64().max(0.0));
        set(&WAITING, channel.as_str(), queue.waiting.map(f64::from));
        set(
            &LONGEST,
            channel.as_str(),
            longest.or(queue.waiting.map(|_| 0.0)),
        );
    }
    set(
        &RATE,
        &board.answer_rate.definition,
        board.answer_rate.value,
    );
    set(
        &TARGET,
        &board.answer_rate.definition,
        Some(board.answer_rate.target),
    );
    set(
        &CASES,
        "registered",
        board.cases.registered.map(|n| n as f64),
    );
    set(&CASES, "resolved", board.cases.resolved.map(|n| n as f64));
    for source in &message.sources {
        set(&SOURCE_AGE, &source.source, source.age_s);
    }
    AS_OF
        .with_label_values::<&str>(&[])
        .set(message.as_of.as_millisecond() as f64 / 1e3);
}

/// Shows forwarded cases by department: those that agreements have named, so the labels are a closed set. What is escalated
/// is known only where anybody has told of follow-up.
pub(crate) fn show_forwarded(departments: &[Open], followed_up: bool) {
    for d in departments {
        let department = d.department.as_str();
        set(&FORWARDED_OPEN, department, Some(d.open as f64));
        set(&FORWARDED_OVERDUE, department, Some(d.overdue as f64));
        let escalated = followed_up.then_some(d.escalated as f64);
        set(&FORWARDED_ESCALATED, department, escalated);
    }
}

/// Shows the steps ever told. They are kept in the database, so that a restart neither loses nor doubles any: the counter
/// begins where it ended.
pub(crate) fn show_steps(steps: &[(FollowUpStep, i64)]) {
    for (step, taken) in steps {
        let counter = STEPS.with_label_values(&[step.as_str()]);
        counter.inc_by(taken.unsigned_abs().saturating_sub(counter.get()));
    }
}
