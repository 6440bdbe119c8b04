//! Handling time with its split, of a case that was really registered, forwarded and closed.

use anyhow::Context;
use domain::CaseWhat;
use jiff::{SignedDuration, Timestamp, ToSpan};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    closures::{City, System, closure},
    forwarded_told::{of_case, told_by},
};

/// What routing told of a case, by kind: the instant and the rest.
async fn told(city: &City, kind: &str) -> anyhow::Result<(Timestamp, Value)> {
    let data: String =
        sqlx::query_scalar("SELECT data::text FROM routing.event_log WHERE kind = $1")
            .bind(kind)
            .fetch_one(&mut city.database().await?)
            .await?;
    let data: Value = serde_json::from_str(&data)?;
    let at = data["at"].as_str().context("an instant")?.parse()?;
    Ok((at, data))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_centres_time_is_counted_when_the_municipality_is_open() -> anyhow::Result<()> {
    let city = City::start()?;
    let now = platform::Clock::real().now();
    // Weeks that no holiday fills.
    let registered_at = now - SignedDuration::from_hours(30 * 24);
    let registered = CaseWhat::Registered {
        case_type: "bygglov".parse()?,
        rosa_group: 4.try_into().map_err(anyhow::Error::msg)?,
        opinion: None,
        urgent: false,
        zone: None,
        contact: None,
        forward: true,
        guide: None,
    };
    let event = of_case(7, "bygg", registered_at, registered)?;
    told_by("intake", &city.product, ("intake-2/CASES", 1), &[event]).await?;
    let case = Uuid::from_u128(7).to_string();
    // Routing has not heard of it before.
    crate::harness::eventually("the case is forwarded", async || {
        city.explained(&case).await.map(drop)
    })
    .await?;
    let mut bygg = System::connect(&city, "bygg").await?;
    bygg.send(closure("1", &case, "done").to_string()).await?;
    assert_eq!(bygg.answer("1").await?["result"], "accepted");

    let (forwarded_at, forwarded) = told(&city, "case.forwarded").await?;
    let (closed_at, closed) = told(&city, "case.closed").await?;
    let office = routing::agreements::example().office_time();
    let centre = office.between(registered_at, forwarded_at).as_secs();
    assert!(centre > 40 * 3_600, "{centre}");
    assert_eq!(forwarded["centre_working_s"], centre);
    let department = closed["working_s"].as_i64().context("known")?;

    let one = |seconds: i64| json!({ "cases": 1, "median_s": seconds, "p90_s": seconds });
    let calendar = |from: Timestamp, to: Timestamp| one(to.duration_since(from).as_secs());
    let today = domain::local_day(now);
    let (from, to) = (
        today.checked_sub(1.day())?.to_string(),
        today.checked_add(1.day())?.to_string(),
    );
    let period = ["--from", from.as_str(), "--to", to.as_str()];
    let command = [&["figures", "handling", "--by", "queue"], &period[..]].concat();
    let printed = city
        .product
        .command(&[&command[..], &["--json"]].concat())?;
    let rows: Vec<Value> = serde_json::from_str(&printed)?;
    assert_eq!(rows.len(), 1, "{printed}");
    assert_eq!(rows[0]["key"], "bygg/handlaggare");
    assert_eq!(
        rows[0]["working"],
        json!({ "total": one(centre + department), "centre": one(centre), "department": one(department) })
    );
    assert_eq!(
        rows[0]["calendar"],
        json!({
            "total": calendar(registered_at, closed_at),
            "centre": calendar(registered_at, forwarded_at),
            "department": calendar(forwarded_at, closed_at),
        })
    );
    let path = format!("/figures/handling?from={from}&to={to}&by=queue");
    let (status, over_http) = city.api.get(&path).await?;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(over_http[0]["working"], rows[0]["working"]);
    let table = city.product.command(&command)?;
    let hours = format!("{} d {} h", centre / 86_400, centre / 3_600 % 24);
    for part in ["arbetstid, centret", "bygg/handlaggare", &hours] {
        assert!(table.contains(part), "{part}: {table}");
    }
    Ok(())
}
