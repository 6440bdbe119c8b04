//! `kommunlots demo`: the product with a simulated municipality.

use std::path::Path;

use anyhow::{Context, bail};
use domain::{local_day, start_of_day};
use jiff::Timestamp;
use jiff_sqlx::Timestamp as Sql;
use platform::Clock;
use sqlx::{Connection, PgConnection};

use crate::{
    config::Settings,
    demo::{self, Api, BusOfDepartments},
    product::{Product, Roles, Servers, Signals, accounts},
};

/// Marks a folder whose data is made up.
const MARK: &str = "demo";

/// Runs until told to stop.
pub(crate) async fn run(mut settings: Settings, speed: f64, seed: u64) -> anyhow::Result<()> {
    if !(0.1..=3600.0).contains(&speed) {
        bail!("--speed is {speed}; it must be from 0.1 to 3600");
    }
    if settings.database_url.is_some() || settings.nats_url.is_some() {
        bail!(
            "the demo makes up data, so it uses private servers only; unset database_url and nats_url"
        );
    }
    if settings.data == Settings::default().data {
        settings.data = "./.kommunlots-demo".into();
    }
    if settings.intake.queue_log.path.is_some() {
        bail!(
            "the demo makes up data, which must not be mixed with a PBX's; unset intake.queue_log.path"
        );
    }
    // Made-up cases reach nobody, and their links lead nowhere else.
    settings.mail = None;
    settings.routing.public_url = None;
    // It has agreements of its own.
    settings.routing.agreements = None;
    mark(&settings.data)?;
    let signals = Signals::new()?;
    let starting = async {
        let servers = Servers::start(
            &settings,
            Roles::ALL,
            &accounts(&routing::agreements::example()),
        )
        .await?;
        let start = match last_event(&servers.database_url).await {
            // A demo that is started again goes on with the next morning.
            Some(last) => demo::opening_morning(last),
            None => demo::opening_morning(start_of_day(local_day(Clock::real().now()))?),
        };
        tracing::info!("the demo's clock runs {speed} times as fast as the real one, from {start}");
        let clock = Clock::simulated(start, speed);
        let bus = BusOfDepartments {
            url: servers.nats_url.clone(),
            keys: servers.nats_keys.clone().unwrap_or_default(),
        };
        let product = Product::start(settings.clone(), Roles::ALL, clock.clone(), servers).await?;
        anyhow::Ok((product, bus, clock))
    };
    let (product, bus, clock) = tokio::select! {
        started = starting => started?,
        () = signals.first() => return Ok(()),
    };
    let key = product
        .key
        .clone()
        .context("the embedded default has a key")?;
    let city = demo::run(
        Api {
            base: product.base.clone(),
            key,
        },
        bus,
        settings.data.join("mail"),
        clock,
        seed,
        product.closing(),
    );
    product.until_told(signals, city).await
}

/// Made-up and real data must never come into one folder.
fn mark(folder: &Path) -> anyhow::Result<()> {
    if folder.join("postgres").exists() && !folder.join(MARK).exists() {
        bail!(
            "{} holds a real centre's data; give the demo another folder with --data",
            folder.display()
        );
    }
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(folder.join(MARK), "the data in this folder is made up\n"))
        .with_context(|| format!("cannot write in {}", folder.display()))
}

/// Refuses a demo's folder.
///
/// # Errors
/// When `folder` holds a demo's data.
pub(crate) fn refuse_made_up(folder: &Path) -> anyhow::Result<()> {
    if folder.join(MARK).exists() {
        bail!(
            "{} holds a demo's made-up data; choose another folder with --data",
            folder.display()
        );
    }
    Ok(())
}

/// When the last event of an earlier run happened.
async fn last_event(database_url: &str) -> Option<Timestamp> {
    let mut admin = PgConnection::connect(database_url).await.ok()?;
    let last: Option<Sql> = sqlx::query_scalar(
        "SELECT max(at) FROM intake.event_log e JOIN intake.source s ON e.source = s.name AND e.sequence > s.last - 100",
    )
    .fetch_one(&mut admin)
    .await
    .ok()?;
    last.map(Sql::to_jiff)
}
