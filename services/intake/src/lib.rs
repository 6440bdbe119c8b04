//! Intake: takes contacts from a PBX and over HTTP, and registers cases.
//!
//! - owns: contacts; cases until they are forwarded; everything that can be traced to a citizen
//! - consumes: `case.*.{forwarded,closed}` from routing and `case.*.overdue` from reminder, to show how a case stands and to
//!   tell its citizen by e-mail, who asked for it
//! - publishes: `contact.<channel>.<what>`, `case.<department>.{registered,resolved,repeat_contact,forward_requested}`
//! - answers `intake.content`, which routing asks when somebody looks at a case

mod cases;
mod citizen;
mod contacts;
mod content;
mod http;
mod input;
mod on_case;
pub mod queue_log;
mod rules;
mod store;
mod writer;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use axum::Router;
use domain::{CaseEvent, ContactEvent, ContentRequest, Department, Question, Streamed};
use platform::{
    Clock,
    auth::Keys,
    bus::{Bus, Rights},
    consumer::{Alone, Consumer, Progress},
    database::{CONSUMING, MAILING, PUBLISHING, Schema},
    dead_letters::{self, Keeper, SendAgain},
    event_log,
    health::Health,
    heartbeat::Sight,
    mail::{self, Address, Mailer, Transport},
    relay::Relay,
};
use sqlx::PgPool;
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

pub use http::{IntakeApi, NDJSON};
use input::Installation;
pub use input::{ContactInput, ContactKind, RestartInput};

/// The service's name.
const SERVICE: &str = "intake";

/// Intake's tables.
pub const SCHEMA: Schema = Schema {
    name: SERVICE,
    migrations: &[
        (1, "publishing", PUBLISHING),
        (2, "intake", include_str!("../migrations/intake.sql")),
        (3, "answers", include_str!("../migrations/answers.sql")),
        (4, "consuming", CONSUMING),
        (5, "forwarded", include_str!("../migrations/forwarded.sql")),
        (6, "mailing", MAILING),
    ],
};

/// What intake may do on the bus.
pub fn rights() -> Rights {
    Rights {
        service: SERVICE,
        publish: Vec::new(),
        subscribe: vec![ContentRequest::SUBJECT.to_owned()],
        answers: true,
    }
    .owning(ContactEvent::STREAM.name(), &["contact.*.*"])
    .owning(
        CaseEvent::STREAM.name(),
        &[
            "case.*.registered",
            "case.*.resolved",
            "case.*.repeat_contact",
            "case.*.forward_requested",
        ],
    )
    .consuming(CaseEvent::STREAM)
}

/// Intake's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The name of this replica; each replica is a source of its own.
    pub instance: String,
    /// The department that a queue belongs to, for contacts that do not say.
    pub queue_departments: BTreeMap<String, Department>,
    /// A live queue_log to follow.
    pub queue_log: Option<QueueLog>,
    /// Whom mails to citizens come from.
    pub mail_from: Address,
    /// How they are sent.
    pub mail: Transport,
    /// Whether it does by itself what time brings, such as sending mail. A product that is up for one command's work does not.
    pub acts: bool,
    /// How long the bus knows message ids.
    pub duplicate_window: Duration,
}

/// A live queue_log.
#[derive(Debug, Clone)]
pub struct QueueLog {
    /// The file.
    pub path: PathBuf,
    /// The PBX's name. Reading the same log under another name counts every call twice.
    pub system: String,
}

/// What intake needs from its process.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Its database.
    pub pool: PgPool,
    /// Its bus.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
}

/// Starts intake's tasks and returns its HTTP paths.
///
/// # Errors
/// When the database cannot be prepared.
pub async fn start(
    config: Config,
    with: Surroundings,
    health: &mut Health,
    tasks: &mut JoinSet<anyhow::Result<()>>,
    stop: &CancellationToken,
) -> anyhow::Result<Router> {
    health.needs_database(SERVICE, &with.pool);
    health.needs_bus(SERVICE, &with.bus);

    // Figures are only as fresh as the look at the PBX's log.
    let sight = match &config.queue_log {
        Some(_) => Sight::needed(),
        None => Sight::default(),
    };
    let contacts = relay::<ContactEvent>(&config, &with, &sight, tasks, stop).await?;
    let cases = relay::<CaseEvent>(&config, &with, &Sight::default(), tasks, stop).await?;
    let contacts = contacts::start(with.pool.clone(), contacts, tasks, stop);
    let cases = cases::start(with.pool.clone(), cases, tasks, stop);

    let installation = Arc::new(Installation {
        pseudonyms: store::pseudonyms(&with.pool).await?,
        queue_departments: config.queue_departments,
    });
    if let Some(log) = config.queue_log {
        let follower = queue_log::Follower {
            log,
            writer: contacts.clone(),
            installation: installation.clone(),
            pool: with.pool.clone(),
            clock: with.clock.clone(),
            sight: sight.clone(),
        };
        health.watches("intake queue_log", move || !sight.is_lost());
        tasks.spawn(follower.run(stop.clone()));
    }
    let mail_wake = Arc::new(Notify::new());
    let mailer = Mailer {
        service: SERVICE,
        pool: with.pool.clone(),
        transport: config.mail,
        from: config.mail_from,
        clock: with.clock.clone(),
        wake: mail_wake.clone(),
    };
    if config.acts {
        tasks.spawn(mailer.run(stop.clone()));
        tasks.spawn(store::weed(
            with.pool.clone(),
            with.clock.clone(),
            stop.clone(),
        ));
    }
    let cases_told = on_case::Cases {
        clock: with.clock.clone(),
        wake: mail_wake.clone(),
    };
    let consumer = Consumer {
        service: SERVICE,
        apply: cases_told.clone(),
        pool: with.pool.clone(),
        bus: with.bus.clone(),
        clock: with.clock.clone(),
        progress: Progress::default(),
        own: Some(event_log::source_of::<CaseEvent>(&config.instance)),
        alone: Alone::ByLock,
    };
    let stopping = stop.clone();
    tasks.spawn(async move {
        consumer.run(stopping).await;
        Ok(())
    });
    tasks.spawn(content::run(
        with.pool.clone(),
        with.bus.clone(),
        stop.clone(),
    ));

    let keys = Keys::new(with.pool.clone(), with.clock.clone());
    let letters = Keeper {
        pool: with.pool.clone(),
        keys: keys.clone(),
        again: send_again(&with.pool, cases_told),
    };
    let mails = mail::Queue {
        pool: with.pool.clone(),
        keys: keys.clone(),
        clock: with.clock.clone(),
        wake: mail_wake,
    };
    Ok(http::router(http::Intake {
        pool: with.pool,
        keys,
        clock: with.clock,
        contacts,
        cases,
        installation,
    })
    .merge(dead_letters::router("/intake", letters))
    .merge(mail::router("/intake", mails)))
}

fn send_again(pool: &PgPool, cases: on_case::Cases) -> SendAgain {
    let pool = pool.clone();
    dead_letters::send_again_with(move |letter| {
        let (pool, cases) = (pool.clone(), cases.clone());
        async move { dead_letters::send_again(&pool, &cases, letter.id).await }
    })
}

/// A source of this replica, and how its relay is woken.
#[derive(Debug, Clone)]
struct Source {
    name: String,
    wake: Arc<Notify>,
}

async fn relay<E: Streamed>(
    config: &Config,
    with: &Surroundings,
    sight: &Sight,
    tasks: &mut JoinSet<anyhow::Result<()>>,
    stop: &CancellationToken,
) -> anyhow::Result<Source> {
    let source = Source {
        name: event_log::source_of::<E>(&config.instance),
        wake: Arc::default(),
    };
    event_log::ensure_source(&mut *with.pool.acquire().await?, &source.name).await?;
    let relay = Relay {
        pool: with.pool.clone(),
        bus: with.bus.clone(),
        sources: vec![(source.name.clone(), E::STREAM.into())],
        wake: source.wake.clone(),
        duplicate_window: config.duplicate_window,
        sight: sight.clone(),
    };
    tasks.spawn(relay.run(stop.clone()));
    Ok(source)
}
