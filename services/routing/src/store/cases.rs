//! SQL of cases. A row travels as JSON, whose names are the columns': so a case is read and written whole, and many at once.

use std::collections::HashMap;

use domain::{CaseId, Department};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};

use super::{impossible, unwritable};
use crate::case::Case;

fn read(rows: Vec<String>) -> Result<HashMap<CaseId, Case>, sqlx::Error> {
    rows.iter()
        .map(|row| {
            let case: Case = serde_json::from_str(row).map_err(impossible)?;
            Ok((case.id, case))
        })
        .collect()
}

fn uuids(ids: &[CaseId]) -> Vec<uuid::Uuid> {
    ids.iter().map(|id| id.0).collect()
}

/// Those of `ids` that are known.
pub(crate) async fn cases(
    executor: impl PgExecutor<'_>,
    ids: &[CaseId],
) -> Result<HashMap<CaseId, Case>, sqlx::Error> {
    let rows =
        sqlx::query_scalar("SELECT row_to_json(c)::text FROM routed_case c WHERE id = ANY($1)")
            .bind(uuids(ids))
            .fetch_all(executor)
            .await?;
    read(rows)
}

/// The same, and nobody else changes them until the transaction ends.
pub(crate) async fn cases_for_update(
    connection: &mut PgConnection,
    ids: &[CaseId],
) -> Result<HashMap<CaseId, Case>, sqlx::Error> {
    let rows = sqlx::query_scalar(
        "SELECT row_to_json(c)::text FROM routed_case c WHERE id = ANY($1) ORDER BY id FOR UPDATE",
    )
    .bind(uuids(ids))
    .fetch_all(connection)
    .await?;
    read(rows)
}

/// Those of `ids` that `department` has; nobody else changes them until the transaction ends.
pub(crate) async fn cases_at_for_update(
    connection: &mut PgConnection,
    ids: &[CaseId],
    department: &Department,
) -> Result<HashMap<CaseId, Case>, sqlx::Error> {
    let rows = sqlx::query_scalar(
        "SELECT row_to_json(c)::text FROM routed_case c WHERE id = ANY($1) AND department = $2 ORDER BY id FOR UPDATE",
    )
    .bind(uuids(ids))
    .bind(department.as_str())
    .fetch_all(connection)
    .await?;
    read(rows)
}

/// Waits until no other import is under way, and lets none begin before the transaction ends: whoever looks whether a case
/// is known sees what its predecessor left.
pub(crate) async fn import_alone(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/history', 0))",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes cases, new ones and known ones.
pub(crate) async fn save_cases(
    connection: &mut PgConnection,
    cases: &[&Case],
) -> Result<(), sqlx::Error> {
    if cases.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO routed_case SELECT * FROM json_populate_recordset(NULL::routed_case, $1::json)
         ON CONFLICT (id) DO UPDATE SET
             state = excluded.state, department = excluded.department, group_id = excluded.group_id,
             agreement = excluded.agreement, rule = excluded.rule, why = excluded.why, turn = excluded.turn,
             bounces = excluded.bounces,
             forwarded_at = excluded.forwarded_at, due = excluded.due, taken_at = excluded.taken_at,
             guide = excluded.guide, promised = excluded.promised,
             paused_at = excluded.paused_at, paused_until = excluded.paused_until,
             pause_reason = excluded.pause_reason, paused_s = excluded.paused_s, closed_at = excluded.closed_at,
             outcome = excluded.outcome, wanted = excluded.wanted,
             undecided = excluded.undecided, imported = excluded.imported,
             historical = excluded.historical, changed_at = excluded.changed_at",
    )
    .bind(serde_json::to_string(cases).map_err(unwritable)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Cases that wait for agreements, oldest first: those to be forwarded, and of those registered since `since` those of which
/// nobody has decided whether the centre may have them.
pub(crate) async fn waiting(
    executor: impl PgExecutor<'_>,
    since: Timestamp,
    most: i64,
) -> Result<Vec<CaseId>, sqlx::Error> {
    let ids: Vec<uuid::Uuid> = sqlx::query_scalar(
        "SELECT id FROM routed_case
         WHERE (wanted OR undecided) AND state = 'centre' AND (wanted OR registered_at >= $2)
         ORDER BY registered_at LIMIT $1",
    )
    .bind(most)
    .bind(since.to_sqlx())
    .fetch_all(executor)
    .await?;
    Ok(ids.into_iter().map(CaseId).collect())
}

/// Cases whose pause has lasted as long as it may.
pub(crate) async fn pauses_over(
    executor: impl PgExecutor<'_>,
    now: Timestamp,
    most: i64,
) -> Result<Vec<CaseId>, sqlx::Error> {
    let ids: Vec<uuid::Uuid> = sqlx::query_scalar(
        "SELECT id FROM routed_case WHERE state = 'paused' AND paused_until <= $1 ORDER BY paused_until LIMIT $2",
    )
    .bind(now.to_sqlx())
    .bind(most)
    .fetch_all(executor)
    .await?;
    Ok(ids.into_iter().map(CaseId).collect())
}
