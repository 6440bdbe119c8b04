//! The consumer: applies a stream's events to a service's own tables, each exactly once and in order.

mod beat;
mod hearing;
mod line;
mod message;
mod progress;
mod session;
mod transaction;

use std::collections::{BTreeMap, HashMap};

use domain::{Stream, Streamed};
use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::{Clock, bus::Bus, database::refuses_data};
pub(crate) use message::read;
pub use progress::{Progress, Reached};

/// Why events were not applied.
#[derive(Debug)]
pub enum Failure {
    /// The surroundings failed; the same events will do later.
    Retry(anyhow::Error),
    /// The events can never be applied.
    Reject(String),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        if refuses_data(&error) {
            Self::Reject(error.to_string())
        } else {
            Self::Retry(error.into())
        }
    }
}

/// What a service does with the events of one stream.
pub trait Apply: Send + Sync + 'static {
    /// The events.
    type Event: Streamed + Send + Sync;

    /// Applies `events` within the transaction on `connection` that also moves the position.
    fn apply(
        &self,
        connection: &mut PgConnection,
        events: &[&Self::Event],
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Called after the commit, for a service that tells of what it applied.
    fn applied(&self) {}
}

/// One service's reading of one stream.
#[derive(Debug)]
pub struct Consumer<A> {
    /// The service; also the consumer's durable name.
    pub service: &'static str,
    /// What it does with the events.
    pub apply: A,
    /// Its database.
    pub pool: PgPool,
    /// Its bus.
    pub bus: Bus,
    /// Dates dead letters.
    pub clock: Clock,
    /// Where it tells how far it has come.
    pub progress: Progress,
    /// A source that is the service's own: what it told itself it knows, and passes by.
    pub own: Option<String>,
    /// Who sees to it that one of the service's processes consumes.
    pub alone: Alone,
}

/// How one of a service's processes is chosen to consume. Should two do so for a moment, the positions keep them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alone {
    /// A lock in the database, which a session holds for as long as its process lives.
    ByLock,
    /// A [`lease`](crate::lease), which all that the service does is under.
    ByLease,
}

/// How far a service has applied each source.
///
/// # Errors
/// When the database fails.
pub async fn positions(pool: &PgPool) -> Result<BTreeMap<String, u64>, sqlx::Error> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT source, sequence FROM position")
        .fetch_all(pool)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(source, sequence)| (source, sequence.unsigned_abs()))
        .collect())
}

/// How far a service has applied one source.
///
/// # Errors
/// When the database fails.
pub async fn position(executor: impl PgExecutor<'_>, source: &str) -> Result<u64, sqlx::Error> {
    let applied: Option<i64> =
        sqlx::query_scalar("SELECT sequence FROM position WHERE source = $1")
            .bind(source)
            .fetch_optional(executor)
            .await?;
    Ok(applied.unwrap_or(0).unsigned_abs())
}

/// The last number applied, by source.
type Positions = HashMap<String, u64>;

impl<A: Apply> Consumer<A> {
    const STREAM: Stream = <A::Event as Streamed>::STREAM;

    async fn load_positions(&self) -> anyhow::Result<Positions> {
        Ok(positions(&self.pool).await?.into_iter().collect())
    }
}
