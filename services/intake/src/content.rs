//! Hands out a case's content, to whom the bus lets ask for it: routing, when somebody looks at a case page.

use domain::{ContentAnswer, ContentRequest};
use platform::bus::{self, Bus};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::{SERVICE, store};

/// Answers until `stop`. Of several replicas, one answers each question.
///
/// # Errors
/// When the bus connection is closed for good.
pub(crate) async fn run(pool: PgPool, bus: Bus, stop: CancellationToken) -> anyhow::Result<()> {
    let answer = |ContentRequest { case }| {
        let pool = pool.clone();
        async move {
            let content = store::content(&pool, case).await?;
            Ok(content.map_or(ContentAnswer::Unknown, ContentAnswer::Known))
        }
    };
    bus::answer(bus, SERVICE, stop, answer).await
}
