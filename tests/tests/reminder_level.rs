//! Nobody is told of a case before reminder is level with routing: what routing told while it was away holds first.

use anyhow::ensure;
use domain::{Bounce, CaseEvent, CaseOutcome, CaseWhat, ClosedBy, Closing, PauseReason, Promise};
use jiff::SignedDuration;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::{
    case_page_officer::now,
    forwarded_told::of_case,
    harness::eventually,
    reminder::{
        around_the_clock, contact_person_after, forwarded, holiday, holiday_since, routing_logs,
        told, until_told,
    },
    reminder_lease::City,
};

const NOT_LEVEL: &str = "not all that routing has told of cases is applied yet";

/// What ends or moves each of the cases 1 to 5 after they were forwarded at `at`.
fn meanwhile(due: jiff::Timestamp) -> anyhow::Result<Vec<CaseEvent>> {
    let at = now();
    let closing = |outcome| {
        CaseWhat::Closed(Closing {
            outcome,
            by: ClosedBy::Page,
            working_s: None,
        })
    };
    let paused = CaseWhat::Paused {
        reason: PauseReason::Citizen,
        until: at + SignedDuration::from_hours(24),
    };
    let bounced = CaseWhat::Bounced(Bounce {
        case_type: "bygglov".parse()?,
        rule: "bygg/bygglov".to_owned(),
        belongs_to: None,
    });
    let promised = CaseWhat::Promised(Promise {
        promised: at + SignedDuration::from_hours(20),
        due: Some(due),
    });
    Ok(vec![
        of_case(1, "bygg", at, closing(CaseOutcome::Done))?,
        of_case(2, "bygg", at, paused)?,
        of_case(3, "bygg", at, bounced)?,
        forwarded(
            3,
            at + SignedDuration::from_micros(1),
            SignedDuration::from_hours(9),
        )?,
        of_case(4, "bygg", at, promised)?,
    ])
}

#[tokio::test]
async fn what_was_told_while_nothing_ran_holds_before_any_step() -> anyhow::Result<()> {
    if holiday() {
        return Ok(());
    }
    let mut city = City::start().await?;
    let mut reminder = city.reminder().await?;
    // Half of their limit passes in a moment.
    let limit = SignedDuration::from_hours(1);
    let at = now() - limit / 2 + SignedDuration::from_secs(10);
    let cases: Result<Vec<CaseEvent>, _> = (1..6).map(|case| forwarded(case, at, limit)).collect();
    routing_logs(&mut city.database, &cases?).await?;
    eventually("their plans are laid out", async || {
        let plans = city.number("SELECT count(*) FROM reminder.plan").await?;
        ensure!(plans == 5, "{plans}");
        Ok(())
    })
    .await?;

    // From here on nothing that is told can be applied, and it is killed; then half of the limit has passed.
    let mut other = PgConnection::connect(&city.postgres.url()).await?;
    let mut held = other.begin().await?;
    sqlx::query("SELECT FROM reminder.position WHERE source = 'routing/CASES' FOR UPDATE")
        .execute(&mut *held)
        .await?;
    routing_logs(&mut city.database, &meanwhile(at + limit)?).await?;
    reminder.kill()?;
    reminder.start_again()?;
    eventually("it waits with the steps that are due", async || {
        let log = reminder.log();
        let line = log.lines().find(|line| line.contains("cannot take steps"));
        ensure!(line.is_some_and(|line| line.contains(NOT_LEVEL)), "{log}");
        Ok(())
    })
    .await?;
    let early = city
        .number("SELECT count(*) FROM reminder.event_log")
        .await?;
    assert_eq!(early, 0, "told before it knew how the cases stand");

    held.rollback().await?;
    let share = [("case.reminded", "share")];
    until_told(&mut city.database, Uuid::from_u128(5), &share).await?;
    for case in 1..5 {
        let told = told(&mut city.database, Uuid::from_u128(case)).await?;
        assert_eq!(told, [], "case {case}");
    }
    drop(reminder);
    city.stop().await
}

/// Who is to be told needs no link, and yet nobody knows whether the case is closed; nor could anybody have closed it.
#[tokio::test]
async fn while_routing_is_away_every_step_waits_and_comes_when_it_is_back() -> anyhow::Result<()> {
    if holiday_since(SignedDuration::from_hours(24)) {
        return Ok(());
    }
    let mut city = City::start().await?;
    let reminder = city.reminder().await?;
    let limit = SignedDuration::from_hours(1);
    // The contact person's step comes in a moment; all that comes before it has been told.
    let passed = limit + contact_person_after(&around_the_clock(0.5));
    let at = now() - passed + SignedDuration::from_secs(6);
    routing_logs(&mut city.database, &[forwarded(1, at, limit)?]).await?;
    let case = Uuid::from_u128(1);
    until_told(&mut city.database, case, &[("case.overdue", "limit")]).await?;

    city.routing.kill()?;
    eventually("it waits", async || {
        let log = reminder.log();
        let line = log.lines().find(|line| line.contains("cannot take steps"));
        ensure!(
            line.is_some_and(|line| line.contains("routing is away")),
            "{log}"
        );
        Ok(())
    })
    .await?;
    assert_eq!(told(&mut city.database, case).await?.len(), 1);

    city.routing.start_again()?;
    let both = [
        ("case.overdue", "limit"),
        ("case.escalated", "contact_person"),
    ];
    until_told(&mut city.database, case, &both).await?;
    drop(reminder);
    city.stop().await
}
