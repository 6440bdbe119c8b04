//! Faults of a NATS and a PostgreSQL that are not the product's own, and of the figures themselves.

use std::time::Duration;

use anyhow::ensure;
use sqlx::{Connection, Executor, PgConnection};

use crate::{
    faults_load::{DAY, Load, database_of, figures_are},
    faults_outside::Outside,
    harness::Product,
};

const BETWEEN: u64 = 300;

/// The bus knows message ids again for a second only, and is away for longer.
const WINDOW: (&str, &str) = ("KOMMUNLOTS_DUPLICATE_WINDOW_S", "1");
const AWAY: Duration = Duration::from_millis(3_500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_killed_for_longer_than_it_remembers_loses_nothing() -> anyhow::Result<()> {
    let outside = Outside::start().await?;
    let product = outside.on_this_nats(&[WINDOW])?;
    let api = product.api()?;
    let mut load = Load::start(&api)?;
    load.goes_on(BETWEEN).await?;
    outside.nats()?.server.kill().await?;
    tokio::time::sleep(AWAY).await;
    outside.nats()?.server.start_again().await?;
    load.goes_on(BETWEEN).await?;
    let sums = load.finish().await?;
    figures_are(&api, &database_of(&product)?, &sums).await
}

/// Worse than dead: it keeps its connections, and what was sent to it comes through when it goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_hanging_for_longer_than_it_remembers_loses_nothing() -> anyhow::Result<()> {
    let outside = Outside::start().await?;
    let product = outside.on_this_nats(&[WINDOW])?;
    let api = product.api()?;
    let mut load = Load::start(&api)?;
    load.goes_on(BETWEEN).await?;
    outside.nats()?.server.pause()?;
    tokio::time::sleep(AWAY).await;
    outside.nats()?.server.resume()?;
    load.goes_on(BETWEEN).await?;
    let sums = load.finish().await?;
    figures_are(&api, &database_of(&product)?, &sums).await
}

/// The event log is the record: the figures are made from it again, also when the bus no longer has the events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wiped_figures_are_made_again_from_the_event_log() -> anyhow::Result<()> {
    let outside = Outside::start().await?;
    // It has a NATS of its own, so that its storage can be wiped too.
    let database = outside.postgres()?.url();
    let mut product = tokio::task::block_in_place(|| {
        Product::run(&["all"], &[("KOMMUNLOTS_DATABASE_URL", &database)])
    })?;
    let api = product.api()?;
    let mut load = Load::start(&api)?;
    load.goes_on(2 * BETWEEN).await?;
    let sums = load.finish().await?;
    figures_are(&api, &database, &sums).await?;
    let before = without_date(api.figures(&format!("{DAY}&by=queue")).await?);

    for bus_too in [false, true] {
        let code = tokio::task::block_in_place(|| product.stop())?;
        ensure!(code == Some(0), "it ended with {code:?}");
        let mut connection = PgConnection::connect(&database).await?;
        connection
            .execute(
                "TRUNCATE metrics.contact_fact, metrics.contact_sum, metrics.channel_heard, metrics.case_fact,
                          metrics.case_sum, metrics.position",
            )
            .await?;
        if bus_too {
            std::fs::remove_dir_all(product.data().join("nats/store"))?;
        }
        tokio::task::block_in_place(|| product.start_again())?;
        figures_are(&api, &database, &sums).await?;
        let after = without_date(api.figures(&format!("{DAY}&by=queue")).await?);
        assert_eq!(after, before, "bus wiped too: {bus_too}");
    }
    Ok(())
}

fn without_date(mut figures: Vec<serde_json::Value>) -> Vec<serde_json::Value> {
    for row in &mut figures {
        row["as_of"].take();
    }
    figures
}
