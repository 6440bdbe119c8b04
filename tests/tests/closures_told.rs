//! What a department's own system is told of its cases, so that it can follow them: each thing once, whichever way it came.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    case_page_officer::{Officer, link},
    closures::{City, System, closure},
    closures_schema::fits,
    closures_webhook::Sender,
    harness::eventually,
};

/// The group that gets the building department's cases of no agreed type.
const GROUP: &str = "bygglov@bygg.example";

/// A case of the building department, and an officer with the link to it, which is not `before`.
async fn case_and_officer(city: &City, before: &str) -> anyhow::Result<(String, Officer)> {
    let case = city.open_case("bygg").await?;
    let link = eventually("the mail about the case", async || {
        let link = link(&city.product.data(), GROUP).await?;
        ensure!(link != before, "it is the one before");
        Ok(link)
    })
    .await?;
    Ok((case, Officer::with(&link)?))
}

async fn told(system: &mut System, event: &str, case: &str) -> anyhow::Result<Value> {
    let wanted = |m: &Value| m["event"] == event && m["case"] == case;
    let message = system.told(&format!("{event} of {case}"), wanted).await?;
    fits(event, &message)?;
    assert_eq!(message["type"], format!("department.{event}"));
    Ok(message["data"].clone())
}

/// The kinds of what the record says that a department was told of a case, in order.
async fn record(city: &City, department: &str, case: &str) -> anyhow::Result<Vec<String>> {
    let kinds = sqlx::query_scalar(
        "SELECT kind FROM routing.event_log WHERE source = $1 AND data->>'case' = $2 ORDER BY sequence",
    )
    .bind(format!("routing/OUT_{}", department.to_uppercase()))
    .bind(case)
    .fetch_all(&mut city.database().await?)
    .await?;
    Ok(kinds)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_follows_what_is_closed_and_sent_back_elsewhere() -> anyhow::Result<()> {
    let city = City::start()?;
    let (mut bygg, mut gata) = (
        System::connect(&city, "bygg").await?,
        System::connect(&city, "gata").await?,
    );

    let (by_officer, officer) = case_and_officer(&city, "").await?;
    officer.does("close", "outcome=declined").await?;
    let closed = told(&mut bygg, "closed", &by_officer).await?;
    assert_eq!(closed["outcome"], "declined");

    let (back, officer) = case_and_officer(&city, &officer.link).await?;
    officer.does("bounce", "belongs_to=gata").await?;
    let bounced = told(&mut bygg, "bounced", &back).await?;
    // Nothing of who has it now.
    assert_eq!(bounced.as_object().map(serde_json::Map::len), Some(4));
    told(&mut gata, "forwarded", &back).await?;

    let by_webhook = city.open_case("bygg").await?;
    let secret = city.product.command(&["closure", "secret", "bygg"])?;
    let sender = Sender::new(&city, "bygg", &secret)?;
    let (status, answer) = sender
        .send(&closure("1", &by_webhook, "withdrawn").to_string())
        .await?;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let closed = told(&mut bygg, "closed", &by_webhook).await?;
    assert_eq!(closed["outcome"], "withdrawn");

    let by_bus = city.open_case("bygg").await?;
    bygg.send(closure("2", &by_bus, "done").to_string()).await?;
    assert_eq!(bygg.answer("2").await?["result"], "accepted");

    // Each has an end, and one only.
    for (case, end) in [
        (&by_officer, "department.closed"),
        (&back, "department.bounced"),
        (&by_webhook, "department.closed"),
        (&by_bus, "department.closure"),
    ] {
        let told = record(&city, "bygg", case).await?;
        assert_eq!(told, ["department.forwarded", end], "{case}");
    }
    assert_eq!(
        record(&city, "gata", &back).await?,
        ["department.forwarded"]
    );

    // The centre's working time is told with the first forwarding alone.
    let known: Vec<bool> = sqlx::query_scalar(
        "SELECT data->>'centre_working_s' IS NOT NULL FROM routing.event_log
         WHERE kind = 'case.forwarded' AND data->>'case' = $1 ORDER BY sequence",
    )
    .bind(&back)
    .fetch_all(&mut city.database().await?)
    .await?;
    assert_eq!(known, [true, false]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closure_that_came_too_early_needs_a_new_id() -> anyhow::Result<()> {
    let city = City::start()?;
    let case = city.register("bygg", false).await?;
    city.until(&case, "centre").await?;
    let mut bygg = System::connect(&city, "bygg").await?;
    let early = closure("early", &case, "done").to_string();
    bygg.send(early.clone()).await?;
    let refused = bygg.answer("early").await?;
    assert_eq!(refused["result"], "refused", "{refused}");
    for (language, says) in [
        ("swedish", "skicka avslutningen med ett nytt id"),
        ("english", "send the closure with a new id"),
    ] {
        let why = refused["why"][language].as_str().context("a text")?;
        assert!(why.contains(says), "{why}");
    }

    let path = format!("/intake/cases/{case}/forward");
    let (status, answer) = city.api.post(&path, &Value::Null).await?;
    ensure!(status.is_success(), "{status}: {answer}");
    told(&mut bygg, "forwarded", &case).await?;
    // It does what it says.
    bygg.send(early).await?;
    assert_eq!(bygg.answer("early").await?, refused);
    assert_eq!(city.explained(&case).await?["state"], "open");
    bygg.send(closure("new", &case, "done").to_string()).await?;
    assert_eq!(bygg.answer("new").await?["result"], "accepted");
    city.until(&case, "closed").await?;
    Ok(())
}
