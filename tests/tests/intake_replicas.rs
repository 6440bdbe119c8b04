//! Two replicas of intake, each a source of its own: what both are told at once is known once.

use anyhow::{Context, bail, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};

use crate::{
    faults_outside::Outside,
    harness::{Api, contact, eventually},
};

const DAY: &str = "/figures?from=2021-02-01&to=2021-02-01";
/// Batches of so many contacts, and single events beside them.
const BATCHES: usize = 20;
const IN_BATCH: usize = 50;
const SINGLE: usize = 40;
const CASES: usize = 20;

/// Two events of each contact of a batch.
fn batch(n: usize) -> Vec<Value> {
    (0..IN_BATCH)
        .flat_map(|m| {
            let name = format!("batch-{n}-{m}");
            [
                contact(&name, "queued", "2021-02-01T08:00:00Z"),
                contact(&name, "answered", "2021-02-01T08:00:20Z"),
            ]
        })
        .collect()
}

fn taken(counts: &[&Value]) -> u64 {
    counts.iter().filter_map(|c| c["taken"].as_u64()).sum()
}

/// Tells both the same at once, each in its own order.
async fn tell_both(one: &Api, two: &Api, events: &[Value]) -> anyhow::Result<u64> {
    let reversed: Vec<Value> = events.iter().rev().cloned().collect();
    let (here, there) = tokio::try_join!(one.contacts(events), two.contacts(&reversed))?;
    Ok(taken(&[&here, &there]))
}

/// Registers the same case at both at once, and returns its id.
async fn register_at_both(one: &Api, two: &Api, n: usize) -> anyhow::Result<Value> {
    let body = json!({ "type": "bygglov", "rosa_group": 2, "department": "bygg" }).to_string();
    let key = format!("case-{n}");
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", key.as_str()),
    ];
    let post = async |api: &Api| {
        let (status, case) = api
            .send(
                reqwest::Method::POST,
                "/intake/cases",
                &headers,
                body.clone(),
            )
            .await?;
        ensure!(status.is_success(), "{status}: {case}");
        anyhow::Ok(case["id"].clone())
    };
    let (here, there) = tokio::try_join!(post(one), post(two))?;
    ensure!(here == there, "{here} and {there} are one case");
    Ok(here)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_replicas_are_told_at_once_is_in_the_figures_once() -> anyhow::Result<()> {
    let outside = Outside::start().await?;
    let replicas = (outside.replica("intake-a")?, outside.replica("intake-b")?);
    let metrics = outside.service("metrics")?;
    let one = outside.api_of(&replicas.0)?;
    let two = Api::new(&replicas.1.base, one.key.as_deref());
    let figures = Api::new(&metrics.base, None);

    for n in 0..BATCHES {
        let told = tell_both(&one, &two, &batch(n)).await?;
        assert_eq!(told, 2 * IN_BATCH as u64, "batch {n} was taken once");
    }
    let single = (0..SINGLE).map(async |n| {
        let event = contact(&format!("single-{n}"), "answered", "2021-02-01T08:00:20Z");
        tell_both(&one, &two, &[event]).await
    });
    let told: u64 = try_join_all(single).await?.iter().sum();
    assert_eq!(told, SINGLE as u64);
    try_join_all((0..CASES).map(|n| register_at_both(&one, &two, n))).await?;

    // Both replicas write to one database, so either knows of both sources.
    let (_, sources) = one.get("/intake/sources").await?;
    let last = |source: &str| sources[source].as_u64().context(source.to_owned());
    let contacts = (last("intake-a/CONTACTS")?, last("intake-b/CONTACTS")?);
    assert_eq!(
        contacts.0 + contacts.1,
        (2 * BATCHES * IN_BATCH + SINGLE) as u64,
        "each event has one number: {sources}"
    );
    let cases = last("intake-a/CASES")? + last("intake-b/CASES")?;
    assert_eq!(cases, CASES as u64, "{sources}");
    eventually("the figures hold everything", async || {
        let (_, positions) = figures.get("/figures/positions").await?;
        for (source, last) in sources.as_object().context("sources")? {
            if last != 0 && positions[source] != *last {
                bail!("{source}: {} of {last}", positions[source]);
            }
        }
        Ok(())
    })
    .await?;
    let (_, rows) = figures.get(DAY).await?;
    let all = json!(BATCHES * IN_BATCH + SINGLE);
    assert_eq!((&rows[0]["offered"], &rows[0]["answered"]), (&all, &all));
    // Each had its share, or nothing was tried.
    ensure!(contacts.0 > 0 && contacts.1 > 0, "{sources}");
    Ok(())
}
