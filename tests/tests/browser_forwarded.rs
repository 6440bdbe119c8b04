//! Forwarded cases on the wall, in a real browser.

use std::time::Duration;

use anyhow::ensure;
use domain::{CaseEvent, FollowUpStep};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::{
    browser_axe,
    browser_driver::Browser,
    figures_forwarded_fold::{closed, forwarded},
    forwarded_told::{Centre, due, followed_up, of_case},
    harness::eventually,
};

/// The rows of a table, as texts.
async fn rows(browser: &Browser, table: &str) -> anyhow::Result<Value> {
    browser
        .run(
            "const list = document.querySelector(arguments[0]);
             const texts = (row) => [...row.cells].filter((c) => !c.hidden).map((c) => c.textContent.replace(/\\u00a0/g, ' ').trim());
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
    let centre = Centre::start().await?;
    let wallboard = centre.outside.service("wallboard")?;
    let browser = Browser::start().await?;
    browser.size(1920, 1080).await?;
    browser
        .goto(&format!("{}/wallboard", wallboard.base))
        .await?;
    browser.until("fresh").await?;
    assert_eq!(late(&browser).await?, json!([true, "unknown", ""]));
    assert_eq!(rows(&browser, "#departments").await?["hidden"], true);

    let now = platform::Clock::real().now();
    let calm = cases(1, "bygg", (2, 0), 5, now)?;
    // Another replica's, that lives and so keeps the figures fresh: the product's own knows nothing of these cases.
    let source = "routing-2/CASES";
    let alive = lives(&centre, "routing", source, 2).await?;
    centre.tell("routing", (source, 1), &calm).await?;
    browser.until_figure("forwarded-open", "2").await?;
    assert_eq!(
        late(&browser).await?,
        json!([false, "met", "Inget försenat"])
    );
    // Nobody tells of follow-up.
    let calm_row = json!([["bygg", "2", "0", "ingen", "ingen uppgift"]]);
    let expected = json!({ "hidden": false, "rows": calm_row, "more": "" });
    assert_eq!(rows(&browser, "#departments").await?, expected);
    assert_eq!(
        browser.copied("forwarded-escalated").await?,
        "ingen uppgift"
    );

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
    alive.abort();
    let _alive = lives(&centre, "routing", source, 2 + busy.len()).await?;
    centre.tell("routing", (source, 3), &busy).await?;
    browser.until_figure("forwarded-open", "110").await?;
    browser.until_figure("forwarded-overdue", "8").await?;
    assert_eq!(late(&browser).await?, json!([false, "below", "Försenat"]));
    let wall = rows(&browser, "#departments").await?;
    // Not known once, rather than in each row.
    let last = |row: usize| wall["rows"][row].as_array().and_then(|r| r.last());
    assert_eq!(last(0), Some(&json!("ingen uppgift")));
    assert_eq!(last(1), Some(&json!("1 d")), "{wall}");
    browser.picture("forwarded-no-follow-up").await?;
    assert_eq!(cut(&browser).await?, json!([]), "cut off");

    let told = escalated(&busy, now)?;
    let alive = lives(&centre, "reminder", REMINDER, told.len()).await?;
    centre.tell("reminder", (REMINDER, 1), &told).await?;
    eventually("it is known who is told", async || {
        let copied = browser.copied("forwarded-escalated").await?;
        ensure!(copied == "3", "{copied}");
        Ok(())
    })
    .await?;
    let wall = rows(&browser, "#departments").await?;
    // The late ones first; where they are late since the same moment, whose case is oldest.
    let expected = json!({
        "hidden": false,
        "rows": [
            ["skog", "16", "2", "1 d", "2"], ["hav", "15", "2", "1 d", "1"], ["vard", "14", "1", "1 d", "0"],
            ["kansli", "13", "1", "1 d", "0"], ["miljo", "12", "1", "1 d", "0"],
        ],
        "more": "och 5 förvaltningar till",
    });
    assert_eq!(wall, expected);
    let table = rows(&browser, "#departments-table").await?;
    assert_eq!(table["rows"].as_array().map(Vec::len), Some(8));
    assert_eq!(table["rows"][0], wall["rows"][0]);
    assert_eq!(table["more"], "och 2 förvaltningar till");

    browser.picture("forwarded").await?;
    assert_eq!(cut(&browser).await?, json!([]), "cut off");
    browser_axe::finds_nothing(&browser, "fresh").await?;

    // Reminder falls silent: only what it tells is struck through.
    alive.abort();
    browser.until("stale").await?;
    browser.picture("forwarded-silent-follow-up").await?;
    let struck = browser
        .run(
            "const line = (cell) => getComputedStyle(cell).textDecorationLine;
             const row = document.querySelector('#departments').tBodies[0].rows[0];
             return [document.querySelector('#status-sv').textContent.slice(0, 32), ...[...row.cells].slice(1).map(line)];",
            &[],
        )
        .await?;
    assert_eq!(
        struck,
        json!([
            "Inga uppgifter om uppföljning se",
            "none",
            "none",
            "none",
            "line-through"
        ])
    );
    let alive = lives(&centre, "reminder", REMINDER, told.len()).await?;
    browser.until("fresh").await?;

    let all = busy.iter().chain(&calm);
    let ends: Result<Vec<CaseEvent>, anyhow::Error> = all
        .map(|e| of_case(e.case.0.as_u128(), e.department.as_str(), now, closed(None)))
        .collect();
    centre.tell("routing", (source, 111), &ends?).await?;
    browser.until_figure("forwarded-open", "0").await?;
    browser.until_figure("forwarded-overdue", "0").await?;
    eventually("the departments are gone", async || {
        let shown = rows(&browser, "#departments").await?;
        ensure!(shown["hidden"] == true, "{shown}");
        Ok(())
    })
    .await?;
    assert_eq!(browser.copied("forwarded-escalated").await?, "0");
    assert_eq!(
        late(&browser).await?,
        json!([false, "met", "Inget försenat"])
    );
    assert_eq!(browser.console().await?, Vec::<Value>::new());
    alive.abort();
    Ok(())
}

const REMINDER: &str = "reminder/CASES";

/// The late cases of the two departments that come first: all but one have come to the heads.
fn escalated(busy: &[CaseEvent], now: Timestamp) -> anyhow::Result<Vec<CaseEvent>> {
    let of = |first: u128, department: &str, cases: u128| -> anyhow::Result<Vec<CaseEvent>> {
        let told = |n: u128| {
            let heads = followed_up(FollowUpStep::Heads, now - 1.hour())?;
            of_case(first + n, department, now - 1.minute(), heads)
        };
        (0..cases).map(told).collect()
    };
    let told = [of(9_000, "skog", 2)?, of(8_000, "hav", 1)?].concat();
    let known = |told: &CaseEvent| busy.iter().any(|e| e.case == told.case);
    ensure!(told.iter().all(known), "cases that were forwarded");
    Ok(told)
}

/// From now on, says once a second that reminder lives and has told so much.
async fn lives(
    centre: &Centre,
    service: &str,
    source: &str,
    last: usize,
) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let bus = centre.bus(service).await?;
    let beat = json!({ "source": source, "last": last }).to_string();
    let subject = format!("source.{service}.CASES");
    Ok(tokio::spawn(async move {
        loop {
            let said = bus.publish(subject.clone(), beat.clone().into()).await;
            if said.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }))
}

/// What is cut off or scrolls.
async fn cut(browser: &Browser) -> anyhow::Result<Value> {
    browser
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
        .await
}
