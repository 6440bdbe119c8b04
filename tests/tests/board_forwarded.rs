//! Forwarded cases on the board, from being registered to being late.

use anyhow::ensure;
use jiff::{Timestamp, ToSpan};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    agreements::{example, text},
    figures_forwarded::FIGURES,
    figures_forwarded_fold::{closed, forwarded, paused},
    forwarded_told::{due, of_case, routing_tells},
    harness::{Api, Product, eventually},
};

/// `forwarded` of the board.
async fn board(api: &Api) -> anyhow::Result<Value> {
    Ok(api.board().await?["board"]["forwarded"].take())
}

#[tokio::test]
async fn the_board_tells_who_is_late_when_time_passes_and_nothing_else_does() -> anyhow::Result<()>
{
    let product = Product::start()?;
    let api = product.api()?;
    assert_eq!(
        board(&api).await?,
        json!({ "open": null, "overdue": null, "escalated": null, "departments": [], "more": 0 })
    );
    let now = platform::Clock::real().now();
    let (before, soon) = (now - 3.hours(), now + 4.seconds());
    let plain = forwarded(None, false)?;
    let source = "routing-2/CASES";
    let events = [
        of_case(1, "bygg", before, due(plain.clone(), soon))?,
        of_case(2, "bygg", before + 1.hour(), plain.clone())?,
        of_case(
            3,
            "skola",
            before - 1.hour(),
            due(plain.clone(), now + 9.hours()),
        )?,
        // It was late; then the clock stood, and stands.
        of_case(4, "miljo", before, due(plain.clone(), before + 1.hour()))?,
        of_case(4, "miljo", before + 2.hours(), paused()?)?,
        // Nobody was told of an import's.
        of_case(5, "skola", before, due(forwarded(None, true)?, before))?,
        of_case(6, "gata", before, plain.clone())?,
        of_case(6, "gata", now, closed(None))?,
    ];
    routing_tells(&product, (source, 1), &events).await?;
    let row = |department: &str, open: i64, overdue: i64, oldest: Timestamp, limit: Timestamp| {
        json!({
            // Nobody has told of follow-up.
            "department": department, "open": open, "overdue": overdue, "escalated": null,
            "oldest_forwarded_at": oldest.to_string(), "oldest_due": limit.to_string(),
            "oldest_overdue_forwarded_at": (overdue > 0).then(|| oldest.to_string()),
        })
    };
    let late = row("miljo", 1, 1, before, before + 1.hour());
    let waiting = row("skola", 1, 0, before - 1.hour(), now + 9.hours());
    eventually("the wall has what is open", async || {
        let departments = [
            late.clone(),
            waiting.clone(),
            row("bygg", 2, 0, before, soon),
        ];
        let expected = json!({ "open": 4, "overdue": 1, "escalated": null, "departments": departments, "more": 0 });
        let found = board(&api).await?;
        ensure!(found == expected, "{found}");
        Ok(())
    })
    .await?;
    eventually("the limit passes", async || {
        let departments = [
            late.clone(),
            row("bygg", 2, 1, before, soon),
            waiting.clone(),
        ];
        let expected = json!({ "open": 4, "overdue": 2, "escalated": null, "departments": departments, "more": 0 });
        let found = board(&api).await?;
        ensure!(found == expected, "{found}");
        Ok(())
    })
    .await?;
    let scrape = api
        .http
        .get(format!("{}/metrics", api.base))
        .send()
        .await?
        .text()
        .await?;
    for line in [
        "kommunlots_forwarded_open{department=\"bygg\"} 2",
        "kommunlots_forwarded_overdue{department=\"bygg\"} 1",
        "kommunlots_forwarded_open{department=\"gata\"} 0",
    ] {
        assert!(scrape.contains(line), "{line}: {scrape}");
    }
    // What is not known has no series.
    for unknown in [
        "kommunlots_forwarded_escalated{",
        "kommunlots_follow_up_steps_total{",
    ] {
        assert!(!scrape.contains(unknown), "{unknown}: {scrape}");
    }
    crate::prometheus_names::check(&scrape)?;
    // A figure of registered cases is intake's to tell.
    assert_eq!(
        api.board().await?["board"]["cases"]["registered"],
        Value::Null
    );
    Ok(())
}

#[tokio::test]
async fn a_forwarded_case_is_on_the_board_and_in_the_figures() -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let product = Product::start()?;
    let api = product.api()?;
    let today = domain::local_day(platform::Clock::real().now());
    let folder = example(temporary.path(), "agreements")?;
    let from = today.saturating_sub(1.day()).to_string();
    let apply = [
        "agreements",
        "apply",
        text(&folder)?,
        "--valid-from",
        &from,
        "--approved-by",
        "KS § 1",
    ];
    product.command(&apply)?;
    for forward in [true, true, false] {
        let case =
            json!({ "type": "bygglov", "rosa_group": 4, "department": "bygg", "forward": forward });
        let (status, case) = api.post("/intake/cases", &case).await?;
        ensure!(status == StatusCode::CREATED, "{status}: {case}");
    }
    eventually("they are open", async || {
        let found = board(&api).await?;
        ensure!(found["open"] == 2 && found["overdue"] == 0, "{found}");
        ensure!(found["departments"][0]["department"] == "bygg", "{found}");
        ensure!(found["departments"][0]["oldest_due"].is_string(), "{found}");
        Ok(())
    })
    .await?;
    let today = today.to_string();
    let figures = |of: &str, more: &[&str]| {
        let arguments = [
            "figures",
            of,
            "--from",
            &from,
            "--to",
            &today,
            "--by",
            "department",
        ];
        product.command(&[&arguments, more].concat())
    };
    let rows: Value = serde_json::from_str(&figures("forwarded", &["--json"])?)?;
    let row = &rows[0];
    assert_eq!(
        FIGURES.map(|f| row[f].as_i64()),
        [2, 0, 0, 2, 0].map(Some),
        "{row}"
    );
    let table = figures("forwarded", &[])?;
    assert!(
        table.contains("varav försenade") && table.contains("bygg"),
        "{table}"
    );
    // In ten years without anybody doing anything both limits have passed.
    let then = format!("{}-01-01", today[..4].parse::<i32>()? + 10);
    let rows: Value = serde_json::from_str(&figures("forwarded", &["--json", "--as-of", &then])?)?;
    assert_eq!(rows[0]["open_overdue"], 2, "{rows}");
    for of in ["handling", "followup"] {
        assert_eq!(figures(of, &["--json"])?.trim(), "[]");
        assert!(figures(of, &[])?.contains("inga avslutade"));
    }
    let now = platform::Clock::real().now();
    let came = due(forwarded(None, false)?, now + 9.hours());
    let events = [
        of_case(1, "bygg", now - 1.second(), came)?,
        of_case(1, "bygg", now, closed(None))?,
    ];
    let source = "routing-2/CASES";
    routing_tells(&product, (source, 1), &events).await?;
    crate::figures_forwarded::reached(&api, source, events.len()).await?;
    let rows: Value = serde_json::from_str(&figures("followup", &["--json"])?)?;
    assert_eq!(
        [&rows[0]["from"], &rows[0]["to"], &rows[0]["definition"]],
        [&*from, &*today, "followup/v1"],
    );
    let table = figures("followup", &[])?;
    for text in [
        "bygg",
        "efter kontaktperson",
        "1 (100,0 %)",
        &*from,
        "followup/v1",
    ] {
        assert!(table.contains(text), "{text}: {table}");
    }
    let before = now.saturating_sub(1.minute())?.to_string();
    let none = figures("followup", &["--json", "--as-of", &before])?;
    assert_eq!(none.trim(), "[]");
    Ok(())
}
