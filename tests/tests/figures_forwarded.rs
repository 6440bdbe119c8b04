//! Forwarded cases: the figures of a period as of any instant, handling times, and the board.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use async_nats::{HeaderMap, jetstream};
use domain::{
    CaseEvent, CaseId, CaseWhat, Envelope, Event, ForwardedSpan, ForwardedState, Forwarding,
    PauseReason,
};
use jiff::{SignedDuration, Timestamp, ToSpan};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    agreements::{example, text},
    figures_forwarded_fold::{START, at, closed, facts, forwarded, paused},
    harness::{Api, Product, bus_address, eventually},
};

/// Publishes events as another replica of routing would: with its key, under a source of their own.
pub(crate) async fn routing_tells(
    product: &Product,
    source: &str,
    events: &[CaseEvent],
) -> anyhow::Result<()> {
    let seed = std::fs::read_to_string(product.data().join("nats/keys/routing.nk"))?;
    let client = async_nats::ConnectOptions::with_nkey(seed.trim().to_owned())
        .custom_inbox_prefix("_INBOX_routing")
        .connect(bus_address(&product.data())?)
        .await?;
    let bus = jetstream::new(client);
    for (sequence, event) in (1..).zip(events) {
        let envelope = Envelope {
            specversion: "1.0".to_owned(),
            id: event.id(),
            source: source.to_owned(),
            kind: event.kind().to_owned(),
            time: event.at,
            datacontenttype: "application/json".to_owned(),
            sequence,
            traceparent: None,
            data: event.clone(),
        };
        let mut headers = HeaderMap::new();
        headers.insert("Kommunlots-Source", source);
        headers.insert("Kommunlots-Sequence", sequence.to_string().as_str());
        let payload = serde_json::to_vec(&envelope)?.into();
        bus.publish_with_headers(event.subject(), headers, payload)
            .await?
            .await?;
    }
    Ok(())
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % most
    }

    fn shuffle<T>(&mut self, of: &mut [T]) {
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
            let what = match if first { 0 } else { dice.below(8) } {
                0 | 1 => CaseWhat::Forwarded(Forwarding {
                    case_type: "bygglov".parse()?,
                    group: ["handlaggare", "registrator"][usize::try_from(dice.below(2))?]
                        .parse()?,
                    agreement: Some(1),
                    rule: "a rule".to_owned(),
                    registered_at,
                    due,
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

const FIGURES: [&str; 5] = [
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

async fn rows(api: &Api, path: &str) -> anyhow::Result<Vec<Value>> {
    let (status, rows) = api.get(path).await?;
    ensure!(status == StatusCode::OK, "{status}: {rows}");
    rows.as_array().cloned().context("an array")
}

async fn reached(api: &Api, source: &str, sequence: usize) -> anyhow::Result<()> {
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
    routing_tells(&product, source, &events).await?;
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
        let expected =
            json!({ "total": null, "centre": null, "department": spread(times(&|s| s.working_s)) });
        assert_eq!(row["working"], expected, "{row}");
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
    Ok(())
}

/// `forwarded` of the board.
async fn board(api: &Api) -> anyhow::Result<Value> {
    Ok(api.board().await?["board"]["forwarded"].take())
}

pub(crate) fn of_case(
    case: u128,
    department: &str,
    at: Timestamp,
    what: CaseWhat,
) -> anyhow::Result<CaseEvent> {
    Ok(CaseEvent {
        case: CaseId(Uuid::from_u128(case)),
        at,
        department: department.parse()?,
        what,
    })
}

pub(crate) fn due(what: CaseWhat, limit: Timestamp) -> CaseWhat {
    match what {
        CaseWhat::Forwarded(forwarding) => CaseWhat::Forwarded(Forwarding {
            due: Some(limit),
            ..forwarding
        }),
        other => other,
    }
}

#[tokio::test]
async fn the_board_tells_who_is_late_when_time_passes_and_nothing_else_does() -> anyhow::Result<()>
{
    let product = Product::start()?;
    let api = product.api()?;
    assert_eq!(
        board(&api).await?,
        json!({ "open": null, "overdue": null, "departments": [], "more": 0 })
    );
    let now = platform::Clock::real().now();
    let (before, soon) = (now - 3.hours(), now + 4.seconds());
    let plain = forwarded(None, false)?;
    let source = "routing-2/CASES";
    let events = [
        of_case(1, "bygg", before, due(plain.clone(), soon))?,
        of_case(2, "bygg", before + 1.hour(), plain.clone())?,
        of_case(
            3,
            "skola",
            before - 1.hour(),
            due(plain.clone(), now + 9.hours()),
        )?,
        // It was late; then the clock stood, and stands.
        of_case(4, "miljo", before, due(plain.clone(), before + 1.hour()))?,
        of_case(4, "miljo", before + 2.hours(), paused()?)?,
        // Nobody was told of an import's.
        of_case(5, "skola", before, due(forwarded(None, true)?, before))?,
        of_case(6, "gata", before, plain.clone())?,
        of_case(6, "gata", now, closed(None))?,
    ];
    routing_tells(&product, source, &events).await?;
    let row = |department: &str, open: i64, overdue: i64, oldest: Timestamp, limit: Timestamp| {
        json!({
            "department": department, "open": open, "overdue": overdue,
            "oldest_forwarded_at": oldest.to_string(), "oldest_due": limit.to_string(),
        })
    };
    let late = row("miljo", 1, 1, before, before + 1.hour());
    let waiting = row("skola", 1, 0, before - 1.hour(), now + 9.hours());
    eventually("the wall has what is open", async || {
        let departments = [
            late.clone(),
            waiting.clone(),
            row("bygg", 2, 0, before, soon),
        ];
        let expected = json!({ "open": 4, "overdue": 1, "departments": departments, "more": 0 });
        let found = board(&api).await?;
        ensure!(found == expected, "{found}");
        Ok(())
    })
    .await?;
    eventually("the limit passes", async || {
        let departments = [
            late.clone(),
            row("bygg", 2, 1, before, soon),
            waiting.clone(),
        ];
        let expected = json!({ "open": 4, "overdue": 2, "departments": departments, "more": 0 });
        let found = board(&api).await?;
        ensure!(found == expected, "{found}");
        Ok(())
    })
    .await?;
    let scrape = api
        .http
        .get(format!("{}/metrics", api.base))
        .send()
        .await?
        .text()
        .await?;
    for line in [
        "kommunlots_forwarded_open{department=\"bygg\"} 2",
        "kommunlots_forwarded_overdue{department=\"bygg\"} 1",
        "kommunlots_forwarded_open{department=\"gata\"} 0",
    ] {
        assert!(scrape.contains(line), "{line}: {scrape}");
    }
    crate::prometheus_names::check(&scrape)?;
    // A figure of registered cases is intake's to tell.
    assert_eq!(
        api.board().await?["board"]["cases"]["registered"],
        Value::Null
    );
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

#[tokio::test]
async fn a_forwarded_case_is_on_the_board_and_in_the_figures() -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let product = Product::start()?;
    let api = product.api()?;
    let today = domain::local_day(platform::Clock::real().now());
    let folder = example(temporary.path(), "agreements")?;
    let from = today.saturating_sub(1.day()).to_string();
    let apply = [
        "agreements",
        "apply",
        text(&folder)?,
        "--valid-from",
        &from,
        "--approved-by",
        "KS § 1",
    ];
    product.command(&apply)?;
    for forward in [true, true, false] {
        let case =
            json!({ "type": "bygglov", "rosa_group": 4, "department": "bygg", "forward": forward });
        let (status, case) = api.post("/intake/cases", &case).await?;
        ensure!(status == StatusCode::CREATED, "{status}: {case}");
    }
    eventually("they are open", async || {
        let found = board(&api).await?;
        ensure!(found["open"] == 2 && found["overdue"] == 0, "{found}");
        ensure!(found["departments"][0]["department"] == "bygg", "{found}");
        ensure!(found["departments"][0]["oldest_due"].is_string(), "{found}");
        Ok(())
    })
    .await?;
    let today = today.to_string();
    let figures = |of: &str, more: &[&str]| {
        let arguments = [
            "figures",
            of,
            "--from",
            &from,
            "--to",
            &today,
            "--by",
            "department",
        ];
        product.command(&[&arguments, more].concat())
    };
    let rows: Value = serde_json::from_str(&figures("forwarded", &["--json"])?)?;
    let row = &rows[0];
    assert_eq!(
        FIGURES.map(|f| row[f].as_i64()),
        [2, 0, 0, 2, 0].map(Some),
        "{row}"
    );
    let table = figures("forwarded", &[])?;
    assert!(
        table.contains("varav försenade") && table.contains("bygg"),
        "{table}"
    );
    // In ten years without anybody doing anything both limits have passed.
    let then = format!("{}-01-01", today[..4].parse::<i32>()? + 10);
    let rows: Value = serde_json::from_str(&figures("forwarded", &["--json", "--as-of", &then])?)?;
    assert_eq!(rows[0]["open_overdue"], 2, "{rows}");
    assert_eq!(figures("handling", &["--json"])?.trim(), "[]");
    assert!(figures("handling", &[])?.contains("inga avslutade"));
    Ok(())
}
