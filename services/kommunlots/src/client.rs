//! Talking to a running product over its public API, as every client does.

use std::{
    collections::BTreeMap,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

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
/// How often a folder that is in use is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A running product, and the product itself where it was started for the moment.
pub(crate) struct Client {
    found: Found,
    http: reqwest::Client,
    signals: Signals,
}

/// A product, and what opens it.
struct Found {
    base: String,
    key: Option<String>,
    own: Option<Product>,
}

/// That a command was told to stop, by Ctrl-C or SIGTERM, before it was done.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

impl Client {
    /// The product at `--url`; else the one that uses the data folder; else the one that the configured servers belong
    /// to; else one that is started on the data folder for the moment.
    ///
    /// # Errors
    /// When there is none and none can be started.
    pub(crate) async fn reach(settings: Settings, access: &Access) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .build()?;
        // Before anything is started: from here on, being told to stop ends it in order.
        let signals = Signals::new()?;
        let found = tokio::select! {
            found = find(settings, access) => found?,
            () = signals.first() => return Err(Interrupted.into()),
        };
        Ok(Self {
            found,
            http,
            signals,
        })
    }

    /// Does `act`, unless the command is told to stop.
    ///
    /// # Errors
    /// Those of `act`; [`Interrupted`] when it is told to stop before that is done.
    pub(crate) async fn unless_told<T>(
        &self,
        act: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        tokio::select! {
            done = act => done,
            () = self.signals.first() => Err(Interrupted.into()),
        }
    }

    /// Ends the product, if it was started for the moment.
    pub(crate) async fn close(self) {
        if let Some(product) = self.found.own {
            // Told once more, it ends at once; its servers' guards see to the rest.
            tokio::select! {
                () = product.stop() => {}
                () = self.signals.next() => {}
            }
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
        let request = self
            .http
            .request(method, format!("{}{path}", self.found.base));
        match &self.found.key {
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
                self.found.base
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

/// Finds the product; see [`Client::reach`]. A data folder's key is for the product that runs in it: no other address gets it.
async fn find(settings: Settings, access: &Access) -> anyhow::Result<Found> {
    let at = |base: String, key: Option<String>| Found {
        base,
        key: access.key.clone().or(key),
        own: None,
    };
    if let Some(url) = &access.url {
        return Ok(at(url.trim_end_matches('/').to_owned(), None));
    }
    loop {
        if let Some(base) = running_in(&settings.data).await {
            let key = std::fs::read_to_string(key_file(&settings.data)).ok();
            return Ok(at(base, key.map(|key| key.trim().to_owned())));
        }
        if settings.database_url.is_some() || settings.nats_url.is_some() {
            return Ok(at(format!("http://{}", settings.http), None));
        }
        match start(settings.clone()).await {
            Ok(product) => {
                return Ok(Found {
                    base: product.base.clone(),
                    key: access.key.clone().or(product.key.clone()),
                    own: Some(product),
                });
            }
            // Another was quicker to take the folder.
            Err(_) if DataFolder::running(&settings.data).is_some() => {}
            Err(error) => return Err(error),
        }
    }
}

/// Where the product answers that runs in a data folder, if one does. One that is starting is waited for, and so is one that
/// another command has started for the moment, since it ends with that command.
pub(crate) async fn running_in(folder: &Path) -> Option<String> {
    let mut said = false;
    loop {
        let running = DataFolder::running(folder)?;
        if running.http.is_some() {
            return running.http;
        }
        if !std::mem::replace(&mut said, true) {
            eprintln!(
                "waiting for another kommunlots (pid {}), which starts in {} or does a command's work there",
                running.pid,
                folder.display()
            );
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A product for one command's work: nobody else shall find it, and it does nothing by itself.
async fn start(mut settings: Settings) -> anyhow::Result<Product> {
    settings.momentary = true;
    // What it writes of itself, such as a link, must be good when it is gone.
    let address = format!("http://{}", settings.http);
    settings.routing.public_url.get_or_insert(address);
    settings.http = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    // A log that is followed is the running product's work.
    settings.intake.queue_log.path = None;
    let servers = Servers::start(&settings, Roles::ALL, &settings.accounts()?).await?;
    Product::start(settings, Roles::ALL, Clock::real(), servers).await
}

/// Does something with a running product, and ends it if it was started for that.
///
/// # Errors
/// When there is none and none can be started, `act` fails, or the command is told to stop meanwhile.
pub(crate) async fn with<T>(
    settings: Settings,
    access: &Access,
    act: impl AsyncFnOnce(&Client) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let client = Client::reach(settings, access).await?;
    let outcome = client.unless_told(act(&client)).await;
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
