//! The case page: an officer sees and handles a case by the link that was mailed.

use anyhow::{Context, ensure};
use jiff::{SignedDuration, Timestamp, ToSpan};
use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    case_page_officer::{EMAIL, NAME, Officer, PHONE, Seen, agree, link, logged, now, register},
    harness::{Product, database, eventually},
};

/// A day some days from now, as a form has it.
fn in_days(days: i64) -> anyhow::Result<String> {
    let day = domain::local_day(now()).checked_add(days.days())?;
    Ok(day.to_string())
}

#[tokio::test]
async fn an_officer_handles_a_case_behind_the_link() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    agree(&api).await?;
    let case = register(&api).await?;
    let officer = Officer::with(&link(&product.data(), "bygglov@bygg.example").await?)?;
    let mut database = database(&product.data()).await?;

    // The page says everything there is to say, as text, and keeps it and its address to itself.
    let page = officer.sees().await?;
    assert_eq!(page.status, StatusCode::OK);
    for shown in [
        "<html lang=\"sv\">",
        "Ärende 1 ",
        "Exempelköping",
        "luktar &lt;b&gt;blåbärsgalosch&lt;/b&gt;",
        NAME,
        EMAIL,
        PHONE,
        "Byggförvaltningen, Bygglovshandläggare",
        "Väntar på handläggare",
        "arbetstid kvar",
        "Vilken fastighet gäller det?",
        "Vidareskickat till gruppen",
    ] {
        page.shows(shown)?;
    }
    page.hides("<script")?;
    for (header, says) in [
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(page.headers.get(header).context(header)?, says);
    }
    let policy = page.headers.get("content-security-policy");
    let policy = policy.context("a policy")?.to_str()?;
    for part in ["default-src 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("script"), "{policy}");
    let style = page.text.split("href=\"").nth(1).context("a style")?;
    let style = style.split('"').next().unwrap_or_default();
    let style = officer
        .seen(officer.http.get(format!("{}{style}", product.base)))
        .await?;
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    assert_eq!(logged(&mut database, case).await?, ["forwarded", "viewed"]);

    // Taken once. Whoever comes second is told, and nothing changes.
    officer.does("take", "").await?.shows("Ärendet är taget.")?;
    let again = officer.sends("take", "").await?;
    assert_eq!(again.status, StatusCode::CONFLICT);
    again.shows("Ärendet är redan taget.")?;

    // A form sent twice is one note; the same words from a fresh page are another.
    let after = |page: &Seen| {
        let (_, rest) = page.text.split_once("name=\"after\" value=\"")?;
        Some(format!(
            "text=Ringt%0D%0Aigen&after={}",
            rest.split('"').next()?
        ))
    };
    let form = after(&again).context("the form of a note")?;
    officer.does("note", &form).await?.shows("Ringt\nigen")?;
    let noted = officer.does("note", &form).await?;
    assert_eq!(noted.text.matches("Ringt\nigen").count(), 1);
    let form = after(&noted).context("the form of a note")?;
    let noted = officer.does("note", &form).await?;
    assert_eq!(noted.text.matches("Ringt\nigen").count(), 2);

    // What is wrong is named, and nothing changes.
    for (action, form, says, field) in [
        ("note", "text=+", "Skriv något att anteckna.", "note-text"),
        ("note", "text=a%00b", "Texten har tecken", "note-text"),
        (
            "pause",
            "until=2026-13-01",
            "Skriv den sista dagen",
            "pause-until",
        ),
        (
            "bounce",
            "belongs_to=bygg",
            "Välj vart ärendet hör",
            "bounce-to",
        ),
        (
            "close",
            "outcome=gone",
            "Välj hur ärendet slutade.",
            "close-outcome",
        ),
    ] {
        let wrong = officer.sends(action, form).await?;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{action}");
        wrong.shows(says)?;
        wrong.shows(&format!("href=\"#{field}\""))?;
    }
    let past = format!("reason=date&until={}", in_days(-3)?);
    let refused = officer.sends("pause", &past).await?;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    refused.shows("Pausen måste sluta senare än nu.")?;
    refused.shows("value=\"date\" required checked")?;
    let large = format!("text={}", "a".repeat(70_000));
    assert_eq!(
        officer.sends("note", &large).await?.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(
        officer.sends("fly", "").await?.status,
        StatusCode::NOT_FOUND
    );

    // A pause longer than the agreement allows ends when that says.
    let form = format!("reason=citizen&until={}", in_days(300)?);
    let paused = officer.does("pause", &form).await?;
    paused.shows("Ärendet är pausat.")?;
    paused.shows("Klockan står")?;
    paused.shows("Väntar på den enskilde")?;
    let until: String = sqlx::query_scalar(
        "SELECT to_json(paused_until) #>> '{}' FROM routing.routed_case WHERE id = $1",
    )
    .bind(case)
    .fetch_one(&mut database)
    .await?;
    let until: Timestamp = until.parse()?;
    assert!(
        until < now() + SignedDuration::from_hours(24 * 60),
        "{until}"
    );
    let again = officer.sends("pause", &form).await?;
    again.shows("Ärendet är redan pausat.")?;
    officer
        .does("resume", "")
        .await?
        .shows("Klockan går igen.")?;

    // Closed: its content is no longer shown, and it cannot be closed again.
    let closed = officer.does("close", "outcome=done").await?;
    closed.shows("Åtgärdat")?;
    closed.hides_content()?;
    closed.hides("Ringt")?;
    closed.hides("<form")?;
    let again = officer.sends("close", "outcome=declined").await?;
    assert_eq!(again.status, StatusCode::CONFLICT);
    again.shows("Ärendet är redan avslutat.")?;
    again.hides_content()?;
    eventually("intake shows that it is closed", async || {
        let (_, seen) = api.get(&format!("/intake/cases/{case}")).await?;
        ensure!(seen["state"] == "closed", "{seen}");
        Ok(())
    })
    .await?;

    let log = logged(&mut database, case).await?;
    let done: Vec<&str> = log
        .iter()
        .map(String::as_str)
        .filter(|w| *w != "viewed")
        .collect();
    assert_eq!(
        done,
        [
            "forwarded",
            "taken",
            "noted",
            "noted",
            "paused",
            "resumed",
            "closed"
        ]
    );
    // Each page that showed something: the first, five after forms that were taken, one for the form sent twice, and those
    // that named what was wrong.
    assert_eq!(log.len() - done.len(), 17, "{log:?}");
    let events: Vec<String> = sqlx::query_scalar(
        "SELECT kind FROM routing.event_log WHERE source = 'routing/CASES' ORDER BY sequence",
    )
    .fetch_all(&mut database)
    .await?;
    assert_eq!(
        events,
        [
            "case.forwarded",
            "case.taken",
            "case.paused",
            "case.resumed",
            "case.closed"
        ]
    );

    // The citizen comes back: the link of before is of no use.
    let path = format!("/intake/cases/{case}/repeat-contact");
    let (status, answer) = api.post(&path, &Value::Null).await?;
    ensure!(status.is_success(), "{answer}");
    eventually("the case is open again", async || {
        let gone = officer.sees().await?;
        ensure!(gone.status == StatusCode::GONE, "{}", gone.status);
        gone.hides_content()
    })
    .await?;
    let anew = link(&product.data(), "bygglov@bygg.example").await?;
    assert_ne!(anew, officer.link);
    Officer::with(&anew)?.sees().await?.shows(NAME)
}

#[tokio::test]
async fn a_case_sent_back_goes_where_it_belongs_and_leaves_the_old_link_dead() -> anyhow::Result<()>
{
    let product = Product::start()?;
    let api = product.api()?;
    agree(&api).await?;
    register(&api).await?;
    let first = Officer::with(&link(&product.data(), "bygglov@bygg.example").await?)?;
    first.does("note", "text=Bara+f%C3%B6r+oss").await?;
    let away = first
        .does("bounce", "belongs_to=gata&note=G%C3%A4ller+gatan")
        .await?;
    assert_eq!(away.status, StatusCode::GONE);
    away.shows("Tack, ärendet är skickat vidare")?;
    away.hides_content()?;
    for action in ["bounce", "close", "note", "take", "resume"] {
        let form = "belongs_to=skola&outcome=done&text=mer";
        let gone = first.sends(action, form).await?;
        assert_eq!(gone.status, StatusCode::GONE, "{action}");
        gone.hides_content()?;
    }

    let second = Officer::with(&link(&product.data(), "@gata.example").await?)?;
    let page = second.sees().await?;
    page.shows(NAME)?;
    page.shows("Gatu- och VA-förvaltningen")?;
    page.shows("Gäller gatan")?;
    page.shows("Vilken fastighet gäller det?")?;
    page.hides("Bara för oss")?;
    // The second time somebody must look into it: the registrator.
    let away = second.does("bounce", "belongs_to=unknown").await?;
    assert_eq!(away.status, StatusCode::GONE);
    let third = Officer::with(&link(&product.data(), "registrator@kansli.example").await?)?;
    third.sees().await?.shows(EMAIL)?;
    third
        .does("close", "outcome=no_action")
        .await?
        .hides_content()
}

#[tokio::test]
async fn what_was_sent_back_before_it_was_opened_anew_does_not_count() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    agree(&api).await?;
    let case = register(&api).await?;
    let gata = "@gata.example";
    let first = Officer::with(&link(&product.data(), "bygglov@bygg.example").await?)?;
    first.does("bounce", "belongs_to=gata").await?;
    let second = Officer::with(&link(&product.data(), gata).await?)?;
    second.does("close", "outcome=done").await?;
    let path = format!("/intake/cases/{case}/repeat-contact");
    eventually("the case can be opened anew", async || {
        let (status, answer) = api.post(&path, &Value::Null).await?;
        ensure!(status.is_success(), "{answer}");
        Ok(())
    })
    .await?;
    let anew = eventually("a new link", async || {
        let anew = link(&product.data(), gata).await?;
        ensure!(anew != second.link, "it is the old one");
        Ok(anew)
    })
    .await?;

    // Back for the first time since: it goes where it is said to belong. The next time the registrator gets it.
    let third = Officer::with(&anew)?;
    third.does("bounce", "belongs_to=skola").await?;
    let fourth = Officer::with(&link(&product.data(), "@skola.example").await?)?;
    fourth.sees().await?.shows(NAME)?;
    fourth.does("bounce", "belongs_to=gata").await?;
    let last = Officer::with(&link(&product.data(), "registrator@kansli.example").await?)?;
    last.sees().await?.shows(NAME)
}
