//! A case sent back: where it goes, by which rule, and to which mailbox.

use anyhow::{Context, ensure};
use domain::{Agreements, local_day};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    case_page_officer::{Officer, agree, link, mails, now},
    harness::{Api, Product, eventually},
};

const REGISTRATOR: &str = "registrator@kansli.example";

/// A case that is forwarded at once; its id.
async fn registered(api: &Api, department: &str, case_type: &str) -> anyhow::Result<String> {
    let case =
        json!({ "type": case_type, "rosa_group": 4, "department": department, "forward": true });
    let (status, case) = api.post("/intake/cases", &case).await?;
    ensure!(status == StatusCode::CREATED, "{status}: {case}");
    Ok(case["id"].as_str().context("an id")?.to_owned())
}

/// The link of the latest mail to `who`, once there are so many.
async fn officer(product: &Product, who: &str, count: usize) -> anyhow::Result<Officer> {
    eventually(&format!("{count} mails to {who}"), async || {
        let all = mails(&product.data())?;
        let came = all.iter().filter(|(to, _)| to.contains(who)).count();
        ensure!(came == count, "{came}");
        Ok(())
    })
    .await?;
    Officer::with(&link(&product.data(), who).await?)
}

async fn explained(api: &Api, case: &str) -> anyhow::Result<Value> {
    let (status, case) = api.get(&format!("/routing/cases/{case}")).await?;
    ensure!(status == StatusCode::OK, "{status}: {case}");
    Ok(case)
}

/// Where it is, by which rule.
fn place(case: &Value) -> String {
    let text = |v: &Value| v.as_str().unwrap_or("?").to_owned();
    let at = &case["at"];
    format!(
        "{}/{} by {}",
        text(&at["department"]),
        text(&at["group"]),
        text(&case["rule"])
    )
}

#[tokio::test]
async fn the_registrator_sends_a_case_on_and_the_count_begins_anew() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    agree(&api).await?;
    let case = registered(&api, "miljo", "buller").await?;
    let miljo = officer(&product, "inspektorer@miljo.example", 1).await?;
    miljo.does("bounce", "belongs_to=unknown").await?;
    assert_eq!(
        place(&explained(&api, &case).await?),
        "kansli/registrator by registrator"
    );

    // Whoever gets what nobody knows must find out.
    let registrator = officer(&product, REGISTRATOR, 1).await?;
    registrator.sees().await?.hides("Vet inte")?;
    let unknown = registrator.sends("bounce", "belongs_to=unknown").await?;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    // It has been sent back once: that does not count for what the registrator says.
    registrator.does("bounce", "belongs_to=gata").await?;
    let gata = officer(&product, "drift@gata.example", 1).await?;
    assert_eq!(
        place(&explained(&api, &case).await?),
        "gata/drift by gata: default"
    );
    gata.does("bounce", "belongs_to=skola").await?;
    let skola = officer(&product, "administration@skola.example", 1).await?;
    skola.does("bounce", "belongs_to=gata").await?;
    officer(&product, REGISTRATOR, 2).await?;

    // Every forwarding says why, also that what was wished was not done.
    let seen = explained(&api, &case).await?;
    assert_eq!(place(&seen), "kansli/registrator by registrator");
    let log = seen["log"].as_array().context("a log")?;
    let rules: Vec<&str> = log
        .iter()
        .filter_map(|line| line["rule"].as_str())
        .collect();
    assert_eq!(
        rules,
        [
            "miljo/buller",
            "registrator",
            "gata: default",
            "skola: default",
            "registrator"
        ]
    );
    let why = log.last().context("a line")?["why"].to_string();
    for said in [
        "skola said that it belongs to gata, but it has been sent back before",
        "time limit 8 working hours",
    ] {
        ensure!(why.contains(said), "{said} is not in {why}");
    }
    let text = product.command(&["routing", "explain", &case])?;
    for said in [
        "regeln (the rule): miljo/buller",
        "where it belongs was not said",
        "the registrator sent it on",
    ] {
        ensure!(text.contains(said), "{said} is not in {text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_case_reaches_the_registrators_own_group_and_another_group_by_name() -> anyhow::Result<()>
{
    let product = Product::start()?;
    let api = product.api()?;
    agree(&api).await?;
    // Its own department has an agreement for the type, which names another group.
    let case = registered(&api, "kansli", "faktura").await?;
    let ekonomi = officer(&product, "ekonomi@kansli.example", 1).await?;
    assert_eq!(
        place(&explained(&api, &case).await?),
        "kansli/ekonomi by kansli/faktura"
    );
    ekonomi.does("bounce", "belongs_to=unknown").await?;
    let registrator = officer(&product, REGISTRATOR, 1).await?;
    let seen = explained(&api, &case).await?;
    assert_eq!(place(&seen), "kansli/registrator by registrator");
    let why = seen["why"].to_string();
    ensure!(why.contains("time limit 8 working hours"), "{why}");

    registrator
        .sees()
        .await?
        .shows("Kommunkansliet, Nämndsekreterare")?;
    registrator
        .does("bounce", "belongs_to=kansli%2Fnamnd")
        .await?;
    let namnd = officer(&product, "namnd@kansli.example", 1).await?;
    assert_eq!(
        place(&explained(&api, &case).await?),
        "kansli/namnd by kansli: group namnd"
    );
    namnd.does("close", "outcome=done").await?;

    // Opened anew it is at the group that closed it.
    let path = format!("/intake/cases/{case}/repeat-contact");
    eventually("the case can be opened anew", async || {
        let (status, answer) = api.post(&path, &Value::Null).await?;
        ensure!(status.is_success(), "{answer}");
        Ok(())
    })
    .await?;
    officer(&product, "namnd@kansli.example", 2).await?;
    assert_eq!(
        place(&explained(&api, &case).await?),
        "kansli/namnd by kansli: group namnd"
    );
    Ok(())
}

/// What a group is called does not change with its mailbox.
fn moved(mut agreements: Agreements) -> anyhow::Result<Agreements> {
    let bygg = "bygg".parse().map_err(anyhow::Error::msg)?;
    let group = "handlaggare".parse().map_err(anyhow::Error::msg)?;
    let bygg = agreements.departments.get_mut(&bygg).context("bygg")?;
    let group = bygg.groups.get_mut(&group).context("the group")?;
    group.email = "ny-brevlada@bygg.example".to_owned();
    bygg.default_limit_working_hours = 3.try_into().map_err(anyhow::Error::msg)?;
    Ok(agreements)
}

#[tokio::test]
async fn a_mail_goes_to_where_the_mailbox_is_now_by_the_rule_of_the_cases_version()
-> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    agree(&api).await?;
    let case = registered(&api, "gata", "okand").await?;
    let gata = officer(&product, "drift@gata.example", 1).await?;
    let body = json!({
        "valid_from": local_day(now()).to_string(), "approved_by": "nämnden § 2",
        "content": moved(routing::agreements::example())?,
    });
    let (status, answer) = api.post("/routing/agreements", &body).await?;
    ensure!(status.is_success(), "{status}: {answer}");

    gata.does("bounce", "belongs_to=bygg").await?;
    officer(&product, "ny-brevlada@bygg.example", 1).await?;
    let old = mails(&product.data())?;
    assert!(
        !old.iter()
            .any(|(to, _)| to.contains("bygglov@bygg.example"))
    );
    let seen = explained(&api, &case).await?;
    assert_eq!(
        (place(&seen).as_str(), &seen["agreement"]),
        ("bygg/handlaggare by bygg: default", &json!(1))
    );
    ensure!(!seen["why"].to_string().contains("time limit 3 "), "{seen}");
    Ok(())
}
