//! The event log: a service appends what it tells in the transaction that makes it so.

use std::collections::{BTreeMap, HashSet};

use domain::{Event, EventId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction};

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
pub fn source_of<E: Event>(instance: &str) -> String {
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
pub async fn begin(
    pool: &PgPool,
    source: &str,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    // One round trip instead of two; a source's name is made of tokens, so it needs no quoting but is checked all the same.
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_".contains(&b);
    if !source.bytes().all(plain) {
        return Err(sqlx::Error::Protocol(
            "a source's name is made of a-z, 0-9, - and /".into(),
        ));
    }
    let begin = format!("BEGIN; SELECT FROM source WHERE name = '{source}' FOR UPDATE");
    pool.begin_with(AssertSqlSafe(begin)).await
}

/// Appends those of `events` that are not in the log yet, numbered on in a transaction that [`begin`] began, and
/// returns their ids. The others were told before and are not told again.
///
/// # Errors
/// When the database fails.
pub async fn append(
    connection: &mut PgConnection,
    source: &str,
    events: &[NewEvent],
) -> Result<HashSet<EventId>, sqlx::Error> {
    let mut seen = HashSet::with_capacity(events.len());
    let events: Vec<&NewEvent> = events.iter().filter(|e| seen.insert(e.id)).collect();
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    let added: Vec<uuid::Uuid> = sqlx::query_scalar(
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
    )
    .bind(source)
    .bind(events.iter().map(|e| e.id.0).collect::<Vec<_>>())
    .bind(events.iter().map(|e| e.kind).collect::<Vec<_>>())
    .bind(events.iter().map(|e| e.subject.as_str()).collect::<Vec<_>>())
    .bind(events.iter().map(|e| e.at.to_sqlx()).collect::<Vec<_>>())
    .bind(events.iter().map(|e| e.traceparent.as_deref()).collect::<Vec<_>>())
    .bind(events.iter().map(|e| e.data.as_str()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(added.into_iter().map(EventId).collect())
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
