//! Brings the product up and takes it down. One process or several: nothing differs but which services start here.

mod servers;
mod signals;

use std::{path::Path, time::Duration};

use anyhow::Context;
use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use platform::{
    Clock, auth,
    bus::Bus,
    database::{self, ACCESS, Commit, Schema},
    health::Health,
    http,
};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{config::Settings, output};
pub(crate) use servers::{Servers, accounts, accounts_in, rights};
pub(crate) use signals::Signals;

/// Every schema of the product.
pub(crate) const SCHEMAS: [Schema; 5] = [
    ACCESS,
    intake::SCHEMA,
    routing::SCHEMA,
    reminder::SCHEMA,
    metrics::SCHEMA,
];

/// The bus is given this long to take what is under way.
const FAREWELL: Duration = Duration::from_secs(2);
/// The first board is waited for this long; the page says what it waits for.
const FIRST_BOARD: Duration = Duration::from_secs(5);
/// Requests under way are given this long to finish.
const DRAIN: Duration = Duration::from_secs(10);

/// Which services run here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Roles {
    intake: bool,
    routing: bool,
    reminder: bool,
    metrics: bool,
    wallboard: bool,
}

impl Roles {
    const NONE: Self = Self {
        intake: false,
        routing: false,
        reminder: false,
        metrics: false,
        wallboard: false,
    };
    pub(crate) const ALL: Self = Self {
        intake: true,
        routing: true,
        reminder: true,
        metrics: true,
        wallboard: true,
    };
    pub(crate) const INTAKE: Self = Self {
        intake: true,
        ..Self::NONE
    };
    pub(crate) const ROUTING: Self = Self {
        routing: true,
        ..Self::NONE
    };
    pub(crate) const REMINDER: Self = Self {
        reminder: true,
        ..Self::NONE
    };
    pub(crate) const METRICS: Self = Self {
        metrics: true,
        ..Self::NONE
    };
    pub(crate) const WALLBOARD: Self = Self {
        wallboard: true,
        ..Self::NONE
    };

    fn need_database(self) -> bool {
        self.intake || self.routing || self.reminder || self.metrics
    }
}

/// A product that is up.
pub(crate) struct Product {
    /// Its address, `http://...`.
    pub(crate) base: String,
    /// The local key, in the embedded default.
    pub(crate) key: Option<String>,
    roles: Roles,
    serving: tokio::task::JoinHandle<anyhow::Result<()>>,
    tasks: JoinSet<anyhow::Result<()>>,
    health: Health,
    /// No new requests.
    closing: CancellationToken,
    /// No more work.
    stop: CancellationToken,
    buses: Vec<Bus>,
    servers: Servers,
}

/// Runs services until the process is told to stop.
pub(crate) async fn run(settings: Settings, roles: Roles) -> anyhow::Result<()> {
    crate::commands::demo::refuse_made_up(&settings.data)?;
    let signals = Signals::new()?;
    let starting = async {
        let servers = Servers::start(&settings, roles, &settings.accounts()?).await?;
        Product::start(settings.clone(), roles, Clock::real(), servers).await
    };
    let product = tokio::select! {
        product = starting => product?,
        () = signals.first() => return Ok(()),
    };
    product.until_told(signals, std::future::pending()).await
}

impl Product {
    /// Starts the services on `servers`, and returns when they are ready.
    ///
    /// # Errors
    /// When something they need cannot be had; the servers are then stopped.
    pub(crate) async fn start(
        settings: Settings,
        roles: Roles,
        clock: Clock,
        servers: Servers,
    ) -> anyhow::Result<Self> {
        match Self::try_start(settings, roles, clock, &servers).await {
            Ok(mut product) => {
                product.servers = servers;
                Ok(product)
            }
            Err(error) => {
                servers.stop().await;
                Err(error)
            }
        }
    }

    async fn try_start(
        settings: Settings,
        roles: Roles,
        clock: Clock,
        servers: &Servers,
    ) -> anyhow::Result<Self> {
        // The address first: if it is taken, nothing else has happened yet.
        let listener = TcpListener::bind(settings.http).await.with_context(|| {
            format!(
                "cannot serve on {}; choose another address with --http",
                settings.http
            )
        })?;
        let base = format!("http://{}", listener.local_addr()?);
        let mut key = None;
        if roles.need_database() {
            if settings.migrate {
                migrate(&servers.database_url, settings.database_logins.as_deref()).await?;
            }
            if let Some(folder) = &servers.folder {
                key = Some(local_key(&servers.database_url, folder.path(), &clock).await?);
            }
        }
        let (closing, stop) = (CancellationToken::new(), CancellationToken::new());
        let mut first_board = None;
        let (mut health, mut tasks) = (Health::default(), JoinSet::new());
        let mut router = Router::new().route("/openapi.json", get(openapi));

        let mut buses = Vec::new();
        let mut bus = async |service| {
            let (keys, ca) = (servers.nats_keys.as_deref(), settings.nats_ca.as_deref());
            let bus = Bus::connect(&servers.nats_url, service, keys, ca).await?;
            buses.push(bus.clone());
            anyhow::Ok(bus)
        };
        let pool = async |schema: Schema, most, commit| -> anyhow::Result<PgPool> {
            let logins = settings.database_logins.as_deref();
            let pool = database::pool(&servers.database_url, logins, schema.name, most, commit)?;
            if !settings.migrate {
                database::require(&pool, &schema).await?;
            }
            Ok(pool)
        };
        if roles.intake {
            let with = intake::Surroundings {
                pool: pool(intake::SCHEMA, 8, Commit::Durable).await?,
                bus: bus(intake::rights().service).await?,
                clock: clock.clone(),
            };
            let paths =
                intake::start(settings.intake()?, with, &mut health, &mut tasks, &stop).await?;
            router = router.merge(paths);
        }
        if roles.routing {
            let with = routing::Surroundings {
                pool: pool(routing::SCHEMA, 24, Commit::Durable).await?,
                bus: bus("routing").await?,
                clock: clock.clone(),
            };
            let config = settings.routing(servers.departments.clone(), &base)?;
            let paths = routing::start(config, with, &mut health, &mut tasks, &stop).await?;
            router = router.merge(paths);
        }
        if roles.reminder {
            let with = reminder::Surroundings {
                pool: pool(reminder::SCHEMA, 4, Commit::Durable).await?,
                bus: bus(reminder::rights().service).await?,
                clock: clock.clone(),
            };
            let config = settings.reminder()?;
            let paths = reminder::start(config, with, &mut health, &mut tasks, &stop).await?;
            router = router.merge(paths);
        }
        if roles.metrics {
            let with = metrics::Surroundings {
                pool: pool(metrics::SCHEMA, 6, Commit::ToldAgain).await?,
                bus: bus(metrics::rights().service).await?,
                clock: clock.clone(),
            };
            let config = metrics::Config {
                answer_rate_target: settings.metrics.answer_rate_target,
            };
            router = router.merge(metrics::start(config, with, &mut health, &mut tasks, &stop));
        }
        if roles.wallboard {
            let bus = bus(wallboard::rights().service).await?;
            let (paths, first) = wallboard::start(bus, &mut health, &mut tasks, &closing);
            router = router.merge(paths);
            first_board = Some(first);
        }

        let serving = tokio::spawn(http::serve(
            listener,
            router,
            health.clone(),
            closing.clone(),
        ));
        until_ready(&health).await;
        // Who opens the wall at once shall see it. A wallboard by itself shows its page without metrics too.
        if let Some(first_board) = first_board
            && roles.metrics
        {
            let _ = tokio::time::timeout(FIRST_BOARD, first_board).await;
        }
        if let Some(folder) = &servers.folder
            && !settings.momentary
        {
            folder.announce(&base)?;
        }
        Ok(Self {
            base,
            key,
            roles,
            serving,
            tasks,
            health,
            closing,
            stop,
            buses,
            servers: Servers::none(),
        })
    }

    /// Says that it is ready, and runs until the process is told to stop, `work` ends, or a service fails.
    pub(crate) async fn until_told(
        mut self,
        signals: Signals,
        work: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        output::line(format_args!("ready {}", self.base))?;
        if self.roles.wallboard {
            tracing::info!("the wallboard is at {}/wallboard", self.base);
        }
        if let Some(folder) = &self.servers.folder {
            tracing::info!(
                "an API key for this folder is in {}",
                key_file(folder.path()).display()
            );
        }
        let outcome = tokio::select! {
            () = signals.first() => Ok(()),
            done = work => done,
            Some(ended) = self.tasks.join_next() => match ended {
                Ok(Ok(())) => Err(anyhow::anyhow!("a service has ended by itself")),
                Ok(Err(error)) => Err(error.context("a service has failed")),
                Err(error) => Err(error.into()),
            },
        };
        tracing::info!("stopping; once more to stop at once");
        tokio::select! {
            () = self.stop() => {}
            () = signals.next() => {}
        }
        outcome
    }

    /// Given when no new requests are taken.
    pub(crate) fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }

    /// Takes it down in order: no new requests, then the services, then the private servers.
    pub(crate) async fn stop(mut self) {
        self.health.drain();
        self.closing.cancel();
        if tokio::time::timeout(DRAIN, &mut self.serving)
            .await
            .is_err()
        {
            self.serving.abort();
        }
        self.stop.cancel();
        let tasks = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, tasks).await.is_err() {
            tracing::warn!("some tasks did not end in time");
        }
        for bus in &self.buses {
            // A bus that is away cannot be told goodbye.
            let _ = tokio::time::timeout(FAREWELL, bus.close()).await;
        }
        self.servers.stop().await;
    }
}

async fn openapi() -> axum::response::Response {
    use axum::response::IntoResponse;
    match crate::openapi::document() {
        Ok(document) => ([(CONTENT_TYPE, "application/json")], document).into_response(),
        Err(error) => platform::Problem::internal(&error).into_response(),
    }
}

/// Brings every schema to this version; with `logins`, each service has a login of its own, with a password in that folder.
///
/// # Errors
/// When the database cannot be reached, or its user may not do that.
pub(crate) async fn migrate(database_url: &str, logins: Option<&Path>) -> anyhow::Result<()> {
    database::migrate(database_url, &SCHEMAS).await?;
    if let Some(folder) = logins {
        database::make_logins(database_url, &SCHEMAS, folder).await?;
    }
    Ok(())
}

/// Waits until everything that is needed is there, and says now and then what is missing.
async fn until_ready(health: &Health) {
    let mut tries = 0u32;
    loop {
        let missing = health.missing().await;
        if missing.is_empty() {
            return;
        }
        if tries % 100 == 99 {
            tracing::warn!("still waiting for: {}", missing.join(", "));
        }
        tries += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Where the embedded default keeps its key.
pub(crate) fn key_file(folder: &Path) -> std::path::PathBuf {
    folder.join("key")
}

/// The key of the data folder; made at first need, and again when the database does not know it.
async fn local_key(database_url: &str, folder: &Path, clock: &Clock) -> anyhow::Result<String> {
    let file = key_file(folder);
    let mut admin = PgConnection::connect(database_url).await?;
    if let Ok(key) = std::fs::read_to_string(&file)
        && auth::is_good(&mut admin, &key).await?
    {
        return Ok(key.trim().to_owned());
    }
    let key = auth::new_key(&mut admin, "local", &auth::Scope::ALL, clock.now()).await?;
    auth::write_secret(&file, &key)?;
    Ok(key)
}
