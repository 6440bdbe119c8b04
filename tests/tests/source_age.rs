//! How old a source is on the board: a sign of life is not enough, its events must come through too.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::{
    faults_outside::Outside,
    harness::{contact, eventually},
};

/// By how many heartbeats the one source must have been missed more than the other.
const MISSED_S: f64 = 3.5;
/// So many are no difference: both come once a second.
const CROSSED_S: f64 = 1.9;

/// How much longer ago contacts were heard of than cases, seconds.
fn older_s(board: &Value) -> anyhow::Result<f64> {
    let age = |name: &str| {
        let sources = board["sources"].as_array().context("sources")?;
        let source = sources.iter().find(|s| s["source"] == name);
        source
            .and_then(|s| s["age_s"].as_f64())
            .with_context(|| format!("no age of {name} in {board}"))
    };
    Ok(age("intake/CONTACTS")? - age("intake/CASES")?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_whose_events_are_stuck_grows_old_though_it_lives() -> anyhow::Result<()> {
    let outside = Outside::start().await?;
    let product = outside.on_this_nats(&[])?;
    let api = product.api()?;
    api.contacts(&[contact("1", "queued", "2021-02-01T08:00:00Z")])
        .await?;
    let case = json!({ "type": "bygglov", "rosa_group": 2, "department": "bygg" });
    ensure!(api.post("/intake/cases", &case).await?.0.is_success());
    api.until_figures_hold_all().await?;
    eventually("both sources are heard", async || {
        let older = older_s(&api.board().await?)?;
        ensure!(older < CROSSED_S, "contacts are {older} s older");
        Ok(())
    })
    .await?;

    // Heartbeats of both go on, and so do the events of cases.
    outside.hold_contacts_up(true).await?;
    api.contacts(&[contact("1", "answered", "2021-02-01T08:00:05Z")])
        .await?;
    eventually("contacts grow older than cases", async || {
        let older = older_s(&api.board().await?)?;
        ensure!(older > MISSED_S, "contacts are {older} s older");
        Ok(())
    })
    .await?;
    let (_, positions) = api.get("/figures/positions").await?;
    assert_eq!(positions["intake/CONTACTS"], 1, "nothing came through");

    // Meanwhile it was told again, perhaps several times: it counts once all the same.
    outside.hold_contacts_up(false).await?;
    let figures = api.figures("from=2021-02-01&to=2021-02-01").await?;
    assert_eq!(
        (&figures[0]["offered"], &figures[0]["answered"]),
        (&json!(1), &json!(1))
    );
    eventually("contacts are as young as cases", async || {
        let older = older_s(&api.board().await?)?;
        ensure!(older < CROSSED_S, "contacts are {older} s older");
        Ok(())
    })
    .await
}
