//! Weeding (*gallring*): what is over for long is forgotten. Figures do not depend on it: metrics has its own.

use std::time::Duration;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use platform::lease::Leading;
use sqlx::Connection;

use crate::{Desk, store};

/// A case's follow-up is kept for so long after it ended: two years, so that a year can be simulated, and be asked about for
/// another. Lists that were sent are known for as long.
const KEPT: SignedDuration = SignedDuration::from_hours(2 * 366 * 24);
/// By the product's clock.
const EACH: SignedDuration = SignedDuration::from_hours(24);
/// Before it is tried again when it failed, in real time.
const AGAIN: Duration = Duration::from_secs(30);
/// Cases in one transaction at the most.
const MOST: i64 = 500;

/// Runs until the lease ends.
pub(crate) async fn run(desk: Desk, leading: Leading) {
    while !leading.ended().is_cancelled() {
        let now = desk.clock.now();
        let weeded = weed(&desk, &leading, now).await;
        if let Err(error) = &weeded
            && !leading.ended().is_cancelled()
        {
            tracing::warn!(
                error = format!("{error:#}"),
                "cannot forget what is over for long; trying again"
            );
        }
        let wait = async {
            match weeded {
                Ok(()) => desk.clock.sleep_until(now + EACH).await,
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        };
        tokio::select! {
            () = wait => {}
            () = leading.ended().cancelled() => {}
        }
    }
}

async fn weed(desk: &Desk, leading: &Leading, now: Timestamp) -> anyhow::Result<()> {
    let before = now
        .checked_sub(KEPT)
        .context("a time long after the first")?;
    let mut connection = desk.fenced.acquire().await?;
    while !leading.ended().is_cancelled() {
        let mut transaction = connection.begin().await?;
        leading.check(&mut transaction).await?;
        let gone = store::weed_plans(&mut *transaction, before, MOST).await?;
        store::weed_digests(&mut *transaction, before).await?;
        transaction.commit().await?;
        if gone < MOST {
            break;
        }
    }
    Ok(())
}
