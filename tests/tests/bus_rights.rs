//! The bus: each service may do its own work and nothing else, and nobody else may do anything.

use std::{net::SocketAddr, sync::mpsc, time::Duration};

use anyhow::{Context, ensure};
use async_nats::{Client, ConnectOptions};
use futures::StreamExt;

use crate::harness::{Product, bus_address, contact, eventually};

/// A service's connection, and what the server refuses it.
struct Speaker {
    client: Client,
    refused: mpsc::Receiver<String>,
}

impl Speaker {
    async fn connect(product: &Product, service: &str) -> anyhow::Result<Self> {
        let key = product.data().join(format!("nats/keys/{service}.nk"));
        let seed = std::fs::read_to_string(key)?;
        let (sender, refused) = mpsc::channel();
        let client = ConnectOptions::with_nkey(seed.trim().to_owned())
            .custom_inbox_prefix(format!("_INBOX_{service}"))
            .request_timeout(Some(Duration::from_secs(10)))
            .event_callback(move |event| {
                let _ = sender.send(event.to_string());
                async {}
            })
            .connect(bus_address(&product.data())?)
            .await?;
        Ok(Self { client, refused })
    }

    /// Adds what the server has refused since.
    fn refusals(&self, into: &mut Vec<String>) {
        into.extend(self.refused.try_iter().map(|event| event.to_lowercase()));
    }
}

/// Whether a refusal is among `events`; `what` is `publish` or `subscription`.
fn is_refused(events: &[String], what: &str, subject: &str) -> bool {
    let to = format!("{what} to \"{}\"", subject.to_lowercase());
    events.iter().any(|event| event.contains(&to))
}

/// Service, subject, whether it may publish there, whether it may subscribe there.
const RIGHTS: [(&str, &str, bool, bool); 50] = [
    ("wallboard", "contact.phone.queued", false, false),
    ("wallboard", "contact.*.*", false, false),
    ("wallboard", "case.*.*", false, false),
    ("wallboard", "case.bygg.registered", false, false),
    ("wallboard", ">", false, false),
    ("wallboard", "board", false, true),
    ("wallboard", "board.now", true, false),
    ("wallboard", "resend.intake.CONTACTS", false, false),
    ("wallboard", "$JS.API.STREAM.INFO.CONTACTS", false, false),
    (
        "wallboard",
        "$JS.API.CONSUMER.CREATE.CONTACTS.wallboard",
        false,
        false,
    ),
    ("wallboard", "$JS.API.STREAM.MSG.GET.CONTACTS", false, false),
    ("wallboard", "_INBOX_metrics.>", false, false),
    ("metrics", "contact.phone.queued", false, false),
    ("metrics", "case.bygg.registered", false, false),
    ("metrics", "source.intake.CONTACTS", false, true),
    ("metrics", "$JS.API.STREAM.DELETE.CONTACTS", false, false),
    ("metrics", "$JS.API.STREAM.PURGE.CONTACTS", false, false),
    (
        "metrics",
        "$JS.API.STREAM.MSG.DELETE.CONTACTS",
        false,
        false,
    ),
    ("metrics", "$JS.API.STREAM.UPDATE.CONTACTS", false, false),
    (
        "metrics",
        "$JS.API.CONSUMER.DELETE.CONTACTS.metrics",
        false,
        false,
    ),
    ("metrics", "_INBOX_intake.>", false, false),
    ("intake", "board", false, false),
    // It hears routing there, and may hear itself.
    ("intake", "source.intake.CASES", true, true),
    ("intake", "$JS.API.STREAM.DELETE.CONTACTS", false, false),
    ("intake", "$JS.API.STREAM.PURGE.CASES", false, false),
    (
        "intake",
        "$JS.API.CONSUMER.CREATE.CONTACTS.metrics",
        false,
        false,
    ),
    ("intake", "$SYS.REQ.SERVER.PING", false, false),
    // What a citizen said: only routing asks, only intake is asked, and only routing hears the answer.
    ("intake", "intake.content", false, true),
    ("routing", "intake.content", true, false),
    ("metrics", "intake.content", false, false),
    ("wallboard", "intake.content", false, false),
    ("intake", "_INBOX_routing.>", false, false),
    ("metrics", "_INBOX_routing.>", false, false),
    ("wallboard", "_INBOX_routing.>", false, false),
    ("routing", "contact.phone.queued", false, false),
    ("routing", "case.bygg.registered", false, false),
    // The agreements name people and links open cases: only reminder asks, and only routing is asked.
    ("routing", "routing.agreements", false, true),
    ("routing", "routing.links", false, true),
    ("reminder", "routing.agreements", true, false),
    ("reminder", "routing.links", true, false),
    ("intake", "routing.links", false, false),
    ("metrics", "routing.agreements", false, false),
    ("metrics", "_INBOX_reminder.>", false, false),
    ("wallboard", "routing.links", false, false),
    // It tells of its steps, and changes no case.
    ("reminder", "case.bygg.closed", false, false),
    ("reminder", "case.bygg.forwarded", false, false),
    ("reminder", "intake.content", false, false),
    ("reminder", "contact.phone.queued", false, false),
    ("reminder", "$JS.API.STREAM.DELETE.CASES", false, false),
    ("routing", "case.bygg.escalated", false, false),
];

#[tokio::test]
async fn each_service_may_do_its_own_work_and_nothing_else() -> anyhow::Result<()> {
    let product = Product::start()?;
    for service in ["wallboard", "metrics", "intake", "routing", "reminder"] {
        let speaker = Speaker::connect(&product, service).await?;
        let rights: Vec<_> = RIGHTS.iter().filter(|r| r.0 == service).collect();
        let mut subscribers = Vec::new();
        for (_, subject, ..) in &rights {
            // A wildcard cannot be published on at all.
            if !subject.contains(['*', '>']) {
                speaker.client.publish(*subject, "{}".into()).await?;
            }
            subscribers.push(speaker.client.subscribe(*subject).await?);
        }
        speaker.client.flush().await?;
        let mut events = Vec::new();
        eventually("everything forbidden is refused", async || {
            speaker.refusals(&mut events);
            for (_, subject, publish, subscribe) in &rights {
                let published = *publish || subject.contains(['*', '>']);
                ensure!(
                    published || is_refused(&events, "publish", subject),
                    "{service} may publish on {subject}: {events:?}"
                );
                ensure!(
                    *subscribe || is_refused(&events, "subscription", subject),
                    "{service} may subscribe to {subject}: {events:?}"
                );
            }
            Ok(())
        })
        .await?;
        for (_, subject, publish, subscribe) in &rights {
            assert!(
                !(*publish && is_refused(&events, "publish", subject)),
                "{subject}"
            );
            assert!(
                !(*subscribe && is_refused(&events, "subscription", subject)),
                "{subject}"
            );
        }
    }

    // Nobody connects without a key of the folder's.
    let address = bus_address(&product.data())?;
    assert!(async_nats::connect(&address).await.is_err());
    let stranger = nkeys::KeyPair::new_user().seed()?;
    let with_key = ConnectOptions::with_nkey(stranger).connect(&address).await;
    assert!(with_key.is_err());

    // Keys are for their owner's eyes.
    for service in ["wallboard", "metrics", "intake", "routing", "reminder"] {
        use std::os::unix::fs::PermissionsExt;
        let key = product.data().join(format!("nats/keys/{service}.nk"));
        let mode = std::fs::metadata(key)?.permissions().mode();
        assert_eq!(mode & 0o077, 0, "{service}");
    }

    // An acknowledged message is on disk, and the servers listen on loopback only.
    let conf = std::fs::read_to_string(product.data().join("nats/nats.conf"))?;
    assert!(conf.contains("sync_interval: always"), "{conf}");
    let listen = conf
        .lines()
        .find_map(|l| l.strip_prefix("listen: "))
        .context("a listen line")?;
    let listen: SocketAddr = listen.trim_matches('"').parse()?;
    assert!(listen.ip().is_loopback(), "{listen}");
    assert_eq!(listen.to_string(), address);
    for server in ["nats", "postgres"] {
        let ports = listening(&product, server)?;
        assert!(!ports.is_empty());
        for port in ports {
            assert!(port.ip().is_loopback(), "{server} listens on {port}");
        }
    }
    let base: SocketAddr = product.base.trim_start_matches("http://").parse()?;
    assert!(base.ip().is_loopback());

    // And with all that, the product still does its work.
    let api = product.api()?;
    api.contacts(&[contact("1", "answered", "2021-02-01T08:00:00Z")])
        .await?;
    let figures = api.figures("from=2021-02-01&to=2021-02-01").await?;
    ensure!(figures[0]["answered"] == 1, "{figures:?}");
    // The wallboard hears its boards.
    let wallboard = Speaker::connect(&product, "wallboard").await?;
    let mut boards = wallboard.client.subscribe("board").await?;
    let answer = wallboard.client.request("board.now", "".into()).await?;
    assert!(answer.payload.starts_with(b"{"));
    let board = tokio::time::timeout(Duration::from_secs(60), boards.next()).await?;
    assert!(board.is_some_and(|b| b.payload.starts_with(b"{")));
    Ok(())
}

/// The addresses a private server listens on, of either family.
fn listening(product: &Product, server: &str) -> anyhow::Result<Vec<SocketAddr>> {
    let pid = product.server_pid(server)?.as_raw_nonzero();
    let mut sockets = Vec::new();
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd"))? {
        if let Ok(link) = std::fs::read_link(entry?.path()) {
            sockets.push(link.display().to_string());
        }
    }
    let mut found = Vec::new();
    for table in ["tcp", "tcp6"] {
        for line in std::fs::read_to_string(format!("/proc/{pid}/net/{table}"))?.lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // Field 3 is the state, 0A for listening; field 9 is the socket's inode.
            let ours = fields.get(9).map(|inode| format!("socket:[{inode}]"));
            if fields.get(3) == Some(&"0A") && ours.is_some_and(|s| sockets.contains(&s)) {
                found.push(address(fields[1]).with_context(|| fields[1].to_owned())?);
            }
        }
    }
    Ok(found)
}

/// `0100007F:1F90` is 127.0.0.1:8080: words of four bytes, each as the machine has it.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words = ip.as_bytes().chunks(8).map(|word| {
        let word = std::str::from_utf8(word).ok()?;
        Some(u32::from_str_radix(word, 16).ok()?.to_ne_bytes())
    });
    let bytes: Vec<u8> = words.collect::<Option<Vec<_>>>()?.concat();
    let ip = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => std::net::IpAddr::from(four),
        Err(_) => std::net::IpAddr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?),
    };
    Some(SocketAddr::new(ip, port))
}
