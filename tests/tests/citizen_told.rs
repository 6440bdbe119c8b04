//! A citizen who asked for it is told by e-mail how the case goes, and nobody else is told of the citizen.

use anyhow::{Context, ensure};
use async_nats::{HeaderMap, jetstream};
use domain::{
    CaseEvent, CaseId, CaseWhat, Envelope, Event, FollowUpStep, StepTaken, Words, local_day,
};
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::{
    case_page_officer::{EMAIL, NAME, Officer, PHONE, TEXT, agree, link, mails, now},
    harness::{Api, Product, bus_address, database, eventually},
};

async fn register(api: &Api, citizen: serde_json::Value) -> anyhow::Result<Uuid> {
    let case = json!({
        "type": "bygglov", "rosa_group": 4, "department": "bygg", "forward": true, "text": TEXT, "citizen": citizen,
    });
    let (status, case) = api.post("/intake/cases", &case).await?;
    ensure!(status == StatusCode::CREATED, "{status}: {case}");
    Ok(case["id"].as_str().context("an id")?.parse()?)
}

/// Tells that a limit has passed, as reminder does. Its subjects are reminder's alone, so it comes on one of routing's.
async fn limit_passed(
    product: &Product,
    (case, due): (Uuid, Timestamp),
    sequence: u64,
) -> anyhow::Result<()> {
    let event = CaseEvent {
        case: CaseId(case),
        at: now(),
        department: "bygg".parse()?,
        what: CaseWhat::Overdue(StepTaken {
            step: FollowUpStep::Limit,
            to: FollowUpStep::Limit.to().to_vec(),
            group: "handlaggare".parse()?,
            due,
            reason: Words {
                swedish: "tidsgränsen har passerat".to_owned(),
                english: "the limit has passed".to_owned(),
            },
        }),
    };
    let source = "elsewhere/CASES";
    let envelope = Envelope {
        specversion: "1.0".to_owned(),
        id: event.id(),
        source: source.to_owned(),
        kind: event.kind().to_owned(),
        time: event.at,
        datacontenttype: "application/json".to_owned(),
        sequence,
        traceparent: None,
        data: event.clone(),
    };
    let seed = std::fs::read_to_string(product.data().join("nats/keys/routing.nk"))?;
    let client = async_nats::ConnectOptions::with_nkey(seed.trim().to_owned())
        .custom_inbox_prefix("_INBOX_routing")
        .connect(bus_address(&product.data())?)
        .await?;
    let mut headers = HeaderMap::new();
    headers.insert("Kommunlots-Source", source);
    headers.insert("Kommunlots-Sequence", sequence.to_string().as_str());
    jetstream::new(client)
        .publish_with_headers(
            "case.bygg.taken",
            headers,
            serde_json::to_vec(&envelope)?.into(),
        )
        .await?
        .await?;
    Ok(())
}

/// The texts of the mails to `who`, once there are `many` of them.
async fn told(folder: &std::path::Path, who: &str, many: usize) -> anyhow::Result<Vec<String>> {
    eventually("the citizen's mails", async || {
        let mails = mails(folder)?;
        let to = mails.into_iter().filter(|(to, _)| to.contains(who));
        let texts: Vec<String> = to.map(|(_, text)| text).collect();
        ensure!(texts.len() == many, "{} mails: {texts:#?}", texts.len());
        Ok(texts)
    })
    .await
}

#[tokio::test]
async fn a_citizen_is_told_when_the_case_is_forwarded_late_and_closed() -> anyhow::Result<()> {
    // Where every service's mail goes, and whom it is from, is set once for the product.
    let post = tempfile::tempdir()?;
    let folder = post.path().join("mail");
    let mut product = Product::run(
        &["all"],
        &[
            ("KOMMUNLOTS_MAIL", folder.to_str().context("a path")?),
            (
                "KOMMUNLOTS_MAIL_FROM",
                "Exempelkoping <svara-inte@exempelkoping.example>",
            ),
        ],
    )?;
    let api = product.api()?;
    agree(&api).await?;
    let citizen = json!({ "name": NAME, "phone": PHONE, "email": EMAIL, "notify": true });
    let case = register(&api, citizen).await?;
    let quiet = json!({ "email": "tyst@example.org" });
    register(&api, quiet).await?;
    let officer = Officer::with(&link(post.path(), "bygglov@bygg.example").await?)?;

    let mut database = database(&product.data()).await?;
    let due: String =
        sqlx::query_scalar("SELECT to_json(due)#>>'{}' FROM routing.routed_case WHERE id = $1")
            .bind(case)
            .fetch_one(&mut database)
            .await?;
    let due: Timestamp = due.parse()?;
    let forwarded = told(post.path(), EMAIL, 1).await?.remove(0);
    ensure!(forwarded.contains("svara-inte@exempelkoping.example"));
    let day = local_day(due);
    for says in [
        "Ditt ärende 1 har lämnats".to_owned(),
        format!("Det ska vara klart senast {day}."),
        format!("It is to be done by {day}."),
    ] {
        ensure!(forwarded.contains(&says), "{says} is not in {forwarded}");
    }

    // The same limit told twice is told once.
    limit_passed(&product, (case, due), 1).await?;
    limit_passed(&product, (case, due), 2).await?;
    told(post.path(), EMAIL, 2).await?;
    // The officer of either case may be behind the latest link: both are closed.
    officer.does("close", "outcome=declined").await?;
    let links: Vec<String> = mails(post.path())?
        .iter()
        .filter_map(|(_, text)| {
            let mut words = text.split_whitespace();
            let link = words.find(|w| w.contains("/routing/case/"))?;
            Some(link.to_owned())
        })
        .collect();
    for link in links {
        let other = Officer::with(&link)?;
        other.sends("close", "outcome=declined").await?;
    }
    told(post.path(), EMAIL, 3).await?;
    // What is said of a closed case is old news.
    limit_passed(
        &product,
        (case, due + jiff::SignedDuration::from_secs(1)),
        3,
    )
    .await?;

    // Opened anew, it is forwarded anew.
    let path = format!("/intake/cases/{case}/repeat-contact");
    eventually("the case is opened anew", async || {
        let (status, answer) = api.post(&path, &json!({})).await?;
        ensure!(status.is_success(), "{answer}");
        Ok(())
    })
    .await?;
    let all = told(post.path(), EMAIL, 4).await?;
    assert_eq!(product.stop()?, Some(0));
    product.start_again()?;
    let all_again = told(post.path(), EMAIL, 4).await?;
    assert_eq!(all, all_again);
    for (says, times) in [("vidareskickat (", 2), ("försenat (", 1), ("avslutat (", 1)] {
        let said = all.iter().filter(|m| subject(m).contains(says)).count();
        assert_eq!(said, times, "{says}: {all:#?}");
    }
    for mail in &all {
        for secret in ["blåbärsgalosch", "Gunhild", "0709", "bygg", "Avslag"] {
            ensure!(!mail.contains(secret), "{secret} is in {mail}");
        }
    }
    told(post.path(), "tyst@example.org", 0).await?;
    let log = product.log();
    ensure!(!log.contains("gunhild"), "the address is in the log");
    Ok(())
}

/// A mail's subject, decoded where it is encoded.
fn subject(mail: &str) -> String {
    mail.lines()
        .find(|line| line.starts_with("Ditt ärende"))
        .map_or_else(String::new, |line| match line {
            l if l.contains("har lämnats") => "vidareskickat (".to_owned(),
            l if l.contains("skulle ha varit") => "försenat (".to_owned(),
            _ => "avslutat (".to_owned(),
        })
}

#[tokio::test]
async fn who_asks_to_be_told_must_be_reachable() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    for citizen in [
        json!({ "name": NAME, "notify": true }),
        json!({ "email": "gunhild@@example.org", "notify": true }),
    ] {
        let case =
            json!({ "type": "bygglov", "rosa_group": 4, "department": "bygg", "citizen": citizen });
        let (status, problem) = api
            .problem(Method::POST, "/intake/cases", &[], case.to_string())
            .await?;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(problem["errors"][0]["field"], "citizen.email", "{problem}");
    }
    // Who does not ask need not be.
    let case = json!({
        "type": "bygglov", "rosa_group": 4, "department": "bygg", "citizen": { "name": NAME, "notify": false },
    });
    let (status, answer) = api.post("/intake/cases", &case).await?;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    Ok(())
}
