//! From the HTTP answer to the frame in a browser, and the memory of the process meanwhile.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use tokio::{sync::mpsc, task::JoinSet, time::sleep_until};

use super::{PATIENCE, Setting};
use crate::{
    events,
    http::Connection,
    process,
    product::{CONTACTS, Product},
    stats::{median, percentile, sorted},
    table::{Row, Target, number},
    viewers::{Seen, Viewers},
};

/// Events per second.
const RATE: f64 = 300.0;
/// More than are ever under way: arrivals wait for no answer.
const CONNECTIONS: usize = 32;

/// When an event's answer came, and its place among the contacts' events.
type Answered = (Instant, u64);

/// 50th and 99th percentile and greatest, in ms.
#[derive(Debug, Clone, Copy)]
struct Spread([f64; 3]);

pub(crate) async fn measure(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let product = setting.product("all").await?;
    tokio::time::sleep(setting.scale.idle).await;
    let idle = process::resident(product.pid()).unwrap_or_default();
    let mut weights = Vec::new();
    let mut rounds: [Vec<(Spread, Spread)>; 2] = Default::default();
    let mut first = 0;
    for round in 0..setting.scale.rounds {
        for (poisson, results) in [false, true].into_iter().zip(&mut rounds) {
            let seed = (round as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let offsets = arrivals(setting.scale.latency, poisson.then_some(seed));
            let spreads = watch(
                &product,
                &offsets,
                first,
                setting.scale.viewers,
                &mut weights,
            )
            .await?;
            first += offsets.len() as u64 + 1;
            eprintln!(
                "         {}: {:?}, next frame {:?}",
                kind(poisson),
                spreads.0.0,
                spreads.1.0
            );
            results.push(spreads);
        }
    }
    let highest = process::resident(product.pid()).unwrap_or_default().1;
    let mut rows = Vec::new();
    for (poisson, results) in [false, true].into_iter().zip(&rounds) {
        rows.push(row(setting, poisson, results));
    }
    rows.push(weight("Resident memory of one process with all services, idle", vec![idle.0], 80.0, format!(
        "VmRSS {:.0} s after it said that it was ready; PostgreSQL and NATS apart; the highest until then was {} MB",
        setting.scale.idle.as_secs_f64(), number(idle.1)
    )));
    rows.push(weight("The same under 300 events/s with the viewers", vec![percentile(&sorted(&weights), 1.0)], 200.0, format!(
        "the highest VmRSS of a sample each 250 ms; median {} MB; VmHWM at the end {} MB; {} viewers",
        number(median(&weights)), number(highest), setting.scale.viewers
    )));
    Ok(rows)
}

fn kind(poisson: bool) -> &'static str {
    if poisson { "Poisson" } else { "evenly" }
}

fn row(setting: &Setting, poisson: bool, results: &[(Spread, Spread)]) -> Row {
    let of = |what: fn(&(Spread, Spread)) -> f64| results.iter().map(what).collect::<Vec<f64>>();
    let middle = |what: fn(&(Spread, Spread)) -> f64| number(median(&of(what)));
    Row {
        what: format!(
            "From the HTTP answer to the frame, 300 events/s {}, 99th percentile",
            kind(poisson)
        ),
        unit: "ms",
        measured: of(|(frame, _)| frame.0[1]),
        limit: of(|(_, next)| next.0[1]),
        limit_is: "from the answer to whatever frame comes next".to_owned(),
        target: Target::AtMost(100.0),
        note: format!(
            "single POSTs in an open loop for {:.0} s a round, each event in each of {} viewers; p50 {} ms, greatest {} ms; \
             to the next frame, whatever it holds: p50 {} ms, greatest {} ms, since frames come at most each 100 ms",
            setting.scale.latency.as_secs_f64(),
            setting.scale.viewers,
            middle(|(frame, _)| frame.0[0]),
            middle(|(frame, _)| frame.0[2]),
            middle(|(_, next)| next.0[0]),
            middle(|(_, next)| next.0[2]),
        ),
    }
}

fn weight(what: &str, measured: Vec<f64>, most: f64, note: String) -> Row {
    Row {
        what: what.to_owned(),
        unit: "MB",
        measured,
        limit: Vec::new(),
        limit_is: String::new(),
        target: Target::AtMost(most),
        note,
    }
}

/// When events are sent, from the start on: evenly, or with exponential pauses.
fn arrivals(time: Duration, seed: Option<u64>) -> Vec<Duration> {
    let (mut offsets, mut at, mut state) = (Vec::new(), 0.0, seed.unwrap_or(1));
    while at < time.as_secs_f64() {
        offsets.push(Duration::from_secs_f64(at));
        // xorshift64: the same pauses in every run.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let share = (state >> 11) as f64 / (1u64 << 53) as f64;
        at += if seed.is_some() {
            -(1.0 - share).ln() / RATE
        } else {
            1.0 / RATE
        };
    }
    offsets
}

/// Sends events at `offsets` while viewers watch; the spread of answer to frame, and of answer to the next frame.
async fn watch(
    product: &Product,
    offsets: &[Duration],
    first: u64,
    viewers: usize,
    weights: &mut Vec<f64>,
) -> anyhow::Result<(Spread, Spread)> {
    product.until_applied(PATIENCE).await?;
    let viewers = Viewers::open(product.address, viewers, CONTACTS).await?;
    let before = product.last().await?;
    let (sender, receiver) = mpsc::channel(1_000);
    let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
    let mut senders = JoinSet::new();
    for _ in 0..CONNECTIONS {
        senders.spawn(post_all(product.connect().await?, receiver.clone()));
    }
    let (began, began_at) = (Instant::now(), events::now());
    let mut weighed = began;
    for (n, offset) in offsets.iter().enumerate() {
        sleep_until((began + *offset).into()).await;
        // A microsecond of its own tells each event in the database from the others.
        let at = began_at
            + SignedDuration::try_from(*offset)?
            + SignedDuration::from_micros(i64::try_from(n)?);
        sender.send((first + n as u64, at)).await?;
        if weighed.elapsed() > Duration::from_millis(250) {
            weighed = Instant::now();
            weights.extend(process::resident(product.pid()).map(|(now, _)| now));
        }
    }
    drop(sender);
    let mut answers = Vec::new();
    for answered in senders.join_all().await {
        answers.extend(answered?);
    }
    // One more, not measured: a board that has not changed is not sent, and the last ones may not change it.
    let mut body = String::new();
    events::arrival(&mut body, &format!("last{first}"), 0, events::now());
    product
        .connect()
        .await?
        .post("/intake/contacts", "application/json", "", body.as_bytes())
        .await?;
    product.until_applied(PATIENCE).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let seen = viewers.close().await;
    let answered = numbers(product, before, answers).await?;
    Ok((to_frame(&answered, &seen)?, to_next_frame(&answered, &seen)))
}

type Work = (u64, Timestamp);

async fn post_all(
    mut connection: Connection,
    receiver: Arc<tokio::sync::Mutex<mpsc::Receiver<Work>>>,
) -> anyhow::Result<Vec<(Timestamp, Instant)>> {
    let (mut answers, mut body) = (Vec::new(), String::new());
    loop {
        let work = receiver.lock().await.recv().await;
        let Some((n, at)) = work else {
            return Ok(answers);
        };
        body.clear();
        events::of_calls(&mut body, "wall", n, at);
        connection
            .post("/intake/contacts", "application/json", "", body.as_bytes())
            .await?;
        answers.push((at, Instant::now()));
    }
}

/// The number that each answered event got, from the event log itself.
async fn numbers(
    product: &Product,
    before: u64,
    answers: Vec<(Timestamp, Instant)>,
) -> anyhow::Result<Vec<Answered>> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT (extract(epoch FROM at) * 1000000)::bigint, sequence FROM intake.event_log
         WHERE source = $1 AND sequence > $2",
    )
    .bind(CONTACTS)
    .bind(i64::try_from(before)?)
    .fetch_all(&product.pool)
    .await?;
    let numbers: std::collections::HashMap<i64, i64> = rows.into_iter().collect();
    let mut answered = Vec::with_capacity(answers.len());
    for (at, when) in answers {
        let number = numbers.get(&at.as_microsecond());
        let number = number.ok_or_else(|| {
            anyhow::anyhow!("the event of {at} was answered but is not in the log")
        })?;
        answered.push((when, number.unsigned_abs()));
    }
    answered.sort_by_key(|(_, number)| *number);
    Ok(answered)
}

fn to_frame(answered: &[Answered], seen: &[Vec<Seen>]) -> anyhow::Result<Spread> {
    let mut waits = Vec::with_capacity(answered.len() * seen.len());
    for frames in seen {
        let mut frames = frames.iter().peekable();
        for (answer, number) in answered {
            while frames.next_if(|(_, shown)| shown < number).is_some() {}
            let Some((came, _)) = frames.peek() else {
                anyhow::bail!("a viewer was never sent event {number}");
            };
            waits.push(came.saturating_duration_since(*answer).as_secs_f64() * 1e3);
        }
    }
    Ok(Spread::of(waits))
}

fn to_next_frame(answered: &[Answered], seen: &[Vec<Seen>]) -> Spread {
    let mut waits = Vec::with_capacity(answered.len() * seen.len());
    for frames in seen {
        for (answer, _) in answered {
            let next = frames.partition_point(|(came, _)| came < answer);
            if let Some((came, _)) = frames.get(next) {
                waits.push(came.duration_since(*answer).as_secs_f64() * 1e3);
            }
        }
    }
    Spread::of(waits)
}

impl Spread {
    fn of(waits: Vec<f64>) -> Self {
        let waits = sorted(&waits);
        Self([0.5, 0.99, 1.0].map(|share| percentile(&waits, share)))
    }
}
