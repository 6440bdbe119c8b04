//! The keys that were issued: made, listed, revoked.

use jiff::Timestamp;
use jiff_sqlx::{Timestamp as Sql, ToSqlx};
use rand::RngCore;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{KeyId, Scope};

/// A key as whoever looks after them sees it. The key itself is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// What it is known by where its name is not enough.
    pub id: KeyId,
    /// Whom it is for; several may have the same.
    pub name: String,
    /// What it may do, by [`Scope::as_str`]; one made by another version may hold scopes that this one does not know.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, a minute more or less; `None` if it never was.
    pub last_used_at: Option<Timestamp>,
    /// Since when it is no good.
    pub revoked_at: Option<Timestamp>,
}

/// Makes a key and stores its hash. The key itself is returned once and kept nowhere.
///
/// # Errors
/// When the database fails.
pub async fn new_key(
    connection: &mut PgConnection,
    name: &str,
    scopes: &[Scope],
    now: Timestamp,
) -> Result<String, sqlx::Error> {
    let mut bytes = [0u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    let key = bytes
        .iter()
        .fold("kl_".to_owned(), |text, byte| text + &format!("{byte:02x}"));
    sqlx::query(
        "INSERT INTO access.api_key (id, name, hash, scopes, created_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(Uuid::now_v7())
    .bind(name)
    .bind(&Sha256::digest(&key)[..])
    .bind(scopes.iter().map(|s| s.as_str()).collect::<Vec<_>>())
    .bind(now.to_sqlx())
    .execute(connection)
    .await?;
    Ok(key)
}

/// Whether a key that is kept in a file is still good for everything: one made by an older program lacks newer scopes.
///
/// # Errors
/// When the database fails.
pub async fn is_good(connection: &mut PgConnection, key: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM access.api_key WHERE hash = $1 AND revoked_at IS NULL AND scopes @> $2)",
    )
    .bind(&Sha256::digest(key.trim())[..])
    .bind(Scope::ALL.map(Scope::as_str))
    .fetch_one(connection)
    .await
}

/// Id, name, scopes, made, last used, revoked.
type Row = (Uuid, String, Vec<String>, Sql, Option<Sql>, Option<Sql>);

/// Every key ever made, the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn issued(connection: &mut PgConnection) -> Result<Vec<Issued>, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, name, scopes, created_at, last_used_at, revoked_at FROM access.api_key ORDER BY created_at, id",
    )
    .fetch_all(connection)
    .await?;
    let key = |(id, name, scopes, created_at, last_used_at, revoked_at): Row| Issued {
        id: KeyId(id),
        name,
        scopes,
        created_at: created_at.to_jiff(),
        last_used_at: last_used_at.map(Sql::to_jiff),
        revoked_at: revoked_at.map(Sql::to_jiff),
    };
    Ok(rows.into_iter().map(key).collect())
}

/// Makes a key no good, and tells whether it was good until now. Services refuse it within ten seconds: so long they
/// remember a key that was.
///
/// # Errors
/// When the database fails.
pub async fn revoke(
    connection: &mut PgConnection,
    key: KeyId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let revoked = sqlx::query(
        "UPDATE access.api_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
    )
    .bind(key.0)
    .bind(now.to_sqlx())
    .execute(connection)
    .await?;
    Ok(revoked.rows_affected() == 1)
}
