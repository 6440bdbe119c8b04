//! Versions of the agreements on a running product: what cases follow, and what is never overwritten.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use domain::local_day;
use jiff::{ToSpan, civil::Date};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    agreements::{change, example, other, text},
    harness::{Api, Product, eventually},
};

/// A product, and two folders: the example, and another.
pub(crate) struct Town {
    pub(crate) product: Product,
    pub(crate) api: Api,
    pub(crate) folder: PathBuf,
    other: PathBuf,
    _temporary: TempDir,
}

impl Town {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let temporary = tempfile::tempdir()?;
        let product = Product::start()?;
        Ok(Self {
            api: product.api()?,
            folder: example(temporary.path(), "agreements")?,
            other: other(temporary.path())?,
            product,
            _temporary: temporary,
        })
    }

    pub(crate) fn apply(&self, folder: &Path, valid_from: Date) -> anyhow::Result<String> {
        self.product.command(&[
            "agreements",
            "apply",
            text(folder)?,
            "--valid-from",
            &valid_from.to_string(),
            "--approved-by",
            "Kommunstyrelsen § 12",
        ])
    }

    pub(crate) async fn versions(&self) -> anyhow::Result<Vec<Value>> {
        let (status, versions) = self.api.get("/routing/agreements").await?;
        ensure!(status == StatusCode::OK, "{status}: {versions}");
        versions.as_array().cloned().context("an array")
    }

    /// Registers a case about a building permit; its id.
    async fn register(&self, forward: bool) -> anyhow::Result<String> {
        let case =
            json!({ "type": "bygglov", "rosa_group": 4, "department": "bygg", "forward": forward });
        let (status, case) = self.api.post("/intake/cases", &case).await?;
        ensure!(status == StatusCode::CREATED, "{status}: {case}");
        Ok(case["id"].as_str().context("an id")?.to_owned())
    }

    /// A case's explanation, once it is in this state.
    async fn explained(&self, case: &str, state: &str) -> anyhow::Result<Value> {
        eventually(&format!("the case is {state}"), async || {
            let (status, case) = self.api.get(&format!("/routing/cases/{case}")).await?;
            ensure!(
                status == StatusCode::OK && case["state"] == state,
                "{status}: {case}"
            );
            Ok(case)
        })
        .await
    }
}

pub(crate) fn today() -> Date {
    local_day(platform::Clock::real().now())
}

fn day(from_today: i32) -> Date {
    today().saturating_add(from_today.days())
}

fn place(case: &Value) -> String {
    let label = |name: &str| case["at"][name].as_str().unwrap_or("?").to_owned();
    format!("{}/{}", label("department"), label("group"))
}

#[tokio::test]
async fn a_case_keeps_its_version_and_nothing_is_overwritten() -> anyhow::Result<()> {
    let town = Town::start()?;
    let command = |arguments: &[&str]| town.product.command(arguments);
    let error = |outcome: anyhow::Result<String>| {
        outcome.err().map_or_else(String::new, |e| format!("{e:#}"))
    };
    assert!(command(&["agreements", "list"])?.contains("no agreements yet"));
    assert!(error(command(&["agreements", "show"])).contains("no agreements yet"));

    // Without agreements a case waits, and the first ones may be back-dated.
    let first = town.register(true).await?;
    let waiting = town.explained(&first, "centre").await?;
    assert_eq!(waiting["waits_for_agreements"], true, "{waiting}");
    assert!(command(&["routing", "explain", &first])?.contains("It waits to be forwarded"));
    let out = town.apply(&town.folder, day(-10))?;
    assert!(
        out.contains("no version yet") && out.contains("version 1 "),
        "{out}"
    );
    let bound = town.explained(&first, "open").await?;
    assert_eq!(
        (place(&bound).as_str(), &bound["agreement"]),
        ("bygg/handlaggare", &json!(1)),
        "{bound}"
    );
    assert_eq!(bound["at"]["department_name"], "Byggförvaltningen");
    assert_eq!(bound["log"][0]["what"], "forwarded", "{bound}");
    let explained = command(&["routing", "explain", &first])?;
    for shown in [
        "[bygg/handlaggare]",
        "version 1 av överenskommelserna",
        "bygg/bygglov",
        "tidsgräns 40 arbetstimmar",
    ] {
        assert!(explained.contains(shown), "{shown} is not in {explained}");
    }

    // One that begins later is there, and not yet in force.
    let other = text(&town.other)?;
    let diff = command(&["agreements", "diff", other])?;
    assert!(
        diff.contains("tidsgräns 40 → 24 arbetstimmar") && diff.contains("version 1"),
        "{diff}"
    );
    let out = town.apply(&town.other, day(2))?;
    assert!(
        out.contains("tidsgräns 40 → 24 arbetstimmar") && out.contains("version 2 "),
        "{out}"
    );
    let second = town.register(true).await?;
    let bound = town.explained(&second, "open").await?;
    assert_eq!(
        (place(&bound).as_str(), &bound["agreement"]),
        ("bygg/handlaggare", &json!(1)),
        "{bound}"
    );
    let (_, on) = town
        .api
        .get(&format!("/routing/agreements?on={}", day(2)))
        .await?;
    assert_eq!(
        (&on[0]["in_force"], &on[1]["in_force"]),
        (&json!(false), &json!(true)),
        "{on}"
    );
    assert!(command(&["agreements", "show"])?.contains("tidsgräns (limit): 40"));
    let shown = command(&["agreements", "show", "--version", "2"])?;
    assert!(
        shown.starts_with("version 2, ") && shown.contains("Kommunstyrelsen § 12"),
        "{shown}"
    );
    assert!(error(command(&["agreements", "show", "--version", "9"])).contains("no such version"));

    // Back in time nothing is changed.
    let before = town.versions().await?;
    let (_, content) = town.api.get("/routing/agreements/1").await?;
    let refused = error(town.apply(&town.other, day(-1)));
    assert!(
        refused.contains("valid_from") && refused.contains("later day"),
        "{refused}"
    );
    assert_eq!(town.versions().await?, before);

    // From today on others follow the new one; those that were there keep theirs.
    let kept = town.explained(&first, "open").await?;
    town.apply(&town.other, today())?;
    let again = town.apply(&town.other, today())?;
    assert!(
        again.contains("there already") && again.contains("version 3 "),
        "{again}"
    );
    let third = town.register(true).await?;
    let bound = town.explained(&third, "open").await?;
    assert_eq!(
        (place(&bound).as_str(), &bound["agreement"]),
        ("bygg/karta", &json!(3)),
        "{bound}"
    );
    assert_eq!(town.explained(&first, "open").await?, kept);
    let after = town.versions().await?;
    assert_eq!(after.len(), 3, "{after:?}");
    let list = command(&["agreements", "list"])?;
    assert_eq!(
        list.lines().filter(|l| l.contains("i kraft")).count(),
        1,
        "{list}"
    );
    let (_, unchanged) = town.api.get("/routing/agreements/1").await?;
    assert_eq!(unchanged["content"], content["content"]);
    Ok(())
}

#[tokio::test]
async fn a_dry_run_tells_what_would_have_been_different() -> anyhow::Result<()> {
    let town = Town::start()?;
    let dry_run = |more: &[&str]| {
        let folder = text(&town.other)?;
        town.product
            .command(&[&["routing", "dry-run", folder], more].concat())
    };
    assert!(dry_run(&[])?.contains("nothing to try it on"));
    town.apply(&town.folder, day(-10))?;
    let mut cases = Vec::new();
    for forward in [true, true, true, false, false] {
        cases.push((town.register(forward).await?, forward));
    }
    for (case, forward) in &cases {
        town.explained(case, if *forward { "open" } else { "centre" })
            .await?;
    }
    let out = dry_run(&[])?;
    for shown in [
        "(cases registered): 5",
        "(of them forwarded): 3",
        "bygg/handlaggare → bygg/karta       3  bygg/bygglov 3",
        "40 → 24 arbetstimmar       3  bygg/bygglov 3",
        "(would have been the same): 2",
    ] {
        assert!(out.contains(shown), "{shown} is not in {out}");
    }
    // Now kept from the centre: those that a guide could have finished too.
    change(
        &town.other,
        "bygg.toml",
        "depth = \"centre\"\ngroup = \"karta\"",
        "depth = \"department\"\ngroup = \"karta\"",
    )?;
    let out = dry_run(&[])?;
    assert!(out.contains("now kept from the centre): 5"), "{out}");
    assert!(
        dry_run(&["--from", "2020-01-01", "--to", "2020-01-31"])?.contains("nothing to try it on")
    );
    let error = dry_run(&["--from", "2020-02-01", "--to", "2020-01-31"])
        .err()
        .map(|e| e.to_string());
    assert!(
        error
            .as_ref()
            .is_some_and(|e| e.contains("must not be before")),
        "{error:?}"
    );
    assert_eq!(town.versions().await?.len(), 1, "a dry run stores nothing");
    Ok(())
}

#[tokio::test]
async fn what_the_centre_may_not_finish_is_forwarded_when_agreements_come_that_say_so()
-> anyhow::Result<()> {
    let town = Town::start()?;
    let register = async |department: &str, case_type: &str, rosa_group: u8| {
        let case = json!({ "type": case_type, "rosa_group": rosa_group, "department": department });
        let (status, case) = town.api.post("/intake/cases", &case).await?;
        ensure!(status == StatusCode::CREATED, "{status}: {case}");
        Ok(case["id"].as_str().context("an id")?.to_owned())
    };
    // Nobody asks for any of them to be forwarded.
    let kept = register("miljo", "buller", 4).await?;
    let resolved = register("miljo", "buller", 4).await?;
    let centres = register("bygg", "bygglov", 4).await?;
    for case in [&kept, &resolved, &centres] {
        town.explained(case, "centre").await?;
    }
    let path = format!("/intake/cases/{resolved}/resolve");
    let (status, answer) = town.api.post(&path, &Value::Null).await?;
    ensure!(status.is_success(), "{answer}");

    // Agreements that hold from a later day say nothing of these.
    town.apply(&town.folder, day(1))?;
    let later = register("miljo", "buller", 4).await?;
    town.explained(&later, "open").await?;
    town.explained(&kept, "centre").await?;
    town.apply(&town.folder, today())?;
    let seen = town.explained(&kept, "open").await?;
    assert_eq!(place(&seen), "miljo/inspektorer", "{seen}");
    assert!(
        seen["why"]
            .to_string()
            .contains("the centre may not finish"),
        "{seen}"
    );
    // The sweep that took it has looked at all of them.
    town.explained(&resolved, "centre").await?;
    town.explained(&centres, "centre").await?;
    Ok(())
}
