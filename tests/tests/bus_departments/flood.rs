//! What a department sends too much of.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context, bail, ensure};
use async_nats::HeaderMap;
use futures::StreamExt;

use super::town::Town;
use crate::harness::eventually;

#[tokio::test]
async fn what_is_too_large_or_too_many_is_refused() -> anyhow::Result<()> {
    let town = Town::start().await?;
    {
        let office = town.office("bygg").await?;
        let closure = bytes_of(65_536 - 100);
        assert_eq!(office.close(HeaderMap::new(), &closure).await?["seq"], 1);
        let closure = bytes_of(65_537).into();
        office.client.publish("closure", closure).await?;
        office.hears(&["maximum payload".to_owned()]).await?;
    }
    {
        // The server has closed the connection, and takes another.
        let office = town.office("bygg").await?;
        assert_eq!(office.closed("2").await?, 2);
        let mut subscribers = Vec::new();
        for n in 0..21 {
            let subject = format!("_INBOX_bygg.{n}");
            subscribers.push(office.client.subscribe(subject).await?);
        }
        office.hears(&["maximum subscriptions".to_owned()]).await?;
    }
    eventually("four connections and no more", async || {
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

    let closure = bytes_of(60_000);
    eventually("the flood is over, and the stream full", async || {
        let answer = bygg.close(HeaderMap::new(), &closure).await?;
        let why = answer["error"]["description"].as_str();
        ensure!(why == Some("maximum bytes exceeded"), "{answer}");
        Ok(())
    })
    .await?;
    let full = town.state("IN_BYGG").await?;
    assert!(full.bytes <= 16 * 1024 * 1024, "{full:?}");
    assert!(full.messages < sent, "{full:?} of {sent}");
    assert_eq!(gata.closed("after").await?, 21);
    assert_eq!(town.state("IN_GATA").await?.messages, 21);
    assert_eq!(town.state("CASES").await?.messages, 20);

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

    // Many small ones fill it too, long before they would fill the disk.
    let mut stream = town.routing.jetstream.get_stream("IN_BYGG").await?;
    let config = &stream.info().await?.config;
    assert_eq!(config.max_messages, 10_000);
    town.end().await;
    Ok(())
}

fn bytes_of(length: usize) -> Vec<u8> {
    vec![b'x'; length]
}
