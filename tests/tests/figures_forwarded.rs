//! Forwarded cases: the figures of a period as of any instant, and handling times.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use domain::{CaseEvent, CaseId, CaseWhat, ForwardedSpan, ForwardedState, Forwarding, PauseReason};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    figures_forwarded_fold::{START, at, closed, facts},
    forwarded_told::routing_tells,
    harness::{Api, Product, eventually},
};

/// Numbers that look random and are the same every time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % most
    }

    pub(crate) fn shuffle<T>(&mut self, of: &mut [T]) {
        for i in (1..of.len()).rev() {
            of.swap(i, usize::try_from(self.below(i as u64 + 1)).unwrap_or(0));
        }
    }
}

/// The lives of some cases over some days: forwarded here and there, paused, closed, opened anew.
fn lives(dice: &mut Dice, cases: u64) -> anyhow::Result<Vec<CaseEvent>> {
    let mut events = Vec::new();
    for case in 0..cases {
        let registered_at =
            Timestamp::from_second(START - 200_000 + dice.below(400_000).cast_signed())?;
        let mut at = registered_at;
        for _ in 0..1 + dice.below(6) {
            at += SignedDuration::from_secs(1 + dice.below(90_000).cast_signed());
            let due = at + SignedDuration::from_secs(dice.below(150_000).cast_signed());
            let due = (dice.below(8) > 0).then_some(due);
            let first = at == registered_at
                || !events
                    .iter()
                    .any(|e: &CaseEvent| e.case.0.as_u128() == case.into());
            let worked = dice.below(20_000).cast_signed();
            let what = match if first { 0 } else { dice.below(8) } {
                0 | 1 => CaseWhat::Forwarded(Forwarding {
                    case_type: "bygglov".parse()?,
                    group: ["handlaggare", "registrator"][usize::try_from(dice.below(2))?]
                        .parse()?,
                    agreement: Some(1),
                    rule: "a rule".to_owned(),
                    registered_at,
                    centre_working_s: (dice.below(4) > 0).then_some(worked),
                    due,
                    guide: None,
                    imported: dice.below(5) == 0,
                    historical: None,
                }),
                2 | 3 => CaseWhat::Paused {
                    reason: PauseReason::Date,
                    until: at,
                },
                4 => CaseWhat::Resumed { due },
                _ => closed((dice.below(3) > 0).then_some(dice.below(9_000).cast_signed())),
            };
            events.push(CaseEvent {
                case: CaseId(Uuid::from_u128(case.into())),
                at,
                department: ["bygg", "skola", "miljo"][usize::try_from(dice.below(3))?].parse()?,
                what,
            });
        }
    }
    Ok(events)
}

type Rows = BTreeMap<String, Vec<i64>>;

pub(crate) const FIGURES: [&str; 5] = [
    "forwarded",
    "closed",
    "closed_overdue",
    "open",
    "open_overdue",
];

/// The figures from scratch, by department or queue.
fn from_scratch(
    events: &[CaseEvent],
    (from, to): (&str, &str),
    as_of: Timestamp,
    by: &str,
) -> Rows {
    let ids: BTreeSet<CaseId> = events.iter().map(|e| e.case).collect();
    let mut rows = Rows::new();
    for id in ids {
        let spans = facts(events.iter().filter(|e| e.case == id)).spans();
        let Some(span) = at(&spans, as_of) else {
            continue;
        };
        let day = domain::local_day(span.first_forwarded_at).to_string();
        if !(from..=to).contains(&day.as_str()) {
            continue;
        }
        let key = match by {
            "department" => &span.department,
            _ => &span.queue,
        };
        let closed = span.state == ForwardedState::Closed;
        let late = span.late_from.is_some_and(|late| late < as_of);
        let row = rows.entry(key.clone()).or_insert_with(|| vec![0; 5]);
        for (sum, counted) in
            row.iter_mut()
                .zip([true, closed, closed && late, !closed, !closed && late])
        {
            *sum += i64::from(counted);
        }
    }
    rows
}

pub(crate) async fn rows(api: &Api, path: &str) -> anyhow::Result<Vec<Value>> {
    let (status, rows) = api.get(path).await?;
    ensure!(status == StatusCode::OK, "{status}: {rows}");
    rows.as_array().cloned().context("an array")
}

pub(crate) async fn reached(api: &Api, source: &str, sequence: usize) -> anyhow::Result<()> {
    eventually("the position moves", async || {
        let (_, positions) = api.get("/figures/positions").await?;
        ensure!(positions[source] == sequence, "{positions}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn figures_are_those_from_scratch_at_any_instant() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let mut dice = Dice(7);
    let mut events = lives(&mut dice, 120)?;
    dice.shuffle(&mut events);
    let source = "routing-2/CASES";
    routing_tells(&product, (source, 1), &events).await?;
    reached(&api, source, events.len()).await?;

    let period = ("2021-02-01", "2021-02-03");
    let mut seen = 0;
    for as_of in [
        "2021-02-01T12:00:00Z",
        "2021-02-02T23:00:00Z",
        "2021-02-05T10:00:00Z",
        "2023-01-01T00:00:00Z",
    ] {
        for by in ["department", "queue"] {
            let path = format!(
                "/figures/forwarded?from={}&to={}&by={by}&as_of={as_of}",
                period.0, period.1
            );
            let found: Rows = rows(&api, &path)
                .await?
                .iter()
                .map(|row| {
                    let key = row["key"].as_str().unwrap_or("?").to_owned();
                    (key, FIGURES.map(|f| row[f].as_i64().unwrap_or(-1)).to_vec())
                })
                .collect();
            assert_eq!(
                found,
                from_scratch(&events, period, as_of.parse()?, by),
                "{path}"
            );
            seen += found
                .values()
                .map(|row| row[0] * row[1].min(row[4]))
                .sum::<i64>();
        }
    }
    assert!(seen > 0, "nothing was compared");
    let all = rows(&api, "/figures/forwarded?from=2021-01-01&to=2021-03-01").await?;
    assert_eq!((all.len(), &all[0]["key"]), (1, &json!("all")));
    assert_eq!(all[0]["definition"], "forwarded/v1");

    handling_times(&api, &events).await
}

/// The first of the sorted numbers that this share of them does not exceed.
fn percentile(numbers: &[i64], share: f64) -> i64 {
    let place = (share * numbers.len() as f64).ceil().max(1.0);
    numbers[place as usize - 1]
}

fn spread(mut numbers: Vec<i64>) -> Value {
    if numbers.is_empty() {
        return Value::Null;
    }
    numbers.sort_unstable();
    json!({ "cases": numbers.len(), "median_s": percentile(&numbers, 0.5), "p90_s": percentile(&numbers, 0.9) })
}

async fn handling_times(api: &Api, events: &[CaseEvent]) -> anyhow::Result<()> {
    let (from, to) = ("2021-02-01", "2021-02-04");
    let ids: BTreeSet<CaseId> = events.iter().map(|e| e.case).collect();
    let last = |id| {
        facts(events.iter().filter(move |e| e.case == id))
            .spans()
            .pop()
    };
    let closed = |s: &ForwardedSpan| {
        let day = domain::local_day(s.since).to_string();
        s.state == ForwardedState::Closed && (from..=to).contains(&day.as_str())
    };
    let closed: Vec<ForwardedSpan> = ids.into_iter().filter_map(last).filter(closed).collect();
    let found = rows(
        api,
        &format!("/figures/handling?from={from}&to={to}&by=department"),
    )
    .await?;
    let keys: BTreeSet<&str> = closed.iter().map(|s| s.department.as_str()).collect();
    assert_eq!(
        found
            .iter()
            .filter_map(|r| r["key"].as_str())
            .collect::<Vec<_>>(),
        Vec::from_iter(keys)
    );
    let mut split = 0;
    for row in &found {
        let of: Vec<&ForwardedSpan> = closed
            .iter()
            .filter(|s| row["key"] == *s.department)
            .collect();
        let times = |of: &dyn Fn(&ForwardedSpan) -> Option<i64>| {
            closed
                .iter()
                .filter(|s| row["key"] == *s.department)
                .filter_map(of)
                .collect::<Vec<_>>()
        };
        let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs();
        let expected = json!({
            "total": spread(times(&|s| Some(seconds(s.registered_at, s.since)))),
            "centre": spread(times(&|s| (!s.imported).then(|| seconds(s.registered_at, s.first_forwarded_at)))),
            "department": spread(times(&|s| Some(seconds(s.first_forwarded_at, s.since)))),
        });
        assert_eq!(row["calendar"], expected, "{row}");
        let expected = json!({
            "total": spread(times(&|s| Some(s.centre_working_s? + s.working_s?))),
            "centre": spread(times(&|s| s.centre_working_s)),
            "department": spread(times(&|s| s.working_s)),
        });
        assert_eq!(row["working"], expected, "{row}");
        split += expected["total"]["cases"].as_i64().unwrap_or(0);
        let limited: Vec<_> = of.iter().filter(|s| s.due.is_some()).collect();
        let within =
            limited.iter().filter(|s| s.late_from.is_none()).count() as f64 / limited.len() as f64;
        assert_eq!(
            (&row["closed"], &row["limited"]),
            (&json!(of.len()), &json!(limited.len()))
        );
        let share = row["within_limit"].as_f64().context("a share")?;
        assert!((share - within).abs() < 1e-6, "{row}");
    }
    assert!(split > 0, "no case has all of its working time");
    Ok(())
}

#[tokio::test]
async fn what_is_asked_wrongly_is_told() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    for (path, field) in [
        ("/figures/forwarded?from=2021-02-01", "to"),
        ("/figures/forwarded?from=2021-02-02&to=2021-02-01", "to"),
        (
            "/figures/forwarded?from=2021-02-01&to=2021-02-01&by=day",
            "by",
        ),
        (
            "/figures/forwarded?from=2021-02-01&to=2021-02-01&as_of=nu",
            "as_of",
        ),
        ("/figures/forwarded?from=2021-02-01&to=9999-12-31", "to"),
        (
            "/figures/handling?from=2021-02-01&to=2021-02-01&as_of=2021-02-01",
            "as_of",
        ),
    ] {
        let (status, problem) = api.problem(Method::GET, path, &[], "").await?;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert_eq!(problem["errors"][0]["field"], field, "{path}: {problem}");
    }
    Ok(())
}
