//! The page in a real browser: its figures move, it says when they are old, and everybody can read it.

use anyhow::{Context, ensure};
use jiff::Timestamp;
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    browser_axe,
    browser_driver::Browser,
    faults_outside::Outside,
    harness::{Api, Product, eventually},
};

/// The product's clock is the real one, and the wall shows today.
fn now() -> Timestamp {
    platform::Clock::real().now()
}

async fn tell(api: &Api, contact: &str, channel: &str, event: &str) -> anyhow::Result<()> {
    let mut event = json!({
        "contact": contact, "event": event, "at": now().to_string(), "channel": channel, "queue": "vaxel",
    });
    if event["event"] == "turned_away" {
        event["reason"] = json!("timed_out");
    }
    api.contacts(&[event]).await.map(drop)
}

/// Registers a case and returns its id.
async fn register(api: &Api) -> anyhow::Result<String> {
    let case = json!({ "type": "bygglov", "rosa_group": 2, "department": "bygg" });
    let (status, case) = api.post("/intake/cases", &case).await?;
    ensure!(status.is_success(), "{status}: {case}");
    Ok(case["id"].as_str().context("an id")?.to_owned())
}

async fn open(base: &str) -> anyhow::Result<Browser> {
    let browser = Browser::start().await?;
    browser.size(1920, 1080).await?;
    browser.goto(&format!("{base}/wallboard")).await?;
    Ok(browser)
}

/// Nothing at all may be in the console of a page that works.
async fn console_is_empty(browser: &Browser) -> anyhow::Result<()> {
    assert_eq!(browser.console().await?, Vec::<Value>::new());
    Ok(())
}

/// Without a server the browser itself says so in the console; the page has nothing to add.
async fn console_has_only_the_network(browser: &Browser) -> anyhow::Result<()> {
    let mut entries = browser.console().await?;
    entries.retain(|entry| entry["source"] != "network" && !is_about_the_socket(entry));
    assert_eq!(entries, Vec::<Value>::new());
    Ok(())
}

fn is_about_the_socket(entry: &Value) -> bool {
    entry["message"]
        .as_str()
        .is_some_and(|m| m.contains("WebSocket connection to"))
}

/// Whether the figure is struck through, as the browser draws it.
async fn struck(browser: &Browser, figure: &str) -> anyhow::Result<bool> {
    let line = browser
        .run(
            "return getComputedStyle(document.querySelector(`[data-figure=${arguments[0]}]`)).textDecorationLine",
            &[json!(figure)],
        )
        .await?;
    Ok(line == "line-through")
}

/// From now on, notes each state of the page with the time that it says its figures are of.
const REMEMBER: &str = "
    window.states = [];
    const note = () => window.states.push([
      document.body.dataset.freshness, document.querySelector('#as-of').textContent, document.body.dataset.sequence,
    ]);
    new MutationObserver(note).observe(document.body, { attributeFilter: ['data-freshness'] });";

/// What the status line says in Swedish.
async fn status(browser: &Browser) -> anyhow::Result<String> {
    let text = browser
        .run(
            "return document.querySelector('#status-sv').textContent",
            &[],
        )
        .await?;
    Ok(text.as_str().context("a text")?.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_move_when_contacts_and_cases_come() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let browser = open(&product.base).await?;
    browser.until("fresh").await?;
    // Nothing has been heard of anybody: that is not zero.
    for figure in [
        "waiting-phone",
        "answer-rate",
        "forwarded-open",
        "forwarded-overdue",
    ] {
        browser.until_figure(figure, "ingen uppgift").await?;
    }

    tell(&api, "1", "phone", "queued").await?;
    browser.until_figure("waiting-phone", "1").await?;
    for contact in ["2", "3", "4"] {
        tell(&api, contact, "phone", "queued").await?;
    }
    browser.until_figure("waiting-phone", "4").await?;
    for contact in ["1", "2", "3"] {
        tell(&api, contact, "phone", "answered").await?;
    }
    browser.until_figure("waiting-phone", "1").await?;
    browser.until_figure("answer-rate", "100,0 %").await?;
    tell(&api, "4", "phone", "turned_away").await?;
    browser.until_figure("waiting-phone", "0").await?;
    browser.until_figure("longest-phone", "ingen").await?;
    browser.until_figure("answer-rate", "75,0 %").await?;
    browser
        .until_figure("answer-counts", "3 av 4 besvarade")
        .await?;
    tell(&api, "5", "email", "queued").await?;
    browser.until_figure("waiting-email", "1").await?;
    browser
        .until_figure("waiting-letter", "ingen uppgift")
        .await?;

    let case = register(&api).await?;
    register(&api).await?;
    browser.until_figure("cases-registered", "2").await?;
    let resolve = format!("/intake/cases/{case}/resolve");
    let (code, answer) = api.post(&resolve, &json!({})).await?;
    ensure!(code.is_success(), "{code}: {answer}");
    browser.until_figure("cases-resolved", "1").await?;
    // Who is forwarded is not followed yet.
    assert_eq!(browser.figure("forwarded-open").await?, "ingen uppgift");
    assert_eq!(browser.figure("forwarded-overdue").await?, "ingen uppgift");

    let different = browser
        .run(
            "return [...document.querySelectorAll('[data-copy]')].filter((cell) => {
               const figure = document.querySelector(`[data-figure=${cell.dataset.copy}]`);
               return figure && !/^(waiting|longest)-/.test(cell.dataset.copy) && figure.textContent !== cell.textContent;
             }).map((cell) => cell.dataset.copy)",
            &[],
        )
        .await?;
    assert_eq!(different, json!([]), "the table must say the same");
    browser_axe::finds_nothing(&browser, "fresh").await?;
    console_is_empty(&browser).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_wall_stands_still_and_then_catches_up() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let browser = open(&product.base).await?;
    tell(&api, "1", "phone", "queued").await?;
    browser.until_figure("waiting-phone", "1").await?;
    browser.click("#pause").await?;
    tell(&api, "2", "phone", "queued").await?;
    eventually("the server shows the second one", async || {
        let board = api.board().await?;
        let queues = board["board"]["queues"].as_array().context("queues")?;
        let phone = queues.iter().find(|q| q["channel"] == "phone");
        ensure!(phone.context("phone")?["waiting"] == 2, "{board}");
        Ok(())
    })
    .await?;
    // The frame that says 2 has reached this page too once a later tick has drawn it nowhere.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(browser.figure("waiting-phone").await?, "1");
    ensure!(
        status(&browser).await?.starts_with("Pausad"),
        "it must say so"
    );
    browser.click("#pause").await?;
    browser.until_figure("waiting-phone", "2").await?;
    console_is_empty(&browser).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wall_says_so_when_the_server_hangs() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let browser = open(&product.base).await?;
    tell(&api, "1", "phone", "queued").await?;
    browser.until_figure("waiting-phone", "1").await?;
    ensure!(!struck(&browser, "waiting-phone").await?, "not yet");

    kill_process(product.pid(), Signal::STOP)?;
    browser.until("delayed").await?;
    assert_eq!(status(&browser).await?, "Fördröjd");
    browser.picture("delayed").await?;
    browser.until("stale").await?;
    let says = status(&browser).await?;
    ensure!(says.starts_with("Ingen aktuell data sedan "), "{says}");
    ensure!(struck(&browser, "waiting-phone").await?, "struck through");
    // What was never known has nothing to strike.
    ensure!(!struck(&browser, "forwarded-open").await?, "a word");
    browser_axe::finds_nothing(&browser, "stale").await?;

    browser.run(REMEMBER, &[]).await?;
    kill_process(product.pid(), Signal::CONT)?;
    tell(&api, "2", "phone", "queued").await?;
    browser.until_figure("waiting-phone", "2").await?;
    browser.until("fresh").await?;
    ensure!(!struck(&browser, "waiting-phone").await?, "no longer");
    // The figures of before the hang must not pass for new ones first.
    let states = browser.run("return window.states", &[]).await?;
    let states = states.as_array().context("states")?;
    let first = states.iter().position(|s| s[0] == "fresh");
    let after = &states[first.context("fresh at last")?..];
    assert!(after.iter().all(|s| s[0] == "fresh"), "{states:?}");
    console_has_only_the_network(&browser).await
}

/// The socket lives and brings frames all the time: they carry old figures, and say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wall_says_so_when_metrics_is_gone() -> anyhow::Result<()> {
    let outside = Outside::start().await?;
    let wallboard = outside.service("wallboard")?;
    let browser = open(&wallboard.base).await?;
    browser.until("waiting").await?;
    browser_axe::finds_nothing(&browser, "waiting").await?;

    let intake = outside.service("intake")?;
    let mut metrics = outside.service("metrics")?;
    let api = outside.api_of(&intake)?;
    tell(&api, "1", "phone", "queued").await?;
    browser.until_figure("waiting-phone", "1").await?;
    browser.until("fresh").await?;

    metrics.kill()?;
    browser.until("stale").await?;
    ensure!(struck(&browser, "waiting-phone").await?, "struck through");
    let sequence = "return Number(document.body.dataset.sequence)";
    let before = browser.run(sequence, &[]).await?;
    eventually("the wallboard goes on sending frames", async || {
        let now = browser.run(sequence, &[]).await?;
        ensure!(now.as_u64() > before.as_u64(), "{now} after {before}");
        Ok(())
    })
    .await?;
    assert_eq!(browser.freshness().await?, "stale");

    // Told while nobody reckons: it is on the wall as soon as somebody does.
    tell(&api, "2", "phone", "queued").await?;
    tokio::task::block_in_place(|| metrics.start_again())?;
    browser.until_figure("waiting-phone", "2").await?;
    browser.until("fresh").await?;
    ensure!(!struck(&browser, "waiting-phone").await?, "no longer");
    console_is_empty(&browser).await
}
