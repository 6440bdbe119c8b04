//! The rate at which the board still keeps up within a second.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use tokio::{sync::mpsc, task::JoinSet, time::MissedTickBehavior};

use super::{PATIENCE, Setting};
use crate::{
    events,
    http::Connection,
    product::{CONTACTS, Product},
    table::{Row, Target, number},
    viewers::Viewers,
};

/// Between two batches.
const TICK: Duration = Duration::from_millis(20);
/// The board may be this far behind what was answered.
const BEHIND: Duration = Duration::from_secs(1);
const CONNECTIONS: usize = 4;
/// Events per second that are tried first.
const FIRST: f64 = 1_000.0;
const MOST_STEPS: usize = 30;

/// How one rate went.
struct Step {
    /// Answered per second.
    achieved: f64,
    /// The longest that the board was behind.
    behind: Duration,
    /// Whether the sending itself kept its pace.
    paced: bool,
}

pub(crate) async fn measure(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let product = setting.product("all").await?;
    let number_of_event = Arc::new(AtomicU64::new(0));
    let (mut rate, mut best, mut ended_by) = (FIRST, None, String::new());
    for _ in 0..MOST_STEPS {
        let mut step = hold(&product, rate, setting.scale.step, &number_of_event).await?;
        if !step.kept_up() {
            // Once may be the machine's own hiccup.
            step = hold(&product, rate, setting.scale.step, &number_of_event).await?;
        }
        eprintln!(
            "         {} /s: answered {} /s, board at most {:.2} s behind",
            number(rate),
            number(step.achieved),
            step.behind.as_secs_f64()
        );
        if !step.kept_up() {
            ended_by = format!(
                "at {} events/s {} were answered and the board was {:.1} s behind",
                number(rate),
                number(step.achieved),
                step.behind.as_secs_f64()
            );
            break;
        }
        best = Some(step.achieved);
        rate *= setting.scale.more;
    }
    Ok(vec![Row {
        what: "Sustained rate at which the board keeps up within a second, `kommunlots all`"
            .to_owned(),
        unit: "events/s",
        measured: vec![best.unwrap_or(0.0)],
        limit: Vec::new(),
        limit_is: String::new(),
        target: Target::None,
        note: format!(
            "open loop, a batch each {} ms on {CONNECTIONS} connections, whole calls (queued, answered, ended), {:.0} s a \
             rate, each rate {} times the one before; read it beside the batch and single rows; {ended_by}",
            TICK.as_millis(),
            setting.scale.step.as_secs_f64(),
            setting.scale.more
        ),
    }])
}

impl Step {
    fn kept_up(&self) -> bool {
        self.paced && self.behind <= BEHIND
    }
}

/// Sends at `rate` for `time` while a browser watches.
async fn hold(
    product: &Product,
    rate: f64,
    time: Duration,
    number: &Arc<AtomicU64>,
) -> anyhow::Result<Step> {
    product.until_applied(PATIENCE).await?;
    let before = product.last().await?;
    let viewers = Viewers::open(product.address, 1, CONTACTS).await?;
    let acknowledged = Arc::new(AtomicU64::new(before));
    let (sender, senders) = senders(product, &acknowledged).await?;

    let began = Instant::now();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    // What was acknowledged, and when; what the board has passed is taken away.
    let mut owed: VecDeque<(Instant, u64)> = VecDeque::new();
    let (mut sent, mut behind, mut paced) = (0u64, Duration::ZERO, true);
    while began.elapsed() < time {
        tick.tick().await;
        let due = (began.elapsed().as_secs_f64() * rate) as u64;
        let count = due.saturating_sub(sent);
        if count > 0 {
            let first = number.fetch_add(count, Ordering::Relaxed);
            // No room: the requests before it are not answered yet.
            paced &= sender.try_send((first, count)).is_ok();
            sent += count;
        }
        owed.push_back((Instant::now(), acknowledged.load(Ordering::Relaxed)));
        let shown = viewers.furthest.load(Ordering::Relaxed);
        while owed.front().is_some_and(|(_, n)| *n <= shown) {
            owed.pop_front();
        }
        behind = behind.max(owed.front().map_or(Duration::ZERO, |(at, _)| at.elapsed()));
        if !paced || behind > 2 * BEHIND {
            break;
        }
    }
    let achieved =
        (acknowledged.load(Ordering::Relaxed) - before) as f64 / began.elapsed().as_secs_f64();
    drop(sender);
    senders
        .join_all()
        .await
        .into_iter()
        .collect::<anyhow::Result<()>>()?;
    viewers.close().await;
    Ok(Step {
        achieved,
        behind,
        paced: paced && achieved >= 0.95 * rate,
    })
}

type Work = (u64, u64);

/// Connections that post what they are handed.
async fn senders(
    product: &Product,
    acknowledged: &Arc<AtomicU64>,
) -> anyhow::Result<(mpsc::Sender<Work>, JoinSet<anyhow::Result<()>>)> {
    // A second's worth of batches may wait.
    let (sender, receiver) = mpsc::channel::<Work>(50);
    let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let connection = product.connect().await?;
        tasks.spawn(post_all(connection, receiver.clone(), acknowledged.clone()));
    }
    Ok((sender, tasks))
}

async fn post_all(
    mut connection: Connection,
    receiver: Arc<tokio::sync::Mutex<mpsc::Receiver<Work>>>,
    acknowledged: Arc<AtomicU64>,
) -> anyhow::Result<()> {
    let mut body = String::new();
    loop {
        let work = receiver.lock().await.recv().await;
        let Some((first, count)) = work else {
            return Ok(());
        };
        body.clear();
        let at = events::now();
        for n in first..first + count {
            let later = SignedDuration::from_micros(i64::try_from(n - first)?);
            events::of_calls(&mut body, "rate", n, at + later);
        }
        connection
            .post(
                "/intake/contacts",
                "application/x-ndjson",
                "",
                body.as_bytes(),
            )
            .await?;
        acknowledged.fetch_add(count, Ordering::Relaxed);
    }
}
