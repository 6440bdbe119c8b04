//! SQL of what was told of forwarded cases.

use domain::{CaseEvent, CaseId, Event};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};

use super::{impossible, unwritable};

/// Adds events; those that are known stay as they are.
pub(crate) async fn add_happened(
    connection: &mut PgConnection,
    events: &[&CaseEvent],
) -> Result<(), sqlx::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let cases: Vec<uuid::Uuid> = events.iter().map(|e| e.case.0).collect();
    let at: Vec<jiff_sqlx::Timestamp> = events.iter().map(|e| e.at.to_sqlx()).collect();
    let kinds: Vec<&str> = events.iter().map(|e| e.kind()).collect();
    let json: Result<Vec<String>, _> = events.iter().map(serde_json::to_string).collect();
    sqlx::query(
        "INSERT INTO happened (case_id, at, kind, event)
         SELECT case_id, at, kind, event::json
         FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[]) AS e (case_id, at, kind, event)
         ON CONFLICT DO NOTHING",
    )
    .bind(cases)
    .bind(at)
    .bind(kinds)
    .bind(json.map_err(unwritable)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// What happened to the cases of which something was told from `since` on: of the next at most `most` cases after `after`,
/// by case, each in the order of time.
pub(crate) async fn histories(
    executor: impl PgExecutor<'_>,
    since: Timestamp,
    after: Option<CaseId>,
    most: i64,
) -> Result<Vec<Vec<CaseEvent>>, sqlx::Error> {
    // A case's plan tells when it was forwarded, and whether it was open in the period.
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT json_agg(h.event ORDER BY h.at)::text
         FROM (
             SELECT case_id FROM plan p
             WHERE ($2::uuid IS NULL OR case_id > $2)
               AND (p.state <> 'ended' OR EXISTS (SELECT FROM happened h WHERE h.case_id = p.case_id AND h.at >= $1))
             ORDER BY case_id LIMIT $3
         ) c JOIN happened h ON h.case_id = c.case_id
         GROUP BY h.case_id ORDER BY h.case_id",
    )
    .bind(since.to_sqlx())
    .bind(after.map(|case| case.0))
    .bind(most)
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| serde_json::from_str(row).map_err(impossible))
        .collect()
}
