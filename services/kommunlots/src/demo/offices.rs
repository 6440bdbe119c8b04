//! The departments' own systems: each speaks on the bus with its department's credentials, takes the cases it is told of,
//! and closes them as time passes: most in time, some late, some when they have been reminded of them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use async_nats::{
    Client, ConnectOptions,
    jetstream::{consumer::PullConsumer, context::ContextBuilder},
};
use domain::{
    CaseClosure, CaseId, CaseOutcome, Department, Envelope, FollowUpStep, News, NewsOf, out_stream,
};
use futures::StreamExt;
use jiff::Timestamp;
use platform::Clock;
use rand::Rng;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::rhythm::{self, dice};

/// Where the bus is, and the folder with `<department>.nk`.
#[derive(Debug, Clone)]
pub(crate) struct BusOfDepartments {
    pub(crate) url: String,
    pub(crate) keys: PathBuf,
}

/// Real time before something that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Runs the systems of `departments` until `stop`.
pub(super) async fn run(
    bus: BusOfDepartments,
    departments: Vec<Department>,
    clock: Clock,
    stop: CancellationToken,
) {
    let mut systems = JoinSet::new();
    for department in departments {
        let (bus, clock) = (bus.clone(), clock.clone());
        systems.spawn(async move {
            loop {
                if let Err(error) = system(&bus, &department, &clock).await {
                    tracing::debug!(%department, error = format!("{error:#}"), "trying again");
                }
                tokio::time::sleep(AGAIN).await;
            }
        });
    }
    stop.cancelled().await;
}

/// One department's system, until its connection fails.
async fn system(
    bus: &BusOfDepartments,
    department: &Department,
    clock: &Clock,
) -> anyhow::Result<()> {
    let client = connect(bus, department).await?;
    // The department reaches the product's streams through what its account imports.
    let jetstream = ContextBuilder::new()
        .api_prefix("CITY.API")
        .build(client.clone());
    let consumer: PullConsumer = jetstream
        .get_consumer_from_stream(department.as_str(), out_stream(department))
        .await?;
    let mut messages = consumer.messages().await?;
    let mut open: BTreeMap<(Timestamp, CaseId), CaseOutcome> = BTreeMap::new();
    loop {
        let next = open.keys().next().map(|(at, _)| *at);
        tokio::select! {
            message = messages.next() => {
                let message = message.context("the stream of messages ended")??;
                if let Ok(news) = serde_json::from_slice::<Envelope<News>>(&message.payload) {
                    take(&mut open, &news.data);
                }
                message.ack().await.map_err(anyhow::Error::from_boxed)?;
            }
            () = until(clock, next) => {
                if let Some((&(at, case), &outcome)) = open.first_key_value() {
                    close(&client, department, case, outcome, clock.now()).await?;
                    open.remove(&(at, case));
                }
            }
        }
    }
}

async fn connect(bus: &BusOfDepartments, department: &Department) -> anyhow::Result<Client> {
    let file = key_file(&bus.keys, department);
    let seed = tokio::fs::read_to_string(&file)
        .await
        .with_context(|| format!("cannot read {}", file.display()))?;
    let client = ConnectOptions::with_nkey(seed.trim().to_owned())
        .name(format!("demo: the system of {department}"))
        .custom_inbox_prefix(format!("_INBOX_{department}"))
        .connect(&bus.url)
        .await?;
    Ok(client)
}

fn key_file(keys: &Path, department: &Department) -> PathBuf {
    keys.join("departments").join(format!("{department}.nk"))
}

async fn until(clock: &Clock, at: Option<Timestamp>) {
    match at {
        Some(at) => clock.sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Decides when a case will be closed, and how. The same case is always decided the same. What an officer has closed or sent
/// back is not the system's to close.
fn take(open: &mut BTreeMap<(Timestamp, CaseId), CaseOutcome>, news: &News) {
    let (case, due) = match &news.what {
        NewsOf::Forwarded {
            case,
            due: Some(due),
            ..
        } => (case, due),
        NewsOf::Reminded { case, step, .. } => return remember(open, *case, *step, news),
        NewsOf::Closed { case, .. } | NewsOf::Bounced { case } => {
            open.retain(|(_, waiting), _| waiting != case);
            return;
        }
        _ => return,
    };
    let (case, department) = (*case, news.department.as_str());
    open.retain(|(_, waiting), _| *waiting != case);
    // It may come a second time, from elsewhere.
    let mut rng = dice(&case.to_string(), &format!("{department} {due}"));
    let outcome = match rng.random_range(0..10) {
        0 => CaseOutcome::Declined,
        1 => CaseOutcome::NoAction,
        2 => CaseOutcome::Withdrawn,
        _ => CaseOutcome::Done,
    };
    let done = rhythm::done(&mut rng, department, news.at, *due);
    open.extend(done.map(|at| ((at, case), outcome)));
}

/// A case that was forgotten is found again by some, and by more the higher up they hear of it.
fn remember(
    open: &mut BTreeMap<(Timestamp, CaseId), CaseOutcome>,
    case: CaseId,
    step: FollowUpStep,
    news: &News,
) {
    let mut rng = dice(&case.to_string(), step.as_str());
    let known = open.keys().any(|(_, known)| *known == case);
    let found = rhythm::found(&mut rng, news.department.as_str(), step, news.at);
    open.extend(
        found
            .filter(|_| !known)
            .map(|at| ((at, case), CaseOutcome::Done)),
    );
}

/// Publishes a closure, and waits until the bus has it.
async fn close(
    client: &Client,
    department: &Department,
    case: CaseId,
    outcome: CaseOutcome,
    now: Timestamp,
) -> anyhow::Result<()> {
    let closure = serde_json::json!({
        "specversion": "1.0",
        "id": Uuid::new_v5(&case.0, now.to_string().as_bytes()),
        "source": format!("urn:example:{department}:system"),
        "type": CaseClosure::TYPE,
        "time": now,
        "datacontenttype": "application/json",
        "data": CaseClosure { case, outcome },
    });
    let answer = client
        .request("closure", serde_json::to_vec(&closure)?.into())
        .await?;
    let answer: serde_json::Value = serde_json::from_slice(&answer.payload)?;
    anyhow::ensure!(
        answer.get("error").is_none(),
        "the bus refused a closure: {answer}"
    );
    Ok(())
}
