//! Cases: their life at the centre, and repeating a request.

use anyhow::ensure;
use futures::future::try_join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::harness::{Api, Product, database, eventually};

fn case() -> Value {
    json!({ "type": "bygglov", "rosa_group": 3, "department": "bygg" })
}

async fn keyed(api: &Api, path: &str, key: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", key),
    ];
    let (status, answer) = api
        .send(Method::POST, path, &headers, body.to_string())
        .await?;
    Ok((status.as_u16(), answer))
}

async fn register(api: &Api) -> anyhow::Result<Value> {
    let (status, case) = api.post("/intake/cases", &case()).await?;
    ensure!(status == StatusCode::CREATED, "{status}: {case}");
    Ok(case)
}

async fn change(api: &Api, case: &Value, how: &str) -> anyhow::Result<(u16, Value)> {
    let id = case["id"].as_str().unwrap_or_default();
    let (status, answer) = api
        .post(&format!("/intake/cases/{id}/{how}"), &Value::Null)
        .await?;
    Ok((status.as_u16(), answer))
}

async fn board_shows(api: &Api, registered: i64, resolved: i64) -> anyhow::Result<()> {
    eventually("the board shows the cases", async || {
        let cases = api.board().await?["board"]["cases"].clone();
        ensure!(
            cases == json!({ "registered": registered, "resolved": resolved }),
            "{cases}"
        );
        Ok(())
    })
    .await
}

async fn count(database: &mut PgConnection, what: &'static str) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar(what).fetch_one(database).await?)
}

#[tokio::test]
async fn a_case_goes_its_way_and_the_board_with_it() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let board = eventually("the first board", async || api.board().await).await?;
    assert_eq!(
        board["board"]["cases"],
        json!({ "registered": null, "resolved": null })
    );
    assert_eq!(
        board["board"]["forwarded"],
        json!({ "open": null, "overdue": null, "escalated": null, "departments": [], "more": 0 })
    );

    let (first, second) = (register(&api).await?, register(&api).await?);
    assert_ne!(first["number"], second["number"]);
    board_shows(&api, 2, 0).await?;
    let id = first["id"].as_str().unwrap_or_default();
    assert_eq!(
        api.get(&format!("/intake/cases/{id}")).await?,
        (StatusCode::OK, first.clone())
    );

    // Each step that the state allows, and between them all that it does not.
    let refused = async |case: &Value, hows: &[&str]| -> anyhow::Result<()> {
        for how in hows {
            let id = case["id"].as_str().unwrap_or_default();
            let (status, problem) = api
                .problem(Method::POST, &format!("/intake/cases/{id}/{how}"), &[], "")
                .await?;
            assert_eq!(status, StatusCode::CONFLICT, "{how}: {problem}");
        }
        Ok(())
    };
    refused(&first, &["repeat-contact"]).await?;
    assert_eq!(
        change(&api, &first, "resolve").await?.1["state"],
        "resolved"
    );
    board_shows(&api, 2, 1).await?;
    refused(&first, &["resolve", "forward"]).await?;
    assert_eq!(
        change(&api, &first, "repeat-contact").await?.1["state"],
        "registered"
    );
    board_shows(&api, 2, 0).await?;
    assert_eq!(
        change(&api, &first, "resolve").await?.1["state"],
        "resolved"
    );
    board_shows(&api, 2, 1).await?;
    assert_eq!(
        change(&api, &second, "forward").await?.1["state"],
        "forward_requested"
    );
    refused(&second, &["resolve", "forward", "repeat-contact"]).await?;

    let nobody = json!({ "id": "00000000-0000-7000-8000-000000000000" });
    for how in ["resolve", "repeat-contact", "forward"] {
        assert_eq!(change(&api, &nobody, how).await?.0, 404);
    }
    board_shows(&api, 2, 1).await?;
    let mut database = database(&product.data()).await?;
    let events = "SELECT count(*) FROM intake.event_log WHERE source = 'intake/CASES'";
    assert_eq!(count(&mut database, events).await?, 6);
    Ok(())
}

#[tokio::test]
async fn the_same_request_has_the_same_answer_and_one_effect() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let first = keyed(&api, "/intake/cases", "k-1", &case()).await?;
    assert_eq!(first.0, 201);
    assert_eq!(keyed(&api, "/intake/cases", "k-1", &case()).await?, first);
    let mut other = case();
    other["urgent"] = json!(true);
    assert_eq!(keyed(&api, "/intake/cases", "k-1", &other).await?.0, 422);
    let resolve = format!(
        "/intake/cases/{}/resolve",
        first.1["id"].as_str().unwrap_or_default()
    );
    assert_eq!(keyed(&api, &resolve, "k-1", &Value::Null).await?.0, 422);
    let resolved = keyed(&api, &resolve, "k-2", &Value::Null).await?;
    assert_eq!(resolved.0, 200);
    assert_eq!(
        keyed(&api, &resolve, "k-2", &Value::Null).await?,
        resolved,
        "not 409"
    );
    // Another client's key of the same name is another key.
    let desk = product.command(&["key", "new", "--name", "desk", "--scope", "cases:write"])?;
    let desk = api.with_key(Some(desk.trim()));
    let theirs = keyed(&desk, "/intake/cases", "k-1", &case()).await?;
    assert_eq!(theirs.0, 201);
    assert_ne!(theirs.1["id"], first.1["id"]);
    for bad in ["", &"x".repeat(201)] {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", bad),
        ];
        let (status, _) = api
            .problem(Method::POST, "/intake/cases", &headers, case().to_string())
            .await?;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }

    // Twenty at once, and twenty again: one case.
    for _ in 0..2 {
        let many = (0..20).map(|_| keyed(&api, "/intake/cases", "k-3", &other));
        let answers = try_join_all(many).await?;
        assert!(answers.iter().all(|a| a.0 == 201 && a.1 == answers[0].1));
    }
    let mut database = database(&product.data()).await?;
    assert_eq!(
        count(&mut database, "SELECT count(*) FROM intake.cases").await?,
        3
    );
    let events = "SELECT count(*) FROM intake.event_log WHERE kind = 'case.registered'";
    assert_eq!(count(&mut database, events).await?, 3);

    // A resolution and a registration with one key, committed together: what is refused leaves no case behind. The
    // source's counter is held meanwhile, so that both wait for the same commit.
    let case_two = register(&api).await?;
    let resolve = format!(
        "/intake/cases/{}/resolve",
        case_two["id"].as_str().unwrap_or_default()
    );
    let mut hold = database.begin().await?;
    sqlx::query("SELECT last FROM intake.source WHERE name = 'intake/CASES' FOR UPDATE")
        .execute(&mut *hold)
        .await?;
    let in_front = register(&api);
    let later = async {
        // One after the other, behind the one that waits for the counter.
        let pause = || tokio::time::sleep(std::time::Duration::from_millis(300));
        pause().await;
        let resolved = keyed(&api, &resolve, "k-4", &Value::Null);
        let registered = async {
            pause().await;
            keyed(&api, "/intake/cases", "k-4", &other).await
        };
        let release = async {
            pause().await;
            pause().await;
            Ok(hold.rollback().await?)
        };
        tokio::try_join!(resolved, registered, release)
    };
    let (_, (resolved, registered, ())) = tokio::try_join!(in_front, later)?;
    assert_eq!((resolved.0, registered.0), (200, 422));
    let told = count(&mut database, events).await?;
    let kept = count(&mut database, "SELECT count(*) FROM intake.cases").await?;
    assert_eq!(kept, told, "a case without an event");
    Ok(())
}
