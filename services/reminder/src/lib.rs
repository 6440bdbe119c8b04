//! Reminder: no forwarded case is forgotten (the audit's main finding).
//!
//! - owns: the follow-up plan of every forwarded case; digests
//! - consumes: `case.*.*` of routing
//! - publishes: `case.<department>.{reminded,overdue,escalated}`
//! - asks routing for the agreements, for links to cases that its mails to groups carry, and how much it has told of cases
//!
//! Of its processes one works, the one that has the lease; the others answer questions, and take over.

mod digest;
mod http;
mod level;
mod mails;
mod meters;
mod on_case;
mod people;
mod rules;
mod store;
mod sweep;
mod versions;
mod weeding;

use std::{sync::Arc, time::Duration};

use domain::{AgreementsRequest, CaseEvent, LinksRequest, Question, Streamed};
use platform::{
    Clock,
    auth::Keys,
    bus::{Bus, Rights, StreamSpec},
    consumer::{Alone, Consumer, Progress},
    database::{CONSUMING, LEASING, MAILING, PUBLISHING, Schema},
    dead_letters::{self, Keeper, SendAgain},
    event_log,
    health::Health,
    heartbeat::Sight,
    lease::{self, Leading},
    mail::{self, Address, Mailer, Transport},
    relay::Relay,
};
use sqlx::PgPool;
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

use versions::Versions;

pub use http::{CaseOf, Cases, PlanOf, ReminderApi, SimulateInput};
pub use rules::{
    Differing, OutlineLine, OutlineState, SimulatedCount, SimulatedDigest, SimulatedStep,
    Simulation,
};

/// The service's name, and its instance's: there is one active.
const SERVICE: &str = "reminder";
/// Connections for what is under the lease: the consumer, the sweep, the digests, the agreements, the lease itself.
const FENCED: u32 = 6;
/// A mail's transaction rests while the mail server thinks. A server that takes longer makes the transaction begin again, and
/// no mail go twice; a mail that a stopped process was sending is another's after it.
const MAIL_REST: Duration = Duration::from_secs(8);

// A standby sends what one that stands still was sending, within ten seconds as all else.
const _: () = assert!(MAIL_REST.as_millis() <= 10_000);

/// Reminder's tables.
pub const SCHEMA: Schema = Schema {
    name: SERVICE,
    migrations: &[
        (1, "publishing", PUBLISHING),
        (2, "consuming", CONSUMING),
        (3, "mailing", MAILING),
        (4, "leasing", LEASING),
        (5, "reminder", include_str!("../migrations/reminder.sql")),
    ],
};

/// What reminder may do on the bus.
pub fn rights() -> Rights {
    Rights {
        service: SERVICE,
        publish: vec![
            AgreementsRequest::SUBJECT.to_owned(),
            LinksRequest::SUBJECT.to_owned(),
        ],
        subscribe: Vec::new(),
        answers: false,
    }
    .owning(
        CaseEvent::STREAM.name(),
        &["case.*.reminded", "case.*.overdue", "case.*.escalated"],
    )
    .consuming(CaseEvent::STREAM)
}

/// Reminder's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whom mails come from.
    pub mail_from: Address,
    /// How mails are sent.
    pub mail: Transport,
    /// Whether it does by itself what time brings, such as sending mail. A product that is up for one command's work does not.
    pub acts: bool,
    /// See [`platform::bus::DUPLICATE_WINDOW`].
    pub duplicate_window: Duration,
}

/// What reminder needs from its process.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Its database.
    pub pool: PgPool,
    /// Its bus.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
}

/// What everything in reminder works with.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) pool: PgPool,
    /// For transactions under the lease.
    pub(crate) fenced: PgPool,
    pub(crate) bus: Bus,
    pub(crate) clock: Clock,
    pub(crate) versions: Versions,
    /// The source of case events.
    pub(crate) source: Arc<str>,
    /// Rung when plans have changed.
    pub(crate) changed: Arc<Notify>,
    /// Rung when there is something to publish.
    told: Arc<Notify>,
    /// Rung when there is mail to send.
    mailed: Arc<Notify>,
}

impl Desk {
    /// Lets what has been committed be published and sent.
    pub(crate) fn wake(&self) {
        self.told.notify_one();
        self.mailed.notify_one();
    }
}

/// Starts reminder's tasks and returns its HTTP paths.
///
/// # Errors
/// When the database cannot be prepared.
pub async fn start(
    config: Config,
    with: Surroundings,
    health: &mut Health,
    tasks: &mut JoinSet<anyhow::Result<()>>,
    stop: &CancellationToken,
) -> anyhow::Result<axum::Router> {
    health.needs_database(SERVICE, &with.pool);
    health.needs_bus(SERVICE, &with.bus);
    platform::meters::touch(SERVICE);
    meters::touch();

    let source = event_log::source_of::<CaseEvent>(SERVICE);
    event_log::ensure_source(&mut *with.pool.acquire().await?, &source).await?;
    let desk = Desk {
        fenced: lease::pool(&with.pool, FENCED, lease::REST),
        pool: with.pool.clone(),
        bus: with.bus,
        clock: with.clock,
        versions: Versions::default(),
        source: source.into(),
        changed: Arc::new(Notify::new()),
        told: Arc::new(Notify::new()),
        mailed: Arc::new(Notify::new()),
    };
    let working = desk.clone();
    tasks.spawn(lease::lead(
        desk.fenced.clone(),
        SERVICE,
        stop.clone(),
        move |leading| work(working.clone(), config.clone(), leading),
    ));
    let keys = Keys::new(with.pool.clone(), desk.clock.clone());
    let letters = Keeper {
        pool: with.pool.clone(),
        keys: keys.clone(),
        again: send_again(&desk),
    };
    let mails = mail::Queue {
        pool: with.pool,
        keys: keys.clone(),
        clock: desk.clock.clone(),
        wake: desk.mailed.clone(),
    };
    Ok(dead_letters::router("/reminder", letters)
        .merge(mail::router("/reminder", mails))
        .merge(http::router(http::Reminder { keys, desk })))
}

fn send_again(desk: &Desk) -> SendAgain {
    let desk = desk.clone();
    dead_letters::send_again_with(move |letter| {
        let cases = on_case::Cases {
            desk: desk.clone(),
            leading: None,
        };
        async move { dead_letters::send_again(&cases.desk.pool, &cases, letter.id).await }
    })
}

/// All that is done under the lease, until it ends.
async fn work(desk: Desk, config: Config, leading: Leading) -> anyhow::Result<()> {
    let ended = leading.ended().clone();
    let mut tasks = JoinSet::new();
    let relay = Relay {
        pool: desk.pool.clone(),
        bus: desk.bus.clone(),
        sources: vec![(desk.source.to_string(), StreamSpec::from(CaseEvent::STREAM))],
        wake: desk.told.clone(),
        duplicate_window: config.duplicate_window,
        sight: Sight::default(),
    };
    tasks.spawn(relay.run(ended.clone()));
    let mailer = Mailer {
        service: SERVICE,
        pool: lease::pool(&desk.pool, 1, MAIL_REST),
        from: config.mail_from,
        transport: config.mail,
        clock: desk.clock.clone(),
        wake: desk.mailed.clone(),
    };
    if config.acts {
        tasks.spawn(mailer.run(ended.clone()));
        spawn(&mut tasks, sweep::run(desk.clone(), leading.clone()));
        let (desk, leading) = (desk.clone(), leading.clone());
        spawn(&mut tasks, async move {
            level::once(&desk, &leading).await;
            digest::run(desk, leading).await;
        });
    }
    let consumer = Consumer {
        service: SERVICE,
        apply: on_case::Cases {
            desk: desk.clone(),
            leading: Some(leading.clone()),
        },
        pool: desk.fenced.clone(),
        bus: desk.bus.clone(),
        clock: desk.clock.clone(),
        progress: Progress::default(),
        own: Some(desk.source.to_string()),
        alone: Alone::ByLease,
    };
    spawn(&mut tasks, consumer.run(ended.clone()));
    spawn(&mut tasks, versions::copy(desk.clone(), leading.clone()));
    spawn(&mut tasks, weeding::run(desk, leading));
    while let Some(done) = tasks.join_next().await {
        done??;
        anyhow::ensure!(ended.is_cancelled(), "a task has ended by itself");
    }
    Ok(())
}

fn spawn(tasks: &mut JoinSet<anyhow::Result<()>>, task: impl Future<Output = ()> + Send + 'static) {
    tasks.spawn(async move {
        task.await;
        Ok(())
    });
}
