//! Closures over the bus, as a department's own system sends them, with its own key in its own account.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use async_nats::{
    Client, ConnectOptions, HeaderMap,
    jetstream::{self, consumer::pull, context::ContextBuilder},
};
use futures::StreamExt;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgConnection;
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    agreements::{example, text},
    closures_schema::fits,
    harness::{Api, Product, bus_address, database, eventually},
};

/// How long a message may take; far more than it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A product where every department of the example has an account on the bus.
pub(crate) struct City {
    pub(crate) product: Product,
    pub(crate) api: Api,
    temporary: TempDir,
}

impl City {
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::with(|_| Ok(()))
    }

    /// The same after the folder of agreements has been changed.
    pub(crate) fn with(change: impl FnOnce(&Path) -> anyhow::Result<()>) -> anyhow::Result<Self> {
        let temporary = tempfile::tempdir()?;
        let folder = example(temporary.path(), "agreements")?;
        change(&folder)?;
        let folder = text(&folder)?;
        let product = Product::run(&["all"], &[("KOMMUNLOTS_ROUTING_AGREEMENTS", folder)])?;
        product.command(&[
            "agreements",
            "apply",
            folder,
            "--valid-from",
            "2021-01-01",
            "--approved-by",
            "Kommunstyrelsen § 12",
        ])?;
        Ok(Self {
            api: product.api()?,
            product,
            temporary,
        })
    }

    /// The folder with its agreements.
    pub(crate) fn agreements(&self) -> PathBuf {
        self.temporary.path().join("agreements")
    }

    /// A case that `department` has, open.
    pub(crate) async fn open_case(&self, department: &str) -> anyhow::Result<String> {
        let case = self.register(department, true).await?;
        self.until(&case, "open").await?;
        Ok(case)
    }

    /// A case about `department`, forwarded or still at the centre.
    pub(crate) async fn register(&self, department: &str, forward: bool) -> anyhow::Result<String> {
        let case = json!({ "type": "annat", "rosa_group": 4, "department": department, "forward": forward });
        let (status, case) = self.api.post("/intake/cases", &case).await?;
        ensure!(status == StatusCode::CREATED, "{status}: {case}");
        Ok(case["id"].as_str().context("an id")?.to_owned())
    }

    /// Waits until a case is in a state, and returns its explanation.
    pub(crate) async fn until(&self, case: &str, state: &str) -> anyhow::Result<Value> {
        eventually(&format!("the case is {state}"), async || {
            let explained = self.explained(case).await?;
            ensure!(explained["state"] == state, "{explained}");
            Ok(explained)
        })
        .await
    }

    pub(crate) async fn explained(&self, case: &str) -> anyhow::Result<Value> {
        let (status, case) = self.api.get(&format!("/routing/cases/{case}")).await?;
        ensure!(status == StatusCode::OK, "{status}: {case}");
        Ok(case)
    }

    pub(crate) async fn database(&self) -> anyhow::Result<PgConnection> {
        database(&self.product.data()).await
    }

    /// How often each case has been closed, by the record.
    pub(crate) async fn closed(&self) -> anyhow::Result<BTreeMap<String, i64>> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT data->>'case', count(*) FROM routing.event_log WHERE kind = 'case.closed' GROUP BY 1",
        )
        .fetch_all(&mut self.database().await?)
        .await?;
        Ok(rows.into_iter().collect())
    }

    /// Routing's dead letters: stream, number, reason.
    pub(crate) async fn dead_letters(&self) -> anyhow::Result<Vec<(String, Option<i64>, String)>> {
        let rows =
            sqlx::query_as("SELECT stream, sequence, reason FROM routing.dead_letter ORDER BY id")
                .fetch_all(&mut self.database().await?)
                .await?;
        Ok(rows)
    }
}

/// A department's own system.
pub(crate) struct System {
    pub(crate) client: Client,
    messages: pull::Stream,
    read: Vec<Value>,
    /// The numbers of all messages, as they came.
    pub(crate) numbers: Vec<u64>,
}

impl System {
    pub(crate) async fn connect(city: &City, department: &str) -> anyhow::Result<Self> {
        let data = city.product.data();
        let key = data.join(format!("nats/keys/departments/{department}.nk"));
        let seed = std::fs::read_to_string(key)?;
        let client = ConnectOptions::with_nkey(seed.trim().to_owned())
            .custom_inbox_prefix(format!("_INBOX_{department}"))
            .request_timeout(Some(Duration::from_secs(10)))
            .connect(bus_address(&data)?)
            .await?;
        Self::on(client, department).await
    }

    /// On a connection of its own.
    pub(crate) async fn on(client: Client, department: &str) -> anyhow::Result<Self> {
        let context = ContextBuilder::new()
            .api_prefix("CITY.API")
            .build(client.clone());
        let stream = format!("OUT_{}", department.to_uppercase());
        // Routing makes what the department has on the bus, and may still be at it.
        let consumer: jetstream::consumer::PullConsumer =
            eventually("the department has its consumer", async || {
                let consumer = context.get_consumer_from_stream(department, &stream).await;
                consumer.map_err(|e| anyhow::anyhow!("{e}"))
            })
            .await?;
        let messages = consumer.messages().await?;
        Ok(Self {
            client,
            messages,
            read: Vec::new(),
            numbers: Vec::new(),
        })
    }

    /// Sends a message on `closure`; its number on the stream.
    pub(crate) async fn send(&self, message: impl Into<Vec<u8>>) -> anyhow::Result<u64> {
        let message: Vec<u8> = message.into();
        let answer = self.client.request("closure", message.into()).await?;
        let answer: Value = serde_json::from_slice(&answer.payload)?;
        answer["seq"].as_u64().with_context(|| answer.to_string())
    }

    /// The first message of those not asked for yet that `wanted` finds.
    pub(crate) async fn told(
        &mut self,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        loop {
            if let Some(place) = self.read.iter().position(|m| wanted(&m["data"])) {
                return Ok(self.read.remove(place));
            }
            let message = tokio::time::timeout(PATIENCE, self.messages.next())
                .await
                .with_context(|| format!("never told: {what}; {:?}", self.read))?
                .context("the messages ended")??;
            message.ack().await.map_err(|e| anyhow::anyhow!("{e}"))?;
            let message: Value = serde_json::from_slice(&message.payload)?;
            let number = message["sequence"].as_str().context("a number")?;
            self.numbers.push(number.parse()?);
            self.read.push(message);
        }
    }

    /// The answer to the closure `id`.
    pub(crate) async fn answer(&mut self, id: &str) -> anyhow::Result<Value> {
        let message = self
            .told(&format!("the answer to {id}"), |m| m["closure"] == id)
            .await?;
        fits("answer", &message)?;
        let mut answer = message["data"].clone();
        // The answer itself, which is the same however often and whichever way it is given.
        for more in ["department", "at", "event"] {
            answer.as_object_mut().context("an object")?.remove(more);
        }
        Ok(answer)
    }
}

/// A closure.
pub(crate) fn closure(id: &str, case: &str, outcome: &str) -> Value {
    json!({
        "specversion": "1.0",
        "id": id,
        "source": "https://system.example",
        "type": "se.kommunlots.case.closure.v1",
        "data": { "case": case, "outcome": outcome },
    })
}

fn words(answer: &Value) -> (&str, &str) {
    let why = |language: &str| answer["why"][language].as_str().unwrap_or("");
    (why("swedish"), why("english"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_department_closes_its_cases_and_learns_nothing_of_others() -> anyhow::Result<()> {
    let city = City::start()?;
    let (mine, other) = (city.open_case("bygg").await?, city.open_case("bygg").await?);
    let theirs = city.open_case("skola").await?;
    let at_centre = city.register("bygg", false).await?;
    city.until(&at_centre, "centre").await?;
    let mut bygg = System::connect(&city, "bygg").await?;

    let forwarded = bygg
        .told("a case came", |m| {
            m["event"] == "forwarded" && m["case"] == mine.as_str()
        })
        .await?;
    fits("forwarded", &forwarded)?;
    assert_eq!(forwarded["data"]["group"], "handlaggare");

    bygg.send(closure("1", &mine, "done").to_string()).await?;
    let accepted = bygg.answer("1").await?;
    assert_eq!(accepted["result"], "accepted", "{accepted}");
    assert_eq!(accepted["case"], mine.as_str());
    let closed = city.until(&mine, "closed").await?;
    let last = closed["log"].as_array().and_then(|l| l.last().cloned());
    let last = last.context("a line")?;
    assert_eq!(
        (&last["what"], &last["who"]),
        (&json!("closed"), &json!("bygg (bus)"))
    );

    // The same id again: the same answer, and no second effect.
    bygg.send(closure("1", &mine, "done").to_string()).await?;
    assert_eq!(bygg.answer("1").await?, accepted);
    // Another id: it is closed already, whatever the outcome.
    bygg.send(closure("2", &mine, "declined").to_string())
        .await?;
    let already = bygg.answer("2").await?;
    assert_eq!(already["result"], "already_closed", "{already}");
    assert!(words(&already).0.contains("åtgärdat"), "{already}");

    // Another's case, one that is still at the centre, and one that does not exist: the same words.
    let unknown = Uuid::from_u128(17).to_string();
    let mut refusals = Vec::new();
    for (id, case) in [("3", &theirs), ("4", &at_centre), ("5", &unknown)] {
        bygg.send(closure(id, case, "done").to_string()).await?;
        let refused = bygg.answer(id).await?;
        assert_eq!(refused["result"], "refused", "{refused}");
        assert_eq!(refused["case"], case.as_str());
        refusals.push(refused["why"].clone());
    }
    assert!(
        refusals.iter().all(|why| *why == refusals[0]),
        "{refusals:?}"
    );
    // Nor does the message say who sends: it may claim what it likes.
    let mut claims = closure("6", &theirs, "done");
    claims["source"] = json!("https://skola.example");
    claims["subject"] = json!("skola");
    claims["department"] = json!("skola");
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", "skola-6");
    headers.insert("Kommunlots-Source", "routing/OUT_SKOLA");
    bygg.client
        .request_with_headers("closure", headers, claims.to_string().into())
        .await?;
    assert_eq!(bygg.answer("6").await?["why"], refusals[0]);

    // An id is for one closure.
    for changed in [
        closure("1", &other, "done"),
        closure("1", &mine, "withdrawn"),
    ] {
        bygg.send(changed.to_string()).await?;
        let refused = bygg.answer("1").await?;
        assert_eq!(refused["result"], "refused", "{refused}");
        assert!(words(&refused).1.contains("used before"), "{refused}");
    }
    // Ids are each department's own.
    let mut skola = System::connect(&city, "skola").await?;
    skola
        .send(closure("1", &theirs, "no_action").to_string())
        .await?;
    assert_eq!(skola.answer("1").await?["result"], "accepted");

    for case in [&other, &at_centre] {
        assert_ne!(city.explained(case).await?["state"], "closed");
    }
    let expected = BTreeMap::from([(mine, 1), (theirs, 1)]);
    assert_eq!(city.closed().await?, expected);
    assert_eq!(city.dead_letters().await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_a_dead_letter_and_answered() -> anyhow::Result<()> {
    let city = City::start()?;
    let case = city.open_case("bygg").await?;
    let mut bygg = System::connect(&city, "bygg").await?;

    // Nothing of it can be read: the answer names it by its number.
    let number = bygg.send("<closure/>").await?;
    let refused = bygg
        .told("an answer by number", |m| m["message"] == number)
        .await?;
    fits("answer", &refused)?;
    assert_eq!(refused["data"]["result"], "refused");
    assert!(words(&refused["data"]).0.contains("inte JSON"), "{refused}");
    let letters = city.dead_letters().await?;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].0, "IN_BYGG");
    assert_eq!(letters[0].1, Some(i64::try_from(number)?));

    // The same once more is the same dead letter, and answered once more.
    let number = bygg.send("<closure/>").await?;
    bygg.told("an answer by number", |m| m["message"] == number)
        .await?;
    assert_eq!(city.dead_letters().await?.len(), 1);

    // What can be read of it is told, and each field that is wrong; no value is repeated.
    let mut wrong = closure("7", &case, "Klart, ring Anna på 070-1740605");
    wrong["data"]["note"] = json!("Anna");
    bygg.send(wrong.to_string()).await?;
    let refused = bygg.answer("7").await?;
    assert_eq!(refused["case"], case.as_str());
    let (swedish, english) = words(&refused);
    for text in [swedish, english] {
        assert!(
            text.contains("`data.outcome`") && text.contains("`data.note`"),
            "{text}"
        );
        assert!(!text.contains("Anna") && !text.contains("070"), "{text}");
    }
    // Mended, it may keep its id.
    bygg.send(closure("7", &case, "done").to_string()).await?;
    assert_eq!(bygg.answer("7").await?["result"], "accepted");

    let letters = city.dead_letters().await?;
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert!(!letters[1].2.contains("Anna"), "{letters:?}");
    assert!(!city.product.log().contains("Anna"));
    let scrape = reqwest::get(format!("{}/metrics", city.api.base)).await?;
    let scrape = scrape.text().await?;
    for line in [
        "kommunlots_dead_letters_total{service=\"routing\",stream=\"IN_BYGG\"} 3",
        "kommunlots_events_applied_total{service=\"routing\",stream=\"IN_BYGG\"} 1",
        "kommunlots_dead_letters_total{service=\"routing\",stream=\"IN_SKOLA\"} 0",
    ] {
        assert!(scrape.contains(line), "{line}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_database_refuses_stops_nobody() -> anyhow::Result<()> {
    let city = City::start()?;
    let mut cases = Vec::new();
    for _ in 0..3 {
        cases.push(city.open_case("bygg").await?);
    }
    sqlx::query("ALTER TABLE routing.closure ADD CHECK (id <> 'poison')")
        .execute(&mut city.database().await?)
        .await?;
    let mut bygg = System::connect(&city, "bygg").await?;
    for (id, case) in ["1", "poison", "2"].iter().zip(&cases) {
        bygg.client
            .publish("closure", closure(id, case, "done").to_string().into())
            .await?;
    }
    for (id, result) in [("1", "accepted"), ("2", "accepted"), ("poison", "refused")] {
        let answer = bygg.answer(id).await?;
        assert_eq!(answer["result"], result, "{answer}");
    }
    assert_eq!(city.dead_letters().await?.len(), 1);
    assert_eq!(city.closed().await?.len(), 2);
    assert_eq!(city.explained(&cases[1]).await?["state"], "open");
    Ok(())
}
