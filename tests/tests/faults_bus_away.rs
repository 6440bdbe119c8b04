//! The bus away for long: intake goes on as if nothing were, and what waits lies in the database.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    faults_outside::Outside,
    harness::{Api, Product, contact, database, eventually},
};

const DAY: &str = "from=2021-02-01&to=2021-02-01";
/// Contacts in a request, with two events each.
const IN_BATCH: usize = 500;
/// What one waiting event may take of the program's memory, bytes; its message alone is larger.
const A_TRACE: u64 = 250;

/// Tells so many batches from the `first` on. Each must be answered 200 at the first attempt.
async fn tell(api: &Api, first: usize, batches: usize) -> anyhow::Result<()> {
    for batch in first..first + batches {
        let events: Vec<Value> = (0..IN_BATCH)
            .flat_map(|n| {
                let name = format!("{batch}-{n}");
                [
                    contact(&name, "queued", "2021-02-01T08:00:00Z"),
                    contact(&name, "answered", "2021-02-01T08:00:20Z"),
                ]
            })
            .collect();
        let counts = api.contacts(&events).await?;
        ensure!(counts["taken"] == 2 * IN_BATCH, "batch {batch}: {counts}");
    }
    Ok(())
}

/// Registers cases, each at the first attempt.
async fn register(api: &Api, cases: usize) -> anyhow::Result<()> {
    let case = json!({ "type": "bygglov", "rosa_group": 2, "department": "bygg" });
    for _ in 0..cases {
        let (status, answer) = api.post("/intake/cases", &case).await?;
        ensure!(status == StatusCode::CREATED, "{status}: {answer}");
    }
    Ok(())
}

/// What of the program is in memory, bytes.
fn resident(product: &Product) -> anyhow::Result<u64> {
    let pid = product.pid().as_raw_nonzero();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kib = line.and_then(|l| l.trim().strip_suffix(" kB"));
    Ok(kib.context("VmRSS")?.parse::<u64>()? * 1_024)
}

/// Waits until the relay of `CONTACTS` says that it has so many yet to publish.
async fn until_waiting(api: &Api, events: usize) -> anyhow::Result<()> {
    let wanted = format!("kommunlots_events_unpublished{{stream=\"CONTACTS\"}} {events}");
    eventually("the relay knows what waits", async || {
        let text = api.http.get(format!("{}/metrics", api.base)).send().await?;
        let text = text.text().await?;
        let line = text
            .lines()
            .find(|l| l.contains("unpublished") && l.contains("CONTACTS"));
        ensure!(line == Some(&wanted), "{line:?} instead of {wanted}");
        Ok(())
    })
    .await
}

/// That so many contacts and cases are in the figures, and each event once in the log.
async fn exactly_once(product: &Product, contacts: usize, cases: usize) -> anyhow::Result<()> {
    let api = product.api()?;
    let figures = api.figures(DAY).await?;
    let all = json!(contacts);
    assert_eq!(
        (&figures[0]["offered"], &figures[0]["answered"]),
        (&all, &all)
    );
    let (_, positions) = api.get("/figures/positions").await?;
    assert_eq!(positions["intake/CONTACTS"], 2 * contacts);
    assert_eq!(positions["intake/CASES"], cases);
    let (_, dead) = api.get("/figures/dead-letters").await?;
    assert_eq!(dead, json!([]), "dead letters");
    let mut database = database(&product.data()).await?;
    let registered: i64 =
        sqlx::query_scalar("SELECT sum(registered)::bigint FROM metrics.case_sum")
            .fetch_one(&mut database)
            .await?;
    assert_eq!(registered, i64::try_from(cases)?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn intake_answers_while_the_bus_is_away_and_what_waits_is_not_in_memory() -> anyhow::Result<()>
{
    let outside = Outside::start().await?;
    let product = outside.on_this_nats(&[])?;
    let api = product.api()?;
    tell(&api, 0, 5).await?;
    register(&api, 1).await?;
    exactly_once(&product, 5 * IN_BATCH, 1).await?;

    outside.nats()?.server.kill().await?;
    tell(&api, 5, 5).await?;
    let before = resident(&product)?;
    tell(&api, 10, 30).await?;
    register(&api, 20).await?;
    until_waiting(&api, 35 * 2 * IN_BATCH).await?;
    let grown = resident(&product)?.saturating_sub(before);
    let waiting = 30 * 2 * IN_BATCH as u64;
    assert!(
        grown < waiting * A_TRACE,
        "{grown} bytes for {waiting} more events that wait"
    );
    outside.nats()?.server.start_again().await?;
    exactly_once(&product, 40 * IN_BATCH, 21).await?;

    // One that hangs keeps its connections, and takes what it was sent when it goes on.
    outside.nats()?.server.pause()?;
    tell(&api, 40, 10).await?;
    register(&api, 20).await?;
    outside.nats()?.server.resume()?;
    exactly_once(&product, 50 * IN_BATCH, 41).await
}
