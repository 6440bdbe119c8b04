//! Closures by webhook, signed as Standard Webhooks has it.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    closures::{City, System, closure},
    closures_schema::fits,
};

/// A department's system that signs with a secret.
pub(crate) struct Sender<'a> {
    city: &'a City,
    department: &'a str,
    secret: Vec<u8>,
}

impl<'a> Sender<'a> {
    pub(crate) fn new(city: &'a City, department: &'a str, shown: &str) -> anyhow::Result<Self> {
        let secret = shown.trim().strip_prefix("whsec_").context("a secret")?;
        Ok(Self {
            city,
            department,
            secret: STANDARD.decode(secret)?,
        })
    }

    fn sign(&self, id: &str, at: i64, body: &str) -> anyhow::Result<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret)?;
        mac.update(format!("{id}.{at}.{body}").as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        Ok(format!("v1,{signature}"))
    }

    async fn post(
        &self,
        at: i64,
        signature: &str,
        body: &str,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let at = at.to_string();
        let headers = [
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", at.as_str()),
            ("webhook-signature", signature),
            ("content-type", "application/cloudevents+json"),
        ];
        let path = format!("/routing/closures/{}", self.department);
        let api = self.city.api.with_key(None);
        api.send(Method::POST, &path, &headers, body.to_owned())
            .await
    }

    /// Sends a message as it should be.
    pub(crate) async fn send(&self, body: &str) -> anyhow::Result<(StatusCode, Value)> {
        let at = now();
        self.post(at, &self.sign("msg_1", at, body)?, body).await
    }
}

fn now() -> i64 {
    platform::Clock::real().now().as_second()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_closure_is_answered_at_once() -> anyhow::Result<()> {
    let city = City::start()?;
    let (mine, theirs) = (
        city.open_case("bygg").await?,
        city.open_case("skola").await?,
    );
    let shown = city.product.command(&["closure", "secret", "bygg"])?;
    let bygg = Sender::new(&city, "bygg", &shown)?;

    let body = closure("1", &mine, "done").to_string();
    let (status, accepted) = bygg.send(&body).await?;
    assert_eq!(status, StatusCode::OK, "{accepted}");
    assert_eq!(accepted["result"], "accepted");
    city.until(&mine, "closed").await?;
    // Repeated, by this way or the other: the same answer, and no second effect.
    assert_eq!(bygg.send(&body).await?, (StatusCode::OK, accepted.clone()));
    let mut on_the_bus = System::connect(&city, "bygg").await?;
    on_the_bus.send(body).await?;
    assert_eq!(on_the_bus.answer("1").await?, accepted);

    let (status, already) = bygg.send(&closure("2", &mine, "done").to_string()).await?;
    assert_eq!(
        (status, &already["result"]),
        (StatusCode::OK, &json!("already_closed"))
    );
    let (status, refused) = bygg
        .send(&closure("3", &theirs, "done").to_string())
        .await?;
    assert_eq!(
        (status, &refused["result"]),
        (StatusCode::CONFLICT, &json!("refused"))
    );
    // What cannot be read is a dead letter here too.
    let (status, unreadable) = bygg.send("{\"id\":\"4\"}").await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{unreadable}");
    assert_eq!(
        (&unreadable["closure"], &unreadable["result"]),
        (&json!("4"), &json!("refused"))
    );
    let letters = city.dead_letters().await?;
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!((letters[0].0.as_str(), letters[0].1), ("WEBHOOK", None));
    // What is too large is not read at all.
    let large = format!("{{\"id\":\"{}\"}}", "x".repeat(70_000));
    assert_eq!(bygg.send(&large).await?.0, StatusCode::PAYLOAD_TOO_LARGE);

    assert_eq!(city.closed().await?, BTreeMap::from([(mine.clone(), 1)]));
    let by: String =
        sqlx::query_scalar("SELECT data->>'by' FROM routing.event_log WHERE kind = 'case.closed'")
            .fetch_one(&mut city.database().await?)
            .await?;
    assert_eq!(by, "webhook");
    fits("closure", &closure("1", &mine, "done"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_signed_as_it_must_be_has_no_effect() -> anyhow::Result<()> {
    let city = City::start()?;
    let case = city.open_case("bygg").await?;
    let first = city.product.command(&["closure", "secret", "bygg"])?;
    let bygg = Sender::new(&city, "bygg", &first)?;
    let body = closure("1", &case, "done").to_string();
    let at = now();
    let good = bygg.sign("msg_1", at, &body)?;

    // Altered, or with another's signature; nor is a department without a secret, or one that does not exist, told apart.
    let altered = closure("1", &case, "declined").to_string();
    let stranger = Sender {
        secret: vec![1; 32],
        ..Sender::new(&city, "bygg", &first)?
    };
    let (status, wrong) = bygg.post(at, &good, &altered).await?;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{wrong}");
    assert_eq!(stranger.send(&body).await?, (status, wrong.clone()));
    assert_eq!(
        bygg.post(at + 1, &good, &body).await?,
        (status, wrong.clone())
    );
    assert_eq!(bygg.post(at, "v1,", &body).await?, (status, wrong.clone()));
    for department in ["skola", "finns-inte", "%FF", "Bygg", &"x".repeat(40)] {
        let elsewhere = Sender {
            department,
            ..Sender::new(&city, "bygg", &first)?
        };
        assert_eq!(
            elsewhere.send(&body).await?,
            (status, wrong.clone()),
            "{department}"
        );
    }
    // Too old and too new, though well signed.
    for off in [-301, 301] {
        let signature = bygg.sign("msg_1", at + off, &body)?;
        let (status, old) = bygg.post(at + off, &signature, &body).await?;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        let detail = old["detail"].as_str().context("a detail")?;
        assert!(detail.contains("five minutes"), "{detail}");
    }
    // A header is missing.
    let api = city.api.with_key(None);
    let (status, problem) = api
        .problem(Method::POST, "/routing/closures/bygg", &[], body.clone())
        .await?;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|d| d.contains("webhook-id"))
    );
    assert_eq!(city.explained(&case).await?["state"], "open");
    assert_eq!(city.dead_letters().await?, []);

    // Secrets change over: both are good until the older is revoked.
    let second = city.product.command(&["closure", "secret", "bygg"])?;
    ensure!(first != second);
    let next = Sender::new(&city, "bygg", &second)?;
    let both = format!("{} {}", stranger.sign("msg_1", at, &body)?, good);
    assert_eq!(next.post(at, &both, &body).await?.0, StatusCode::OK);
    assert_eq!(next.send(&body).await?.0, StatusCode::OK);
    city.product.command(&["closure", "revoke", "1"])?;
    assert_eq!(bygg.send(&body).await?, (StatusCode::UNAUTHORIZED, wrong));
    assert_eq!(next.send(&body).await?.0, StatusCode::OK);
    let listed = city.product.command(&["closure", "secrets"])?;
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(!listed.contains("whsec"), "{listed}");
    assert!(city.product.command(&["closure", "revoke", "1"]).is_err());
    let unknown = city.product.command(&["closure", "secret", "byg"]);
    let unknown = format!("{:#}", unknown.err().context("an unknown department")?);
    assert!(
        unknown.contains("bygg"),
        "it names those there are: {unknown}"
    );
    // No secret is ever logged.
    assert!(!city.product.log().contains("whsec"));
    Ok(())
}
