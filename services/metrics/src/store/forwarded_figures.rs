//! SQL of the figures of forwarded cases.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgPool, Row, postgres::PgRow};

/// Forwarded cases of one key, as of an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) key: String,
    pub(crate) closed: i64,
    pub(crate) closed_overdue: i64,
    pub(crate) open: i64,
    pub(crate) open_overdue: i64,
}

/// Cases first forwarded from `from` until before `until`, as they stood at `as_of`, by `by`: `department`, `queue`, or
/// anything else for all in one. Only keys that have something are there.
pub(crate) async fn counts(
    pool: &PgPool,
    from: Timestamp,
    until: Timestamp,
    as_of: Timestamp,
    by: &str,
) -> Result<Vec<Counts>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT CASE $4 WHEN 'department' THEN department WHEN 'queue' THEN queue ELSE 'all' END AS key,
                count(*) FILTER (WHERE state = 'closed') AS closed,
                count(*) FILTER (WHERE state = 'closed' AND late_from < $3) AS closed_overdue,
                count(*) FILTER (WHERE state <> 'closed') AS open,
                count(*) FILTER (WHERE state <> 'closed' AND late_from < $3) AS open_overdue
         FROM forwarded_span
         WHERE first_forwarded_at >= $1 AND first_forwarded_at < $2 AND since <= $3 AND (until IS NULL OR until > $3)
         GROUP BY 1 ORDER BY 1",
    )
    .bind(from.to_sqlx())
    .bind(until.to_sqlx())
    .bind(as_of.to_sqlx())
    .bind(by)
    .fetch_all(pool)
    .await?;
    let counts = |row: &PgRow| {
        Ok(Counts {
            key: row.try_get("key")?,
            closed: row.try_get("closed")?,
            closed_overdue: row.try_get("closed_overdue")?,
            open: row.try_get("open")?,
            open_overdue: row.try_get("open_overdue")?,
        })
    };
    rows.iter().map(counts).collect()
}

/// Times of one kind: how many are known, and the median and the 90th percentile of them in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) known: i64,
    pub(crate) median_s: i64,
    pub(crate) p90_s: i64,
}

/// Handling times of the closed cases of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handled {
    pub(crate) key: String,
    pub(crate) closed: i64,
    /// Those that had a limit, and those of them that were closed within it.
    pub(crate) limited: i64,
    pub(crate) within: i64,
    pub(crate) calendar: Split,
    pub(crate) working: Split,
}

/// Times in all, at the centre and at departments. `None` where none is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) total: Option<Times>,
    pub(crate) centre: Option<Times>,
    pub(crate) department: Option<Times>,
}

/// Handling times of cases closed from `from` until before `until`, by `by` as in [`counts`].
pub(crate) async fn handled(
    pool: &PgPool,
    from: Timestamp,
    until: Timestamp,
    by: &str,
) -> Result<Vec<Handled>, sqlx::Error> {
    // Times of which an export is wrong are none.
    let rows = sqlx::query(
        "WITH closed AS (
             SELECT CASE $3 WHEN 'department' THEN department WHEN 'queue' THEN queue ELSE 'all' END AS key, due, late_from,
                    greatest(0, floor(extract(epoch FROM since - registered_at)))::bigint AS total,
                    CASE WHEN NOT imported
                         THEN greatest(0, floor(extract(epoch FROM first_forwarded_at - registered_at)))::bigint
                    END AS centre,
                    greatest(0, floor(extract(epoch FROM since - first_forwarded_at)))::bigint AS department,
                    centre_working_s + working_s AS worked, centre_working_s AS centre_worked, working_s AS department_worked
             FROM forwarded_span WHERE until IS NULL AND state = 'closed' AND since >= $1 AND since < $2
         )
         SELECT key, count(*) AS closed, count(due) AS limited,
                count(*) FILTER (WHERE due IS NOT NULL AND late_from IS NULL) AS within,
                count(total) AS total_known, percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY total) AS total,
                count(centre) AS centre_known, percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY centre) AS centre,
                count(department) AS department_known,
                percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY department) AS department,
                count(worked) AS worked_known, percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY worked) AS worked,
                count(centre_worked) AS centre_worked_known,
                percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY centre_worked) AS centre_worked,
                count(department_worked) AS department_worked_known,
                percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY department_worked) AS department_worked
         FROM closed GROUP BY key ORDER BY key",
    )
    .bind(from.to_sqlx())
    .bind(until.to_sqlx())
    .bind(by)
    .fetch_all(pool)
    .await?;
    let handled = |row: &PgRow| {
        let times = |name: &str| -> Result<Option<Times>, sqlx::Error> {
            let known: i64 = row.try_get(&*format!("{name}_known"))?;
            let of: Option<Vec<Option<i64>>> = row.try_get(name)?;
            Ok(match of.as_deref() {
                Some([Some(median_s), Some(p90_s)]) => Some(Times {
                    known,
                    median_s: *median_s,
                    p90_s: *p90_s,
                }),
                _ => None,
            })
        };
        let split = |total, centre, department| -> Result<Split, sqlx::Error> {
            Ok(Split {
                total: times(total)?,
                centre: times(centre)?,
                department: times(department)?,
            })
        };
        Ok(Handled {
            key: row.try_get("key")?,
            closed: row.try_get("closed")?,
            limited: row.try_get("limited")?,
            within: row.try_get("within")?,
            calendar: split("total", "centre", "department")?,
            working: split("worked", "centre_worked", "department_worked")?,
        })
    };
    rows.iter().map(handled).collect()
}
