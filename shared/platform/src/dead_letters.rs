//! Messages that could not be applied: kept once with the reason, looked at, sent again.

mod http;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection, PgPool};

use crate::consumer::{Apply, Failure, read};
pub use http::{DeadLettersApi, Discarded, Keeper, SendAgain, SentAgain, router, send_again_with};

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

/// How much is kept of what comes on one subject, whose sender may send any number of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// So many letters.
    pub letters: i64,
    /// So many bytes of what they say, all together.
    pub bytes: i64,
}

impl Room {
    /// What is left of it on a subject.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn left(
        self,
        connection: &mut PgConnection,
        subject: &str,
    ) -> Result<Self, sqlx::Error> {
        let (letters, bytes): (i64, i64) = sqlx::query_as(
            "SELECT count(*), coalesce(sum(octet_length(payload)), 0)::bigint FROM dead_letter WHERE subject = $1",
        )
        .bind(subject)
        .fetch_one(connection)
        .await?;
        Ok(Self {
            letters: self.letters - letters,
            bytes: self.bytes - bytes,
        })
    }

    /// Whether a letter of so many bytes still fits, which then takes its room.
    pub fn take(&mut self, bytes: usize) -> bool {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let fits = self.letters > 0 && self.bytes >= bytes;
        if fits {
            self.letters -= 1;
            self.bytes -= bytes;
        }
        fits
    }
}

/// Removes letters that came on subjects beginning with `prefix` before `until`, so many at the most.
///
/// # Errors
/// When the database fails.
pub async fn weed(
    connection: &mut PgConnection,
    prefix: &str,
    until: Timestamp,
    most: i64,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "DELETE FROM dead_letter WHERE id IN (
             SELECT id FROM dead_letter WHERE starts_with(subject, $1) AND received_at < $2 ORDER BY received_at LIMIT $3)",
    )
    .bind(prefix)
    .bind(until.to_sqlx())
    .bind(most)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
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

/// Which dead letters are listed.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only those that came on this stream, such as `IN_BYGG`.
    pub stream: Option<String>,
    /// Only those about or of this department: its closures, and events of its cases.
    pub department: Option<String>,
    /// Only those with a greater number: the last one of a list gives the next.
    pub after: Option<i64>,
}

/// Listed at once at the most.
pub const PAGE: usize = 1_000;

/// The dead letters, oldest first, at most a thousand.
///
/// # Errors
/// When the database fails.
pub async fn list(pool: &PgPool, wanted: &Wanted) -> Result<Vec<DeadLetter>, sqlx::Error> {
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
        "SELECT id, stream, subject, source, sequence, reason, received_at FROM dead_letter
         WHERE id > $1 AND ($2::text IS NULL OR stream = $2)
           AND ($3::text IS NULL OR subject = 'in.closure.' || $3 OR starts_with(subject, 'case.' || $3 || '.'))
         ORDER BY id LIMIT $4",
    )
    .bind(wanted.after.unwrap_or(0))
    .bind(wanted.stream.as_deref())
    .bind(wanted.department.as_deref())
    .bind(i64::try_from(PAGE).unwrap_or(i64::MAX))
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
