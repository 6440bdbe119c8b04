//! SQL of digests.

use jiff::{Timestamp, civil::Date};
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;

/// Whether the digest `kind` of `of` has been sent for a day.
pub(crate) async fn was_sent(
    executor: impl PgExecutor<'_>,
    kind: &str,
    of: &str,
    day: Date,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM digest WHERE kind = $1 AND of = $2 AND day = $3)",
    )
    .bind(kind)
    .bind(of)
    .bind(day.to_sqlx())
    .fetch_one(executor)
    .await
}

/// Marks a digest as sent, with all that happened up to `upto`; false when it has been already.
pub(crate) async fn mark_digest(
    executor: impl PgExecutor<'_>,
    kind: &str,
    of: &str,
    day: Date,
    upto: Timestamp,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO digest (kind, of, day, upto) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(kind)
    .bind(of)
    .bind(day.to_sqlx())
    .bind(upto.to_sqlx())
    .execute(executor)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Up to when the digest before `day` told.
pub(crate) async fn digest_before(
    executor: impl PgExecutor<'_>,
    kind: &str,
    of: &str,
    day: Date,
) -> Result<Option<Timestamp>, sqlx::Error> {
    let upto: Option<jiff_sqlx::Timestamp> = sqlx::query_scalar(
        "SELECT upto FROM digest WHERE kind = $1 AND of = $2 AND day < $3 ORDER BY day DESC LIMIT 1",
    )
    .bind(kind)
    .bind(of)
    .bind(day.to_sqlx())
    .fetch_optional(executor)
    .await?;
    Ok(upto.map(jiff_sqlx::Timestamp::to_jiff))
}
