//! Mail as a real mail server gets it, and what a server that is away or refuses does to it.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    case_page_officer::{EMAIL, NAME, Officer, PHONE, TEXT, agree, register},
    harness::{Api, Product, database, eventually},
    mail_server::{MailServer, ReceivedMail},
    platform_dead_letters::scraped,
};

const FROM: &str = "Exempelköpings kontaktcenter <kontaktcenter@exempelkoping.example>";
pub(crate) const BYGG: &str = "bygglov@bygg.example";

/// A product that sends its mail to `url`, with the made-up municipality's agreements.
pub(crate) async fn product(url: &str) -> anyhow::Result<(Product, Api)> {
    let product = Product::run(
        &["all"],
        &[("KOMMUNLOTS_MAIL", url), ("KOMMUNLOTS_MAIL_FROM", FROM)],
    )?;
    let api = product.api()?;
    agree(&api).await?;
    Ok((product, api))
}

/// Registers a case that goes to the schools.
pub(crate) async fn register_at_school(api: &Api) -> anyhow::Result<()> {
    let case = json!({ "type": "annat", "rosa_group": 4, "department": "skola", "forward": true });
    let (status, case) = api.post("/intake/cases", &case).await?;
    ensure!(status == StatusCode::CREATED, "{status}: {case}");
    Ok(())
}

/// What the server has taken, once it is so many.
pub(crate) async fn received(
    server: &MailServer,
    count: usize,
) -> anyhow::Result<Vec<ReceivedMail>> {
    eventually("the mail server has taken them", async || {
        let mails = server.received();
        ensure!(mails.len() == count, "{mails:?}");
        Ok(mails)
    })
    .await
}

/// The mails that wait or were given up, once `right` says so.
pub(crate) async fn queued(
    api: &Api,
    right: impl Fn(&[Value]) -> bool,
) -> anyhow::Result<Vec<Value>> {
    eventually("the queue is as it should be", async || {
        let (status, mails) = api.get("/routing/mail").await?;
        ensure!(status == StatusCode::OK, "{status}: {mails}");
        let mails = mails.as_array().context("an array")?.clone();
        ensure!(right(&mails), "{mails:?}");
        Ok(mails)
    })
    .await
}

/// Waits until a figure of routing's mails is `n`.
async fn counted(api: &Api, figure: &str, n: f64) -> anyhow::Result<()> {
    eventually("mails are counted", async || {
        let series = format!("kommunlots_mails_{figure}{{service=\"routing\"}}");
        let found = scraped(api, &series).await?;
        ensure!(found == n, "{series} is {found} instead of {n}");
        Ok(())
    })
    .await
}

/// Lets a day go by for every mail that waits.
async fn a_day_later(database: &mut PgConnection) -> anyhow::Result<()> {
    sqlx::query(
        "UPDATE routing.mail SET next_attempt_at = next_attempt_at - interval '1 day' WHERE sent_at IS NULL",
    )
    .execute(database)
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_forwarded_case_is_mailed_with_a_link_and_nothing_of_what_was_said() -> anyhow::Result<()>
{
    let server = MailServer::start()?;
    let (product, api) = product(&server.url()).await?;
    register(&api).await?;
    let mails = received(&server, 1).await?;
    let mail = &mails[0];
    assert_eq!(mail.from, "kontaktcenter@exempelkoping.example");
    assert_eq!(mail.to, BYGG);
    assert_eq!(mail.subject, "Nytt ärende: bygglov (New case)");
    assert_eq!(server.headers("From"), [FROM]);
    assert_eq!(
        server.headers("To"),
        [format!("Bygglovshandläggare <{BYGG}>")]
    );
    assert_eq!(server.headers("Auto-Submitted"), ["auto-generated"]);
    let id: Uuid = sqlx::query_scalar("SELECT id FROM routing.mail")
        .fetch_one(&mut database(&product.data()).await?)
        .await?;
    assert_eq!(
        server.headers("Message-ID"),
        [format!("<{id}@exempelkoping.example>")]
    );

    let mut words = mail.body.split_whitespace();
    let link = words.find(|w| w.starts_with("http")).context("a link")?;
    let page = Officer::with(link)?.sees().await?;
    assert_eq!(page.status, StatusCode::OK);
    page.shows(NAME)?;
    let everything = server.everything();
    assert!(
        everything.contains(link),
        "readable, for this to mean anything"
    );
    for secret in [TEXT, NAME, PHONE, EMAIL, "Gunhild", "blåbärsgalosch"] {
        assert!(!everything.contains(secret), "{secret}: {everything}");
    }
    counted(&api, "sent_total", 1.0).await?;
    counted(&api, "waiting", 0.0).await?;
    counted(&api, "failed_total", 0.0).await?;
    assert!(!product.log().contains(BYGG));
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_away_or_refuses_for_now_is_waited_out_and_gets_the_mail_once()
-> anyhow::Result<()> {
    let server = MailServer::start()?;
    let (port, url) = (server.port(), server.url());
    drop(server);
    let (product, api) = product(&url).await?;
    let mut database = database(&product.data()).await?;
    register(&api).await?;
    let tried = |times: u64, why: &'static str| {
        move |mails: &[Value]| {
            let one = |m: &Value| {
                m["attempts"] == times && m["reason"].as_str().is_some_and(|r| r.contains(why))
            };
            mails.len() == 1 && one(&mails[0])
        }
    };
    let waits = queued(&api, tried(1, "cannot reach the mail server")).await?;
    assert!(waits[0]["next_attempt_at"].is_string() && waits[0]["given_up_at"].is_null());
    counted(&api, "waiting", 1.0).await?;

    // It is back, and does not take this mail yet.
    let server = MailServer::start_at(port)?;
    server.refuse(451, BYGG)?;
    a_day_later(&mut database).await?;
    let waits = queued(&api, tried(2, "answered 451")).await?;
    assert!(waits[0]["given_up_at"].is_null(), "{waits:?}");
    assert_eq!(server.received(), []);
    server.accept()?;
    a_day_later(&mut database).await?;
    received(&server, 1).await?;
    queued(&api, <[Value]>::is_empty).await?;

    // Another comes after it, and the first does not come again.
    register_at_school(&api).await?;
    let mails = received(&server, 2).await?;
    assert_eq!(mails[0].to, BYGG);
    assert!(mails[1].to.ends_with("@skola.example"), "{mails:?}");
    counted(&api, "sent_total", 2.0).await?;
    counted(&api, "waiting", 0.0).await?;
    counted(&api, "failed_total", 0.0).await?;
    let log = product.log();
    assert_eq!(log.matches("cannot send mail").count(), 1, "{log}");
    assert!(!log.contains(BYGG), "{log}");
    Ok(())
}

#[tokio::test]
async fn a_refused_mail_is_given_up_and_counted_while_others_go_on() -> anyhow::Result<()> {
    let server = MailServer::start()?;
    let (product, api) = product(&server.url()).await?;
    server.refuse(550, BYGG)?;
    register(&api).await?;
    counted(&api, "failed_total", 1.0).await?;
    let given_up = |m: &Value| m["given_up_at"].is_string() && m["next_attempt_at"].is_null();
    let mails = queued(&api, |mails| mails.len() == 1 && given_up(&mails[0])).await?;
    assert_eq!(mails[0]["attempts"], 1);
    assert_eq!(mails[0]["reason"], "the mail server answered 550");
    register_at_school(&api).await?;
    received(&server, 1).await?;

    // One that waits holds nobody up either.
    server.refuse(450, BYGG)?;
    register(&api).await?;
    queued(&api, |mails| {
        mails.iter().filter(|m| m["attempts"] == 1).count() == 2
    })
    .await?;
    register_at_school(&api).await?;
    let mails = received(&server, 2).await?;
    assert!(
        mails.iter().all(|m| m.to.ends_with("@skola.example")),
        "{mails:?}"
    );
    counted(&api, "sent_total", 2.0).await?;
    counted(&api, "waiting", 1.0).await?;
    counted(&api, "failed_total", 1.0).await?;
    // The server repeats the address in what it says.
    assert!(!product.log().contains(BYGG), "{}", product.log());
    Ok(())
}
