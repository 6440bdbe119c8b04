//! SQL of the relay: the log's events after given numbers, and how far each source has come.

use std::collections::HashMap;

use jiff_sqlx::Timestamp;
use serde_json::value::RawValue;
use sqlx::{PgConnection, PgPool, Row as _, postgres::PgRow, types::Json};

/// An event as it stands in the log.
pub(super) struct Row {
    pub(super) sequence: i64,
    pub(super) id: uuid::Uuid,
    pub(super) kind: String,
    pub(super) subject: String,
    pub(super) at: Timestamp,
    pub(super) traceparent: Option<String>,
    pub(super) data: Json<Box<RawValue>>,
}

impl Row {
    fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            sequence: row.try_get("sequence")?,
            id: row.try_get("id")?,
            kind: row.try_get("kind")?,
            subject: row.try_get("subject")?,
            at: row.try_get("at")?,
            traceparent: row.try_get("traceparent")?,
            data: row.try_get("data")?,
        })
    }
}

/// Of each source the next events after a number, `most` of them at the most, in order. Sources without any are not there.
pub(super) async fn after(
    connection: &mut PgConnection,
    from: &[(&str, i64)],
    most: usize,
) -> Result<HashMap<String, Vec<Row>>, sqlx::Error> {
    let (sources, numbers): (Vec<&str>, Vec<i64>) = from.iter().copied().unzip();
    let rows = sqlx::query(
        "SELECT e.* FROM unnest($1::text[], $2::bigint[]) AS f (source, number), LATERAL (
             SELECT source, sequence, id, kind, subject, at, traceparent, data FROM event_log
             WHERE source = f.source AND sequence > f.number ORDER BY sequence LIMIT $3
         ) e",
    )
    .bind(sources)
    .bind(numbers)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let mut by_source: HashMap<String, Vec<Row>> = HashMap::new();
    for row in rows {
        let source: String = row.try_get("source")?;
        by_source.entry(source).or_default().push(Row::read(&row)?);
    }
    // They come in order, as far as anybody has promised that.
    for rows in by_source.values_mut() {
        rows.sort_by_key(|row| row.sequence);
    }
    Ok(by_source)
}

/// What the bus has acknowledged of each source, as far as is known.
pub(super) async fn published(
    pool: &PgPool,
    sources: &[&str],
) -> Result<HashMap<String, i64>, sqlx::Error> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT name, published FROM source WHERE name = ANY($1)")
            .bind(sources)
            .fetch_all(pool)
            .await?;
    Ok(rows.into_iter().collect())
}

/// The last number of each source.
pub(super) async fn last(
    pool: &PgPool,
    sources: &[&str],
) -> Result<HashMap<String, i64>, sqlx::Error> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT name, last FROM source WHERE name = ANY($1)")
            .bind(sources)
            .fetch_all(pool)
            .await?;
    Ok(rows.into_iter().collect())
}

/// Keeps what the bus has acknowledged of a source. One source at a time: who appends to several holds their rows in another
/// order than a statement over many would take them in.
pub(super) async fn save(pool: &PgPool, source: &str, published: i64) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE source SET published = $2 WHERE name = $1")
        .bind(source)
        .bind(published)
        .execute(pool)
        .await?;
    Ok(())
}
