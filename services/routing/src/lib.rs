//! Routing: hands cases to the department groups that the agreements name, and follows them until they are closed.
//!
//! - owns: departments, groups, agreements, checklists; cases from forwarding to closing
//! - consumes: `case.*.*` from intake and reminder, `in.closure.<department>`
//! - publishes: `case.<department>.{forwarded,taken,paused,resumed,bounced,promised,closed}`,
//!   `out.<department>.{forwarded,reminded,closed,bounced,closure}`
//! - asks intake for a case's content, at the moment somebody looks at it
//! - answers `routing.agreements` and `routing.links`, which reminder asks

pub mod agreements;
mod ask;
mod case;
pub mod closures;
mod dry_run;
mod forward;
mod handed_out;
mod history;
mod http;
mod link;
mod on_case;
mod page;
mod store;
mod sweep;
mod versions;
mod work;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{
    AgreementsRequest, CaseEvent, ContentRequest, Department, LinksRequest, Question, Streamed,
    out_stream,
};
use platform::{
    Clock,
    auth::Keys,
    bus::{Bus, Rights, StreamSpec},
    consumer::{Alone, Consumer, Progress},
    database::{CONSUMING, MAILING, PUBLISHING, Schema},
    dead_letters::{self, Keeper, SendAgain},
    event_log,
    health::Health,
    heartbeat::Sight,
    mail::{self, Address, Mailer, Transport},
    meters,
    relay::Relay,
};
use rand::RngCore;
use sqlx::PgPool;
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

use link::{Link, LinkKey};
use versions::Versions;

pub use case::State;
pub use dry_run::{AtCentre, Count, DryRun, Elsewhere, GroupOf, OtherLimit};
pub use history::HistoryInput;
pub use http::{AppliedVersion, At, Explanation, LogLine, RoutingApi, VersionContent, VersionView};

/// The service's name, and its instance's: there is one active.
const SERVICE: &str = "routing";

/// Routing's tables.
pub const SCHEMA: Schema = Schema {
    name: SERVICE,
    migrations: &[
        (1, "publishing", PUBLISHING),
        (2, "consuming", CONSUMING),
        (3, "mailing", MAILING),
        (4, "routing", include_str!("../migrations/routing.sql")),
    ],
};

/// What routing may do on the bus, for departments that have a system there.
pub fn rights(departments: &BTreeSet<Department>) -> Rights {
    let rights = Rights {
        service: SERVICE,
        publish: vec![ContentRequest::SUBJECT.to_owned()],
        subscribe: vec![
            AgreementsRequest::SUBJECT.to_owned(),
            LinksRequest::SUBJECT.to_owned(),
        ],
        answers: true,
    }
    .owning(
        CaseEvent::STREAM.name(),
        &[
            "case.*.forwarded",
            "case.*.taken",
            "case.*.paused",
            "case.*.resumed",
            "case.*.bounced",
            "case.*.promised",
            "case.*.closed",
        ],
    )
    .consuming(CaseEvent::STREAM);
    departments.iter().fold(rights, Rights::department)
}

/// Routing's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Departments that have an account on the bus.
    pub departments: BTreeSet<Department>,
    /// Where officers reach the product, without a slash at the end; links in mails begin with it.
    pub public_url: String,
    /// Whom mails come from.
    pub mail_from: Address,
    /// How mails are sent.
    pub mail: Transport,
    /// Whether it does by itself what time brings, such as sending mail. A product that is up for one command's work does not.
    pub acts: bool,
    /// See [`platform::bus::DUPLICATE_WINDOW`].
    pub duplicate_window: Duration,
}

/// What routing needs from its process.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Its database.
    pub pool: PgPool,
    /// Its bus.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
}

/// What everything in routing works with.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) pool: PgPool,
    pub(crate) bus: Bus,
    pub(crate) clock: Clock,
    pub(crate) versions: Versions,
    /// The source of case events.
    pub(crate) source: String,
    /// Departments that have an account on the bus.
    pub(crate) departments: Arc<BTreeSet<Department>>,
    /// How fast departments may send closures that change nothing.
    pub(crate) pace: closures::Pace,
    pub(crate) link_key: LinkKey,
    pub(crate) public_url: Arc<str>,
    /// Rung when agreements have been applied.
    pub(crate) applied: Arc<Notify>,
    /// Rung after every commit: the relay of each source, and the mailer.
    wakes: Arc<Vec<Arc<Notify>>>,
}

impl Desk {
    /// Lets what has been committed be published and sent.
    pub(crate) fn wake(&self) {
        for wake in self.wakes.iter() {
            wake.notify_one();
        }
    }

    /// The address of a case's page.
    pub(crate) fn address_of(&self, link: &Link) -> String {
        format!(
            "{}/routing/case/{}",
            self.public_url,
            link.sign(&self.link_key)
        )
    }
}

/// The source of what a department is told.
pub(crate) fn source_of_department(department: &Department) -> String {
    format!("{SERVICE}/{}", out_stream(department))
}

/// Starts routing's tasks and returns its HTTP paths.
///
/// # Errors
/// When the database or the bus cannot be prepared.
pub async fn start(
    config: Config,
    with: Surroundings,
    health: &mut Health,
    tasks: &mut JoinSet<anyhow::Result<()>>,
    stop: &CancellationToken,
) -> anyhow::Result<axum::Router> {
    health.needs_database(SERVICE, &with.pool);
    health.needs_bus(SERVICE, &with.bus);
    meters::touch(SERVICE);

    let source = event_log::source_of::<CaseEvent>(SERVICE);
    let cases = vec![(source.clone(), StreamSpec::from(CaseEvent::STREAM))];
    // One relay for all departments, with one connection, so that a department more costs none.
    let told = |d: &Department| (source_of_department(d), StreamSpec::told(d));
    let told = config.departments.iter().map(told).collect();
    let mut wakes = Vec::new();
    for sources in [cases, told] {
        for (source, _) in &sources {
            event_log::ensure_source(&mut *with.pool.acquire().await?, source).await?;
        }
        let wake = Arc::new(Notify::new());
        let relay = Relay {
            pool: with.pool.clone(),
            bus: with.bus.clone(),
            sources,
            wake: wake.clone(),
            duplicate_window: config.duplicate_window,
            sight: Sight::default(),
        };
        tasks.spawn(relay.run(stop.clone()));
        wakes.push(wake);
    }
    let mail_wake = Arc::new(Notify::new());
    wakes.push(mail_wake.clone());

    let mut key = vec![0u8; 32];
    rand::rng().fill_bytes(&mut key);
    let desk = Desk {
        versions: Versions::default(),
        source,
        departments: Arc::new(config.departments),
        pace: closures::Pace::default(),
        link_key: LinkKey(store::link_key(&with.pool, &key).await?),
        public_url: config.public_url.into(),
        applied: Arc::new(Notify::new()),
        wakes: Arc::new(wakes),
        pool: with.pool.clone(),
        bus: with.bus.clone(),
        clock: with.clock.clone(),
    };
    let consumer = Consumer {
        service: SERVICE,
        apply: on_case::Cases(desk.clone()),
        pool: with.pool.clone(),
        bus: with.bus,
        clock: with.clock.clone(),
        progress: Progress::default(),
        own: Some(desk.source.clone()),
        alone: Alone::ByLock,
    };
    spawn(tasks, consumer.run(stop.clone()));
    tasks.spawn(handed_out::agreements(desk.clone(), stop.clone()));
    tasks.spawn(handed_out::links(desk.clone(), stop.clone()));
    if config.acts {
        spawn(tasks, sweep::run(desk.clone(), stop.clone()));
    }
    let turn = closures::Inbox::turn(&desk);
    for department in desk.departments.iter() {
        let inbox = closures::Inbox {
            desk: desk.clone(),
            department: department.clone(),
            turn: turn.clone(),
            duplicate_window: config.duplicate_window,
        };
        spawn(tasks, inbox.run(stop.clone()));
    }
    let mailer = Mailer {
        service: SERVICE,
        pool: with.pool.clone(),
        from: config.mail_from,
        transport: config.mail,
        clock: with.clock.clone(),
        wake: mail_wake.clone(),
    };
    if config.acts {
        tasks.spawn(mailer.run(stop.clone()));
    }
    let keys = Keys::new(with.pool.clone(), with.clock.clone());
    let letters = Keeper {
        pool: with.pool.clone(),
        keys: keys.clone(),
        again: send_again(&desk),
    };
    let mails = mail::Queue {
        pool: with.pool,
        keys: keys.clone(),
        clock: with.clock,
        wake: mail_wake,
    };
    Ok(page::router(desk.clone())
        .merge(closures::router(desk.clone()))
        .merge(dead_letters::router("/routing", letters))
        .merge(mail::router("/routing", mails))
        .merge(http::router(http::Routing { keys, desk })))
}

/// Events and closures are dead letters of one table.
fn send_again(desk: &Desk) -> SendAgain {
    let desk = desk.clone();
    dead_letters::send_again_with(move |letter| {
        let desk = desk.clone();
        async move {
            if letter.stream == CaseEvent::STREAM.name() {
                let cases = on_case::Cases(desk.clone());
                dead_letters::send_again(&desk.pool, &cases, letter.id).await
            } else {
                closures::send_again(&desk, &letter).await
            }
        }
    })
}

fn spawn(tasks: &mut JoinSet<anyhow::Result<()>>, task: impl Future<Output = ()> + Send + 'static) {
    tasks.spawn(async move {
        task.await;
        Ok(())
    });
}
