//! Messages that could not be applied: kept once with the reason, looked at, sent again.

mod http;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection, PgPool};

use crate::consumer::{Apply, Failure, read};
pub use http::{DeadLettersApi, Keeper, SendAgain, SentAgain, router, send_again_with};

/// A message to keep.
#[derive(Debug)]
pub struct New<'a> {
    /// The stream it came on.
    pub stream: &'a str,
    /// The subject it came on.
    pub subject: &'a str,
    /// Its source; `None` for a message that has no place in a line, which is known again by its content.
    pub source: Option<&'a str>,
    /// Its number within the source, or else on the stream.
    pub sequence: Option<u64>,
    /// Why it cannot be applied. Holds nothing that it says.
    pub reason: &'a str,
    /// What it says.
    pub payload: &'a [u8],
}

impl New<'_> {
    /// The same message has the same fingerprint however often it comes.
    fn fingerprint(&self) -> Vec<u8> {
        let mut hash = Sha256::new();
        match (self.source, self.sequence) {
            (Some(source), Some(sequence)) => hash.update(format!("{source} {sequence}")),
            _ => {
                hash.update(self.subject);
                hash.update(self.payload);
            }
        }
        hash.finalize().to_vec()
    }
}

/// A dead letter as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeadLetter {
    /// Its number.
    pub id: i64,
    /// The stream it came on.
    pub stream: String,
    /// The subject it came on.
    pub subject: String,
    /// Its source, where that could be read.
    pub source: Option<String>,
    /// Its number within the source.
    pub sequence: Option<i64>,
    /// Why it could not be applied.
    pub reason: String,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
}

/// Keeps a message, in the transaction that passes it by. The same message is kept once.
///
/// # Errors
/// When the database fails.
pub async fn insert(
    connection: &mut PgConnection,
    letter: &New<'_>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO dead_letter (fingerprint, stream, subject, source, sequence, reason, payload, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (fingerprint) DO NOTHING",
    )
    .bind(letter.fingerprint())
    .bind(letter.stream)
    .bind(letter.subject)
    .bind(letter.source)
    .bind(letter.sequence.and_then(|n| i64::try_from(n).ok()))
    .bind(letter.reason)
    .bind(letter.payload)
    .bind(now.to_sqlx())
    .execute(connection)
    .await?;
    Ok(())
}

/// The dead letters, oldest first, at most a thousand.
///
/// # Errors
/// When the database fails.
pub async fn list(pool: &PgPool) -> Result<Vec<DeadLetter>, sqlx::Error> {
    type Row = (
        i64,
        String,
        String,
        Option<String>,
        Option<i64>,
        String,
        jiff_sqlx::Timestamp,
    );
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, stream, subject, source, sequence, reason, received_at FROM dead_letter ORDER BY id LIMIT 1000",
    )
    .fetch_all(pool)
    .await?;
    let letter = |(id, stream, subject, source, sequence, reason, received_at): Row| DeadLetter {
        id,
        stream,
        subject,
        source,
        sequence,
        reason,
        received_at: received_at.to_jiff(),
    };
    Ok(rows.into_iter().map(letter).collect())
}

/// How sending a dead letter again went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// Applied, and no dead letter any more; what was answered, where its sender is answered.
    Applied(Option<String>),
    /// Still impossible, for this reason; it stays.
    Refused(String),
    /// There is none with this number.
    Unknown,
}

/// Where a dead letter came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its number.
    pub id: i64,
    /// The stream it came on.
    pub stream: String,
    /// The subject it came on.
    pub subject: String,
}

/// Where a dead letter came from, if it exists.
///
/// # Errors
/// When the database fails.
pub async fn find(pool: &PgPool, id: i64) -> Result<Option<Letter>, sqlx::Error> {
    let row: Option<(String, String)> =
        sqlx::query_as("SELECT stream, subject FROM dead_letter WHERE id = $1")
            .bind(id)
            .fetch_optional(pool)
            .await?;
    Ok(row.map(|(stream, subject)| Letter {
        id,
        stream,
        subject,
    }))
}

/// Removes a dead letter within the caller's transaction, which applies it: what it says, if it exists.
///
/// # Errors
/// When the database fails.
pub async fn take(connection: &mut PgConnection, id: i64) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar("DELETE FROM dead_letter WHERE id = $1 RETURNING payload")
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// Applies a dead letter with the program as it is now, and removes it, in one transaction.
///
/// # Errors
/// When the database fails.
pub async fn send_again<A: Apply>(pool: &PgPool, apply: &A, id: i64) -> anyhow::Result<Again> {
    let mut transaction = pool.begin().await?;
    let Some(payload) = take(&mut transaction, id).await? else {
        return Ok(Again::Unknown);
    };
    let event = match read::<A::Event>(&payload) {
        Ok(event) => event,
        Err(reason) => return Ok(Again::Refused(reason)),
    };
    let mut attempt = transaction.begin().await?;
    match apply.apply(&mut attempt, &[&event]).await {
        Ok(()) => {
            attempt.commit().await?;
            transaction.commit().await?;
            apply.applied();
            Ok(Again::Applied(None))
        }
        Err(Failure::Reject(reason)) => Ok(Again::Refused(reason)),
        Err(Failure::Retry(error)) => Err(error),
    }
}
