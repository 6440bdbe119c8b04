//! A PostgreSQL and a NATS that are not the product's own: the test kills and pauses them, and nobody starts them again
//! behind its back.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use domain::{CaseEvent, Streamed};
use embedded::{Guard, Nats, Postgres};
use platform::bus::{self, Bus, Rights, ServerConfig};
use tempfile::TempDir;

use crate::harness::{Api, Product, program};

/// Somebody who may do what no service may: hold a reader up.
const SABOTEUR: &str = "saboteur";
const PAUSE: &str = "$JS.API.CONSUMER.PAUSE.CONTACTS.metrics";

/// The servers, with the rights that the product's services need.
pub(crate) struct Outside {
    postgres: Option<Postgres>,
    nats: Option<Nats>,
    folder: TempDir,
}

impl Outside {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let guard = Guard::program(program());
        let (postgres_folder, nats_folder) =
            (folder.path().join("postgres"), folder.path().join("nats"));
        let (postgres, nats) = futures::future::try_join(
            Postgres::start(&postgres_folder, &guard),
            start_nats(&nats_folder, &guard),
        )
        .await?;
        Ok(Self {
            postgres: Some(postgres),
            nats: Some(nats),
            folder,
        })
    }

    pub(crate) fn postgres(&self) -> anyhow::Result<&Postgres> {
        self.postgres.as_ref().context("there until the end")
    }

    pub(crate) fn nats(&self) -> anyhow::Result<&Nats> {
        self.nats.as_ref().context("there until the end")
    }

    /// Where the services' keys on the bus are.
    pub(crate) fn keys(&self) -> PathBuf {
        self.folder.path().join("nats/keys")
    }

    /// A product that uses this NATS, and the PostgreSQL of its own folder.
    pub(crate) fn on_this_nats(&self, environment: &[(&str, &str)]) -> anyhow::Result<Product> {
        self.run(&["all"], environment)
    }

    /// A replica of intake by the name `instance`, on both of these servers.
    pub(crate) fn replica(&self, instance: &str) -> anyhow::Result<Product> {
        let database = self.postgres()?.url();
        self.run(
            &["intake"],
            &[
                ("KOMMUNLOTS_DATABASE_URL", &database),
                ("KOMMUNLOTS_INTAKE_INSTANCE", instance),
            ],
        )
    }

    /// Holds metrics' reading of `CONTACTS` up, or lets it go on: what intake tells then waits on the bus, and all else goes
    /// on as ever.
    pub(crate) async fn hold_contacts_up(&self, hold: bool) -> anyhow::Result<()> {
        let keys = self.folder.path().join("nats/keys");
        let bus = Bus::connect(&self.nats()?.url(), SABOTEUR, Some(&keys), None).await?;
        let until = if hold { "2100-01-01" } else { "2000-01-01" };
        let wish = format!("{{\"pause_until\":\"{until}T00:00:00Z\"}}");
        let answer = bus.client.request(PAUSE, wish.into()).await?;
        bus.close().await;
        let answer: serde_json::Value = serde_json::from_slice(&answer.payload)?;
        ensure!(answer["error"].is_null(), "{answer}");
        Ok(())
    }

    /// One service on both of these servers.
    pub(crate) fn service(&self, service: &str) -> anyhow::Result<Product> {
        let database = self.postgres()?.url();
        self.run(&[service], &[("KOMMUNLOTS_DATABASE_URL", &database)])
    }

    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Product> {
        let (url, keys) = (self.nats()?.url(), self.keys().display().to_string());
        let mut environment = environment.to_vec();
        environment.extend([
            ("KOMMUNLOTS_NATS_URL", &*url),
            ("KOMMUNLOTS_NATS_KEYS", &*keys),
        ]);
        // Starting waits for its child on this thread.
        tokio::task::block_in_place(|| Product::run(arguments, &environment))
    }

    /// A client of `product` with a key for everything: without a folder of its own it makes none by itself.
    pub(crate) fn api_of(&self, product: &Product) -> anyhow::Result<Api> {
        let mut arguments = vec!["key", "new", "--name", "test"];
        for scope in [
            "contacts:write",
            "cases:write",
            "cases:read",
            "agreements:write",
            "operate",
        ] {
            arguments.extend(["--scope", scope]);
        }
        let key = tokio::task::block_in_place(|| product.command(&arguments))?;
        Ok(Api::new(&product.base, Some(key.trim())))
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let servers = [
            self.postgres.as_ref().map(|p| p.server.pid()),
            self.nats.as_ref().map(|n| n.server.pid()),
        ];
        self.postgres.take();
        self.nats.take();
        // The folder must outlive them.
        for pid in servers.into_iter().flatten().flatten() {
            let process = Path::new("/proc").join(pid.to_string());
            for _ in 0..1_000 {
                if !process.exists() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// What tests need that tell of follow-up as reminder does.
fn reminder() -> Rights {
    Rights {
        service: "reminder",
        publish: Vec::new(),
        subscribe: Vec::new(),
        answers: false,
    }
    .owning(
        CaseEvent::STREAM.name(),
        &["case.*.reminded", "case.*.overdue", "case.*.escalated"],
    )
}

async fn start_nats(folder: &Path, guard: &Guard) -> anyhow::Result<Nats> {
    let keys = folder.join("keys");
    let rights = [
        intake::rights(),
        routing::rights(&BTreeSet::new()),
        metrics::rights(),
        wallboard::rights(),
        reminder(),
        Rights {
            service: SABOTEUR,
            publish: vec![PAUSE.to_owned()],
            subscribe: Vec::new(),
            answers: false,
        },
    ];
    Nats::start(folder, guard, |place| {
        let config = ServerConfig {
            listen: place.listen,
            store: &place.store_dir,
            keys: &keys,
            monitor: None,
            tls: None,
        };
        bus::render(config, &rights, &[])
    })
    .await
}
