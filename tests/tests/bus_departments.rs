//! The bus: what a department's system may do there, whatever it tries.

mod flood;
mod keys;
mod town;

use anyhow::{Context, ensure};
use async_nats::{
    HeaderMap, HeaderName, HeaderValue,
    jetstream::{AckKind, consumer::PullConsumer},
};
use domain::out_stream;
use futures::{FutureExt, StreamExt};

use crate::harness::eventually;
use town::{DEPARTMENTS, Office, Town, department, with};

/// Where bygg must not publish.
const NO_PUBLISH: [&str; 29] = [
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

/// What bygg must not hear; fewer than the twenty subscriptions that a connection may have.
const NO_SUBSCRIBE: [&str; 13] = [
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
        let mut consumer: PullConsumer = office
            .jetstream
            .get_consumer_from_stream(label, out_stream(&department(label)))
            .await?;
        let news = consumer.messages().await?.next().await;
        let news = news.context("what it is told")??;
        assert_eq!(news.subject.as_str(), subject);
        assert_eq!(&news.payload[..], b"told");
        let acked = news.double_ack_with(AckKind::Ack).await;
        acked.map_err(anyhow::Error::from_boxed)?;
        assert_eq!(consumer.info().await?.ack_floor.consumer_sequence, 1);
    }

    let office = town.office("bygg").await?;
    for subject in NO_PUBLISH {
        office.client.publish(subject, "{}".into()).await?;
    }
    let mut subscribers = Vec::new();
    for subject in NO_SUBSCRIBE {
        subscribers.push(office.client.subscribe(subject).await?);
    }
    office.client.flush().await?;
    let refused = |what: &str, subject: &str| format!("{what} to \"{}\"", subject.to_lowercase());
    let publish = NO_PUBLISH.map(|subject| refused("publish", subject));
    let subscribe = NO_SUBSCRIBE.map(|subject| refused("subscription", subject));
    office
        .hears(&[&publish[..], &subscribe[..]].concat())
        .await?;
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
    let heard = inbox.next().now_or_never();
    assert!(heard.is_none(), "bygg hears answers to gata: {heard:?}");
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
            .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from(*v)))
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
