//! Metrics: folds events into facts, keeps the figures, and publishes the board.
//!
//! - owns: facts, sums, figures
//! - consumes: `contact.*.*`, `case.*.*`
//! - publishes: `board`; answers `board.now`

mod board;
mod gauges;
mod http;
mod on_case;
mod on_contact;
mod store;

use axum::Router;
use domain::{BoardMessage, Stream};
use platform::{
    Clock,
    auth::Keys,
    bus::{Bus, Rights},
    consumer::{Alone, Apply, Consumer, Progress},
    database::{CONSUMING, Schema},
    dead_letters::{self, Keeper, SendAgain},
    health::Health,
    meters,
};
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use http::{
    By, CasesBy, ClosedAfter, Figures, FiguresApi, FollowUpFigures, ForwardedFigures, Handling,
    HandlingTimes, Spread, as_of,
};

/// The service's name.
const SERVICE: &str = "metrics";

/// Metrics' tables.
pub const SCHEMA: Schema = Schema {
    name: SERVICE,
    migrations: &[
        (1, "consuming", CONSUMING),
        (2, "metrics", include_str!("../migrations/metrics.sql")),
        (3, "forwarded", include_str!("../migrations/forwarded.sql")),
    ],
};

/// What metrics may do on the bus.
pub fn rights() -> Rights {
    Rights {
        service: SERVICE,
        publish: vec![BoardMessage::SUBJECT.to_owned()],
        subscribe: vec![BoardMessage::ASK.to_owned()],
        answers: true,
    }
    .consuming(Stream::Contacts)
    .consuming(Stream::Cases)
}

/// Metrics' settings.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// The answer rate to reach, 0-1; 0.95 in the audit.
    pub answer_rate_target: f64,
}

/// What metrics needs from its process.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Its database.
    pub pool: PgPool,
    /// Its bus.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
}

/// Starts metrics' tasks and returns its HTTP paths.
pub fn start(
    config: Config,
    with: Surroundings,
    health: &mut Health,
    tasks: &mut JoinSet<anyhow::Result<()>>,
    stop: &CancellationToken,
) -> Router {
    health.needs_database(SERVICE, &with.pool);
    health.needs_bus(SERVICE, &with.bus);
    meters::touch(SERVICE);

    let progress = Progress::default();
    consume(on_contact::Contacts, &with, &progress, tasks, stop);
    consume(on_case::Cases, &with, &progress, tasks, stop);

    let board = board::Maker {
        config,
        with: with.clone(),
        progress,
    };
    tasks.spawn(board.run(stop.clone()));

    let letters = Keeper {
        pool: with.pool.clone(),
        keys: Keys::new(with.pool.clone(), with.clock.clone()),
        again: send_again(&with.pool),
    };
    http::router(http::Metrics {
        pool: with.pool,
        clock: with.clock,
    })
    .merge(dead_letters::router("/figures", letters))
}

fn send_again(pool: &PgPool) -> SendAgain {
    let pool = pool.clone();
    dead_letters::send_again_with(move |letter| {
        let pool = pool.clone();
        async move {
            if letter.stream == Stream::Contacts.name() {
                dead_letters::send_again(&pool, &on_contact::Contacts, letter.id).await
            } else {
                dead_letters::send_again(&pool, &on_case::Cases, letter.id).await
            }
        }
    })
}

fn consume<A: Apply>(
    apply: A,
    with: &Surroundings,
    progress: &Progress,
    tasks: &mut JoinSet<anyhow::Result<()>>,
    stop: &CancellationToken,
) {
    let consumer = Consumer {
        service: SERVICE,
        apply,
        pool: with.pool.clone(),
        bus: with.bus.clone(),
        clock: with.clock.clone(),
        progress: progress.clone(),
        own: None,
        alone: Alone::ByLock,
    };
    let stop = stop.clone();
    tasks.spawn(async move {
        consumer.run(stop).await;
        Ok(())
    });
}
