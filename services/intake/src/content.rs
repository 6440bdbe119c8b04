//! Hands out a case's content, to whom the bus lets ask for it: routing, when somebody looks at a case page. The answer goes
//! into the asker's own inbox, and nothing of it is kept or logged on the way.

use async_nats::Message;
use domain::{ContentAnswer, ContentRequest};
use futures::StreamExt;
use platform::{bus::Bus, telemetry};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{SERVICE, store};

/// Questions answered at a time. Few look at once, and contacts need the database too.
const AT_ONCE: usize = 4;

/// Answers until `stop`. Of several replicas, one answers each question.
///
/// # Errors
/// When the bus connection is closed for good.
pub(crate) async fn run(pool: PgPool, bus: Bus, stop: CancellationToken) -> anyhow::Result<()> {
    let questions = bus
        .client
        .queue_subscribe(ContentRequest::SUBJECT, SERVICE.to_owned())
        .await?;
    questions
        .take_until(stop.cancelled())
        .for_each_concurrent(AT_ONCE, |question| {
            let span = tracing::info_span!("content");
            let parent = question.headers.as_ref().and_then(|h| h.get("traceparent"));
            if let Some(parent) = parent {
                telemetry::continue_from(&span, parent.as_str());
            }
            answer(&pool, &bus, question).instrument(span)
        })
        .await;
    anyhow::ensure!(stop.is_cancelled(), "the bus connection is closed");
    Ok(())
}

async fn answer(pool: &PgPool, bus: &Bus, question: Message) {
    let Some(reply) = question.reply else { return };
    let Ok(ContentRequest { case }) = serde_json::from_slice(&question.payload) else {
        tracing::warn!("a question for content could not be read");
        return;
    };
    let answer = match store::content(pool, case).await {
        Ok(Some(content)) => ContentAnswer::Known(content),
        Ok(None) => ContentAnswer::Unknown,
        Err(error) => {
            tracing::warn!(%error, "cannot read a case's content");
            ContentAnswer::Away
        }
    };
    // An answer that cannot be written or sent is missed where it is waited for.
    if let Ok(payload) = serde_json::to_vec(&answer) {
        let _ = bus.client.publish(reply, payload.into()).await;
    }
}
