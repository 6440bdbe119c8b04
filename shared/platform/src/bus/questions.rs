//! Questions that one service asks another over the bus. Neither question nor answer is kept, logged or traced.

use std::time::Duration;

use async_nats::{HeaderMap, Message};
use domain::Question;
use futures::StreamExt;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::Bus;
use crate::telemetry;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// Questions answered at a time. Few are asked at once, and other work needs the database too.
const AT_ONCE: usize = 4;

/// Asks; what answers [`Question::away`] did not answer in time, or cannot.
pub async fn ask<Q: Question>(bus: &Bus, question: &Q) -> Q::Answer {
    let mut headers = HeaderMap::new();
    if let Some(traceparent) = telemetry::traceparent() {
        headers.insert("traceparent", traceparent.as_str());
    }
    let Ok(payload) = serde_json::to_vec(question) else {
        return Q::away();
    };
    let request = bus
        .client
        .request_with_headers(Q::SUBJECT, headers, payload.into());
    let subject = Q::SUBJECT;
    match tokio::time::timeout(PATIENCE, request).await {
        // Why an answer cannot be read is not told: the reason would quote it.
        Ok(Ok(answer)) => serde_json::from_slice(&answer.payload).unwrap_or_else(|_| Q::away()),
        Ok(Err(error)) => {
            tracing::warn!(subject, %error, "a question is not answered; look at the log of the service it is to");
            Q::away()
        }
        Err(_) => {
            tracing::warn!(
                subject,
                "a question is not answered in time; look at the log of the service it is to"
            );
            Q::away()
        }
    }
}

/// Answers with `answer` until `stop`. Of several replicas of `service`, one answers each question. Whom the bus lets ask is
/// told what is asked for: see [`super::Rights`].
///
/// # Errors
/// When the bus connection is closed for good.
pub async fn answer<Q: Question, F>(
    bus: Bus,
    service: &'static str,
    stop: CancellationToken,
    answer: impl Fn(Q) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = Result<Q::Answer, sqlx::Error>>,
{
    let questions = bus
        .client
        .queue_subscribe(Q::SUBJECT, service.to_owned())
        .await?;
    questions
        .take_until(stop.cancelled())
        .for_each_concurrent(AT_ONCE, |question| {
            let span = tracing::info_span!("question", subject = Q::SUBJECT);
            let parent = question.headers.as_ref().and_then(|h| h.get("traceparent"));
            if let Some(parent) = parent {
                telemetry::continue_from(&span, parent.as_str());
            }
            reply(&bus, question, &answer).instrument(span)
        })
        .await;
    anyhow::ensure!(stop.is_cancelled(), "the bus connection is closed");
    Ok(())
}

async fn reply<Q: Question, F>(bus: &Bus, question: Message, answer: &impl Fn(Q) -> F)
where
    F: Future<Output = Result<Q::Answer, sqlx::Error>>,
{
    let Some(reply) = question.reply else { return };
    let subject = Q::SUBJECT;
    let Ok(asked) = serde_json::from_slice(&question.payload) else {
        tracing::warn!(subject, "a question could not be read");
        return;
    };
    let answer = answer(asked).await.unwrap_or_else(|error| {
        tracing::warn!(subject, %error, "cannot read what is asked for");
        Q::away()
    });
    // An answer that cannot be written or sent is missed where it is waited for.
    if let Ok(payload) = serde_json::to_vec(&answer) {
        let _ = bus.client.publish(reply, payload.into()).await;
    }
}
