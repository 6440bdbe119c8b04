//! The queue beside its first in line: what came of a mail, what waits and was given up, trying again, weeding.

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::transport::Failure;

/// A mail keeps its address and text for so long after it was sent or given up: long enough to answer "did we get that mail"
/// and to mend an address over a holiday, and no longer, since the address may be a person's and the text holds a link.
const KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);
/// A server's answer may be long; so many characters of it are kept.
const LONGEST_ERROR: usize = 500;
/// Mails weeded in one statement.
const CHUNK: i64 = 1_000;

/// The server has taken it.
pub(super) async fn mark_sent(
    connection: &mut PgConnection,
    id: Uuid,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE mail SET attempts = attempts + 1, sent_at = $2, reason = NULL, last_error = NULL WHERE id = $1",
    )
    .bind(id)
    .bind(now.to_sqlx())
    .execute(connection)
    .await?;
    Ok(())
}

/// The server has not taken it; it is tried again at `next`, or given up.
pub(super) async fn mark_failure(
    connection: &mut PgConnection,
    id: Uuid,
    failure: &Failure,
    next: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    // PostgreSQL's text holds no NUL.
    let short = |text: &str| -> String {
        let chars = text.chars().filter(|c| *c != '\0');
        chars.take(LONGEST_ERROR).collect()
    };
    sqlx::query(
        "UPDATE mail SET attempts = attempts + 1, last_error = $2, next_attempt_at = coalesce($3, next_attempt_at),
             failed_at = CASE WHEN $3 IS NULL THEN $4 END, reason = $5
         WHERE id = $1",
    )
    .bind(id)
    .bind(short(&failure.detail))
    .bind(next.map(|t| t.to_sqlx()))
    .bind(now.to_sqlx())
    .bind(short(&failure.reason))
    .execute(connection)
    .await?;
    Ok(())
}

/// A mail that waits or was given up. Neither whom it is to nor what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QueuedMail {
    /// Its id, which is also in its `Message-ID`.
    pub id: Uuid,
    /// When it was queued.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; null when it was given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
    /// When it was given up; null while it waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub given_up_at: Option<Timestamp>,
    /// Why it was not taken the last time; null when it has not been tried.
    pub reason: Option<String>,
}

/// What waits and what was given up, oldest first, at most a thousand. What has been weeded is not among them.
///
/// # Errors
/// When the database fails.
pub(super) async fn list(pool: &PgPool) -> Result<Vec<QueuedMail>, sqlx::Error> {
    type Row = (
        Uuid,
        jiff_sqlx::Timestamp,
        i32,
        jiff_sqlx::Timestamp,
        Option<jiff_sqlx::Timestamp>,
        Option<String>,
    );
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, created_at, attempts, next_attempt_at, failed_at, reason FROM mail
         WHERE (sent_at IS NULL AND failed_at IS NULL) OR (failed_at IS NOT NULL AND weeded_at IS NULL)
         ORDER BY created_at, id LIMIT 1000",
    )
    .fetch_all(pool)
    .await?;
    let mail = |(id, created_at, attempts, next, failed_at, reason): Row| QueuedMail {
        id,
        created_at: created_at.to_jiff(),
        attempts: attempts.unsigned_abs(),
        next_attempt_at: failed_at.is_none().then(|| next.to_jiff()),
        given_up_at: failed_at.map(|t| t.to_jiff()),
        reason,
    };
    Ok(rows.into_iter().map(mail).collect())
}

/// What became of the wish to try one mail again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retry {
    /// It is due now.
    Due,
    /// It is being tried at this moment.
    UnderWay,
    /// It has been sent.
    Sent,
    /// It was given up so long ago that nothing is left to send.
    Weeded,
    /// There is none with this id.
    Unknown,
}

/// Makes what waits or was given up due at `now`: the mail `id`, or all. One that was given up gets all its attempts anew.
/// Ring [`super::Mailer::wake`] afterwards.
async fn make_due(pool: &PgPool, id: Option<Uuid>, now: Timestamp) -> Result<u64, sqlx::Error> {
    // The one that is being sent is locked.
    let done = sqlx::query(
        "UPDATE mail SET next_attempt_at = least(next_attempt_at, $1), failed_at = NULL,
             attempts = CASE WHEN failed_at IS NULL THEN attempts ELSE 0 END
         WHERE id IN (
             SELECT id FROM mail
             WHERE ((sent_at IS NULL AND failed_at IS NULL) OR (failed_at IS NOT NULL AND weeded_at IS NULL))
               AND ($2::uuid IS NULL OR id = $2)
             FOR UPDATE SKIP LOCKED)",
    )
    .bind(now.to_sqlx())
    .bind(id)
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// Has everything tried at `now` that waits or was given up, and returns how many that are.
///
/// # Errors
/// When the database fails.
pub(super) async fn retry_all(pool: &PgPool, now: Timestamp) -> Result<u64, sqlx::Error> {
    make_due(pool, None, now).await
}

/// Has the mail `id` tried at `now`.
///
/// # Errors
/// When the database fails.
pub(super) async fn retry(pool: &PgPool, id: Uuid, now: Timestamp) -> Result<Retry, sqlx::Error> {
    if make_due(pool, Some(id), now).await? > 0 {
        return Ok(Retry::Due);
    }
    let stands: Option<(bool, bool)> =
        sqlx::query_as("SELECT sent_at IS NOT NULL, weeded_at IS NOT NULL FROM mail WHERE id = $1")
            .bind(id)
            .fetch_optional(pool)
            .await?;
    Ok(match stands {
        None => Retry::Unknown,
        Some((true, _)) => Retry::Sent,
        Some((false, true)) => Retry::Weeded,
        Some((false, false)) => Retry::UnderWay,
    })
}

/// Clears address, name, subject and text of mails that were sent or given up [`KEPT`] before `now`. The rows stay, so that
/// none is queued a second time. Returns whether there may be more.
///
/// # Errors
/// When the database fails.
pub(super) async fn weed(
    connection: &mut PgConnection,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let before = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
    let done = sqlx::query(
        "UPDATE mail SET to_name = NULL, to_address = NULL, subject = NULL, body = NULL, last_error = NULL, weeded_at = $2
         WHERE id IN (
             SELECT id FROM mail WHERE weeded_at IS NULL AND coalesce(sent_at, failed_at) < $1
             ORDER BY coalesce(sent_at, failed_at) LIMIT $3 FOR UPDATE SKIP LOCKED)",
    )
    .bind(before.to_sqlx())
    .bind(now.to_sqlx())
    .bind(CHUNK)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() >= CHUNK.unsigned_abs())
}
