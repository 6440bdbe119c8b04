//! The group works on a case and promises a day (*vi arbetar med det, klart den ...*).

use anyhow::ensure;
use domain::{CaseEvent, CaseWhat, WorkingTime, local_day};
use jiff::{Timestamp, ToSpan, civil::Date};
use reqwest::StatusCode;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    case_page_officer::{Officer, agree, link, logged, now, register},
    harness::{Product, database},
};

fn bygg() -> anyhow::Result<WorkingTime> {
    Ok(routing::agreements::example().working_time(&"bygg".parse()?))
}

/// The first day from `day` on that is worked, or not; and when its work ends.
fn day_from(mut day: Date, worked: bool) -> anyhow::Result<(Date, Option<Timestamp>)> {
    let bygg = bygg()?;
    loop {
        let end = bygg.spans_of(day).last().map(|(_, end)| *end);
        if end.is_some() == worked {
            return Ok((day, end));
        }
        day = day.tomorrow()?;
    }
}

async fn promises(database: &mut PgConnection) -> anyhow::Result<Vec<CaseEvent>> {
    let told: Vec<String> = sqlx::query_scalar(
        "SELECT data::text FROM routing.event_log WHERE kind = 'case.promised' ORDER BY sequence",
    )
    .fetch_all(database)
    .await?;
    told.iter().map(|t| Ok(serde_json::from_str(t)?)).collect()
}

/// What is promised of a case, and its limit.
async fn stored(
    database: &mut PgConnection,
    case: Uuid,
) -> anyhow::Result<(Option<Timestamp>, Option<Timestamp>)> {
    let (promised, due): (Option<String>, Option<String>) = sqlx::query_as(
        "SELECT to_json(promised)#>>'{}', to_json(due)#>>'{}' FROM routing.routed_case WHERE id = $1",
    )
    .bind(case)
    .fetch_one(database)
    .await?;
    let read = |text: Option<String>| text.map(|t| t.parse()).transpose();
    Ok((read(promised)?, read(due)?))
}

#[tokio::test]
async fn a_group_promises_a_day_once_and_everybody_sees_it() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    agree(&api).await?;
    let case = register(&api).await?;
    let officer = Officer::with(&link(&product.data(), "bygglov@bygg.example").await?)?;
    let mut database = database(&product.data()).await?;

    let page = officer.sees().await?;
    page.shows("Lova en dag")?;
    page.shows("högst 40 arbetstimmar framåt")?;
    page.hides("Ni har lovat")?;

    // What cannot be promised: no day, a day without work, one that is over, one too far ahead.
    let today = local_day(now());
    let (closed, _) = day_from(today.tomorrow()?, false)?;
    for (form, status, says) in [
        ("until=".to_owned(), 422, "href=\"#promise-until\""),
        ("until=i+morgon".to_owned(), 422, "href=\"#promise-until\""),
        (format!("until={closed}"), 422, "Nobody works on that day"),
        (
            format!("until={}", before(today)?),
            409,
            "promise a later day",
        ),
        (
            format!("until={}", day_from(today + 30.days(), true)?.0),
            409,
            "at most 40 working hours ahead",
        ),
    ] {
        let refused = officer.sends("promise", &form).await?;
        assert_eq!(refused.status.as_u16(), status, "{form}");
        refused.shows("Inget är ändrat")?;
        refused.shows(says)?;
    }
    assert_eq!(stored(&mut database, case).await?.0, None);

    // Not while the clock stands.
    let (day, end) = day_from(today.tomorrow()?, true)?;
    let promise = format!("until={day}");
    let pause = format!(
        "reason=citizen&until={}",
        day_from(today + 9.days(), true)?.0
    );
    officer.does("pause", &pause).await?.hides("Lova en dag")?;
    let refused = officer.sends("promise", &promise).await?;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    refused.shows("The case is paused; let the clock go on")?;
    officer.does("resume", "").await?;

    // Promised: the end of that day's work, beside a limit that has not moved.
    let due_before = stored(&mut database, case).await?.1;
    let page = officer.does("promise", &promise).await?;
    page.shows("Dagen är lovad.")?;
    page.shows("Ni har lovat att det är klart")?;
    page.shows("En dag lovad")?;
    page.hides("Lova en dag")?;
    let (promised, due) = stored(&mut database, case).await?;
    assert_eq!(promised, end);
    assert_eq!(due, due_before);
    let told = promises(&mut database).await?;
    ensure!(told.len() == 1, "{told:?}");
    let CaseWhat::Promised(said) = &told[0].what else {
        anyhow::bail!("{told:?}");
    };
    assert_eq!(Some(said.promised), end);
    assert_eq!(said.due, due);

    // Once, whatever day.
    let (later, _) = day_from(day.tomorrow()?, true)?;
    for form in [promise, format!("until={later}")] {
        let again = officer.sends("promise", &form).await?;
        assert_eq!(again.status, StatusCode::CONFLICT);
        again.shows("A day has been promised already")?;
    }
    assert_eq!(promises(&mut database).await?.len(), 1);
    let happened = logged(&mut database, case).await?;
    assert_eq!(
        happened.iter().filter(|what| *what == "promised").count(),
        1
    );

    // Operations read it too.
    let explained = product.command(&["routing", "explain", &case.to_string()])?;
    ensure!(
        explained
            .contains("gruppen har lovat att det är klart (the group has promised to be done)"),
        "{explained}"
    );

    // Whoever gets it next has promised nothing.
    officer.does("close", "outcome=done").await?;
    let path = format!("/intake/cases/{case}/repeat-contact");
    crate::harness::eventually("the case can be opened anew", async || {
        let (status, answer) = api.post(&path, &serde_json::json!({})).await?;
        ensure!(status.is_success(), "{answer}");
        Ok(())
    })
    .await?;
    crate::harness::eventually("the promise is gone", async || {
        let (promised, _) = stored(&mut database, case).await?;
        ensure!(promised.is_none(), "still there");
        Ok(())
    })
    .await
}

/// The last worked day before `day`.
fn before(mut day: Date) -> anyhow::Result<Date> {
    let bygg = bygg()?;
    loop {
        day = day.yesterday()?;
        if !bygg.spans_of(day).is_empty() {
            return Ok(day);
        }
    }
}
