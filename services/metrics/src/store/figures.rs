//! SQL of the figures.

use domain::{CONTACTS, ContactSums};
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::{PgPool, Row, postgres::PgRow};

/// Sums from `from` to `to`, both included, by `by`: `queue`, `day`, `channel`, `department`, or anything else for all
/// in one. Only keys that have something are there.
pub(crate) async fn sums(
    pool: &PgPool,
    from: Date,
    to: Date,
    by: &str,
) -> Result<Vec<(String, ContactSums)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT CASE $4 WHEN 'queue' THEN queue WHEN 'day' THEN day::text WHEN 'channel' THEN channel
                        WHEN 'department' THEN coalesce(nullif(department, ''), 'unknown') ELSE 'all' END AS key,
                sum(offered)::bigint AS offered, sum(answered)::bigint AS answered,
                sum(abandoned)::bigint AS abandoned, sum(short_abandoned)::bigint AS short_abandoned,
                sum(answered_within)::bigint AS answered_within, sum(waits_known)::bigint AS waits_known,
                sum(wait_of_answered_ms)::bigint AS wait_of_answered_ms, max(longest_wait_ms) AS longest_wait_ms
         FROM contact_sum WHERE definition = $1 AND day BETWEEN $2 AND $3
         GROUP BY 1 HAVING sum(offered) > 0 ORDER BY 1",
    )
    .bind(CONTACTS.id)
    .bind(from.to_sqlx())
    .bind(to.to_sqlx())
    .bind(by)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("key")?, read(row)?)))
        .collect()
}

fn read(row: &PgRow) -> Result<ContactSums, sqlx::Error> {
    Ok(ContactSums {
        offered: row.try_get("offered")?,
        answered: row.try_get("answered")?,
        abandoned: row.try_get("abandoned")?,
        short_abandoned: row.try_get("short_abandoned")?,
        answered_within: row.try_get("answered_within")?,
        waits_known: row.try_get("waits_known")?,
        wait_of_answered_ms: row.try_get("wait_of_answered_ms")?,
        longest_wait_ms: row.try_get("longest_wait_ms")?,
    })
}
