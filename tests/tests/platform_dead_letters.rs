//! The platform's promises on the bus: dead letters that block nobody, and gaps that are noticed.

use anyhow::{Context, ensure};
use async_nats::{HeaderMap, jetstream};
use domain::{Channel, ContactEvent, ContactId, ContactWhat, Envelope, Event, QueueName};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Api, Product, bus_address, contact, database, eventually};

/// The bus, spoken to with intake's own key.
async fn as_intake(product: &Product) -> anyhow::Result<jetstream::Context> {
    let seed = std::fs::read_to_string(product.data().join("nats/keys/intake.nk"))?;
    let client = async_nats::ConnectOptions::with_nkey(seed.trim().to_owned())
        .custom_inbox_prefix("_INBOX_intake")
        .connect(bus_address(&product.data())?)
        .await?;
    Ok(jetstream::new(client))
}

fn place(source: &str, sequence: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("Kommunlots-Source", source);
    headers.insert("Kommunlots-Sequence", sequence.to_string().as_str());
    headers
}

async fn publish(
    bus: &jetstream::Context,
    headers: HeaderMap,
    payload: impl Into<Vec<u8>>,
) -> anyhow::Result<()> {
    let payload: Vec<u8> = payload.into();
    bus.publish_with_headers("contact.phone.queued", headers, payload.into())
        .await?
        .await?;
    Ok(())
}

/// An event as another replica of intake would tell it.
fn told(source: &str, sequence: u64, event: &ContactEvent) -> anyhow::Result<Vec<u8>> {
    let envelope = Envelope {
        specversion: "1.0".to_owned(),
        id: event.id(),
        source: source.to_owned(),
        kind: event.kind().to_owned(),
        time: event.at,
        datacontenttype: "application/json".to_owned(),
        sequence,
        traceparent: None,
        data: event.clone(),
    };
    Ok(serde_json::to_vec(&envelope)?)
}

fn answered(n: u128, at: &str) -> anyhow::Result<ContactEvent> {
    Ok(ContactEvent {
        contact: ContactId(Uuid::from_u128(n)),
        at: at.parse()?,
        channel: Channel::Phone,
        queue: QueueName::try_from("vaxel".to_owned())?,
        department: None,
        what: ContactWhat::Answered { waited_s: Some(5) },
    })
}

async fn letters(api: &Api, count: usize) -> anyhow::Result<Vec<Value>> {
    eventually("the dead letters are listed", async || {
        let (status, letters) = api.get("/figures/dead-letters").await?;
        ensure!(status == StatusCode::OK, "{status}: {letters}");
        let letters = letters.as_array().context("an array")?;
        ensure!(letters.len() == count, "{letters:?}");
        Ok(letters.clone())
    })
    .await
}

async fn reached(api: &Api, source: &str, sequence: u64) -> anyhow::Result<()> {
    eventually("the position moves", async || {
        let (_, positions) = api.get("/figures/positions").await?;
        ensure!(positions[source] == sequence, "{positions}");
        Ok(())
    })
    .await
}

async fn offered(api: &Api) -> anyhow::Result<i64> {
    let figures = api.figures("from=2021-02-01&to=2021-02-01").await?;
    Ok(figures
        .first()
        .and_then(|f| f["offered"].as_i64())
        .unwrap_or(0))
}

/// A line of a scrape that begins with `series`.
pub(crate) async fn scraped(api: &Api, series: &str) -> anyhow::Result<f64> {
    let text = api.http.get(format!("{}/metrics", api.base)).send().await?;
    let text = text.text().await?;
    let line = text.lines().find_map(|l| l.strip_prefix(series));
    Ok(line.context(series.to_owned())?.trim().parse()?)
}

#[tokio::test]
async fn what_cannot_be_applied_is_kept_once_and_blocks_nobody() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let bus = as_intake(&product).await?;
    let source = "intake-2/CONTACTS";
    let good = |n: u64| told(source, n, &answered(n.into(), "2021-02-01T08:00:00Z")?);
    publish(&bus, place(source, 1), good(1)?).await?;
    // It cannot be read; and again, as the bus may bring it.
    publish(&bus, place(source, 2), "{\"specversion\":\"1.0\"}").await?;
    publish(&bus, place(source, 2), "{\"specversion\":\"1.0\"}").await?;
    // It can be read, but a database cannot hold that year.
    let ancient = answered(3, "-009000-01-01T00:00:00Z")?;
    publish(&bus, place(source, 3), told(source, 3, &ancient)?).await?;
    publish(&bus, place(source, 4), good(4)?).await?;
    reached(&api, source, 4).await?;
    assert_eq!(offered(&api).await?, 2);

    let mut list = letters(&api, 2).await?;
    list.sort_by_key(|letter| letter["sequence"].as_i64());
    for (letter, sequence) in list.iter().zip([2, 3]) {
        assert_eq!(letter["subject"], "contact.phone.queued");
        assert_eq!(
            (&letter["source"], &letter["sequence"]),
            (&json!(source), &json!(sequence))
        );
        assert!(letter["reason"].as_str().is_some_and(|r| r.len() > 10));
    }
    let series = "kommunlots_dead_letters_total{service=\"metrics\",stream=\"CONTACTS\"}";
    assert!(scraped(&api, series).await? >= 2.0);
    let printed = product.command(&["dead-letters", "list"])?;
    assert_eq!(printed.lines().count(), 2, "{printed}");

    // Sent again they are refused, and stay.
    for letter in &list {
        let path = format!("/figures/dead-letters/{}/send-again", letter["id"]);
        let (status, problem) = api.problem(Method::POST, &path, &[], "").await?;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    }
    let again = product.command(&["dead-letters", "send-again", "--all"]);
    let error = again.err().context("refused letters must be an error")?;
    assert!(
        error.to_string().contains("2 could not be applied"),
        "{error}"
    );
    letters(&api, 2).await?;
    let (status, _) = api
        .problem(
            Method::POST,
            "/figures/dead-letters/999/send-again",
            &[],
            "",
        )
        .await?;
    assert_eq!(status, StatusCode::NOT_FOUND);

    // What an older program could not read, this one can: it is applied once, and is no dead letter any more.
    let mut database = database(&product.data()).await?;
    let late = told(source, 2, &answered(2, "2021-02-01T09:00:00Z")?)?;
    sqlx::query("UPDATE metrics.dead_letter SET payload = $1 WHERE sequence = 2")
        .bind(late)
        .execute(&mut database)
        .await?;
    let id = format!("metrics/{}", list[0]["id"]);
    let printed = product.command(&["dead-letters", "send-again", &id])?;
    assert!(printed.contains(&format!("{id} applied")), "{printed}");
    letters(&api, 1).await?;
    assert_eq!(offered(&api).await?, 3);
    assert!(
        product
            .command(&["dead-letters", "send-again", &id])
            .is_err()
    );
    assert_eq!(offered(&api).await?, 3);
    reached(&api, source, 4).await
}

#[tokio::test]
async fn a_message_without_a_place_in_the_line_is_a_dead_letter() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let bus = as_intake(&product).await?;
    let event = answered(1, "2021-02-01T08:00:00Z")?;
    publish(&bus, HeaderMap::new(), "nothing that can be read").await?;
    letters(&api, 1).await?;
    // It can be read, but without its number it could have its effect twice.
    publish(
        &bus,
        HeaderMap::new(),
        told("intake-2/CONTACTS", 1, &event)?,
    )
    .await?;
    let list = letters(&api, 2).await?;
    assert!(list.iter().all(|l| l["sequence"].is_null()));
    assert_eq!(offered(&api).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_gap_is_noticed_and_asked_for_again() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let call = |n: u64| {
        [
            contact(&n.to_string(), "queued", "2021-02-01T08:00:00Z"),
            contact(&n.to_string(), "answered", "2021-02-01T08:00:05Z"),
        ]
    };
    api.contacts(&call(1)).await?;
    assert_eq!(offered(&api).await?, 1);
    let gaps = "kommunlots_gaps_total{service=\"metrics\",stream=\"CONTACTS\"}";
    assert_eq!(scraped(&api, gaps).await?, 0.0);

    // A number far ahead: what is between is asked for, and what came too early has no effect.
    let source = "intake/CONTACTS";
    let early = answered(77, "2021-02-01T08:00:00Z")?;
    publish(
        &as_intake(&product).await?,
        place(source, 1_000),
        told(source, 1_000, &early)?,
    )
    .await?;
    eventually("the gap is noticed", async || {
        ensure!(scraped(&api, gaps).await? >= 1.0, "no gap yet");
        Ok(())
    })
    .await?;
    eventually("the source is asked", async || {
        ensure!(product.log().contains("telling again"), "not asked yet");
        Ok(())
    })
    .await?;
    assert_eq!(offered(&api).await?, 1);
    // The line goes on where it stood.
    api.contacts(&call(2)).await?;
    assert_eq!(offered(&api).await?, 2);

    reached(&api, source, 4).await?;
    letters(&api, 0).await?;
    Ok(())
}
