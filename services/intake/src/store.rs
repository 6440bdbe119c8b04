//! All SQL of intake.

mod cases;
mod contacts;

use std::time::Duration;

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use platform::Clock;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

pub(crate) use cases::{
    Answered, CaseNow, Written, answers, case, cases_for_update, content, save, show_states,
    to_be_told,
};
pub(crate) use contacts::{
    ContactRow, Place, insert_contacts, lose_waiting, merge_contacts, place, pseudonyms, save_place,
};

/// How long a request with an idempotency key is answered the same.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Forgets old idempotency keys, once an hour.
pub(crate) async fn weed(
    pool: PgPool,
    clock: Clock,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut hourly = tokio::time::interval(Duration::from_secs(3600));
    loop {
        tokio::select! {
            _ = hourly.tick() => {}
            () = stop.cancelled() => return Ok(()),
        }
        let before = clock.now().checked_sub(REMEMBERED)?;
        let weeded = sqlx::query("DELETE FROM idempotency WHERE created_at < $1")
            .bind(before.to_sqlx())
            .execute(&pool)
            .await;
        if let Err(error) = weeded {
            tracing::warn!(%error, "cannot weed out idempotency keys; trying again in an hour");
        }
    }
}
