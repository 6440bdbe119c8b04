//! The event log: a service appends what it tells in the transaction that makes it so.

use std::collections::{BTreeMap, HashSet};

use domain::{Event, EventId, Streamed};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool, Postgres, Row, Transaction,
    postgres::PgArguments, query::Query,
};

/// An event to append.
#[derive(Debug, Clone)]
pub struct NewEvent {
    id: EventId,
    kind: &'static str,
    subject: String,
    at: Timestamp,
    traceparent: Option<String>,
    data: String,
}

impl NewEvent {
    /// Makes ready `event`, caused by what `traceparent` names.
    ///
    /// # Errors
    /// When the event cannot be written as JSON.
    pub fn new(event: &impl Event, traceparent: Option<String>) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id: event.id(),
            kind: event.kind(),
            subject: event.subject(),
            at: event.at(),
            traceparent,
            data: serde_json::to_string(event)?,
        })
    }

    /// Its id.
    pub fn id(&self) -> EventId {
        self.id
    }
}

/// The name of the source that `instance` of a service is on the stream of `E`.
pub fn source_of<E: Streamed>(instance: &str) -> String {
    format!("{instance}/{}", E::STREAM.name())
}

/// Makes sure that the source has a counter.
///
/// # Errors
/// When the database fails.
pub async fn ensure_source(connection: &mut PgConnection, source: &str) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO source (name) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(source)
        .execute(connection)
        .await?;
    Ok(())
}

/// Begins a transaction that holds the source's counter. Everything it looks up is what its predecessor left, so looking
/// before writing is safe.
///
/// # Errors
/// When the database fails.
pub async fn begin<'a>(
    connection: &'a mut PgConnection,
    source: &str,
) -> Result<Transaction<'a, Postgres>, sqlx::Error> {
    // One round trip instead of two; a source's name is made of tokens, so it needs no quoting but is checked all the same.
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_".contains(&b);
    if !source.bytes().all(plain) {
        return Err(sqlx::Error::Protocol(
            "a source's name is made of a-z, 0-9, - and /".into(),
        ));
    }
    let begin = format!("BEGIN; SELECT FROM source WHERE name = '{source}' FOR UPDATE");
    connection.begin_with(AssertSqlSafe(begin)).await
}

/// The part of a statement that appends new events, for a service that writes its fact and the events in one statement, and
/// so in one round trip: `WITH` this, and the rest with its parameters from `$8` on. Bound with [`bind`](crate::event_log::bind).
///
/// The statement fails with [`is_duplicate`](crate::database::is_duplicate) when one of the events is in the log already.
#[macro_export]
macro_rules! append_events {
    () => {
        "moved AS (
             UPDATE source SET last = last + cardinality($2) WHERE name = $1 RETURNING last - cardinality($2) AS before
         ), told AS (
             INSERT INTO event_log (source, sequence, id, kind, subject, at, traceparent, data)
             SELECT $1, before + n, id, kind, subject, at, traceparent, data::json
             FROM moved, unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[])
                  WITH ORDINALITY AS e (id, kind, subject, at, traceparent, data, n)
         )"
    };
}

/// Appends `events`, numbered on. Nearly always nothing of what is told was told before, and then this is the cheapest way.
///
/// # Errors
/// When the database fails, and [`is_duplicate`](crate::database::is_duplicate) when one of the events is in the log: begin
/// again, and use [`append_unknown`].
pub async fn append(
    connection: &mut PgConnection,
    source: &str,
    events: &[NewEvent],
) -> Result<(), sqlx::Error> {
    if events.is_empty() {
        return Ok(());
    }
    bind(
        sqlx::query(concat!("WITH ", append_events!(), " SELECT")),
        source,
        events,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Appends those of `events` that are not in the log yet, and returns their ids. The others were told before and are not
/// told again. `events` holds none twice.
///
/// # Errors
/// When the database fails.
pub async fn append_unknown(
    connection: &mut PgConnection,
    source: &str,
    events: &[NewEvent],
) -> Result<HashSet<EventId>, sqlx::Error> {
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    let added = bind(
        sqlx::query(
            "WITH added AS (
                 INSERT INTO event_log (source, sequence, id, kind, subject, at, traceparent, data)
                 SELECT $1, (SELECT last FROM source WHERE name = $1) + row_number() OVER (ORDER BY n), id, kind, subject, at, traceparent, data::json
                 FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[])
                      WITH ORDINALITY AS e (id, kind, subject, at, traceparent, data, n)
                 WHERE NOT EXISTS (SELECT FROM event_log known WHERE known.id = e.id)
                 RETURNING id
             ), moved AS (
                 UPDATE source SET last = last + (SELECT count(*) FROM added) WHERE name = $1
             )
             SELECT id FROM added",
        ),
        source,
        events,
    )
    .fetch_all(connection)
    .await?;
    added
        .iter()
        .map(|row| row.try_get(0).map(EventId))
        .collect()
}

/// Binds `$1` to `$7` of [`append_events`].
pub fn bind<'q>(
    query: Query<'q, Postgres, PgArguments>,
    source: &'q str,
    events: &'q [NewEvent],
) -> Query<'q, Postgres, PgArguments> {
    fn of<'q, T>(events: &'q [NewEvent], what: impl Fn(&'q NewEvent) -> T) -> Vec<T> {
        events.iter().map(what).collect()
    }
    query
        .bind(source)
        .bind(of(events, |e| e.id.0))
        .bind(of(events, |e| e.kind))
        .bind(of(events, |e| e.subject.as_str()))
        .bind(of(events, |e| e.at.to_sqlx()))
        .bind(of(events, |e| e.traceparent.as_deref()))
        .bind(of(events, |e| e.data.as_str()))
}

/// The last number of each source in this log.
///
/// # Errors
/// When the database fails.
pub async fn sources(pool: &PgPool) -> Result<BTreeMap<String, u64>, sqlx::Error> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT name, last FROM source")
        .fetch_all(pool)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(name, last)| (name, last.unsigned_abs()))
        .collect())
}
