//! Following up forwarded cases: each step once, to whoever has the role, and what is to come is told.

use anyhow::{Context, ensure};
use domain::{CaseEvent, CaseOutcome, CaseWhat, ClosedBy, Closing, Forwarding, PauseReason};
use jiff::{SignedDuration, Timestamp, ToSpan};
use platform::event_log::{self, NewEvent};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::{
    case_page_officer::{Officer, logged, mails, now, register},
    forwarded_told::of_case,
    harness::{Api, Product, database, eventually},
};

/// The made-up municipality, where everybody works around the clock, Sundays too: a test need not wait for the morning. Of
/// holidays they are free all the same.
pub(crate) fn around_the_clock(first_at_share: f64) -> Value {
    let days = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "half_day",
    ];
    let open: serde_json::Map<String, Value> = days
        .map(|day| (day.to_owned(), json!(["00:00-24:00"])))
        .into_iter()
        .collect();
    let mut agreements = json!(routing::agreements::example());
    agreements["hours"] = json!(open);
    agreements["closures"] = json!([]);
    let departments = agreements["departments"].as_object_mut();
    for department in departments.into_iter().flat_map(|d| d.values_mut()) {
        department["hours"] = json!(open);
        department["closures"] = json!([]);
        department["default_reminders"]["first_at_share"] = json!(first_at_share);
        let types = department["case_types"].as_object_mut();
        for case_type in types.into_iter().flat_map(|t| t.values_mut()) {
            case_type["reminders"]["first_at_share"] = json!(first_at_share);
            case_type["limit_working_hours"] = json!(1);
            case_type["rules"] = json!([]);
        }
    }
    agreements
}

/// How long after the limit of a building permit the contact person is told.
pub(crate) fn contact_person_after(agreements: &Value) -> SignedDuration {
    let bygglov = &agreements["departments"]["bygg"]["case_types"]["bygglov"];
    let hours = bygglov["reminders"]["contact_person_after_working_hours"].as_i64();
    SignedDuration::from_hours(hours.unwrap_or(8))
}

/// Stands in each mail of a step, and in no other.
pub(crate) const WHY: &str = "Varför ni får det här";

/// Whether nobody works today, whatever the agreements say. Nobody is reminded then.
pub(crate) fn holiday() -> bool {
    holiday_since(SignedDuration::ZERO)
}

/// Whether nobody works today, or did on a day since so long ago: it is not counted.
pub(crate) fn holiday_since(ago: SignedDuration) -> bool {
    let today = domain::local_day(now());
    let days = domain::local_day(now() - ago).series(1.day());
    let mut kinds = days.take_while(|day| *day <= today).map(domain::day_kind);
    let free =
        kinds.any(|kind| matches!(kind, domain::DayKind::Holiday(_) | domain::DayKind::Eve(_)));
    if free {
        eprintln!("skipped: it is a public holiday, or was just now, and nobody works on one");
    }
    free
}

/// Makes agreements the version in force.
pub(crate) async fn agree(api: &Api, content: &Value) -> anyhow::Result<()> {
    let body = json!({ "valid_from": domain::local_day(now()), "approved_by": "nämnden § 1", "content": content });
    let (status, answer) = api.post("/routing/agreements", &body).await?;
    ensure!(status.is_success(), "{status}: {answer}");
    Ok(())
}

/// A case with a number that was forwarded `ago` with a limit of `limit`, as routing tells of it.
pub(crate) fn forwarded(
    case: u128,
    at: Timestamp,
    limit: SignedDuration,
) -> anyhow::Result<CaseEvent> {
    let forwarding = Forwarding {
        case_type: "bygglov".parse()?,
        group: "handlaggare".parse()?,
        agreement: Some(1),
        rule: "bygg/bygglov".to_owned(),
        registered_at: at,
        due: Some(at + limit),
        centre_working_s: None,
        guide: Some("guide-7".parse()?),
        imported: false,
        historical: None,
    };
    of_case(case, "bygg", at, CaseWhat::Forwarded(forwarding))
}

/// Puts events into routing's own log, all at once: its relay publishes what stands there, says how far it has come, and tells
/// again what is asked for.
pub(crate) async fn routing_logs(
    database: &mut PgConnection,
    events: &[CaseEvent],
) -> anyhow::Result<()> {
    let events: Result<Vec<NewEvent>, _> = events.iter().map(|e| NewEvent::new(e, None)).collect();
    let mut log = database.begin().await?;
    sqlx::query("SET LOCAL search_path TO routing")
        .execute(&mut *log)
        .await?;
    event_log::append(&mut log, "routing/CASES", &events?).await?;
    log.commit().await?;
    Ok(())
}

/// What reminder has told of a case, oldest first.
pub(crate) async fn told(
    database: &mut PgConnection,
    case: Uuid,
) -> anyhow::Result<Vec<(String, String)>> {
    Ok(sqlx::query_as(
        "SELECT kind, data ->> 'step' FROM reminder.event_log WHERE data ->> 'case' = $1 ORDER BY sequence",
    )
    .bind(case.to_string())
    .fetch_all(database)
    .await?)
}

pub(crate) async fn until_told(
    database: &mut PgConnection,
    case: Uuid,
    expected: &[(&str, &str)],
) -> anyhow::Result<()> {
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(kind, step)| ((*kind).to_owned(), (*step).to_owned()))
        .collect();
    eventually("its steps are told", async || {
        let told = told(&mut *database, case).await?;
        ensure!(told == expected, "{told:?}");
        Ok(())
    })
    .await
}

pub(crate) async fn plan(api: &Api, case: Uuid) -> anyhow::Result<Value> {
    let (status, plan) = api.get(&format!("/reminder/cases/{case}/plan")).await?;
    ensure!(status == StatusCode::OK, "{status}: {plan}");
    Ok(plan)
}

#[tokio::test]
async fn a_group_is_reminded_once_and_can_open_the_case_from_the_mail() -> anyhow::Result<()> {
    if holiday() {
        return Ok(());
    }
    let product = Product::start()?;
    let api = product.api()?;
    // Of an hour's limit, some three seconds.
    agree(&api, &around_the_clock(0.001)).await?;
    let case = register(&api).await?;
    let data = product.data();
    let mut database = database(&data).await?;
    until_told(&mut database, case, &[("case.reminded", "share")]).await?;

    // The mail is to the group, with a link that works, and says nothing of what the citizen said.
    let reminder = eventually("the reminder's mail", async || {
        let mails = mails(&data)?;
        let mail = mails.into_iter().find(|(_, text)| text.contains(WHY));
        mail.context("a reminder")
    })
    .await?;
    assert!(
        reminder.0.contains("bygglov@bygg.example"),
        "{}",
        reminder.0
    );
    for secret in ["blåbärsgalosch", "Gunhild", "0709", "gunhild"] {
        assert!(
            !reminder.1.contains(secret),
            "{secret} is in {}",
            reminder.1
        );
    }
    let address = reminder
        .1
        .split_whitespace()
        .find(|w| w.starts_with("http"));
    let officer = Officer::with(address.context("a link")?)?;
    officer.sees().await?.shows("Ärende 1 ")?;

    // Routing hears of it, and so the case page does.
    eventually("the case's log tells of it", async || {
        let logged = logged(&mut database, case).await?;
        ensure!(logged.contains(&"reminded".to_owned()), "{logged:?}");
        Ok(())
    })
    .await?;

    // What has happened and what comes next are told, by the API and by the command.
    let plan = plan(&api, case).await?;
    assert_eq!(plan["case"]["steps"], 1, "{plan}");
    let text = product.command(&["reminder", "plan", &case.to_string()])?;
    assert!(text.contains("Det här har hänt"), "{text}");
    assert!(text.contains("Det här kommer"), "{text}");
    let (_, cases) = api.get("/reminder/cases?department=bygg").await?;
    assert_eq!(cases["cases"][0]["case"], json!(case), "{cases}");
    assert_eq!(cases["cases"][0]["late"], json!(false), "{cases}");
    let (_, none) = api.get("/reminder/cases?department=skola").await?;
    assert_eq!(none["cases"], json!([]), "{none}");
    assert!(
        product
            .command(&["reminder", "cases"])?
            .contains(&case.to_string())
    );

    // Closed, it is in nobody's list, and nothing more comes.
    officer.does("close", "outcome=done").await?;
    eventually("its plan has ended", async || {
        let (_, cases) = api.get("/reminder/cases").await?;
        ensure!(cases["cases"] == json!([]), "{cases}");
        Ok(())
    })
    .await?;
    let next: Option<String> =
        sqlx::query_scalar("SELECT next_at::text FROM reminder.plan WHERE case_id = $1")
            .bind(case)
            .fetch_one(&mut database)
            .await?;
    assert_eq!(next, None);
    // All that came to the group before is the mail of the forwarding and the one reminder.
    let mails = mails(&data)?;
    let to_group = mails
        .iter()
        .filter(|(to, _)| to.contains("bygglov@bygg.example"));
    assert_eq!(to_group.count(), 2, "{mails:?}");
    Ok(())
}

#[tokio::test]
async fn after_days_down_a_case_gets_its_present_step_and_the_unit_head_one_list()
-> anyhow::Result<()> {
    if holiday_since(SignedDuration::from_hours(24 * 3)) {
        return Ok(());
    }
    let product = Product::start()?;
    let api = product.api()?;
    agree(&api, &around_the_clock(0.5)).await?;
    let data = product.data();
    let mut database = database(&data).await?;
    let hour = SignedDuration::from_hours(1);
    // At their limit since two hours; and past every step, for longer than the heads' one may be late.
    let (late, later) = (now() - hour * 3, now() - hour * 24 * 3);
    let mut events = vec![forwarded(1, late, hour)?, forwarded(2, late, hour * 5)?];
    for case in 10..40 {
        events.push(forwarded(case, later, hour)?);
    }
    // Paused and closed before half of the limit, and imported.
    let recent = now() - SignedDuration::from_mins(10);
    let then = recent + SignedDuration::from_mins(5);
    events.push(forwarded(3, recent, hour)?);
    let paused = CaseWhat::Paused {
        reason: PauseReason::Citizen,
        until: now() + hour * 24,
    };
    events.push(of_case(3, "bygg", then, paused)?);
    let mut imported = forwarded(4, late, hour)?;
    if let CaseWhat::Forwarded(forwarding) = &mut imported.what {
        (forwarding.imported, forwarding.agreement) = (true, None);
    }
    events.push(imported);
    events.push(forwarded(5, recent, hour)?);
    let closing = Closing {
        outcome: CaseOutcome::Done,
        by: ClosedBy::Page,
        working_s: None,
    };
    events.push(of_case(5, "bygg", then, CaseWhat::Closed(closing))?);
    routing_logs(&mut database, &events).await?;

    until_told(
        &mut database,
        Uuid::from_u128(1),
        &[("case.overdue", "limit")],
    )
    .await?;
    until_told(
        &mut database,
        Uuid::from_u128(2),
        &[("case.reminded", "share")],
    )
    .await?;
    for case in 10..40 {
        let escalated = [("case.overdue", "limit"), ("case.escalated", "heads")];
        until_told(&mut database, Uuid::from_u128(case), &escalated).await?;
    }
    let lists = eventually("the unit head's list", async || {
        let mails = mails(&data)?;
        let to_unit_head: Vec<String> = mails
            .into_iter()
            .filter(|(to, text)| {
                to.contains("enhetschef@kontaktcenter.example") && text.contains("skulle ha nått")
            })
            .map(|(_, text)| text)
            .collect();
        let all = to_unit_head
            .iter()
            .map(|text| text.matches("[00000000-").count())
            .sum::<usize>();
        ensure!(all == 30, "{all} cases in {} lists", to_unit_head.len());
        Ok(to_unit_head.len())
    })
    .await?;
    assert_eq!(lists, 1);
    eventually("the department's head has a mail of each", async || {
        let mails = mails(&data)?;
        let to_head = mails
            .iter()
            .filter(|(to, _)| to.contains("forvaltningschef@bygg.example"));
        ensure!(to_head.clone().count() == 30, "{}", to_head.count());
        Ok(())
    })
    .await?;
    for quiet in [3, 4, 5] {
        assert_eq!(told(&mut database, Uuid::from_u128(quiet)).await?, []);
    }
    let (_, late) = api.get("/reminder/cases?late=true&limit=1000").await?;
    assert_eq!(late["cases"].as_array().map(Vec::len), Some(32), "{late}");
    let (_, mine) = api.get("/reminder/cases?guide=guide-7&limit=1000").await?;
    assert_eq!(mine["cases"].as_array().map(Vec::len), Some(34), "{mine}");

    // What other agreements would have sent, without anybody being told.
    let before: i64 = sqlx::query_scalar("SELECT count(*) FROM reminder.mail")
        .fetch_one(&mut database)
        .await?;
    let body = json!({ "content": around_the_clock(0.9), "days": 7 });
    let (status, simulated) = api.post("/reminder/simulate", &body).await?;
    assert_eq!(status, StatusCode::OK, "{simulated}");
    assert!(simulated["cases"].as_u64() > Some(30), "{simulated}");
    assert!(simulated["differ"].as_u64() > Some(0), "{simulated}");
    let after: i64 = sqlx::query_scalar("SELECT count(*) FROM reminder.mail")
        .fetch_one(&mut database)
        .await?;
    assert_eq!(before, after);
    Ok(())
}

#[tokio::test]
async fn every_case_is_late_or_not_as_it_says_itself() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    agree(&api, &around_the_clock(0.5)).await?;
    let hour = SignedDuration::from_hours(1);
    let ago = |hours: i32| now() - hour * hours;
    let paused = |case, at| {
        let reason = PauseReason::Citizen;
        let until = now() + hour * 24;
        of_case(case, "bygg", at, CaseWhat::Paused { reason, until })
    };
    let mut without_limit = forwarded(5, ago(3), hour)?;
    if let CaseWhat::Forwarded(forwarding) = &mut without_limit.what {
        forwarding.due = None;
    }
    let events = [
        // Late; late and then paused; paused before its limit, which has passed since; in time; without a limit.
        forwarded(1, ago(3), hour)?,
        forwarded(2, ago(3), hour)?,
        paused(2, ago(1))?,
        forwarded(3, ago(3), hour * 2)?,
        paused(3, ago(2))?,
        forwarded(4, ago(3), hour * 9)?,
        without_limit,
    ];
    routing_logs(&mut database(&product.data()).await?, &events).await?;
    let listed = async |query: String| -> anyhow::Result<Vec<(u128, bool)>> {
        let (status, list) = api.get(&format!("/reminder/cases?{query}")).await?;
        ensure!(status == StatusCode::OK, "{status}: {list}");
        let cases = list["cases"].as_array().context("cases")?;
        let case = |case: &Value| {
            let id: Uuid = case["case"].as_str().context("an id")?.parse()?;
            Ok((id.as_u128(), case["late"].as_bool().context("late")?))
        };
        cases.iter().map(case).collect()
    };
    eventually("all are known", async || {
        let all = listed("department=bygg".to_owned()).await?;
        ensure!(all.len() == 5 && !all.contains(&(3, true)), "{all:?}");
        Ok(())
    })
    .await?;
    for of in ["", "&department=bygg", "&guide=guide-7"] {
        let late = listed(format!("late=true{of}")).await?;
        assert_eq!(late, [(1, true), (2, true)], "{of}");
        // The earliest limit first; those whose clock stands before it, and those without one, last.
        let others = listed(format!("late=false{of}")).await?;
        assert_eq!(others, [(4, false), (3, false), (5, false)], "{of}");
    }
    assert_eq!(listed("late=true&department=skola".to_owned()).await?, []);
    let text = product.command(&["reminder", "cases", "--late"])?;
    for (case, is_late) in [(1, true), (2, true), (3, false), (4, false), (5, false)] {
        let id = Uuid::from_u128(case).to_string();
        assert_eq!(text.contains(&id), is_late, "{case}: {text}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_with_what_to_do() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    for path in [
        "/reminder/cases?departement=bygg",
        "/reminder/cases?limit=0",
        "/reminder/cases?late=ja",
    ] {
        let (status, _) = api.problem(reqwest::Method::GET, path, &[], "").await?;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
    for id in ["17", "0198a0de-7c1e-7000-8000-000000000001"] {
        let path = format!("/reminder/cases/{id}/plan");
        let (status, _) = api.problem(reqwest::Method::GET, &path, &[], "").await?;
        assert_eq!(status, StatusCode::NOT_FOUND, "{id}");
    }
    let content = around_the_clock(0.5);
    for (body, field) in [
        (json!({ "content": content, "days": 0 }), "days"),
        (
            json!({ "content": { "municipality": "x" } }),
            "content.unit_head",
        ),
        (json!({ "content": content, "day": 3 }), "day"),
    ] {
        let (status, problem) = api
            .problem(
                reqwest::Method::POST,
                "/reminder/simulate",
                &[("content-type", "application/json")],
                body.to_string(),
            )
            .await?;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert!(
            problem["detail"].to_string().contains(field),
            "{field}: {problem}"
        );
    }
    for (method, path) in [
        (reqwest::Method::GET, "/reminder/cases"),
        (
            reqwest::Method::GET,
            "/reminder/cases/0198a0de-7c1e-7000-8000-000000000001/plan",
        ),
        (reqwest::Method::POST, "/reminder/simulate"),
    ] {
        let (status, _) = api.with_key(None).problem(method, path, &[], "").await?;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
    }
    Ok(())
}
