//! SQL of versions of the agreements.

use domain::Agreements;
use jiff::{Timestamp, civil::Date};
use jiff_sqlx::{Date as SqlDate, Timestamp as Sql, ToSqlx};
use sqlx::{PgConnection, PgExecutor, types::Json};

pub(crate) use domain::AgreementsVersion as Version;

/// Waits until nobody else adds a version, and lets nobody begin before the transaction ends: numbers and commits then come
/// in the same order, so that who knows a number knows all below it.
pub(crate) async fn add_alone(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/agreements', 0))",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds a version and returns its number. Only after [`add_alone`].
pub(crate) async fn add_version(
    executor: impl PgExecutor<'_>,
    content: &Agreements,
    valid_from: Date,
    approved_by: &str,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO agreements (valid_from, approved_by, applied_at, content) VALUES ($1, $2, $3, $4) RETURNING version",
    )
    .bind(valid_from.to_sqlx())
    .bind(approved_by)
    .bind(now.to_sqlx())
    .bind(Json(content))
    .fetch_one(executor)
    .await
}

/// The number of the latest version; 0 where there is none.
pub(crate) async fn latest_version(executor: impl PgExecutor<'_>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM agreements")
        .fetch_one(executor)
        .await
}

/// Versions later than `version`, in order.
pub(crate) async fn versions_after(
    executor: impl PgExecutor<'_>,
    version: i64,
) -> Result<Vec<Version>, sqlx::Error> {
    type Row = (i64, SqlDate, String, Sql, Json<Agreements>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT version, valid_from, approved_by, applied_at, content FROM agreements WHERE version > $1 ORDER BY version",
    )
    .bind(version)
    .fetch_all(executor)
    .await?;
    let version = |(version, valid_from, approved_by, applied_at, content): Row| Version {
        version,
        valid_from: valid_from.to_jiff(),
        approved_by,
        applied_at: applied_at.to_jiff(),
        content: content.0,
    };
    Ok(rows.into_iter().map(version).collect())
}
