//! The platform's promises in the database: gapless numbers, and a role for each schema.

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use reqwest::StatusCode;
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use crate::harness::{Product, contact, database};

/// Numbers of a source, in the order in which they were committed.
async fn sequences(database: &mut PgConnection, source: &str) -> anyhow::Result<Vec<i64>> {
    Ok(
        sqlx::query_scalar("SELECT sequence FROM intake.event_log WHERE source = $1 ORDER BY 1")
            .bind(source)
            .fetch_all(database)
            .await?,
    )
}

#[tokio::test]
async fn numbers_have_no_gaps_however_many_write() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let case = json!({ "type": "bygglov", "rosa_group": 3, "department": "bygg" });
    let cases = (0..100).map(async |_| {
        let (status, _) = api.post("/intake/cases", &case).await?;
        ensure!(status == StatusCode::CREATED, "{status}");
        anyhow::Ok(())
    });
    let contacts = (0..100).map(async |n| {
        // Every other one was told before, and a batch is told beside single ones.
        let event = contact(&format!("{}", n / 2), "queued", "2021-02-01T08:00:00Z");
        let more = contact(&format!("m-{n}"), "queued", "2021-02-01T08:00:00Z");
        let events = if n % 3 == 0 {
            vec![event, more]
        } else {
            vec![event]
        };
        api.contacts(&events).await
    });
    // What is refused takes no number.
    let refused = (0..30).map(async |_| {
        let bad = contact("", "queued", "2021-02-01T08:00:00Z");
        let (status, _) = api.post("/intake/contacts", &bad).await?;
        ensure!(status == StatusCode::UNPROCESSABLE_ENTITY, "{status}");
        anyhow::Ok(())
    });
    tokio::try_join!(
        try_join_all(cases),
        try_join_all(contacts),
        try_join_all(refused)
    )?;
    api.until_figures_hold_all().await?;

    let mut database = database(&product.data()).await?;
    let (_, positions) = api.get("/figures/positions").await?;
    for (source, count) in [("intake/CASES", 100), ("intake/CONTACTS", 50 + 34)] {
        let all: Vec<i64> = (1..=count).collect();
        assert_eq!(sequences(&mut database, source).await?, all, "{source}");
        assert_eq!(positions[source], count);
    }

    // A role reaches its own schema, the keys to read, and nothing else.
    for (role, own, foreign) in [
        (
            "kommunlots_intake",
            "intake.cases",
            ["metrics.contact_fact", "metrics.position"],
        ),
        (
            "kommunlots_metrics",
            "metrics.contact_sum",
            ["intake.case_content", "intake.event_log"],
        ),
    ] {
        database
            .execute(AssertSqlSafe(format!("SET ROLE {role}")))
            .await?;
        for table in [own, "access.api_key"] {
            database
                .execute(AssertSqlSafe(format!("SELECT FROM {table}")))
                .await?;
        }
        let forbidden = [
            format!("SELECT FROM {}", foreign[0]),
            format!("SELECT FROM {}", foreign[1]),
            format!("DELETE FROM {}", foreign[0]),
            "UPDATE access.api_key SET scopes = '{operate}'".to_owned(),
            "INSERT INTO access.api_key SELECT * FROM access.api_key".to_owned(),
            format!(
                "CREATE TABLE {}.mine ()",
                own.split('.').next().context("a schema")?
            ),
        ];
        for sql in forbidden {
            let error = database.execute(AssertSqlSafe(sql.clone())).await.err();
            let code = error
                .as_ref()
                .and_then(|e| e.as_database_error())
                .and_then(|e| e.code())
                .map(|c| c.into_owned());
            assert_eq!(code.as_deref(), Some("42501"), "{role}: {sql}: {error:?}");
        }
        database.execute("RESET ROLE").await?;
    }
    Ok(())
}

/// Who sees warnings at the very first start takes them for something to mend.
#[tokio::test]
async fn a_first_start_warns_of_nothing() -> anyhow::Result<()> {
    let product = Product::start()?;
    // Everybody has read what there is to read, so every stream is there.
    let api = product.api()?;
    api.contacts(&[contact("1", "queued", "2021-02-01T08:00:00Z")])
        .await?;
    api.until_figures_hold_all().await?;
    let log = product.log();
    ensure!(
        log.contains("INFO"),
        "readable, for this to mean anything: {log}"
    );
    for level in ["WARN", "ERROR"] {
        assert!(!log.contains(level), "{log}");
    }
    Ok(())
}
