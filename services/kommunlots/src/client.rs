//! Talking to a running product over its public API, as every client does.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, bail};
use embedded::DataFolder;
use indicatif::{ProgressBar, ProgressStyle};
use platform::{Clock, http::FieldError};
use reqwest::{Method, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    cli::Access,
    config::Settings,
    product::{Product, Roles, Servers, Signals, key_file},
};

/// Figures that do not move for this long are not on their way.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running product, and the product itself where it was started for the moment.
pub(crate) struct Client {
    base: String,
    key: Option<String>,
    http: reqwest::Client,
    own: Option<Product>,
}

impl Client {
    /// The product at `--url`; else the one that uses the data folder; else the one that the configured servers belong
    /// to; else one that is started on the data folder for the moment.
    ///
    /// # Errors
    /// When there is none and none can be started.
    pub(crate) async fn reach(settings: Settings, access: &Access) -> anyhow::Result<Self> {
        let key = access.key.clone().or_else(|| {
            let text = std::fs::read_to_string(key_file(&settings.data)).ok()?;
            Some(text.trim().to_owned())
        });
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .build()?;
        let at = |base: String| Self {
            base,
            key: key.clone(),
            http: http.clone(),
            own: None,
        };
        if let Some(url) = &access.url {
            return Ok(at(url.trim_end_matches('/').to_owned()));
        }
        if let Some(running) = DataFolder::running(&settings.data) {
            let http = running.http.with_context(|| {
                format!(
                    "the product in {} is still starting; try again in a moment",
                    settings.data.display()
                )
            })?;
            return Ok(at(http));
        }
        if settings.database_url.is_some() || settings.nats_url.is_some() {
            return Ok(at(format!("http://{}", settings.http)));
        }
        Self::start(settings, http, access.key.clone()).await
    }

    async fn start(
        mut settings: Settings,
        http: reqwest::Client,
        key: Option<String>,
    ) -> anyhow::Result<Self> {
        // Nobody else shall find it, and a log that is followed is the running product's work.
        settings.http.set_port(0);
        settings.intake.queue_log.path = None;
        let signals = Signals::new()?;
        let starting = async {
            let servers = Servers::start(&settings, Roles::ALL, &settings.accounts()?).await?;
            Product::start(settings.clone(), Roles::ALL, Clock::real(), servers).await
        };
        let product = tokio::select! {
            product = starting => product?,
            () = signals.first() => bail!("interrupted"),
        };
        Ok(Self {
            base: product.base.clone(),
            key: key.or(product.key.clone()),
            http,
            own: Some(product),
        })
    }

    /// Ends the product, if it was started for the moment.
    pub(crate) async fn close(self) {
        if let Some(product) = self.own {
            product.stop().await;
        }
    }

    /// `GET path`.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> anyhow::Result<T> {
        let request = self.request(Method::GET, path).query(query);
        self.read(request.send().await).await
    }

    /// `POST path`.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        kind: &str,
        body: String,
    ) -> anyhow::Result<T> {
        let request = self
            .request(Method::POST, path)
            .header("content-type", kind)
            .body(body);
        self.read(request.send().await).await
    }

    /// `DELETE path`.
    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.read(self.request(Method::DELETE, path).send().await)
            .await
    }

    /// `POST path`; the fields that are wrong where the content is refused.
    pub(crate) async fn offer<T: DeserializeOwned>(
        &self,
        path: &str,
        kind: &str,
        body: String,
    ) -> anyhow::Result<Result<T, Vec<FieldError>>> {
        let request = self.request(Method::POST, path);
        let answer = request.header("content-type", kind).body(body).send().await;
        match answer {
            Ok(answer) if answer.status() == StatusCode::UNPROCESSABLE_ENTITY => {
                let mut problem: Value = answer.json().await?;
                Ok(Err(serde_json::from_value(problem["errors"].take())?))
            }
            answer => self.read(answer).await.map(Ok),
        }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        answer: reqwest::Result<Response>,
    ) -> anyhow::Result<T> {
        let answer = answer.with_context(|| {
            format!(
                "nothing answers at {}; start the product, or give its address with --url",
                self.base
            )
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer.json().await?);
        }
        let problem: Value = answer.json().await.unwrap_or_default();
        let say = |field: &str| {
            problem
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or("no explanation")
                .to_owned()
        };
        match status {
            StatusCode::UNAUTHORIZED => {
                bail!("{}: give a key with --key or KOMMUNLOTS_KEY", say("title"))
            }
            _ => bail!("{} ({status}): {}", say("title"), say("detail")),
        }
    }

    /// Waits until the figures hold everything that intake and routing have committed by now.
    ///
    /// # Errors
    /// When they stand still before that.
    pub(crate) async fn until_figures_hold_all(&self) -> anyhow::Result<()> {
        let mut wanted: BTreeMap<String, u64> = self.get("/intake/sources", &[]).await?;
        wanted.extend(
            self.get::<BTreeMap<String, u64>>("/routing/sources", &[])
                .await?,
        );
        let total: u64 = wanted.values().sum();
        let mut bar = None;
        let (mut before, mut since) = (0, std::time::Instant::now());
        loop {
            let applied: BTreeMap<String, u64> = self.get("/figures/positions", &[]).await?;
            let reached =
                |source: &String, n: &u64| (*n).min(applied.get(source).copied().unwrap_or(0));
            let done: u64 = wanted.iter().map(|(source, n)| reached(source, n)).sum();
            if done >= total {
                break;
            }
            if done > before {
                (before, since) = (done, std::time::Instant::now());
            }
            if since.elapsed() > PATIENCE {
                bail!(
                    "the figures stand still at {done} of {total} events; is metrics running, and do dead-letters or its log say why"
                );
            }
            let bar: &ProgressBar =
                bar.get_or_insert_with(|| progress(total, "events in the figures"));
            bar.set_position(done);
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        Ok(())
    }
}

/// Does something with a running product, and ends it if it was started for that.
///
/// # Errors
/// When there is none and none can be started, or `act` fails.
pub(crate) async fn with<T>(
    settings: Settings,
    access: &Access,
    act: impl AsyncFnOnce(&Client) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let client = Client::reach(settings, access).await?;
    let outcome = act(&client).await;
    client.close().await;
    outcome
}

/// A progress bar on standard error; hidden where that is no terminal.
pub(crate) fn progress(total: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{bar:30} {percent:>3} %  {human_pos} of {human_len} {msg}, {eta} left",
    );
    let bar = ProgressBar::new(total).with_message(what);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
