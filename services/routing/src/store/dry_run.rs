//! SQL of dry runs.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;

use super::impossible;
use crate::dry_run::Alike;

/// Cases registered in a period, imported ones not, with those together that no agreements can tell apart; of at most
/// `most` cases, the first. `beginnings` are the instants at which versions begin, ascending.
pub(crate) async fn alike(
    executor: impl PgExecutor<'_>,
    (from, until): (Timestamp, Timestamp),
    beginnings: &[Timestamp],
    most: i64,
) -> Result<Vec<Alike>, sqlx::Error> {
    let beginnings: Vec<_> = beginnings.iter().map(|at| at.to_sqlx()).collect();
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT row_to_json(alike)::text FROM (
             SELECT about, case_type, rosa_group, urgent, opinion, zone, agreement, begun, forwarded, count(*) AS cases
             FROM (
                 SELECT about, case_type, rosa_group, urgent, opinion, zone, agreement,
                        width_bucket(registered_at, $3) AS begun, turn > 0 OR wanted AS forwarded
                 FROM routed_case
                 WHERE registered_at >= $1 AND registered_at < $2 AND NOT imported
                 ORDER BY registered_at, id LIMIT $4
             ) one
             GROUP BY about, case_type, rosa_group, urgent, opinion, zone, agreement, begun, forwarded
         ) alike",
    )
    .bind(from.to_sqlx())
    .bind(until.to_sqlx())
    .bind(beginnings)
    .bind(most)
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| serde_json::from_str(row).map_err(impossible))
        .collect()
}
