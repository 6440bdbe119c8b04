//! The case page: what a citizen said is on it and nowhere else, and everybody can read it.

use std::path::Path;

use anyhow::ensure;
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::{
    browser_axe,
    browser_driver::Browser,
    case_page_officer::{EMAIL, NAME, Officer, PHONE, TEXT, agree, link, mails, register},
    harness::{Product, database, eventually},
    telemetry::Collector,
};

/// Every row of every table but the one that is for content, as text.
async fn rows(database: &mut PgConnection) -> anyhow::Result<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
         WHERE schemaname IN ('access', 'intake', 'routing', 'metrics') AND tablename <> 'case_content'",
    )
    .fetch_all(&mut *database)
    .await?;
    assert!(tables.len() > 20, "{tables:?}");
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

/// Every byte of a folder.
fn stored(folder: &Path, into: &mut Vec<u8>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            stored(&path, into)?;
        } else {
            into.extend(std::fs::read(path)?);
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_a_citizen_said_is_on_the_page_and_nowhere_else() -> anyhow::Result<()> {
    let collector = Collector::default();
    let endpoint = collector.start().await?;
    let product = Product::run(
        &["all"],
        &[
            ("KOMMUNLOTS_LOG", "trace,sqlx=debug,hyper=debug,h2=debug"),
            ("KOMMUNLOTS_OTLP_ENDPOINT", &endpoint),
        ],
    )?;
    let api = product.api()?;
    agree(&api).await?;
    register(&api).await?;
    let link = link(&product.data(), "bygglov@bygg.example").await?;
    let officer = Officer::with(&link)?;
    let page = officer.sees().await?;
    for secret in [NAME, PHONE, EMAIL, "blåbärsgalosch"] {
        page.shows(secret)?;
    }
    let note = "Ringde+grannen+p%C3%A5+gr%C3%B6nsaksg%C3%A5ngen";
    officer
        .does("note", &format!("text={note}"))
        .await?
        .shows("grönsaksgången")?;
    officer
        .sends("pause", "reason=citizen")
        .await?
        .shows(NAME)?;
    let note = "note=gr%C3%B6nsaksg%C3%A5ngen+igen&belongs_to=gata";
    officer.does("bounce", note).await?;
    crate::case_page_officer::link(&product.data(), "@gata.example").await?;
    eventually("the page's requests are traced", async || {
        ensure!(collector.holds("/routing/case/{token}/{action}"), "not yet");
        // A span's name, as protobuf has it.
        ensure!(collector.holds("*\u{8}question"), "not yet");
        Ok(())
    })
    .await?;
    let mut database = database(&product.data()).await?;
    let mut bus = Vec::new();
    stored(&product.data().join("nats/store"), &mut bus)?;
    let bus = String::from_utf8_lossy(&bus);
    assert!(
        bus.contains("case.bygg.bounced"),
        "readable, for this to mean anything"
    );
    let rows = rows(&mut database).await?;
    assert!(
        rows.contains("grönsaksgången"),
        "notes are in routing's log of the case"
    );
    let mails: String = mails(&product.data())?
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let metrics = api.http.get(format!("{}/metrics", api.base)).send().await?;
    let places = [
        ("the bus", bus.into_owned()),
        ("the log", product.log()),
        ("/metrics", metrics.text().await?),
        ("tables", rows),
        ("a mail", mails),
    ];
    let token = link.rsplit('/').next().unwrap_or_default();
    for secret in [
        TEXT,
        NAME,
        PHONE,
        EMAIL,
        "Gunhild",
        "blåbärsgalosch",
        "grönsaksgången",
        token,
    ] {
        for (place, text) in &places {
            // The mail brings the link, and waits in a table until it is sent; notes are kept for the page.
            let meant = match *place {
                "tables" => secret == token || secret == "grönsaksgången",
                "a mail" => secret == token,
                _ => false,
            };
            assert!(meant || !text.contains(secret), "{secret} is in {place}");
        }
        assert!(!collector.holds(secret), "{secret} is in a trace");
    }
    Ok(())
}

/// Axe's rules include the size of targets and the contrast of text.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_can_read_and_use_the_page() -> anyhow::Result<()> {
    let product = tokio::task::block_in_place(Product::start)?;
    let api = product.api()?;
    agree(&api).await?;
    register(&api).await?;
    let link = link(&product.data(), "bygglov@bygg.example").await?;
    let browser = Browser::start().await?;
    browser.goto(&link).await?;
    browser_axe::finds_nothing_on_a_page(&browser, "case-open").await?;

    // As a person does it: the browser itself must be let in by what it says of where its forms come from.
    let says = async |selector: &str| {
        let text = "return document.querySelector(arguments[0])?.textContent ?? ''";
        let text = browser.run(text, &[json!(selector)]).await?;
        anyhow::Ok(text.as_str().unwrap_or_default().to_owned())
    };
    browser.click("form[action$='/take'] button").await?;
    let becomes = async |text: &str| {
        eventually("the page tells what was done", async || {
            let said = says(".said").await?;
            ensure!(said.starts_with(text), "it says {said}");
            Ok(())
        })
        .await
    };
    becomes("Ärendet är taget.").await?;
    browser.goto(&format!("{link}/take")).await?;
    ensure!(
        says("h1").await?.starts_with("Ärende 1"),
        "back at the page"
    );
    let click = "document.querySelector('form[action$=\"/pause\"]').submit()";
    browser.run(click, &[]).await?;
    becomes("Inget är ändrat").await?;
    let focused = browser
        .run("return document.activeElement.className", &[])
        .await?;
    assert_eq!(
        focused, "said failed",
        "who has it read aloud hears it first"
    );
    browser_axe::finds_nothing_on_a_page(&browser, "case-wrong").await?;
    browser.click("#close-outcome").await?;
    browser.click("form[action$='/close'] button").await?;
    becomes("Ärendet är avslutat.").await?;
    browser_axe::finds_nothing_on_a_page(&browser, "case-closed").await?;
    browser.goto(&link[..link.len() - 1]).await?;
    browser_axe::finds_nothing_on_a_page(&browser, "case-stopped").await?;
    let mut console = browser.console().await?;
    // The browser itself notes answers that are no success.
    console.retain(|entry| entry["source"] != "network");
    assert_eq!(console, Vec::<Value>::new());
    Ok(())
}
