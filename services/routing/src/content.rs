//! Asks intake for a case's content. It is shown and forgotten: routing stores nothing of it.

use std::time::Duration;

use async_nats::HeaderMap;
use domain::{CaseId, ContentAnswer, ContentRequest};
use platform::{bus::Bus, telemetry};

/// How long the page waits for intake. Without content it is still of use.
const PATIENCE: Duration = Duration::from_secs(3);

/// A case's content, or [`ContentAnswer::Away`] where intake does not answer in time.
pub(crate) async fn ask(bus: &Bus, case: CaseId) -> ContentAnswer {
    let mut headers = HeaderMap::new();
    if let Some(traceparent) = telemetry::traceparent() {
        headers.insert("traceparent", traceparent.as_str());
    }
    let Ok(question) = serde_json::to_vec(&ContentRequest { case }) else {
        return ContentAnswer::Away;
    };
    let request =
        bus.client
            .request_with_headers(ContentRequest::SUBJECT, headers, question.into());
    match tokio::time::timeout(PATIENCE, request).await {
        // Why an answer cannot be read is not told: the reason would quote it.
        Ok(Ok(answer)) => serde_json::from_slice(&answer.payload).unwrap_or(ContentAnswer::Away),
        Ok(Err(error)) => {
            tracing::warn!(%error, "intake hands out no content; look at its log");
            ContentAnswer::Away
        }
        Err(_) => {
            tracing::warn!("intake hands out no content in time; look at its log");
            ContentAnswer::Away
        }
    }
}
