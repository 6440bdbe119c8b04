//! What is told twice, and what a restart of the PBX does.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Product, contact, database, eventually};

const NDJSON: [(&str, &str); 1] = [("content-type", "application/x-ndjson")];

#[tokio::test]
async fn what_is_told_twice_is_taken_once() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let queued = contact("1", "queued", "2021-02-01T08:00:00Z");
    let answered = contact("1", "answered", "2021-02-01T08:00:20+00:00");
    // The same instants, written otherwise.
    let again = contact("1", "queued", "2021-02-01T09:00:00+01:00");
    let all = [queued.clone(), again, answered.clone(), queued.clone()];
    assert_eq!(api.contacts(&all).await?, json!({ "taken": 2, "known": 2 }));
    assert_eq!(api.contacts(&all).await?, json!({ "taken": 0, "known": 4 }));
    let (status, answer) = api.post("/intake/contacts", &queued).await?;
    assert_eq!(
        (status, answer),
        (StatusCode::OK, json!({ "taken": 0, "known": 1 }))
    );
    // A batch of nothing, and one that ends without an end of line.
    assert_eq!(api.contacts(&[]).await?, json!({ "taken": 0, "known": 0 }));
    let body = answered.to_string();
    let (status, answer) = api
        .send(Method::POST, "/intake/contacts", &NDJSON, body)
        .await?;
    assert_eq!(
        (status, answer),
        (StatusCode::OK, json!({ "taken": 0, "known": 1 }))
    );

    // Many clients tell the same at the same time.
    let batch: Vec<Value> = (0..50)
        .map(|n| contact(&format!("m-{n}"), "queued", "2021-02-02T08:00:00Z"))
        .collect();
    let many = (0..20).map(|_| api.contacts(&batch));
    let counts = futures::future::try_join_all(many).await?;
    let sum = |name: &str| counts.iter().filter_map(|c| c[name].as_u64()).sum::<u64>();
    assert_eq!((sum("taken"), sum("known")), (50, 950));

    // A PBX restarts: who waited then is lost, who came later is not, and repeating it changes nothing.
    let later = contact("later", "queued", "2021-02-02T10:00:00Z");
    // One timed out, came back within the same second, and waited again.
    let mut timed_out = contact("back", "turned_away", "2021-02-02T08:05:00Z");
    timed_out["reason"] = json!("timed_out");
    let came = ["2021-02-02T08:00:00Z", "2021-02-02T08:05:00Z"];
    let [came, back] = came.map(|at| contact("back", "queued", at));
    api.contacts(&[later, came, timed_out, back]).await?;
    let restart = json!({ "system": "api", "at": "2021-02-02T09:00:00Z" });
    for _ in 0..2 {
        assert_eq!(
            api.post("/intake/restarts", &restart).await?.0,
            StatusCode::OK
        );
    }
    let mut database = database(&product.data()).await?;
    let lost: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM intake.event_log WHERE kind = 'contact.lost' AND at = '2021-02-02T09:00:00Z'",
    )
    .fetch_one(&mut database)
    .await?;
    assert_eq!(lost, 51);
    eventually("the lost are lost in metrics too", async || {
        let waiting: i64 =
            sqlx::query_scalar("SELECT count(*) FROM metrics.contact_fact WHERE waiting")
                .fetch_one(&mut database)
                .await?;
        anyhow::ensure!(waiting == 1, "{waiting} wait");
        Ok(())
    })
    .await?;
    let figures = api.figures("from=2021-02-01&to=2021-02-02").await?;
    assert_eq!(
        (&figures[0]["offered"], &figures[0]["answered"]),
        (&json!(1), &json!(1))
    );
    Ok(())
}
