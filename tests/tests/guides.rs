//! A guide's pseudonym goes with the case that they forwarded, so that reminders come back to them.

use anyhow::{Context, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::{
    case_page_officer::agree,
    harness::{Product, database, eventually},
};

fn case() -> Value {
    json!({ "type": "bygglov", "rosa_group": 4, "department": "bygg" })
}

/// The guides that routing tells of in the forwardings of a case, oldest first.
async fn told(database: &mut PgConnection, id: &str) -> anyhow::Result<Vec<Option<String>>> {
    Ok(sqlx::query_scalar(
        "SELECT data->>'guide' FROM routing.event_log WHERE kind = 'case.forwarded' AND data->>'case' = $1
         ORDER BY sequence",
    )
    .bind(id)
    .fetch_all(database)
    .await?)
}

#[tokio::test]
async fn whoever_asks_for_the_forwarding_is_told_of_with_it() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    agree(&api).await?;
    let mut database = database(&product.data()).await?;
    for (registers, forwards, guide) in [
        (Some("v07"), None, Some("v07")),
        (Some("v07"), Some(String::new()), Some("v07")),
        (Some("v07"), Some("{}".to_owned()), Some("v07")),
        (
            Some("v07"),
            Some(json!({ "guide": "v12" }).to_string()),
            Some("v12"),
        ),
        (
            None,
            Some(json!({ "guide": "v12" }).to_string()),
            Some("v12"),
        ),
        (None, Some(String::new()), None),
    ] {
        let mut new = case();
        new["forward"] = json!(forwards.is_none());
        if let Some(guide) = registers {
            new["guide"] = json!(guide);
        }
        let (status, answer) = api.post("/intake/cases", &new).await?;
        ensure!(status == StatusCode::CREATED, "{status}: {answer}");
        let id = answer["id"].as_str().context("an id")?.to_owned();
        if let Some(body) = forwards {
            let path = format!("/intake/cases/{id}/forward");
            let key = [("idempotency-key", id.as_str())];
            // The same request twice is the same request.
            for _ in 0..2 {
                let (status, answer) = api.send(Method::POST, &path, &key, body.clone()).await?;
                ensure!(status == StatusCode::OK, "{status}: {answer}");
            }
        }
        let expected = [guide.map(str::to_owned)];
        eventually("the case is forwarded", async || {
            let told = told(&mut database, &id).await?;
            ensure!(told == expected, "{told:?}, not {expected:?}");
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_guide_is_no_name_and_no_number() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let (_, known) = api.post("/intake/cases", &case()).await?;
    let path = format!(
        "/intake/cases/{}/forward",
        known["id"].as_str().context("an id")?
    );
    for guide in [
        json!("Gunhild Kvastfot"),
        json!("19900102-1234"),
        json!("0701740605"),
        json!(""),
        json!(7),
    ] {
        let mut new = case();
        new["guide"] = guide.clone();
        let forward = json!({ "guide": guide });
        for (path, body) in [("/intake/cases", new), (path.as_str(), forward)] {
            let (status, problem) = api
                .problem(Method::POST, path, &[], body.to_string())
                .await?;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{guide}");
            assert_eq!(problem["errors"][0]["field"], "guide", "{problem}");
        }
    }
    for (body, field) in [("v07", ""), ("{\"gide\": \"v07\"}", "gide")] {
        let (status, problem) = api.problem(Method::POST, &path, &[], body).await?;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    Ok(())
}
