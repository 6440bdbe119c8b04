//! A bus as `kommunlots nats-config` sets it up, and departments' systems on it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use async_nats::{
    Client, ConnectOptions, HeaderMap,
    jetstream::{
        self,
        consumer::{AckPolicy, PullConsumer, pull},
        context::ContextBuilder,
        stream::State,
    },
};
use domain::{Department, Stream, in_stream, out_stream};
use embedded::{Guard, Nats};
use nkeys::KeyPair;
use platform::bus::{self, Bus, StreamSpec, ensure_department, ensure_stream};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{eventually, kommunlots, program};

/// One brings its own key. One is called as a service is, and one has a `-` in its name.
pub(super) const DEPARTMENTS: [&str; 4] = ["bygg", "gata", "routing", "vard-2"];

/// For an answer of the server, whose disk another test may flood; far more than it takes.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn department(label: &str) -> Department {
    label.parse().expect("a label")
}

/// The made-up municipality's agreements and two departments more; bygg's names `key`.
pub(super) fn agreements(folder: &Path, key: &str) -> anyhow::Result<PathBuf> {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/agreements");
    let dir = folder.join("agreements");
    fs::create_dir_all(&dir)?;
    for entry in fs::read_dir(example)? {
        let file = entry?.path();
        let name = file.file_name().context("a name")?;
        fs::copy(&file, dir.join(name))?;
    }
    let bygg = fs::read_to_string(dir.join("bygg.toml"))?;
    let named = bygg.replace(
        "# public_nkey = \"U...\"",
        &format!("public_nkey = {key:?}"),
    );
    ensure!(named != bygg, "the example shows where the key goes");
    fs::write(dir.join("bygg.toml"), named)?;
    for more in ["routing.toml", "vard-2.toml"] {
        fs::copy(dir.join("kultur.toml"), dir.join(more))?;
    }
    Ok(dir)
}

/// `kommunlots nats-config`; what it prints.
pub(super) fn nats_config(dir: &Path, listen: &str, agreements: &Path) -> anyhow::Result<String> {
    let output = kommunlots()
        .arg("nats-config")
        .arg(dir)
        .args(["--listen", listen, "--agreements"])
        .arg(agreements)
        .output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// A bus as `kommunlots nats-config` sets it up, with the streams of routing, and the services that make them.
pub(super) struct Town {
    folder: TempDir,
    /// Bygg's own key.
    pub(super) key: KeyPair,
    nats: Nats,
    pub(super) routing: Bus,
    intake: Bus,
}

impl Town {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let key = KeyPair::new_user();
        let agreements = agreements(folder.path(), &key.public_key())?;
        let dir = folder.path().join("bus");
        let guard = Guard::program(program());
        let nats = Nats::start(&folder.path().join("nats"), &guard, |place| {
            nats_config(&dir, &place.listen.to_string(), &agreements)?;
            Ok(fs::read_to_string(dir.join("nats.conf"))?)
        })
        .await?;
        let (url, keys) = (nats.url(), dir.join("keys"));
        let service = async |name: &str| {
            let seed = fs::read_to_string(keys.join(format!("{name}.nk")))?;
            let service = Office::connect(&url, name, &seed).await?;
            let context = ContextBuilder::new()
                .timeout(PATIENCE)
                .ack_timeout(PATIENCE);
            anyhow::Ok(Bus {
                jetstream: context.build(service.client.clone()),
                client: service.client,
            })
        };
        let town = Self {
            routing: service("routing").await?,
            intake: service("intake").await?,
            folder,
            key,
            nats,
        };
        let window = bus::DUPLICATE_WINDOW;
        for label in DEPARTMENTS {
            // The second time, they are there.
            for _ in 0..2 {
                ensure_department(&town.routing, &department(label), window).await?;
            }
        }
        ensure_stream(&town.routing, &StreamSpec::from(Stream::Cases), window).await?;
        ensure_stream(&town.intake, &StreamSpec::from(Stream::Contacts), window).await?;
        Ok(town)
    }

    pub(super) fn url(&self) -> String {
        self.nats.url()
    }

    pub(super) async fn office(&self, label: &str) -> anyhow::Result<Office> {
        let seed = if label == "bygg" {
            self.key.seed()?
        } else {
            let keys = self.folder.path().join("bus/keys");
            fs::read_to_string(keys.join(format!("departments/{label}.nk")))?
        };
        Office::connect(&self.url(), label, &seed).await
    }

    pub(super) async fn state(&self, stream: &str) -> anyhow::Result<State> {
        let bus = if stream == "CONTACTS" {
            &self.intake
        } else {
            &self.routing
        };
        Ok(bus
            .jetstream
            .get_stream(stream)
            .await?
            .get_info()
            .await?
            .state)
    }

    /// Every stream that holds something, but that of bygg's closures.
    pub(super) async fn elsewhere(&self) -> anyhow::Result<Vec<String>> {
        let mut streams = vec!["CASES".to_owned(), "CONTACTS".to_owned()];
        for label in DEPARTMENTS {
            streams.extend([
                in_stream(&department(label)),
                out_stream(&department(label)),
            ]);
        }
        let mut filled = Vec::new();
        for stream in streams {
            if stream != "IN_BYGG" && self.state(&stream).await?.last_sequence > 0 {
                filled.push(stream);
            }
        }
        Ok(filled)
    }

    /// Routing's reading of a department's closures.
    pub(super) async fn closures(&self, label: &str) -> anyhow::Result<PullConsumer> {
        let consumer = pull::Config {
            durable_name: Some("routing".to_owned()),
            name: Some("routing".to_owned()),
            ack_policy: AckPolicy::Explicit,
            ..pull::Config::default()
        };
        let stream = in_stream(&department(label));
        let jetstream = &self.routing.jetstream;
        Ok(jetstream
            .create_consumer_on_stream(consumer, stream)
            .await?)
    }

    pub(super) async fn end(self) {
        self.nats.server.stop().await;
    }
}

/// A department's system, and what the server tells it.
pub(super) struct Office {
    pub(super) client: Client,
    /// As the department's own account names the city's interface.
    pub(super) jetstream: jetstream::Context,
    events: mpsc::Receiver<String>,
}

impl Office {
    pub(super) async fn connect(url: &str, label: &str, seed: &str) -> anyhow::Result<Self> {
        let (sender, events) = mpsc::channel();
        let client = ConnectOptions::with_nkey(seed.trim().to_owned())
            .custom_inbox_prefix(format!("_INBOX_{label}"))
            .request_timeout(Some(PATIENCE))
            .event_callback(move |event| {
                let _ = sender.send(event.to_string().to_lowercase());
                async {}
            })
            .connect(url)
            .await?;
        let jetstream = ContextBuilder::new()
            .api_prefix("CITY.API")
            .timeout(PATIENCE)
            .build(client.clone());
        Ok(Self {
            client,
            jetstream,
            events,
        })
    }

    /// Sends a closure; the server's answer.
    pub(super) async fn close(&self, headers: HeaderMap, payload: &[u8]) -> anyhow::Result<Value> {
        let payload = payload.to_vec().into();
        let answer = self
            .client
            .request_with_headers("closure", headers, payload)
            .await?;
        if answer.payload.is_empty() {
            bail!("{:?}: {:?}", answer.status, answer.description);
        }
        Ok(serde_json::from_slice(&answer.payload)?)
    }

    /// Sends a closure that must be stored; its number in the stream.
    pub(super) async fn closed(&self, id: &str) -> anyhow::Result<u64> {
        let answer = self.close(with("Nats-Msg-Id", id), b"{}").await?;
        let stored = answer["error"].is_null() && answer["duplicate"].is_null();
        ensure!(stored, "{answer}");
        answer["seq"].as_u64().context("a number")
    }

    /// Waits until the server has told all of `told`.
    pub(super) async fn hears(&self, told: &[String]) -> anyhow::Result<()> {
        let mut events = Vec::new();
        eventually("the server says no", async || {
            events.extend(self.events.try_iter());
            let missing: Vec<_> = told
                .iter()
                .filter(|told| !events.iter().any(|event| event.contains(told.as_str())))
                .collect();
            ensure!(
                missing.is_empty(),
                "not told: {missing:?}; told: {events:?}"
            );
            Ok(())
        })
        .await
    }
}

pub(super) fn with(name: &str, value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(name, value);
    headers
}
