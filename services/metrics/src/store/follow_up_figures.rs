//! SQL of the figures of follow-up.

use std::collections::BTreeMap;

use domain::FollowUpStep;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgPool, Row};

use super::impossible;

/// Closed cases of one key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FollowedUp {
    pub(crate) closed: i64,
    /// Those that had a limit, and those of them that were closed within it.
    pub(crate) limited: i64,
    pub(crate) within: i64,
    /// Steps taken until they were closed, all together.
    pub(crate) steps: i64,
    /// Those whose group had promised a day, and those of them that were closed by then.
    pub(crate) promised: i64,
    pub(crate) kept: i64,
    /// How many by the last step taken; `None` is none.
    pub(crate) after: BTreeMap<Option<FollowUpStep>, i64>,
}

/// Cases closed from `from` until before `until`, as they stood at `as_of`, by `by` as in
/// [`super::forwarded_figures::counts`].
pub(crate) async fn followed_up(
    pool: &PgPool,
    (from, until): (Timestamp, Timestamp),
    as_of: Timestamp,
    by: &str,
) -> Result<BTreeMap<String, FollowedUp>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT CASE $4 WHEN 'department' THEN department WHEN 'queue' THEN queue ELSE 'all' END AS key,
                steps[cardinality(steps)] AS last, count(*) AS closed, count(due) AS limited,
                count(*) FILTER (WHERE due IS NOT NULL AND late_from IS NULL) AS within,
                sum(cardinality(steps))::bigint AS steps, count(promised) AS promised,
                count(*) FILTER (WHERE since <= promised) AS kept
         FROM forwarded_span
         WHERE state = 'closed' AND NOT imported AND since >= $1 AND since < $2 AND since <= $3
               AND (until IS NULL OR until > $3)
         GROUP BY 1, 2",
    )
    .bind(from.to_sqlx())
    .bind(until.to_sqlx())
    .bind(as_of.to_sqlx())
    .bind(by)
    .fetch_all(pool)
    .await?;
    let mut keys: BTreeMap<String, FollowedUp> = BTreeMap::new();
    for row in &rows {
        let last: Option<String> = row.try_get("last")?;
        let last = last.map(|step| step.parse().map_err(|_| impossible("step")));
        let of = keys.entry(row.try_get("key")?).or_default();
        let closed: i64 = row.try_get("closed")?;
        of.closed += closed;
        of.limited += row.try_get::<i64, _>("limited")?;
        of.within += row.try_get::<i64, _>("within")?;
        of.steps += row.try_get::<i64, _>("steps")?;
        of.promised += row.try_get::<i64, _>("promised")?;
        of.kept += row.try_get::<i64, _>("kept")?;
        of.after.insert(last.transpose()?, closed);
    }
    Ok(keys)
}
