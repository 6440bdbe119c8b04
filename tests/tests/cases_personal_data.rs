//! Where a citizen's data is, and where it is not.

use anyhow::ensure;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::harness::{Product, database, eventually};

const NAME: &str = "Gunhild Kvastfot-Lysemark";
const PHONE: &str = "0709-471 1147";
const EMAIL: &str = "gunhild.kvastfot@example.org";
const TEXT: &str = "Grannens kompost luktar blåbärsgalosch";
const REFERENCE: &str = "samtal-gunhild-4711";

fn bad_cases() -> Vec<(Value, &'static str)> {
    vec![
        (json!({ "type": "Bygg lov" }), "type"),
        (json!({ "rosa_group": 7 }), "rosa_group"),
        (json!({ "department": "Bygg" }), "department"),
        (json!({ "opinion": "anger" }), "opinion"),
        (json!({ "urgent": "yes" }), "urgent"),
        (json!({ "zone": "a b" }), "zone"),
        (json!({ "text": "x".repeat(20_001) }), "text"),
        (json!({ "text": "a\u{0}" }), "text"),
        (
            json!({ "citizen": { "name": "x".repeat(201) } }),
            "citizen.name",
        ),
        (json!({ "citizen": { "email": NAME } }), "citizen.email"),
        (
            json!({ "citizen": { "phone": "7".repeat(33) } }),
            "citizen.phone",
        ),
        (json!({ "citizen": { "ssn": "x" } }), "citizen.ssn"),
        (
            json!({ "contact": { "queue": "vaxel" } }),
            "contact.reference",
        ),
        (
            json!({ "contact": { "reference": "1", "queue": PHONE } }),
            "contact.queue",
        ),
        (json!({ "citzen": {} }), "citzen"),
    ]
}

/// Every row of every table outside intake's own, and of intake's event log, as text.
async fn rows(database: &mut PgConnection) -> anyhow::Result<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
         WHERE schemaname IN ('access', 'metrics') OR (schemaname = 'intake' AND tablename IN ('event_log', 'source'))",
    )
    .fetch_all(&mut *database)
    .await?;
    assert!(tables.len() > 8, "{tables:?}");
    let mut all = String::new();
    for table in tables {
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT t::text FROM {table} t"
        )))
        .fetch_all(&mut *database)
        .await?;
        all += &rows.join("\n");
    }
    Ok(all)
}

/// Every byte of the bus's storage.
fn stored(folder: &std::path::Path) -> anyhow::Result<Vec<u8>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(stored(&path)?);
        } else {
            all.extend(std::fs::read(path)?);
        }
    }
    Ok(all)
}

#[tokio::test]
async fn what_can_be_traced_to_a_citizen_stays_in_intake() -> anyhow::Result<()> {
    let product = Product::run(&["all"], &[("KOMMUNLOTS_LOG", "debug")])?;
    let api = product.api()?;
    let mut event = crate::harness::contact(REFERENCE, "queued", "2021-02-01T08:00:00Z");
    event["channel"] = json!("email");
    api.contacts(&[event]).await?;
    let mut body = json!({ "type": "bygglov", "rosa_group": 3, "department": "bygg" });
    body["text"] = json!(TEXT);
    body["citizen"] = json!({ "name": NAME, "email": EMAIL, "phone": PHONE });
    body["contact"] = json!({ "reference": REFERENCE, "queue": "vaxel" });
    let key = [
        ("content-type", "application/json"),
        ("idempotency-key", "k"),
    ];
    let (status, case) = api
        .send(Method::POST, "/intake/cases", &key, body.to_string())
        .await?;
    assert_eq!(status, StatusCode::CREATED);
    // Mistakes are answered, and logged, without what was sent.
    let mut said = case.to_string();
    let mut wrong = Vec::new();
    for (changes, field) in bad_cases() {
        let mut bad = body.clone();
        for (name, value) in changes.as_object().into_iter().flatten() {
            bad[name.as_str()] = value.clone();
        }
        let (status, problem) = api
            .problem(
                Method::POST,
                "/intake/cases",
                &[("content-type", "application/json")],
                bad.to_string(),
            )
            .await?;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        if problem["errors"][0]["field"] != field {
            wrong.push(format!("{field} is not named: {problem}"));
        }
        said += &problem.to_string();
    }
    let path = format!(
        "/intake/cases/{}/resolve",
        case["id"].as_str().unwrap_or_default()
    );
    let (status, _) = api.post(&path, &Value::Null).await?;
    assert_eq!(status, StatusCode::OK);
    eventually("the board shows the case", async || {
        let cases = api.board().await?["board"]["cases"].clone();
        ensure!(
            cases == json!({ "registered": 1, "resolved": 1 }),
            "{cases}"
        );
        Ok(())
    })
    .await?;
    api.until_figures_hold_all().await?;

    let mut database = database(&product.data()).await?;
    let kept: String =
        sqlx::query_scalar("SELECT c::text FROM intake.case_content c WHERE text = $1")
            .bind(TEXT)
            .fetch_one(&mut database)
            .await?;
    let store = stored(&product.data().join("nats/store"))?;
    let bus = String::from_utf8_lossy(&store);
    assert!(
        bus.contains("case.bygg.registered") && bus.contains("contact.email.queued"),
        "the bus's storage must be readable for this test to mean anything"
    );
    let metrics = api.http.get(format!("{}/metrics", api.base)).send().await?;
    let places = [
        ("the bus", bus.into_owned()),
        ("the log", product.log()),
        ("/metrics", metrics.text().await?),
        ("the tables outside intake", rows(&mut database).await?),
        ("the board", api.board().await?.to_string()),
        ("the answers", said),
    ];
    for secret in [
        NAME,
        PHONE,
        EMAIL,
        TEXT,
        REFERENCE,
        "Gunhild",
        "blåbärsgalosch",
    ] {
        assert!(secret == REFERENCE || kept.contains(secret), "{kept}");
        for (place, text) in &places {
            assert!(!text.contains(secret), "{secret} is in {place}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
