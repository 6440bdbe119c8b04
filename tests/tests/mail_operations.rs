//! `kommunlots mail`, and what is left of a mail two weeks later.

use anyhow::{Context, ensure};
use platform::mail::{Address, Mail, enqueue};
use reqwest::{Method, StatusCode};
use sqlx::Executor;
use uuid::Uuid;

use crate::{
    case_page_officer::register,
    harness::{database, eventually},
    mail::{BYGG, product, queued, received, register_at_school},
    mail_server::MailServer,
};

#[tokio::test]
async fn what_was_given_up_is_listed_without_address_and_text_and_tried_again() -> anyhow::Result<()>
{
    let server = MailServer::start()?;
    let (product, api) = product(&server.url()).await?;
    let list = || product.command(&["mail", "list"]);
    assert_eq!(list()?.trim(), "no mail waits, and none was given up");
    server.refuse(550, "example")?;
    register(&api).await?;
    register_at_school(&api).await?;
    let mails = queued(&api, |mails| {
        mails.len() == 2 && mails.iter().all(|m| m["given_up_at"].is_string())
    })
    .await?;
    let printed = list()?;
    assert_eq!(printed.lines().count(), 2, "{printed}");
    for mail in &mails {
        let id = mail["id"].as_str().context("an id")?;
        let line = printed.lines().find(|l| l.contains(id)).context("a line")?;
        assert!(line.starts_with(&format!("routing/{id} ")), "{line}");
        for shown in ["given up", "1 attempt ", "the mail server answered 550"] {
            assert!(line.contains(shown), "{shown}: {line}");
        }
    }
    let (_, seen) = api.get("/routing/mail").await?;
    for secret in ["@", "ärende", "http", "Bygglovshandläggare"] {
        assert!(!printed.contains(secret), "{secret}: {printed}");
        assert!(!seen.to_string().contains(secret), "{secret}: {seen}");
    }

    // Still refused: given up once more. Then not.
    let first = mails[0]["id"].as_str().context("an id")?;
    let one = format!("routing/{first}");
    let printed = product.command(&["mail", "retry", &one])?;
    assert_eq!(printed.trim(), format!("{one} tried again"));
    queued(&api, |mails| {
        mails.len() == 2 && mails.iter().all(|m| m["given_up_at"].is_string())
    })
    .await?;
    assert_eq!(server.received(), []);
    server.accept()?;
    product.command(&["mail", "retry", &one])?;
    received(&server, 1).await?;
    product.command(&["mail", "retry", "--all"])?;
    // Which of two that are sent at once is given up first, nobody knows.
    let mut to: Vec<String> = received(&server, 2)
        .await?
        .into_iter()
        .map(|m| m.to)
        .collect();
    to.sort();
    assert_eq!(to, ["administration@skola.example", BYGG]);
    queued(&api, |mails| mails.is_empty()).await?;

    // What was sent is not sent again, and what is not there is not found.
    for (what, says) in [
        (one.as_str(), "has taken it"),
        (
            "routing/0198a0de-7c1e-5000-8000-000000000001",
            "no such mail",
        ),
        ("metrics/0198a0de-7c1e-5000-8000-000000000001", "routing"),
        ("17", "slash"),
    ] {
        let error = product.command(&["mail", "retry", what]).err();
        let error = error.context("an error")?.to_string();
        assert!(error.contains(says), "{what}: {error}");
    }
    product.command(&["mail", "retry", "--all"])?;
    let path = "/routing/mail/17/retry";
    let (status, _) = api.problem(Method::POST, path, &[], "").await?;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(server.received().len(), 2);

    // It is for operations alone.
    let key = product.command(&["key", "new", "--name", "desk", "--scope", "cases:read"])?;
    let desk = api.with_key(Some(key.trim()));
    for (method, path) in [
        (Method::GET, "/routing/mail"),
        (Method::POST, "/routing/mail/retry"),
        (Method::POST, path),
    ] {
        let (status, _) = desk.problem(method, path, &[], "").await?;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn two_weeks_later_nothing_is_left_of_a_mail_but_that_it_was() -> anyhow::Result<()> {
    let server = MailServer::start()?;
    let (mut product, api) = product(&server.url()).await?;
    let mut database = database(&product.data()).await?;
    register_at_school(&api).await?;
    received(&server, 1).await?;
    server.refuse(550, BYGG)?;
    register(&api).await?;
    let given_up = queued(&api, |mails| {
        mails.len() == 1 && mails[0]["given_up_at"].is_string()
    })
    .await?;
    let given_up: Uuid = given_up[0]["id"].as_str().context("an id")?.parse()?;
    register_at_school(&api).await?;
    received(&server, 2).await?;
    queued(&api, |mails| mails.len() == 1).await?;
    let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM routing.mail ORDER BY created_at")
        .fetch_all(&mut database)
        .await?;
    let [old, _, young] = ids[..] else {
        anyhow::bail!("{ids:?}");
    };

    let age = "UPDATE routing.mail SET sent_at = sent_at - make_interval(days => $2), \
               failed_at = failed_at - make_interval(days => $2) WHERE id = $1";
    for (id, days) in [(old, 15), (given_up, 15), (young, 13)] {
        sqlx::query(age)
            .bind(id)
            .bind(days)
            .execute(&mut database)
            .await?;
    }
    product.stop()?;
    product.start_again()?;
    let mut database = crate::harness::database(&product.data()).await?;
    let left = "SELECT id FROM routing.mail
                WHERE to_name IS NOT NULL OR to_address IS NOT NULL OR subject IS NOT NULL OR body IS NOT NULL
                   OR last_error IS NOT NULL";
    eventually("old mails are weeded", async || {
        let left: Vec<Uuid> = sqlx::query_scalar(left).fetch_all(&mut database).await?;
        ensure!(left == [young], "{left:?}");
        Ok(())
    })
    .await?;

    // Nothing is left to try again.
    server.accept()?;
    queued(&api, |mails| mails.is_empty()).await?;
    let again = product.command(&["mail", "retry", &format!("routing/{given_up}")]);
    let error = again.err().context("an error")?.to_string();
    assert!(error.contains("weeded"), "{error}");
    product.command(&["mail", "retry", "--all"])?;

    // The same reason once more makes the same mail, which is known.
    database.execute("SET search_path TO routing").await?;
    let mail = Mail {
        id: old,
        to: Address::new("", "once.more@skola.example")?,
        subject: "Igen".to_owned(),
        body: "Igen\n".to_owned(),
    };
    let now = platform::Clock::real().now();
    enqueue(&mut database, &[mail], now).await?;
    register_at_school(&api).await?;
    received(&server, 3).await?;
    queued(&api, |mails| mails.is_empty()).await?;
    let subjects: Vec<String> = server.received().into_iter().map(|m| m.subject).collect();
    assert!(!subjects.contains(&"Igen".to_owned()), "{subjects:?}");
    Ok(())
}
