//! Two processes of reminder: one works, the other takes over, and no step is told twice whatever happens to either.

use std::time::Duration;

use anyhow::ensure;
use embedded::{Guard, Nats, Postgres};
use jiff::SignedDuration;
use platform::bus::{self, ServerConfig};
use rustix::process::{Signal, kill_process};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use crate::{
    case_page_officer::now,
    harness::{Api, Product, eventually, program},
    reminder::{WHY, agree, around_the_clock, forwarded, holiday, routing_logs},
};

/// Servers of the test's own, and routing, which hands out the agreements.
pub(crate) struct City {
    folder: TempDir,
    environment: Vec<(String, String)>,
    pub(crate) database: PgConnection,
    pub(crate) routing: Product,
    nats: Nats,
    pub(crate) postgres: Postgres,
}

impl City {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let guard = Guard::program(program());
        let postgres = Postgres::start(&folder.path().join("postgres"), &guard).await?;
        let keys = folder.path().join("keys");
        let rights = [
            routing::rights(&[].into()),
            reminder::rights(),
            intake::rights(),
        ];
        let nats = Nats::start(&folder.path().join("nats"), &guard, |place| {
            let config = ServerConfig {
                listen: place.listen,
                store: &place.store_dir,
                keys: &keys,
                monitor: None,
                tls: None,
            };
            bus::render(config, &rights, &[])
        })
        .await?;
        let mail = folder.path().join("mail");
        let environment = [
            ("KOMMUNLOTS_DATABASE_URL", postgres.url()),
            ("KOMMUNLOTS_NATS_URL", nats.url()),
            ("KOMMUNLOTS_NATS_KEYS", keys.display().to_string()),
            ("KOMMUNLOTS_MAIL", mail.display().to_string()),
        ];
        let environment = environment.map(|(n, v)| (n.to_owned(), v)).to_vec();
        let routing = run("routing", &environment).await?;
        let scopes = ["--scope", "agreements:write", "--scope", "cases:read"];
        let key = [&["key", "new", "--name", "test"], &scopes[..]].concat();
        let key = routing.command(&key)?;
        let api = Api::new(&routing.base, Some(key.trim()));
        agree(&api, &around_the_clock(0.5)).await?;
        Ok(Self {
            database: PgConnection::connect(&postgres.url()).await?,
            folder,
            environment,
            routing,
            nats,
            postgres,
        })
    }

    pub(crate) async fn reminder(&self) -> anyhow::Result<Product> {
        run("reminder", &self.environment).await
    }

    /// Tells of cases whose half limit has passed.
    async fn forward(&mut self, cases: std::ops::Range<u128>) -> anyhow::Result<()> {
        let at = now() - SignedDuration::from_mins(40);
        let mut events = Vec::new();
        for case in cases {
            events.push(forwarded(case, at, SignedDuration::from_hours(1))?);
        }
        routing_logs(&mut self.database, &events).await
    }

    pub(crate) async fn number(&mut self, sql: &'static str) -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar(sql)
            .fetch_one(&mut self.database)
            .await?)
    }

    async fn until_told(&mut self, cases: i64) -> anyhow::Result<()> {
        eventually("every case has its step", async || {
            let told = self
                .number("SELECT count(DISTINCT data ->> 'case') FROM reminder.event_log")
                .await?;
            ensure!(told == cases, "{told} of {cases}");
            Ok(())
        })
        .await
    }

    /// Each of `cases` has been told of once and mailed once, to the group.
    async fn once_each(&mut self, cases: i64) -> anyhow::Result<()> {
        self.until_told(cases).await?;
        for sql in [
            "SELECT count(*) FROM reminder.event_log",
            "SELECT last FROM reminder.source",
            "SELECT count(*) FROM reminder.plan WHERE json_array_length(plan -> 'done') = 1",
        ] {
            assert_eq!(self.number(sql).await?, cases, "{sql}");
        }
        let mail = self.folder.path().join("mail");
        eventually("every mail is there", async || {
            let mut found = 0;
            for entry in std::fs::read_dir(&mail)? {
                let path = entry?.path();
                if path.extension().is_some_and(|e| e == "eml") {
                    let text = std::fs::read_to_string(path)?.replace("=\r\n", "");
                    // As the mail encodes it.
                    let why = WHY
                        .replace('ö', "=C3=B6")
                        .replace('å', "=C3=A5")
                        .replace('ä', "=C3=A4");
                    found += i64::from(text.contains(WHY) || text.contains(&why));
                }
            }
            ensure!(found == cases, "{found} of {cases}");
            Ok(())
        })
        .await
    }

    async fn epoch(&mut self) -> anyhow::Result<i64> {
        self.number("SELECT epoch FROM reminder.lease").await
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.routing.stop()?;
        self.nats.server.stop().await;
        self.postgres.server.stop().await;
        Ok(())
    }
}

async fn run(role: &'static str, environment: &[(String, String)]) -> anyhow::Result<Product> {
    let environment = environment.to_vec();
    tokio::task::spawn_blocking(move || {
        let environment: Vec<_> = environment
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        Product::run(&[role], &environment)
    })
    .await?
}

#[tokio::test]
async fn a_standby_takes_over_from_one_that_stands_still_and_it_does_nothing_when_it_wakes()
-> anyhow::Result<()> {
    if holiday() {
        return Ok(());
    }
    let mut city = City::start().await?;
    let first = city.reminder().await?;
    let mut second = city.reminder().await?;
    city.forward(1..21).await?;
    city.once_each(20).await?;
    let before = city.epoch().await?;

    // Stopped while it works: some steps are told, and others are not.
    city.forward(21..1021).await?;
    eventually("it is at work", async || {
        let told = city
            .number("SELECT count(*) FROM reminder.event_log")
            .await?;
        ensure!(told > 20, "{told}");
        Ok(())
    })
    .await?;
    kill_process(first.pid(), Signal::STOP)?;
    city.once_each(1020).await?;
    city.forward(1021..1041).await?;
    city.once_each(1040).await?;
    let during = city.epoch().await?;
    assert!(
        during > before,
        "the standby has the lease: {during} after {before}"
    );

    // It wakes, finds that the lease is another's, and stands by.
    kill_process(first.pid(), Signal::CONT)?;
    eventually("it knows that it has lost the lease", async || {
        ensure!(first.log().contains("the lease is lost"), "{}", first.log());
        Ok(())
    })
    .await?;
    city.forward(1041..1061).await?;
    city.once_each(1060).await?;
    assert_eq!(city.epoch().await?, during, "the second one has it still");

    // Both answer questions, and the one that stood still works again when the other has gone.
    for process in [&first, &second] {
        assert!(
            Api::new(&process.base, None)
                .get("/health/ready")
                .await?
                .0
                .is_success()
        );
    }
    assert_eq!(second.stop()?, Some(0));
    city.forward(1061..1081).await?;
    city.once_each(1080).await?;
    drop(first);
    city.stop().await
}

#[tokio::test]
async fn whoever_is_killed_under_load_every_step_is_told_once() -> anyhow::Result<()> {
    if holiday() {
        return Ok(());
    }
    const CASES: i64 = 3_000;
    let mut city = City::start().await?;
    let mut processes = [city.reminder().await?, city.reminder().await?];
    let told = "SELECT count(*) FROM reminder.event_log";
    city.forward(1..3_001).await?;
    // The one that works is killed again and again; the other has taken over by the next time.
    for victim in [0, 1, 0] {
        let before = city.number(told).await?;
        eventually("somebody works", async || {
            let now = city.number(told).await?;
            ensure!(now > before || now == CASES, "{now}");
            Ok(())
        })
        .await?;
        processes[victim].kill()?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        processes[victim].start_again()?;
    }
    city.once_each(CASES).await?;
    drop(processes);
    city.stop().await
}
