//! Forwarded cases on the wall, in a real browser.

use anyhow::ensure;
use domain::CaseEvent;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::{
    browser_axe,
    browser_driver::Browser,
    figures_forwarded_fold::{closed, forwarded},
    forwarded_told::{due, of_case, routing_tells},
    harness::{Product, eventually},
};

/// The rows of a table, as texts.
async fn rows(browser: &Browser, table: &str) -> anyhow::Result<Value> {
    browser
        .run(
            "const list = document.querySelector(arguments[0]);
             const texts = (row) => [...row.cells].map((c) => c.textContent.replace(/\\u00a0/g, ' ').trim());
             return { hidden: list.hidden, rows: [...list.tBodies[0].rows].map(texts),
                      more: list.tFoot.querySelector('span').textContent };",
            &[json!(table)],
        )
        .await
}

async fn late(browser: &Browser) -> anyhow::Result<Value> {
    browser
        .run(
            "const late = document.querySelector('#late');
             return [late.hidden, late.dataset.state, document.querySelector('#late-sv').textContent];",
            &[],
        )
        .await
}

/// `count` open cases at a department, `overdue` of them past their limit, the oldest of `hours` ago.
fn cases(
    first: u128,
    department: &str,
    (count, overdue): (u128, u128),
    hours: i64,
    now: Timestamp,
) -> anyhow::Result<Vec<CaseEvent>> {
    let plain = forwarded(None, false)?;
    let one = |n: u128| {
        let limit = if n < overdue {
            now - 1.hour()
        } else {
            now + 9.hours()
        };
        let hours_ago = hours - i64::try_from(n)?.min(hours - 1);
        of_case(
            first + n,
            department,
            now - hours_ago.hours(),
            due(plain.clone(), limit),
        )
    };
    (0..count).map(one).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wall_shows_what_is_forwarded_and_late_by_department() -> anyhow::Result<()> {
    let product = Product::start()?;
    let browser = Browser::start().await?;
    browser.size(1920, 1080).await?;
    browser.goto(&format!("{}/wallboard", product.base)).await?;
    browser.until("fresh").await?;
    assert_eq!(late(&browser).await?, json!([true, "unknown", ""]));
    assert_eq!(rows(&browser, "#departments").await?["hidden"], true);

    let now = platform::Clock::real().now();
    let calm = cases(1, "bygg", (2, 0), 5, now)?;
    // Under the source of the product's own routing, which lives and so keeps the figures fresh.
    let source = "routing/CASES";
    routing_tells(&product, (source, 1), &calm).await?;
    browser.until_figure("forwarded-open", "2").await?;
    assert_eq!(
        late(&browser).await?,
        json!([false, "met", "Inget försenat"])
    );
    let expected = json!({ "hidden": false, "rows": [["bygg", "0", "2", "5 h"]], "more": "" });
    assert_eq!(rows(&browser, "#departments").await?, expected);

    let mut busy = Vec::new();
    let departments = [
        "skola",
        "social",
        "gata",
        "kultur-fritid-och-turism",
        "miljo",
        "kansli",
        "vard",
        "hav",
        "skog",
    ];
    for (n, department) in (1..).zip(departments) {
        let hours = 20 + i64::try_from(n)?;
        busy.extend(cases(n * 1_000, department, (n + 7, n / 4), hours, now)?);
    }
    routing_tells(&product, (source, 3), &busy).await?;
    browser.until_figure("forwarded-open", "110").await?;
    browser.until_figure("forwarded-overdue", "8").await?;
    assert_eq!(late(&browser).await?, json!([false, "below", "Försenat"]));
    let wall = rows(&browser, "#departments").await?;
    // The late ones first; where they are late since the same moment, whose case is oldest.
    let expected = json!({
        "hidden": false,
        "rows": [
            ["skog", "2", "16", "1 d"], ["hav", "2", "15", "1 d"], ["vard", "1", "14", "1 d"],
            ["kansli", "1", "13", "1 d"], ["miljo", "1", "12", "1 d"],
        ],
        "more": "och 5 förvaltningar till",
    });
    assert_eq!(wall, expected);
    let table = rows(&browser, "#departments-table").await?;
    assert_eq!(table["rows"].as_array().map(Vec::len), Some(8));
    assert_eq!(table["rows"][0], wall["rows"][0]);
    assert_eq!(table["more"], "och 2 förvaltningar till");

    // Nothing is cut off, and nothing scrolls.
    let cut = browser
        .run(
            "const find = (selector) => [...document.querySelectorAll(selector)];
             const high = find('html, .panel').filter((e) => e.scrollHeight > e.clientHeight + 1);
             const box = (selector) => document.querySelector(selector).getBoundingClientRect();
             if (box('.overdue dd').bottom > box('#late').top + 1) return ['the state lies over the figure'];
             const wide = find('html, .panel, .now, .departments td').filter((e) => e.scrollWidth > e.clientWidth + 1);
             return [...high, ...wide].map((e) => [
               e.tagName, e.className, e.scrollWidth, e.clientWidth, e.scrollHeight, e.clientHeight,
             ]);",
            &[],
        )
        .await?;
    browser.picture("forwarded").await?;
    assert_eq!(cut, json!([]), "cut off");
    browser_axe::finds_nothing(&browser, "fresh").await?;

    let all = busy.iter().chain(&calm);
    let ends: Result<Vec<CaseEvent>, anyhow::Error> = all
        .map(|e| of_case(e.case.0.as_u128(), e.department.as_str(), now, closed(None)))
        .collect();
    routing_tells(&product, (source, 111), &ends?).await?;
    browser.until_figure("forwarded-open", "0").await?;
    browser.until_figure("forwarded-overdue", "0").await?;
    eventually("the departments are gone", async || {
        let shown = rows(&browser, "#departments").await?;
        ensure!(shown["hidden"] == true, "{shown}");
        Ok(())
    })
    .await?;
    assert_eq!(
        late(&browser).await?,
        json!([false, "met", "Inget försenat"])
    );
    assert_eq!(browser.console().await?, Vec::<Value>::new());
    Ok(())
}
