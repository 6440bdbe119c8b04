//! What everybody is told of one case that is late, by a real mail server: its group, and the citizen who asked for it.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    case_page_officer::{EMAIL, NAME, Officer, PHONE, TEXT, register},
    harness::{Api, Product, database, eventually},
    mail_server::{MailServer, ReceivedMail},
    reminder::{WHY, agree, around_the_clock, holiday, until_told},
};

const FROM: &str = "kontaktcenter@exempelkoping.example";
const BYGG: &str = "bygglov@bygg.example";

/// The mail to somebody whose text has `says` in it, once it has come; there is only one.
async fn mail(server: &MailServer, to: &str, says: &str) -> anyhow::Result<ReceivedMail> {
    eventually("the mail has come", async || {
        let mut mails = server.received();
        mails.retain(|mail| mail.to == to && mail.body.contains(says));
        ensure!(mails.len() == 1, "{to}, {says}: {mails:#?}");
        mails.pop().context("the one")
    })
    .await
}

/// Lets two hours go by for a case that has one.
async fn two_hours_later(api: &Api, database: &mut PgConnection, case: Uuid) -> anyhow::Result<()> {
    sqlx::query(
        "UPDATE reminder.plan SET next_at = now(), plan = jsonb_set(jsonb_set(plan::jsonb,
             '{clock,started}', to_jsonb(forwarded_at - interval '2 hours')),
             '{follow,limit,due}', to_jsonb(due - interval '2 hours'))::json
         WHERE case_id = $1",
    )
    .bind(case)
    .execute(database)
    .await?;
    // Another plan wakes whoever takes the steps.
    register(api).await?;
    Ok(())
}

#[tokio::test]
async fn a_group_and_a_citizen_are_told_of_a_case_from_first_to_last() -> anyhow::Result<()> {
    if holiday() {
        return Ok(());
    }
    let server = MailServer::start()?;
    let environment = [
        ("KOMMUNLOTS_MAIL", &*server.url()),
        ("KOMMUNLOTS_MAIL_FROM", FROM),
    ];
    let product = Product::run(&["all"], &environment)?;
    let api = product.api()?;
    let mut database = database(&product.data()).await?;
    // The first reminder comes after some seconds.
    agree(&api, &around_the_clock(0.001)).await?;
    let case = json!({
        "type": "bygglov", "rosa_group": 4, "department": "bygg", "forward": true, "text": TEXT,
        "citizen": { "name": NAME, "phone": PHONE, "email": EMAIL, "notify": true },
    });
    let (status, answer) = api.post("/intake/cases", &case).await?;
    ensure!(status == StatusCode::CREATED, "{status}: {answer}");
    let case: Uuid = answer["id"].as_str().context("an id")?.parse()?;
    mail(&server, BYGG, "har vidareskickats till er grupp").await?;
    mail(&server, EMAIL, "har lämnats").await?;

    let id = case.to_string();
    let reminded = mail(&server, BYGG, &id).await?;
    assert_eq!(reminded.subject, "Påminnelse: bygglov (Reminder)");
    ensure!(reminded.body.contains(WHY), "{}", reminded.body);
    two_hours_later(&api, &mut database, case).await?;
    let steps = [("case.reminded", "share"), ("case.overdue", "limit")];
    until_told(&mut database, case, &steps).await?;
    let late = mail(&server, BYGG, "tidsgränsen (1 arbetstimme) har gått ut").await?;
    assert_eq!(late.subject, "Försenat ärende: bygglov (Overdue case)");
    ensure!(late.body.contains(&id), "{}", late.body);
    mail(&server, EMAIL, "skulle ha varit klart").await?;

    // The link in the reminder closes it, and both hear no more than that.
    let link = late.body.split_whitespace().find(|w| w.starts_with("http"));
    let officer = Officer::with(link.context("a link")?)?;
    officer.does("close", "outcome=done").await?;
    mail(&server, EMAIL, "är avslutat. Är det ändå").await?;
    let all = server.received();
    let about = |to: &str| all.iter().filter(|mail| mail.to == to).count();
    assert_eq!(about(EMAIL), 3, "{all:#?}");
    for mail in &all {
        assert_eq!(mail.from, FROM);
        for secret in ["blåbärsgalosch", "Gunhild", "0709", "gunhild"] {
            ensure!(!mail.body.contains(secret), "{secret} is in {mail:?}");
        }
    }
    Ok(())
}
