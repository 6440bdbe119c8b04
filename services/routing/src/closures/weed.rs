//! What is remembered of closures is forgotten after a time.

use jiff::{SignedDuration, Timestamp};
use platform::dead_letters;
use sqlx::PgConnection;

use crate::store;

/// For so long the same id gets the same answer, by the product's clock: longer than what a department was told waits on the
/// bus. What comes again later is settled anew, and finds its case closed.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(90 * 24);
/// For so long a closure that could not be read is kept: its department was answered, and it may hold what it should not.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Rows in one statement at the most.
const MOST: i64 = 1_000;

/// Forgets some of what is old at `now`, and returns whether there may be more.
pub(crate) async fn weed(
    connection: &mut PgConnection,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let answers = store::forget_answered(&mut *connection, now - REMEMBERED, MOST).await?;
    let letters = dead_letters::weed(connection, "in.closure.", now - KEPT, MOST).await?;
    Ok(answers.max(letters) >= MOST.unsigned_abs())
}
