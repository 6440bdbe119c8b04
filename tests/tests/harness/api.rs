//! The product's public API, as its clients see it.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

/// How long an effect may take to be seen; far more than it takes, so that only a lost one fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) base: String,
    pub(crate) key: Option<String>,
    pub(crate) http: reqwest::Client,
}

/// An answer: its status and its JSON, or null where it is not JSON.
pub(crate) type Answer = (StatusCode, Value);

impl Api {
    pub(crate) fn new(base: &str, key: Option<&str>) -> Self {
        Self {
            base: base.to_owned(),
            key: key.map(str::to_owned),
            http: reqwest::Client::new(),
        }
    }

    /// The same without a key, or with another.
    pub(crate) fn with_key(&self, key: Option<&str>) -> Self {
        Self {
            key: key.map(str::to_owned),
            ..self.clone()
        }
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, &[], String::new()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(
            Method::POST,
            path,
            &[("content-type", "application/json")],
            body.to_string(),
        )
        .await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> anyhow::Result<Answer> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// A request that must be refused: its status and its problem, checked for being one.
    pub(crate) async fn problem(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> anyhow::Result<Answer> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let answer = request.body(body).send().await?;
        let status = answer.status();
        let kind = answer.headers().get("content-type").cloned();
        let text = answer.text().await?;
        let is_problem = kind
            .as_ref()
            .is_some_and(|k| k == "application/problem+json");
        ensure!(is_problem, "{path}: {status} came as {kind:?}: {text}");
        let problem: Value = serde_json::from_str(&text)?;
        ensure!(problem["status"] == status.as_u16(), "{status}: {problem}");
        for field in ["title", "detail"] {
            ensure!(
                problem[field].as_str().is_some_and(|t| !t.is_empty()),
                "{problem}"
            );
        }
        Ok((status, problem))
    }

    /// Posts contact events as NDJSON; the counts, when it succeeds.
    pub(crate) async fn contacts(&self, events: &[Value]) -> anyhow::Result<Value> {
        let body: String = events.iter().map(|e| format!("{e}\n")).collect();
        let kind = [("content-type", "application/x-ndjson")];
        let (status, answer) = self
            .send(Method::POST, "/intake/contacts", &kind, body)
            .await?;
        if status != StatusCode::OK {
            bail!("{status}: {answer}");
        }
        Ok(answer)
    }

    /// The last frame.
    pub(crate) async fn board(&self) -> anyhow::Result<Value> {
        let (status, board) = self.get("/wallboard/board.json").await?;
        if status != StatusCode::OK {
            bail!("{status}: {board}");
        }
        Ok(board)
    }

    /// `GET /figures`, when everything committed so far is in them.
    pub(crate) async fn figures(&self, query: &str) -> anyhow::Result<Vec<Value>> {
        self.until_figures_hold_all().await?;
        let (status, figures) = self.get(&format!("/figures?{query}")).await?;
        if status != StatusCode::OK {
            bail!("{status}: {figures}");
        }
        figures.as_array().cloned().context("an array")
    }

    /// Waits until metrics has applied everything intake has committed.
    pub(crate) async fn until_figures_hold_all(&self) -> anyhow::Result<()> {
        eventually("the figures hold everything", async || {
            let (_, sources) = self.get("/intake/sources").await?;
            let (_, positions) = self.get("/figures/positions").await?;
            let sources = sources.as_object().context("sources")?;
            let behind = sources.iter().find(|(source, last)| {
                positions[source.as_str()].as_u64().unwrap_or(0) < last.as_u64().unwrap_or(0)
            });
            match behind {
                None => Ok(()),
                Some((source, last)) => bail!("{source}: {} of {last}", positions[source.as_str()]),
            }
        })
        .await
    }
}

/// A contact event on the telephone, in the queue `vaxel`.
pub(crate) fn contact(reference: &str, event: &str, at: &str) -> Value {
    json!({ "contact": reference, "event": event, "at": at, "channel": "phone", "queue": "vaxel" })
}

/// A connection to the private database of a data folder, with every right.
pub(crate) async fn database(data: &Path) -> anyhow::Result<PgConnection> {
    let url = embedded::Postgres::url_of(&data.join("postgres")).context("a database's address")?;
    Ok(PgConnection::connect(&url).await?)
}

/// The address of the private NATS of a data folder.
pub(crate) fn bus_address(data: &Path) -> anyhow::Result<String> {
    let port = std::fs::read_to_string(data.join("nats/port"))?;
    Ok(format!("127.0.0.1:{}", port.trim()))
}

/// A file of the real and realistic input, where it is there. Tests do without where it is not.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(name);
    if file.exists() {
        return Some(file);
    }
    eprintln!("skipped: there is no shared/data/{name} beside the repository");
    None
}

/// Tries until it holds. What is waited for is named when it never does.
pub(crate) async fn eventually<T>(
    what: &str,
    mut attempt: impl AsyncFnMut() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let until = Instant::now() + PATIENCE;
    loop {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) if Instant::now() > until => {
                return Err(error.context(format!("never: {what}")));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(25)).await,
        }
    }
}
