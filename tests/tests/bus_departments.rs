//! The bus: what a department's system may do there, whatever it tries, and what its flood does to the others.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use async_nats::{
    Client, ConnectOptions, HeaderMap,
    jetstream::{
        self, AckKind,
        consumer::{AckPolicy, PullConsumer, pull},
        context::ContextBuilder,
        stream::State,
    },
};
use domain::{Department, Stream, in_stream, out_stream};
use embedded::{Guard, Nats};
use futures::StreamExt;
use nkeys::KeyPair;
use platform::bus::{self, Bus, StreamSpec, ensure_department, ensure_stream};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Product, bus_address, eventually, kommunlots, program};

/// A department that brings its own key, one that gets one, and one with a `-` in its name, which is also a service's.
const DEPARTMENTS: [&str; 3] = ["bygg", "gata", "routing-2"];

fn department(label: &str) -> Department {
    label.parse().expect("a label")
}

/// The made-up municipality's agreements and one department more, in which bygg names `key`.
fn agreements(folder: &Path, key: &str) -> anyhow::Result<PathBuf> {
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
    fs::copy(dir.join("kultur.toml"), dir.join("routing-2.toml"))?;
    Ok(dir)
}

/// `kommunlots nats-config`; what it prints.
fn nats_config(dir: &Path, listen: &str, agreements: &Path) -> anyhow::Result<String> {
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
struct Town {
    folder: TempDir,
    /// Bygg's own key.
    key: KeyPair,
    nats: Nats,
    routing: Bus,
    intake: Bus,
}

impl Town {
    async fn start() -> anyhow::Result<Self> {
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
        let keys = dir.join("keys");
        let town = Self {
            routing: Bus::connect(&nats.url(), "routing", Some(&keys)).await?,
            intake: Bus::connect(&nats.url(), "intake", Some(&keys)).await?,
            folder,
            key,
            nats,
        };
        let window = bus::DUPLICATE_WINDOW;
        for label in DEPARTMENTS {
            // The second time, they are there.
            for _ in 0..2 {
                let department = department(label);
                eventually("the department's streams are made", async || {
                    ensure_department(&town.routing, &department, window).await
                })
                .await?;
            }
        }
        ensure_stream(&town.routing, &StreamSpec::from(Stream::Cases), window).await?;
        ensure_stream(&town.intake, &StreamSpec::from(Stream::Contacts), window).await?;
        Ok(town)
    }

    fn url(&self) -> String {
        self.nats.url()
    }

    async fn office(&self, label: &str) -> anyhow::Result<Office> {
        let seed = if label == "bygg" {
            self.key.seed()?
        } else {
            let keys = self.folder.path().join("bus/keys");
            fs::read_to_string(keys.join(format!("departments/{label}.nk")))?
        };
        Office::connect(&self.url(), label, &seed).await
    }

    async fn state(&self, stream: &str) -> anyhow::Result<State> {
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
    async fn elsewhere(&self) -> anyhow::Result<Vec<String>> {
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
    async fn closures(&self, label: &str) -> anyhow::Result<PullConsumer> {
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

    async fn end(self) {
        self.nats.server.stop().await;
    }
}

/// A department's system, and what the server tells it.
struct Office {
    client: Client,
    /// As the department's own account names the city's interface.
    jetstream: jetstream::Context,
    events: mpsc::Receiver<String>,
}

impl Office {
    async fn connect(url: &str, label: &str, seed: &str) -> anyhow::Result<Self> {
        let (sender, events) = mpsc::channel();
        let client = ConnectOptions::with_nkey(seed.trim().to_owned())
            .custom_inbox_prefix(format!("_INBOX_{label}"))
            .request_timeout(Some(Duration::from_secs(30)))
            .event_callback(move |event| {
                let _ = sender.send(event.to_string().to_lowercase());
                async {}
            })
            .connect(url)
            .await?;
        let jetstream = ContextBuilder::new()
            .api_prefix("CITY.API")
            .timeout(Duration::from_secs(10))
            .build(client.clone());
        Ok(Self {
            client,
            jetstream,
            events,
        })
    }

    /// Sends a closure; the server's answer.
    async fn close(&self, headers: HeaderMap, payload: &[u8]) -> anyhow::Result<Value> {
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
    async fn closed(&self, id: &str) -> anyhow::Result<u64> {
        let answer = self.close(with("Nats-Msg-Id", id), b"{}").await?;
        let stored = answer["error"].is_null() && answer["duplicate"].is_null();
        ensure!(stored, "{answer}");
        answer["seq"].as_u64().context("a number")
    }

    /// Waits until the server has told all of `told`.
    async fn hears(&self, told: &[String]) -> anyhow::Result<Vec<String>> {
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
        .await?;
        Ok(events)
    }
}

fn with(name: &str, value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(name, value);
    headers
}

#[tokio::test]
async fn a_department_reaches_its_own_streams_and_nothing_else() -> anyhow::Result<()> {
    let town = Town::start().await?;
    for label in DEPARTMENTS {
        let office = town.office(label).await?;
        // A closure arrives under the name that the server gives it.
        assert_eq!(office.closed("1").await?, 1);
        let mut closures = town.closures(label).await?.messages().await?;
        let closure = closures.next().await.context("a closure")??;
        assert_eq!(closure.subject.as_str(), format!("in.closure.{label}"));
        closure.ack().await.map_err(anyhow::Error::from_boxed)?;

        // What the department is told, it reads and acknowledges, once.
        let subject = format!("out.{label}.forwarded");
        let told = town
            .routing
            .jetstream
            .publish(subject.clone(), "told".into());
        told.await?.await?;
        let consumer: PullConsumer = office
            .jetstream
            .get_consumer_from_stream(label, out_stream(&department(label)))
            .await?;
        let news = consumer.messages().await?.next().await.context("news")??;
        assert_eq!(news.subject.as_str(), subject);
        assert_eq!(&news.payload[..], b"told");
        let acked = news.double_ack_with(AckKind::Ack).await;
        acked.map_err(anyhow::Error::from_boxed)?;
        let mut consumer = consumer;
        assert_eq!(consumer.info().await?.ack_floor.consumer_sequence, 1);
    }

    let office = town.office("bygg").await?;
    let publish = [
        "in.closure.bygg",
        "in.closure.gata",
        "out.bygg.forwarded",
        "case.bygg.closed",
        "contact.phone.queued",
        "board",
        "source.routing.OUT_BYGG",
        "resend.routing.OUT_BYGG",
        "resend.routing.CASES",
        "_INBOX_bygg.x",
        "_INBOX_routing.x",
        "_R_.x.y",
        "$JS.API.INFO",
        "$JS.API.STREAM.INFO.IN_BYGG",
        "$JS.API.STREAM.CREATE.IN_BYGG",
        "$JS.API.CONSUMER.MSG.NEXT.OUT_BYGG.bygg",
        "$JS.ACK.OUT_GATA.gata.1.1.1.1.1",
        "$JS.ACK.IN_BYGG.routing.1.1.1.1.1",
        "$SYS.REQ.SERVER.PING",
        "CITY.API.INFO",
        "CITY.API.STREAM.INFO.OUT_BYGG",
        "CITY.API.STREAM.MSG.GET.OUT_BYGG",
        "CITY.API.STREAM.PURGE.OUT_BYGG",
        "CITY.API.CONSUMER.CREATE.OUT_BYGG.bygg",
        "CITY.API.CONSUMER.DELETE.OUT_BYGG.bygg",
        "CITY.API.CONSUMER.INFO.IN_BYGG.routing",
        "CITY.API.CONSUMER.MSG.NEXT.IN_BYGG.routing",
        "CITY.API.CONSUMER.INFO.OUT_GATA.gata",
        "CITY.API.CONSUMER.MSG.NEXT.OUT_GATA.gata",
    ];
    // Fewer than the twenty subscriptions that a connection may have.
    let subscribe = [
        ">",
        "*",
        "closure",
        "in.>",
        "out.bygg.>",
        "out.gata.>",
        "case.*.*",
        "_INBOX.>",
        "_INBOX_gata.>",
        "_INBOX_routing.>",
        "_R_.>",
        "$JS.>",
        "$SYS.>",
    ];
    for subject in publish {
        office.client.publish(subject, "{}".into()).await?;
    }
    let mut subscribers = Vec::new();
    for subject in subscribe {
        subscribers.push(office.client.subscribe(subject).await?);
    }
    office.client.flush().await?;
    let refused = |what: &str, subject: &&str| format!("{what} to \"{}\"", subject.to_lowercase());
    let publish = publish.iter().map(|subject| refused("publish", subject));
    let subscribe = subscribe.iter().map(|s| refused("subscription", s));
    office
        .hears(&publish.chain(subscribe).collect::<Vec<_>>())
        .await?;
    let others: Result<PullConsumer, _> = office
        .jetstream
        .get_consumer_from_stream("gata", "OUT_GATA")
        .await;
    assert!(others.is_err(), "bygg reads what gata is told");
    assert_eq!(town.state("IN_BYGG").await?.last_sequence, 1);
    assert_eq!(town.state("IN_GATA").await?.last_sequence, 1);
    assert_eq!(town.state("CASES").await?.last_sequence, 0);

    // Nor with another's name in the inbox: the server goes by the key.
    let seed = town.key.seed()?;
    let impostor = Office::connect(&town.url(), "gata", &seed).await?;
    let mut inbox = impostor.client.subscribe("_INBOX_gata.>").await?;
    impostor
        .hears(&["subscription to \"_inbox_gata.>\"".to_owned()])
        .await?;
    town.office("gata").await?.closed("2").await?;
    impostor.client.publish("closure", "{}".into()).await?;
    impostor.client.flush().await?;
    eventually("the closure is under the key's name", async || {
        ensure!(town.state("IN_BYGG").await?.last_sequence == 2);
        Ok(())
    })
    .await?;
    assert_eq!(town.state("IN_GATA").await?.last_sequence, 2);
    drop(impostor);
    assert!(inbox.next().await.is_none(), "bygg hears answers to gata");
    town.end().await;
    Ok(())
}

#[tokio::test]
async fn neither_replies_nor_headers_get_out_of_a_department_s_own_stream() -> anyhow::Result<()> {
    let town = Town::start().await?;
    let office = town.office("bygg").await?;
    let replies = [
        "case.bygg.closed",
        "contact.phone.queued",
        "in.closure.gata",
        "in.closure.bygg",
        "out.gata.forwarded",
        "out.bygg.forwarded",
        "resend.routing.CASES",
        "_INBOX_routing.x",
        "$JS.API.STREAM.PURGE.CASES",
        "closure",
    ];
    for reply in replies {
        let sent = office
            .client
            .publish_with_reply("closure", reply, "{}".into());
        sent.await?;
    }
    // A header that asks for more than the closure itself is refused, or has no effect.
    let headers: [&[(&str, &str)]; 7] = [
        &[("Nats-Trace-Dest", "case.bygg.closed")],
        &[
            ("Nats-Trace-Dest", "in.closure.gata"),
            ("Nats-Trace-Only", "true"),
        ],
        &[("Nats-Rollup", "all")],
        &[("Nats-TTL", "1s")],
        &[
            ("Nats-Schedule", "@every 1s"),
            ("Nats-Schedule-Target", "case.bygg.closed"),
        ],
        &[
            ("Nats-Batch-Id", "b"),
            ("Nats-Batch-Sequence", "1"),
            ("Nats-Batch-Commit", "1"),
        ],
        &[("Nats-Expected-Stream", "CASES")],
    ];
    for headers in headers {
        let headers: HeaderMap = headers
            .iter()
            .map(|(n, v)| {
                (
                    async_nats::HeaderName::from_static(n),
                    async_nats::HeaderValue::from(*v),
                )
            })
            .collect();
        let sent = office
            .client
            .publish_with_headers("closure", headers, "{}".into());
        sent.await?;
    }
    // The acknowledgement of the last one comes after those of all the others.
    let last = office.closed("last").await?;
    assert_eq!(
        last,
        replies.len() as u64 + 1,
        "the tricks themselves are closures, and may be read"
    );
    office.client.flush().await?;
    assert_eq!(town.elsewhere().await?, Vec::<String>::new());

    // What the department is told, and has sent to its own `closure`, stays its own: its stream says whose it is.
    let told = town
        .routing
        .jetstream
        .publish("out.bygg.forwarded", "told".into());
    told.await?.await?;
    let next = "CITY.API.CONSUMER.MSG.NEXT.OUT_BYGG.bygg";
    office
        .client
        .publish_with_reply(next, "closure", "{\"batch\":1}".into())
        .await?;
    eventually("it comes back as a closure", async || {
        ensure!(town.state("IN_BYGG").await?.last_sequence == last + 1);
        Ok(())
    })
    .await?;
    assert_eq!(town.elsewhere().await?, ["OUT_BYGG"]);
    town.end().await;
    Ok(())
}

#[tokio::test]
async fn a_message_id_counts_for_its_department_only() -> anyhow::Result<()> {
    let town = Town::start().await?;
    for label in DEPARTMENTS {
        assert_eq!(
            town.office(label).await?.closed("the same").await?,
            1,
            "{label}"
        );
    }
    let again = town
        .office("bygg")
        .await?
        .close(with("Nats-Msg-Id", "the same"), b"{}")
        .await?;
    assert_eq!(again["duplicate"], true, "{again}");
    town.end().await;
    Ok(())
}

#[tokio::test]
async fn what_is_too_large_or_too_many_is_refused() -> anyhow::Result<()> {
    let town = Town::start().await?;
    let office = town.office("bygg").await?;
    let large = vec![b'x'; 65_536 - 100];
    assert_eq!(office.close(HeaderMap::new(), &large).await?["seq"], 1);
    office
        .client
        .publish("closure", vec![b'x'; 65_537].into())
        .await?;
    office.hears(&["maximum payload".to_owned()]).await?;
    // The server has closed the connection, and takes another.
    let office = town.office("bygg").await?;
    assert_eq!(office.closed("2").await?, 2);

    let mut subscribers = Vec::new();
    for n in 0..21 {
        subscribers.push(office.client.subscribe(format!("_INBOX_bygg.{n}")).await?);
    }
    office.hears(&["maximum subscriptions".to_owned()]).await?;
    drop(office);

    eventually("its connections are closed", async || {
        let mut offices = Vec::new();
        for _ in 0..4 {
            offices.push(town.office("bygg").await?);
        }
        ensure!(town.office("bygg").await.is_err(), "a fifth connection");
        Ok(())
    })
    .await?;
    town.office("gata").await?.closed("1").await?;
    town.end().await;
    Ok(())
}

#[tokio::test]
async fn a_flood_fills_its_own_stream_and_no_other() -> anyhow::Result<()> {
    let town = Town::start().await?;
    let bygg = town.office("bygg").await?;
    let gata = town.office("gata").await?;

    let (refused, enough) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut answers = bygg.client.subscribe("_INBOX_bygg.flood").await?;
    let flood = async {
        let closure = bytes_of(60_000);
        let mut sent = 0u64;
        while !enough.load(Ordering::Relaxed) {
            let reply = "_INBOX_bygg.flood";
            let closure = closure.clone().into();
            bygg.client
                .publish_with_reply("closure", reply, closure)
                .await?;
            sent += 1;
            tokio::task::yield_now().await;
        }
        bygg.client.flush().await?;
        anyhow::Ok(sent)
    };
    let answered = async {
        while let Some(answer) = answers.next().await {
            let text = String::from_utf8_lossy(&answer.payload).into_owned();
            if text.is_empty() || text.contains("error") {
                refused.fetch_add(1, Ordering::Relaxed);
            }
        }
        bail!("the flood's connection is closed")
    };
    let others = async {
        eventually("the flood is refused", async || {
            ensure!(refused.load(Ordering::Relaxed) > 0);
            Ok(())
        })
        .await?;
        // Meanwhile, the others are at work.
        for n in 0..20 {
            assert_eq!(gata.closed(&n.to_string()).await?, n + 1);
            let case = town
                .routing
                .jetstream
                .publish("case.bygg.closed", "{}".into());
            case.await?.await?;
        }
        enough.store(true, Ordering::Relaxed);
        anyhow::Ok(())
    };
    let sent = tokio::select! {
        both = async { tokio::try_join!(flood, others) } => both?.0,
        ended = answered => ended?,
    };

    let full = town.state("IN_BYGG").await?;
    assert!(full.bytes <= 16 * 1024 * 1024, "{full:?}");
    assert!(full.messages < sent, "{full:?} of {sent}");
    assert_eq!(town.state("IN_GATA").await?.messages, 20);
    assert_eq!(town.state("CASES").await?.messages, 20);
    let closure = bytes_of(60_000);
    let answer = bygg.close(HeaderMap::new(), &closure).await?;
    assert!(
        answer["error"]["description"]
            .to_string()
            .contains("maximum bytes"),
        "{answer}"
    );
    assert_eq!(gata.closed("after").await?, 21);

    // What routing has read makes room.
    let mut closures = town.closures("bygg").await?.messages().await?;
    for _ in 0..5 {
        let closure = closures.next().await.context("a closure")??;
        let acked = closure.double_ack().await;
        acked.map_err(anyhow::Error::from_boxed)?;
    }
    eventually("there is room again", async || {
        let answer = bygg.close(HeaderMap::new(), &closure).await?;
        ensure!(answer["error"].is_null(), "{answer}");
        Ok(())
    })
    .await?;

    // Small ones are counted too.
    let mut stream = town.routing.jetstream.get_stream("IN_BYGG").await?;
    let config = &stream.info().await?.config;
    assert_eq!(config.max_messages, 10_000);
    town.end().await;
    Ok(())
}

fn bytes_of(length: usize) -> Vec<u8> {
    vec![b'x'; length]
}

#[test]
fn nats_config_tells_which_keys_to_hand_over() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let key = KeyPair::new_user();
    let dir = folder.path().join("bus");
    let agreed = agreements(folder.path(), &key.public_key())?;
    let said = nats_config(&dir, "127.0.0.1:4333", &agreed)?;
    let config = fs::read_to_string(dir.join("nats.conf"))?;
    let keys = dir.canonicalize()?.join("keys/departments");

    let line = |said: &str, label: &str| {
        let line = said
            .lines()
            .find(|line| line.starts_with(&format!("# {label} ")));
        line.map(str::to_owned)
            .with_context(|| format!("{label} is not in {said}"))
    };
    assert!(line(&said, "bygg")?.contains("its own key"), "{said}");
    assert!(config.contains(&key.public_key()));
    assert!(!keys.join("bygg.nk").exists());
    let file = keys.join("gata.nk");
    let made = line(&said, "gata")?;
    assert!(
        made.contains("made") && made.contains(&file.display().to_string()),
        "{said}"
    );
    let seed = fs::read_to_string(&file)?;
    let public = KeyPair::from_seed(seed.trim())?.public_key();
    assert!(made.contains(&public) && config.contains(&public), "{said}");
    assert!(!said.contains(seed.trim()) && !config.contains(seed.trim()));
    assert!(said.contains("KOMMUNLOTS_ROUTING_AGREEMENTS="), "{said}");

    // Again: what has been handed over goes on working.
    let said = nats_config(&dir, "127.0.0.1:4333", &agreed)?;
    assert!(line(&said, "gata")?.contains("kept"), "{said}");
    assert_eq!(fs::read_to_string(dir.join("nats.conf"))?, config);

    // The server knows who speaks by the key alone.
    let intake = KeyPair::from_seed(fs::read_to_string(dir.join("keys/intake.nk"))?.trim())?;
    let agreed = agreements(folder.path(), &intake.public_key())?;
    let error = nats_config(&dir, "127.0.0.1:4333", &agreed)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("intake") && error.contains("bygg"),
        "{error}"
    );

    // Something wrong in the folder is told with its place.
    fs::write(agreed.join("gata.toml"), "name = 5\n")?;
    let error = nats_config(&dir, "127.0.0.1:4333", &agreed)
        .unwrap_err()
        .to_string();
    assert!(error.contains("gata.toml:1"), "{error}");
    Ok(())
}

#[tokio::test]
async fn the_private_bus_has_the_departments_of_the_agreements() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let key = KeyPair::new_user();
    let agreed = agreements(folder.path(), &key.public_key())?
        .display()
        .to_string();
    let setting = [("KOMMUNLOTS_ROUTING_AGREEMENTS", agreed.as_str())];
    let output = kommunlots()
        .args(["config", "check"])
        .envs(setting)
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    assert!(said.contains("9 departments"), "{said}");

    let product = Product::run(&["all"], &setting)?;
    let bus = bus_address(&product.data())?;
    let bygg = Office::connect(&bus, "bygg", &key.seed()?).await?;
    let seed = fs::read_to_string(product.data().join("nats/keys/departments/gata.nk"))?;
    let gata = Office::connect(&bus, "gata", &seed).await?;
    for office in [bygg, gata] {
        eventually("routing takes closures", async || office.closed("1").await).await?;
    }
    Ok(())
}
