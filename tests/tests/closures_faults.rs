//! Closures when something is away: none is lost, none has two effects.

use std::collections::BTreeMap;

use anyhow::ensure;
use rustix::process::{Signal, kill_process};

use crate::{
    closures::{City, System, closure},
    harness::eventually,
};

/// Closures under way.
const MANY: usize = 60;

async fn cases(city: &City) -> anyhow::Result<Vec<String>> {
    let mut cases = Vec::new();
    for _ in 0..MANY {
        cases.push(city.register("bygg", true).await?);
    }
    for case in &cases {
        city.until(case, "open").await?;
    }
    Ok(cases)
}

/// Every case is closed, once.
async fn each_closed_once(city: &City, cases: &[String]) -> anyhow::Result<()> {
    let expected: BTreeMap<String, i64> = cases.iter().map(|c| (c.clone(), 1)).collect();
    eventually("each case is closed once", async || {
        let closed = city.closed().await?;
        ensure!(closed == expected, "{} of {}", closed.len(), expected.len());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill() -> anyhow::Result<()> {
    let mut city = City::start()?;
    let cases = cases(&city).await?;
    let bygg = System::connect(&city, "bygg").await?;
    for (n, case) in cases.iter().enumerate() {
        // Sent twice, as a careful system would.
        for _ in 0..2 {
            bygg.send(closure(&n.to_string(), case, "done").to_string())
                .await?;
        }
        if n == MANY / 2 {
            break;
        }
    }
    tokio::task::block_in_place(|| {
        city.product.kill()?;
        city.product.start_again()
    })?;
    let mut bygg = System::connect(&city, "bygg").await?;
    for (n, case) in cases.iter().enumerate() {
        if n >= MANY / 2 {
            bygg.send(closure(&n.to_string(), case, "done").to_string())
                .await?;
        }
    }
    each_closed_once(&city, &cases).await?;
    for n in [0, MANY - 1] {
        assert_eq!(bygg.answer(&n.to_string()).await?["result"], "accepted");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiped_bus_is_made_anew() -> anyhow::Result<()> {
    let city = City::start()?;
    let cases = cases(&city).await?;
    let mut bygg = System::connect(&city, "bygg").await?;
    bygg.send(closure("first", &cases[0], "done").to_string())
        .await?;
    assert_eq!(bygg.answer("first").await?["result"], "accepted");

    // The server dies and its storage with it, while the product runs on.
    eventually("the storage is gone", async || {
        // The server writes while it is removed.
        Ok(std::fs::remove_dir_all(
            city.product.data().join("nats/store"),
        )?)
    })
    .await?;
    kill_process(city.product.server_pid("nats")?, Signal::KILL)?;
    let mut bygg = eventually("the department's streams are there again", async || {
        let bygg = System::connect(&city, "bygg").await?;
        bygg.send(closure("first", &cases[0], "done").to_string())
            .await?;
        Ok(bygg)
    })
    .await?;
    // It is known again by its id, though the bus has forgotten it.
    assert_eq!(bygg.answer("first").await?["result"], "accepted");
    for (n, case) in cases.iter().enumerate().skip(1) {
        bygg.send(closure(&n.to_string(), case, "withdrawn").to_string())
            .await?;
    }
    each_closed_once(&city, &cases).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closures_wait_while_the_database_is_away() -> anyhow::Result<()> {
    let city = City::start()?;
    let cases = cases(&city).await?;
    let mut bygg = System::connect(&city, "bygg").await?;
    let postgres = city.product.server_pid("postgres")?;
    kill_process(postgres, Signal::STOP)?;
    for (n, case) in cases.iter().enumerate() {
        bygg.send(closure(&n.to_string(), case, "done").to_string())
            .await?;
    }
    kill_process(postgres, Signal::KILL)?;
    each_closed_once(&city, &cases).await?;
    let last = (MANY - 1).to_string();
    assert_eq!(bygg.answer(&last).await?["result"], "accepted");
    Ok(())
}
