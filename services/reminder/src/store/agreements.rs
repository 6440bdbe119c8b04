//! SQL of the copy of routing's agreements.

use domain::AgreementsVersion;
use sqlx::{PgConnection, PgExecutor, types::Json};

/// Adds a version; one that is known stays as it is.
pub(crate) async fn add_version(
    connection: &mut PgConnection,
    version: &AgreementsVersion,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO agreements (version, content) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(version.version)
        .bind(Json(version))
        .execute(connection)
        .await?;
    Ok(())
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
) -> Result<Vec<AgreementsVersion>, sqlx::Error> {
    let rows: Vec<Json<AgreementsVersion>> =
        sqlx::query_scalar("SELECT content FROM agreements WHERE version > $1 ORDER BY version")
            .bind(version)
            .fetch_all(executor)
            .await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// The number of the latest version, if it came after the plans were last gone through.
pub(crate) async fn unfollowed_version(
    executor: impl PgExecutor<'_>,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT max(version) FROM agreements WHERE NOT followed")
        .fetch_one(executor)
        .await
}

/// Notes that the plans have been gone through by the versions up to `version`.
pub(crate) async fn plans_follow(
    executor: impl PgExecutor<'_>,
    version: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE agreements SET followed = true WHERE version <= $1 AND NOT followed")
        .bind(version)
        .execute(executor)
        .await
        .map(drop)
}
