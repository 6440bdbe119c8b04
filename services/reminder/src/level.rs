//! Being level with routing: nobody is told of a case before all that routing had told of cases by then is applied here.
//!
//! After a stop or a takeover, or while many events come, plans are older than the cases they are of. A case that was closed,
//! paused, sent back or promised since would be told of all the same. So routing, which owns the cases, is asked how much it
//! has told as of now, and that much is waited for. While it cannot be asked nobody knows how a case stands, nor can anybody
//! close one: whatever is due waits, and comes as the present step when it is back.

use std::{collections::HashMap, time::Duration};

use anyhow::bail;
use domain::{CaseId, LinksAnswer, LinksRequest};
use platform::{bus, consumer, lease::Leading};
use sqlx::PgConnection;

use crate::Desk;

/// How often it is looked whether so much is applied, and how often at the most before routing is asked anew; in real time.
const EACH: Duration = Duration::from_millis(20);
const MOST: u32 = 100;
/// Before routing is asked again, in real time.
const AGAIN: Duration = Duration::from_millis(500);

/// Asks routing for links to `cases`, and returns when all that it had told as it answered is applied: then each link is for
/// the group of the case's plan, and no plan is older than the question.
///
/// # Errors
/// When routing cannot be asked, when it has told much more than is applied, or when the database fails.
pub(crate) async fn with_routing(
    desk: &Desk,
    connection: &mut PgConnection,
    cases: Vec<CaseId>,
) -> anyhow::Result<HashMap<CaseId, String>> {
    let (links, source, told) = match bus::ask(&desk.bus, &LinksRequest { cases }).await {
        LinksAnswer::Links {
            links,
            source,
            told,
        } => (links, source, told),
        LinksAnswer::Away => bail!("routing is away, which alone knows how cases stand"),
    };
    for _ in 0..MOST {
        let applied = consumer::position(&mut *connection, &source).await?;
        if applied >= told {
            return Ok(links.into_iter().collect());
        }
        tokio::time::sleep(EACH).await;
    }
    bail!("not all that routing has told of cases is applied yet")
}

/// Returns when this process has been level with routing once since it took the lease, or the lease has ended.
pub(crate) async fn once(desk: &Desk, leading: &Leading) {
    let mut failing = false;
    while !leading.ended().is_cancelled() {
        let Err(error) = attempt(desk).await else {
            return;
        };
        if !std::mem::replace(&mut failing, true) && !leading.ended().is_cancelled() {
            tracing::warn!(
                error = format!("{error:#}"),
                "cannot tell how cases stand, so no lists are sent; trying again"
            );
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = leading.ended().cancelled() => {}
        }
    }
}

async fn attempt(desk: &Desk) -> anyhow::Result<()> {
    let mut connection = desk.fenced.acquire().await?;
    with_routing(desk, &mut connection, Vec::new()).await?;
    Ok(())
}
