//! The demo as a client of the public API: it knows nothing of the product but its addresses.

use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;

use super::event::ContactEvent;

/// Lines in one batch: what a restart or a night leaves behind goes in several.
const BATCH: usize = 500;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Real time for one request: longer is a failure, and tried again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the product is, and the key to it.
#[derive(Clone)]
pub(crate) struct Api {
    /// Without a slash at the end: `http://127.0.0.1:8080`.
    pub(crate) base: String,
    /// The bearer key; never logged.
    pub(crate) key: String,
}

/// A client that loses nothing: it sends until it has an answer.
pub(super) struct Client {
    api: Api,
    http: reqwest::Client,
}

/// problem+json, as much of it as is of use in a log line.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: String,
    detail: String,
}

impl Client {
    pub(super) fn new(api: Api) -> reqwest::Result<Self> {
        // The product is on this machine: a proxy for the world outside would not find it.
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .no_proxy()
            .build()?;
        Ok(Client { api, http })
    }

    /// Posts contact events, in their order.
    pub(super) async fn contacts(&self, events: &[ContactEvent]) -> anyhow::Result<()> {
        for batch in events.chunks(BATCH) {
            let mut lines = String::new();
            for event in batch {
                lines += &serde_json::to_string(event)?;
                lines.push('\n');
            }
            self.send("/intake/contacts", Body::Lines(lines)).await;
        }
        Ok(())
    }

    /// Posts JSON under an idempotency key. None when the product refuses it.
    pub(super) async fn post(&self, path: &str, json: String, key: String) -> Option<String> {
        self.send(path, Body::Json { json, key }).await
    }

    /// Reads JSON; `None` when the product refuses it.
    pub(super) async fn get(&self, path: &str) -> Option<String> {
        self.send(path, Body::None).await
    }

    /// Sends until the product has answered, and returns the answer unless it is a refusal. The same key each time: a
    /// request whose answer was lost has no second effect.
    async fn send(&self, path: &str, body: Body) -> Option<String> {
        let mut wait = FIRST_WAIT;
        loop {
            match self.try_once(path, &body).await {
                Ok((status, text)) if status.is_success() => return Some(text),
                Ok((status, text)) if !is_passing(status) => {
                    log_refusal(path, status, &text);
                    return None;
                }
                Ok((status, _)) => {
                    tracing::debug!(
                        http.status = status.as_u16(),
                        path,
                        "not ready, trying again"
                    );
                }
                Err(error) => {
                    tracing::debug!(error = %error.without_url(), path, "no answer, trying again");
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn try_once(&self, path: &str, body: &Body) -> reqwest::Result<(StatusCode, String)> {
        let url = format!("{}{path}", self.api.base);
        let request = match body {
            Body::None => self.http.get(url),
            _ => self.http.post(url),
        };
        let request = body.onto(request.bearer_auth(&self.api.key));
        let answer = request.send().await?;
        // An answer that breaks off is no answer, so it is read here.
        Ok((answer.status(), answer.text().await?))
    }
}

/// What is sent: nothing, contact events, or one request with its idempotency key.
enum Body {
    None,
    Lines(String),
    Json { json: String, key: String },
}

impl Body {
    fn onto(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match self {
            Body::None => request,
            Body::Lines(lines) => request
                .header("Content-Type", "application/x-ndjson")
                .body(lines.clone()),
            Body::Json { json, key } => request
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", key)
                .body(json.clone()),
        }
    }
}

/// Will another try help?
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        )
}

fn log_refusal(path: &str, status: StatusCode, text: &str) {
    let problem: Problem = serde_json::from_str(text).unwrap_or_default();
    tracing::warn!(
        http.status = status.as_u16(),
        path,
        problem = problem.title,
        detail = problem.detail,
        "the product refused a request of the demo, and its content is lost"
    );
}
