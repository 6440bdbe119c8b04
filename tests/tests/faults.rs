//! Faults under load: whatever is killed, every request answered 2xx is in the figures exactly once.

use std::{
    io::{Read, Seek},
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection, PgConnection};

use crate::{
    faults_load::{Load, database_of, figures_are},
    harness::{Product, eventually, kommunlots},
};

/// So many answered requests lie between two faults.
const BETWEEN: u64 = 300;

/// Kills a private server outright and waits until its supervisor has started another.
async fn kill_server(product: &Product, server: &str) -> anyhow::Result<()> {
    let old = product.server_pid(server)?;
    kill_process(old, Signal::KILL)?;
    eventually("the server is started again", async || {
        ensure!(product.server_pid(server)? != old, "still the old one");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_product_killed_again_and_again_loses_nothing() -> anyhow::Result<()> {
    let mut product = Product::start()?;
    let api = product.api()?;
    let mut load = Load::start(&api)?;
    for _ in 0..3 {
        load.goes_on(BETWEEN).await?;
        product.kill()?;
        tokio::task::block_in_place(|| product.start_again())?;
    }
    load.goes_on(BETWEEN).await?;
    ensure!(load.repeated() > 0, "no request was hit");
    let sums = load.finish().await?;
    figures_are(&api, &database_of(&product)?, &sums).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_killed_loses_nothing() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let mut load = Load::start(&api)?;
    for _ in 0..3 {
        load.goes_on(BETWEEN).await?;
        kill_server(&product, "nats").await?;
    }
    load.goes_on(BETWEEN).await?;
    let sums = load.finish().await?;
    figures_are(&api, &database_of(&product)?, &sums).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_killed_loses_nothing() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let mut load = Load::start(&api)?;
    for _ in 0..2 {
        load.goes_on(BETWEEN).await?;
        kill_server(&product, "postgres").await?;
    }
    load.goes_on(BETWEEN).await?;
    let sums = load.finish().await?;
    figures_are(&api, &database_of(&product)?, &sums).await
}

/// PostgreSQL then throws out all connections and recovers from its log, within the same server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_of_postgresql_killed_loses_nothing() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let database = database_of(&product)?;
    let mut load = Load::start(&api)?;
    for service in ["intake", "metrics"] {
        load.goes_on(BETWEEN).await?;
        let mut connection = PgConnection::connect(&database).await?;
        let pid: i32 = sqlx::query_scalar(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'kommunlots ' || $1
             ORDER BY state = 'active' DESC, xact_start NULLS LAST LIMIT 1",
        )
        .bind(service)
        .fetch_one(&mut connection)
        .await?;
        kill_process(Pid::from_raw(pid).context("a pid")?, Signal::KILL)?;
    }
    load.goes_on(BETWEEN).await?;
    let sums = load.finish().await?;
    figures_are(&api, &database, &sums).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_with_its_storage_deleted_loses_nothing() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let mut load = Load::start(&api)?;
    let store = product.data().join("nats/store");
    for n in 0..2 {
        load.goes_on(BETWEEN).await?;
        // In one step, so that the next server finds nothing at all.
        let deleted = product.data().join(format!("nats/deleted-{n}"));
        std::fs::rename(&store, &deleted)?;
        kill_server(&product, "nats").await?;
        std::fs::remove_dir_all(deleted)?;
    }
    load.goes_on(BETWEEN).await?;
    let sums = load.finish().await?;
    figures_are(&api, &database_of(&product)?, &sums).await
}

/// Everything at once: the bus comes back empty while the database recovers and the product is new.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_it_killed_at_once_loses_nothing() -> anyhow::Result<()> {
    let mut product = Product::start()?;
    let api = product.api()?;
    let mut load = Load::start(&api)?;
    load.goes_on(BETWEEN).await?;
    let (nats, postgres) = (product.server_pid("nats")?, product.server_pid("postgres")?);
    product.kill()?;
    for server in [nats, postgres] {
        // Its guard may have ended it already.
        let _ = kill_process(server, Signal::KILL);
    }
    tokio::task::block_in_place(|| product.start_again())?;
    load.goes_on(BETWEEN).await?;
    let sums = load.finish().await?;
    figures_are(&api, &database_of(&product)?, &sums).await
}

/// A newcomer's first Ctrl-C, or a machine that loses power while the folder is being prepared.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_during_its_very_first_start_it_leaves_a_folder_that_starts() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    // What appears one after the other while the folder is prepared.
    for stage in [
        "lock",
        "postgres/initdb.tmp/data/PG_VERSION",
        "postgres/data",
        "nats/nats.conf",
        "nats/keys",
        "key",
    ] {
        kill_at(&data, stage).await?;
    }
    let product = tokio::task::block_in_place(|| Product::run_in(folder, &["all"], &[]))?;
    let api = product.api()?;
    let event = crate::harness::contact("1", "queued", "2021-02-01T08:00:00Z");
    let answered = crate::harness::contact("1", "answered", "2021-02-01T08:00:05Z");
    api.contacts(&[event, answered]).await?;
    let figures = api.figures("from=2021-02-01&to=2021-02-01").await?;
    assert_eq!(figures[0]["answered"], 1);
    Ok(())
}

/// Starts the product on `data`, and kills it as soon as `stage` is there.
async fn kill_at(data: &Path, stage: &str) -> anyhow::Result<()> {
    let mut said = tempfile::tempfile()?;
    let mut child = kommunlots()
        .args(["all", "--http", "127.0.0.1:0", "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said.try_clone()?)
        .spawn()?;
    let file = data.join(stage);
    let mut ended = None;
    let seen = eventually("the start comes so far", async || {
        ended = ended.or(child.try_wait()?);
        ensure!(file.exists() || ended.is_some(), "{stage} is not there");
        Ok(())
    })
    .await;
    // `eventually` looks forty times a second; a little later is as good a moment as any.
    tokio::time::sleep(Duration::from_millis(5)).await;
    child.kill()?;
    child.wait()?;
    let Some(status) = ended else { return seen };
    let mut words = String::new();
    said.rewind()?;
    said.read_to_string(&mut words)?;
    bail!("ended by itself before {stage}, {status}: {words}")
}
