//! What a plan follows at once: changed agreements, and what its group promises.

use anyhow::ensure;
use domain::{CaseEvent, CaseWhat, Promise, local_day};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    case_page_officer::{Officer, link, mails, now, register},
    forwarded_told::of_case,
    harness::{Api, Product, database, eventually},
    reminder::{
        agree, around_the_clock, contact_person_after, forwarded, holiday, holiday_since, plan,
        routing_logs, told, until_told,
    },
};

/// When a case is looked at next.
async fn next_at(api: &Api, case: u128) -> anyhow::Result<Timestamp> {
    let plan = plan(api, Uuid::from_u128(case)).await?;
    Ok(serde_json::from_value(plan["case"]["next_at"].clone())?)
}

/// The steps that are to come, by an outline.
fn planned(plan: &Value) -> Vec<&str> {
    let lines = plan["outline"].as_array().into_iter().flatten();
    lines
        .filter(|line| line["state"] == "planned")
        .filter_map(|line| line["step"].as_str())
        .collect()
}

#[tokio::test]
async fn a_closure_agreed_on_later_holds_for_open_cases_and_a_new_contact_person_gets_the_next_step()
-> anyhow::Result<()> {
    if holiday_since(SignedDuration::from_hours(24)) {
        return Ok(());
    }
    let product = Product::start()?;
    let api = product.api()?;
    let open = around_the_clock(0.5);
    agree(&api, &open).await?;
    let data = product.data();
    let mut database = database(&data).await?;

    // Closed for days, by the second version; the cases are bound to the first.
    let reopens = local_day(now()) + 9.days();
    let mut closed = open.clone();
    closed["departments"]["bygg"]["closures"] =
        json!([{ "from": local_day(now()), "until": reopens - 1.day(), "why": "flytt" }]);
    agree(&api, &closed).await?;
    eventually("reminder has both versions", async || {
        let versions: i64 =
            sqlx::query_scalar("SELECT count(*) FROM reminder.agreements WHERE followed")
                .fetch_one(&mut database)
                .await?;
        ensure!(versions == 2, "{versions}");
        Ok(())
    })
    .await?;
    let hour = SignedDuration::from_hours(1);
    // The one is to be reminded of soon; of the other the contact person should know.
    let (recent, late) = (
        now() - hour / 3,
        now() - hour * 4 / 3 - contact_person_after(&open),
    );
    let events = [forwarded(1, recent, hour)?, forwarded(2, late, hour)?];
    routing_logs(&mut database, &events).await?;
    let opens = domain::start_of_day(reopens)?;
    eventually("both wait until the department opens", async || {
        for case in [1, 2] {
            let next = next_at(&api, case).await?;
            ensure!(next >= opens, "case {case}: {next}");
        }
        Ok(())
    })
    .await?;
    assert_eq!(told(&mut database, Uuid::from_u128(2)).await?, []);

    // It stays open after all, and has another contact person.
    let old = open["departments"]["bygg"]["contact_person"]["email"].clone();
    let mut anew = open;
    anew["departments"]["bygg"]["contact_person"] =
        json!({ "name": "Ny Kontakt", "email": "ny.kontakt@bygg.example" });
    agree(&api, &anew).await?;
    let steps = [
        ("case.overdue", "limit"),
        ("case.escalated", "contact_person"),
    ];
    until_told(&mut database, Uuid::from_u128(2), &steps).await?;
    eventually("the other is looked at within the hour again", async || {
        let next = next_at(&api, 1).await?;
        ensure!(next < recent + hour, "{next}");
        Ok(())
    })
    .await?;
    eventually("the new contact person has the mail", async || {
        let mails = mails(&data)?;
        let to = |who: &str| mails.iter().filter(|(to, _)| to.contains(who)).count();
        ensure!(to("ny.kontakt@bygg.example") == 1, "{mails:?}");
        ensure!(old.as_str().is_some_and(|old| to(old) == 0), "{mails:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_promise_on_the_case_page_moves_the_plan_and_a_broken_one_is_reminded_of()
-> anyhow::Result<()> {
    if holiday() {
        return Ok(());
    }
    let product = Product::start()?;
    let api = product.api()?;
    agree(&api, &around_the_clock(0.5)).await?;
    let data = product.data();
    let mut database = database(&data).await?;

    let case = register(&api).await?;
    let officer = Officer::with(&link(&data, "bygglov@bygg.example").await?)?;
    let before = eventually("its plan is laid out", async || plan(&api, case).await).await?;
    assert_eq!(before["case"]["promised"], Value::Null, "{before}");
    assert!(!planned(&before).contains(&"promised"), "{before}");
    // The day's work ends at midnight.
    let promise = format!("until={}", local_day(now()));
    officer.does("promise", &promise).await?;
    let after = eventually("the plan has moved", async || {
        let plan = plan(&api, case).await?;
        ensure!(!plan["case"]["promised"].is_null(), "{plan}");
        Ok(plan)
    })
    .await?;
    assert!(planned(&after).contains(&"promised"), "{after}");
    let promised: Timestamp = serde_json::from_value(after["case"]["promised"].clone())?;
    if promised > now() + SignedDuration::from_hours(1) {
        assert!(planned(&before).contains(&"share"), "{before}");
        assert!(!planned(&after).contains(&"share"), "{after}");
        assert_ne!(before["case"]["next_at"], after["case"]["next_at"]);
    }

    // Another's promise, within its limit, has just been broken.
    let (minute, hour) = (SignedDuration::from_mins(1), SignedDuration::from_hours(1));
    let at = now() - minute * 40;
    let promise = CaseWhat::Promised(Promise {
        promised: now() - SignedDuration::from_secs(1),
        due: Some(at + hour),
    });
    let events: [CaseEvent; 2] = [
        forwarded(1, at, hour)?,
        of_case(1, "bygg", at + minute, promise)?,
    ];
    routing_logs(&mut database, &events).await?;
    let broken = [("case.reminded", "promised")];
    until_told(&mut database, Uuid::from_u128(1), &broken).await?;
    eventually("the group has the mail", async || {
        let mails = mails(&data)?;
        let mut to_group = mails
            .iter()
            .filter(|(to, _)| to.contains("bygglov@bygg.example"));
        ensure!(
            to_group.any(|(_, text)| text.contains("som gruppen lovade")),
            "{mails:?}"
        );
        Ok(())
    })
    .await?;
    assert_eq!(told(&mut database, case).await?, []);
    Ok(())
}
