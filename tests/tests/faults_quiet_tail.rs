//! Metrics' commits are answered before they are on disk. What a crash of PostgreSQL takes back is told again, also when
//! nothing comes afterwards that could show the gap.

use std::time::Duration;

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::harness::{Api, Product, contact, database, eventually};

const DAY: &str = "from=2021-02-01&to=2021-02-01";
const TAIL: usize = 100;

/// How often metrics has noticed that contacts are missing.
async fn gaps(api: &Api) -> anyhow::Result<u64> {
    let text = api.http.get(format!("{}/metrics", api.base)).send().await?;
    let text = text.text().await?;
    let of_contacts = |line: &&str| {
        line.starts_with("kommunlots_gaps_total{")
            && line.contains("\"metrics\"")
            && line.contains("\"CONTACTS\"")
    };
    let line = text.lines().find(of_contacts);
    let count = line.and_then(|line| line.rsplit_once(' '));
    Ok(count.map_or(Ok(0), |(_, count)| count.parse())?)
}

/// Stops the process that writes to disk what others have committed without waiting, at a moment when it holds nothing
/// that they need.
async fn stop_wal_writer(admin: &mut PgConnection) -> anyhow::Result<Pid> {
    let (pid, idle) = (
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'",
        "SELECT wait_event ILIKE 'walwritermain' FROM pg_stat_activity WHERE backend_type = 'walwriter'",
    );
    let pid: i32 = sqlx::query_scalar(pid).fetch_one(&mut *admin).await?;
    let pid = Pid::from_raw(pid).context("a pid")?;
    eventually(
        "the writer of the log is stopped while it idles",
        async || {
            kill_process(pid, Signal::STOP)?;
            let idles: Option<bool> = sqlx::query_scalar(idle).fetch_one(&mut *admin).await?;
            if idles == Some(true) {
                return Ok(());
            }
            kill_process(pid, Signal::CONT)?;
            anyhow::bail!("it is at work")
        },
    )
    .await?;
    Ok(pid)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_lost_in_a_crash_is_told_again_though_nothing_comes_after_it() -> anyhow::Result<()>
{
    let product = Product::start()?;
    let api = product.api()?;
    api.contacts(&[contact("0", "answered", "2021-02-01T08:00:00Z")])
        .await?;
    api.until_figures_hold_all().await?;

    let mut admin = database(&product.data()).await?;
    let mut looking = database(&product.data()).await?;
    let writer = stop_wal_writer(&mut admin).await?;
    // Each durable commit takes to disk what others have committed before it. So metrics is held up until the relay has
    // written down how far the bus has come: from then on nobody commits but metrics.
    let mut hold = admin.begin().await?;
    sqlx::query("SELECT FROM metrics.position WHERE source = 'intake/CONTACTS' FOR UPDATE")
        .execute(&mut *hold)
        .await?;
    let tail: Vec<_> = (1..=TAIL)
        .map(|n| contact(&n.to_string(), "answered", "2021-02-01T08:00:05Z"))
        .collect();
    api.contacts(&tail).await?;
    eventually("the bus has all, and the relay knows", async || {
        let known: bool = sqlx::query_scalar(
            "SELECT published = last FROM intake.source WHERE name = 'intake/CONTACTS'",
        )
        .fetch_one(&mut looking)
        .await?;
        ensure!(known, "not yet");
        Ok(())
    })
    .await?;
    hold.rollback().await?;
    let whole = api.figures(DAY).await?;
    assert_eq!(whole[0]["answered"], json!(TAIL + 1));

    let before = gaps(&api).await?;
    let server = product.server_pid("postgres")?;
    for process in [server, writer] {
        kill_process(process, Signal::KILL)?;
    }
    eventually("the server is started again", async || {
        ensure!(product.server_pid("postgres")? != server, "the old one");
        Ok(())
    })
    .await?;

    // Nothing more is told. The source's heartbeats alone must show that the tail is gone; had it been on disk, this test
    // would have tried nothing.
    eventually("metrics notices that its tail is lost", async || {
        ensure!(gaps(&api).await? > before, "nothing is missing");
        Ok(())
    })
    .await?;
    let figures = api.figures(DAY).await?;
    assert_eq!(figures[0]["answered"], json!(TAIL + 1));
    assert_eq!(figures[0]["offered"], json!(TAIL + 1));
    // What was told again and applied is not applied again when it comes once more.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(api.figures(DAY).await?[0]["answered"], json!(TAIL + 1));
    Ok(())
}
