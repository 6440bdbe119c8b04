//! Cases forwarded, and closed by a department's system over the bus.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use async_nats::{
    Client, ConnectOptions,
    jetstream::{consumer::PullConsumer, context::ContextBuilder},
};
use domain::{CaseClosure, CaseId, CaseOutcome};
use futures::StreamExt;
use tokio::{task::JoinSet, time::sleep_until};
use uuid::Uuid;

use super::{PATIENCE, Setting, apply, rate};
use crate::{
    product::Product,
    stats::{median, percentile, sorted},
    table::{Row, Target, number},
    viewers::Viewers,
};

/// Connections that register, and closures under way at once.
const REGISTERING: usize = 8;
const UNDER_WAY: usize = 64;
/// Closures a second while latency is measured.
const RATE: f64 = 50.0;
/// Whose cases they are.
const DEPARTMENT: &str = "bygg";
/// The source that the frames tell of.
const ROUTING: &str = "routing/CASES";

pub(crate) async fn measure(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let product = setting.product("all").await?;
    apply(&product, &routing::agreements::example()).await?;
    let system = System::connect(&product).await?;
    let count = setting.scale.closures;
    let (mut forwarded, mut closed) = (Vec::new(), Vec::new());
    for _ in 0..setting.scale.rounds {
        let (cases, rate) = forward(&product, count).await?;
        forwarded.push(rate);
        closed.push(system.close_all(&cases).await?);
        product.until_applied(PATIENCE).await?;
    }
    let mut latencies = Vec::new();
    for _ in 0..setting.scale.rounds {
        let seconds = setting.scale.latency.as_secs_f64();
        let (cases, _) = forward(&product, (seconds * RATE) as usize).await?;
        product.until_applied(PATIENCE).await?;
        latencies.push(watch(setting, &product, &system, &cases).await?);
    }
    let at = |share: f64| -> Vec<f64> { latencies.iter().map(|l| percentile(l, share)).collect() };
    Ok(vec![
        Row {
            what: format!(
                "{} cases closed over the bus, until the department has every answer",
                number(count as f64)
            ),
            unit: "closures/s",
            measured: closed,
            limit: forwarded,
            limit_is: "registered over HTTP and forwarded".to_owned(),
            target: Target::AtLeast(500.0),
            note: format!(
                "one department's system with its own credentials, {UNDER_WAY} closures under way, each acknowledged by the \
                 bus; mails are written beside, figures and wall run; forwarding is from the first registration on \
                 {REGISTERING} connections until the last case is at its department"
            ),
        },
        Row {
            what: format!(
                "From a closure published to the frame, {RATE} closures/s, 99th percentile"
            ),
            unit: "ms",
            measured: at(0.99),
            limit: Vec::new(),
            limit_is: String::new(),
            target: Target::AtMost(200.0),
            note: format!(
                "open loop for {:.0} s a round, {} viewers; p50 {} ms, greatest {} ms; a board comes at most each 100 ms",
                setting.scale.latency.as_secs_f64(),
                setting.scale.viewers,
                number(median(&at(0.5))),
                number(median(&at(1.0))),
            ),
        },
    ])
}

/// Registers so many cases that ask to be forwarded, waits until all are at their department, and returns them with the
/// rate.
pub(super) async fn forward(product: &Product, count: usize) -> anyhow::Result<(Vec<CaseId>, f64)> {
    let before = open(product).await?;
    let mut connections = Vec::new();
    for _ in 0..REGISTERING {
        connections.push(product.connect().await?);
    }
    let began = Instant::now();
    let each = count.div_ceil(REGISTERING);
    rate(connections, |mut connection, _| async move {
        for _ in 0..each {
            let body = r#"{"type":"bygglov","rosa_group":4,"department":"bygg","forward":true,"text":"Undrar hur det går."}"#;
            connection.post("/intake/cases", "application/json", "", body.as_bytes()).await?;
        }
        Ok(each as u64)
    })
    .await?;
    let until = Instant::now() + PATIENCE;
    let cases = loop {
        let now = open(product).await?;
        if now.len() >= before.len() + each * REGISTERING {
            break now;
        }
        ensure!(
            Instant::now() < until,
            "cases are not forwarded; see the log with --keep"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let rate = (cases.len() - before.len()) as f64 / began.elapsed().as_secs_f64();
    Ok((cases, rate))
}

async fn open(product: &Product) -> anyhow::Result<Vec<CaseId>> {
    let ids: Vec<Uuid> =
        sqlx::query_scalar("SELECT id FROM routing.routed_case WHERE state = 'open'")
            .fetch_all(&product.pool)
            .await?;
    Ok(ids.into_iter().map(CaseId).collect())
}

/// The department's system.
struct System {
    client: Client,
    told: PullConsumer,
}

impl System {
    async fn connect(product: &Product) -> anyhow::Result<Self> {
        let nats = product.data().join("nats");
        let seed = std::fs::read_to_string(nats.join(format!("keys/departments/{DEPARTMENT}.nk")))?;
        let port = std::fs::read_to_string(nats.join("port"))?;
        let client = ConnectOptions::with_nkey(seed.trim().to_owned())
            .custom_inbox_prefix(format!("_INBOX_{DEPARTMENT}"))
            .connect(format!("127.0.0.1:{}", port.trim()))
            .await?;
        let jetstream = ContextBuilder::new()
            .api_prefix("CITY.API")
            .build(client.clone());
        let stream = format!("OUT_{}", DEPARTMENT.to_uppercase());
        let told = jetstream
            .get_consumer_from_stream(DEPARTMENT, stream)
            .await?;
        Ok(Self { client, told })
    }

    async fn close(client: Client, case: CaseId) -> anyhow::Result<()> {
        let closure = serde_json::json!({
            "specversion": "1.0",
            "id": Uuid::new_v4(),
            "source": "urn:example:load",
            "type": CaseClosure::TYPE,
            "datacontenttype": "application/json",
            "data": CaseClosure { case, outcome: CaseOutcome::Done },
        });
        let answer = client
            .request("closure", serde_json::to_vec(&closure)?.into())
            .await?;
        let answer: serde_json::Value = serde_json::from_slice(&answer.payload)?;
        ensure!(
            answer.get("error").is_none(),
            "the bus refused a closure: {answer}"
        );
        Ok(())
    }

    /// Closes all of them, and returns how many a second, until the last answer has come.
    async fn close_all(&self, cases: &[CaseId]) -> anyhow::Result<f64> {
        let began = Instant::now();
        let answers = async {
            let mut left = cases.len();
            let mut messages = self.told.messages().await?;
            while left > 0 {
                let message = messages.next().await.context("the answers ended")??;
                if message.subject.ends_with(".closure") {
                    let text = String::from_utf8_lossy(&message.payload);
                    ensure!(text.contains("accepted"), "a closure was answered {text}");
                    left -= 1;
                }
                message.ack().await.map_err(anyhow::Error::from_boxed)?;
            }
            anyhow::Ok(())
        };
        let asks = async {
            let mut asked = futures::stream::iter(cases)
                .map(|case| Self::close(self.client.clone(), *case))
                .buffer_unordered(UNDER_WAY);
            while let Some(done) = asked.next().await {
                done?;
            }
            anyhow::Ok(())
        };
        tokio::try_join!(answers, asks)?;
        Ok(cases.len() as f64 / began.elapsed().as_secs_f64())
    }
}

/// Closes cases evenly, and returns how long each took to a viewer's frame, in ms, sorted.
async fn watch(
    setting: &Setting,
    product: &Product,
    system: &System,
    cases: &[CaseId],
) -> anyhow::Result<Vec<f64>> {
    let viewers = Viewers::open(product.address, setting.scale.viewers, ROUTING).await?;
    let began = Instant::now() + Duration::from_millis(500);
    let mut tasks = JoinSet::new();
    for (n, case) in cases.iter().copied().enumerate() {
        let client = system.client.clone();
        tasks.spawn(async move {
            sleep_until((began + Duration::from_secs_f64(n as f64 / RATE)).into()).await;
            let published = Instant::now();
            System::close(client, case).await?;
            anyhow::Ok((case, published))
        });
    }
    let mut published = HashMap::new();
    while let Some(task) = tasks.join_next().await {
        let (case, at) = task??;
        published.insert(case, at);
    }
    product.until_applied(PATIENCE).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let frames = viewers.close().await;
    let closed: Vec<(i64, Uuid)> = sqlx::query_as(
        "SELECT sequence, (data->>'case')::uuid FROM routing.event_log WHERE source = $1 AND kind = 'case.closed'",
    )
    .bind(ROUTING)
    .fetch_all(&product.pool)
    .await?;
    let mut latencies = Vec::new();
    for (sequence, case) in closed {
        let Some(published) = published.get(&CaseId(case)) else {
            continue;
        };
        for seen in &frames {
            let first = seen.partition_point(|(_, reached)| *reached < sequence.unsigned_abs());
            let (at, _) = seen.get(first).context("a closure never came to a frame")?;
            latencies.push(at.duration_since(*published).as_secs_f64() * 1e3);
        }
    }
    Ok(sorted(&latencies))
}
