//! SQL of what departments sign webhooks with.

use domain::Department;
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as Sql, ToSqlx};
use sqlx::PgExecutor;

/// A secret as it is listed: never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSecret {
    /// Its number.
    pub id: i64,
    /// The department whose closures it signs.
    pub department: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is no good.
    pub revoked_at: Option<Timestamp>,
}

/// Adds a secret and returns its number.
pub(crate) async fn add_webhook_secret(
    executor: impl PgExecutor<'_>,
    department: &Department,
    secret: &[u8],
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO webhook_secret (department, secret, created_at) VALUES ($1, $2, $3) RETURNING id",
    )
    .bind(department.as_str())
    .bind(secret)
    .bind(now.to_sqlx())
    .fetch_one(executor)
    .await
}

/// What a department's signatures may be made with.
pub(crate) async fn webhook_secrets(
    executor: impl PgExecutor<'_>,
    department: &Department,
) -> Result<Vec<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT secret FROM webhook_secret WHERE department = $1 AND revoked_at IS NULL ORDER BY id DESC",
    )
    .bind(department.as_str())
    .fetch_all(executor)
    .await
}

/// Every department's secrets, without the secrets themselves.
pub(crate) async fn list_webhook_secrets(
    executor: impl PgExecutor<'_>,
) -> Result<Vec<WebhookSecret>, sqlx::Error> {
    let rows: Vec<(i64, String, Sql, Option<Sql>)> = sqlx::query_as(
        "SELECT id, department, created_at, revoked_at FROM webhook_secret ORDER BY id",
    )
    .fetch_all(executor)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, department, created_at, revoked_at)| WebhookSecret {
            id,
            department,
            created_at: created_at.to_jiff(),
            revoked_at: revoked_at.map(Sql::to_jiff),
        })
        .collect())
}

/// Makes a secret no good, and returns whose it was; `None` where there is none that is good with this number.
pub(crate) async fn revoke_webhook_secret(
    executor: impl PgExecutor<'_>,
    id: i64,
    now: Timestamp,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "UPDATE webhook_secret SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING department",
    )
    .bind(id)
    .bind(now.to_sqlx())
    .fetch_optional(executor)
    .await
}
