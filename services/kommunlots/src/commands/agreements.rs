//! `kommunlots agreements`: check a folder of agreements, apply it, and look at what holds.

use std::path::Path;

use anyhow::bail;
use domain::Agreements;
use jiff::civil::Date;
use platform::http::FieldError;
use routing::{
    VersionContent, VersionView,
    agreements::{self, Level, Problem},
};
use serde_json::json;

use crate::{
    cli::{Access, AgreementsCommand},
    client::{self, Client},
    config::Settings,
    output::say,
};

const NONE_YET: &str =
    "there are no agreements yet; apply some with kommunlots agreements apply DIR";

/// Does what was asked. Files are read before anything is started.
pub(crate) async fn run(
    settings: Settings,
    access: &Access,
    what: AgreementsCommand,
) -> anyhow::Result<()> {
    match what {
        AgreementsCommand::Check { dir } => check(&dir),
        AgreementsCommand::Example { dir } => example(&dir),
        AgreementsCommand::Apply {
            dir,
            valid_from,
            approved_by,
        } => {
            let new = read(&dir)?;
            client::with(settings, access, async |client| {
                apply(client, &new, valid_from, &approved_by).await
            })
            .await
        }
        AgreementsCommand::Show { dir: Some(dir), .. } => {
            say!("{}", agreements::show(&read(&dir)?).trim_end())
        }
        AgreementsCommand::Show { version, dir: None } => {
            client::with(settings, access, async |client| show(client, version).await).await
        }
        AgreementsCommand::Diff {
            dir,
            other: Some(other),
        } => print_diff(&read(&dir)?, &read(&other)?),
        AgreementsCommand::Diff { dir, other: None } => {
            let new = read(&dir)?;
            client::with(settings, access, async |client| diff(client, &new).await).await
        }
        AgreementsCommand::List => client::with(settings, access, list).await,
    }
}

/// A folder's agreements; what is wrong or doubtful in it goes to standard error.
///
/// # Errors
/// When something is wrong.
pub(super) fn read(dir: &Path) -> anyhow::Result<Agreements> {
    let (agreements, problems) = match agreements::read(dir) {
        Ok(checked) => (Some(checked.agreements), checked.warnings),
        Err(problems) => (None, problems),
    };
    for problem in &problems {
        eprintln!("{problem}");
    }
    agreements.ok_or_else(|| wrong(dir, &problems))
}

fn check(dir: &Path) -> anyhow::Result<()> {
    let (agreements, problems) = match agreements::read(dir) {
        Ok(checked) => (Some(checked.agreements), checked.warnings),
        Err(problems) => (None, problems),
    };
    for problem in &problems {
        say!("{problem}")?;
    }
    match agreements {
        Some(agreements) => say!("{}", right(&agreements)),
        None => Err(wrong(dir, &problems)),
    }
}

fn wrong(dir: &Path, problems: &[Problem]) -> anyhow::Error {
    let errors = problems.iter().filter(|p| p.level == Level::Error).count();
    let s = if errors == 1 { "" } else { "s" };
    anyhow::anyhow!(
        "{errors} error{s} in {}; put right what is said above, and try again",
        dir.display()
    )
}

fn right(agreements: &Agreements) -> String {
    let departments = agreements.departments.values();
    let count = |n: usize, one: &str, many: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    };
    let groups = departments.clone().map(|d| d.groups.len()).sum();
    let case_types = departments.clone().map(|d| d.case_types.len()).sum();
    let departments = departments.len();
    format!(
        "rätt (right): {}, {}, {} ({}, {}, {})",
        count(departments, "förvaltning", "förvaltningar"),
        count(groups, "grupp", "grupper"),
        count(case_types, "ärendetyp", "ärendetyper"),
        count(departments, "department", "departments"),
        count(groups, "group", "groups"),
        count(case_types, "case type", "case types"),
    )
}

fn example(dir: &Path) -> anyhow::Result<()> {
    agreements::write_example(dir).map_err(|error| {
        anyhow::anyhow!("{error}; nothing is overwritten, so name a folder that is new or empty")
    })?;
    let dir = dir.display();
    say!("ett påhittat exempel ligger i {dir} (a made-up example is in {dir})")?;
    say!("  kommunlots agreements check {dir}")?;
    say!(
        "  kommunlots agreements apply {dir} --valid-from 2027-01-01 --approved-by \"Kommunstyrelsen § 12\""
    )
}

async fn apply(
    client: &Client,
    new: &Agreements,
    valid_from: Date,
    approved_by: &str,
) -> anyhow::Result<()> {
    let on = [("on", valid_from.to_string())];
    let versions: Vec<VersionView> = client.get("/routing/agreements", &on).await?;
    match versions.iter().find(|v| v.in_force) {
        Some(old) => {
            say!(
                "skillnad mot version {0}, som annars gäller {valid_from} (difference from version {0}, otherwise in force \
                 on {valid_from}):",
                old.version
            )?;
            print_diff(&version(client, old.version).await?.content, new)?;
        }
        None => say!("det finns ingen version än (there is no version yet)")?,
    }
    let body = json!({ "valid_from": valid_from, "approved_by": approved_by, "content": new });
    let answer: Result<VersionView, Vec<FieldError>> = client
        .offer("/routing/agreements", "application/json", body.to_string())
        .await?;
    let added = match answer {
        Ok(added) => added,
        Err(errors) => bail!(
            "the agreements were not applied: {}",
            errors
                .iter()
                .map(|e| format!("{} {}", e.field, e.reason))
                .collect::<Vec<_>>()
                .join("; ")
        ),
    };
    if versions.iter().any(|v| v.version == added.version) {
        say!("den versionen finns redan (that version is there already)")?;
    }
    say!(
        "version {0} gäller ärenden som registreras från och med {1} (version {0} holds for cases registered from {1})",
        added.version,
        added.valid_from
    )
}

async fn version(client: &Client, version: i64) -> anyhow::Result<VersionContent> {
    client
        .get(&format!("/routing/agreements/{version}"), &[])
        .await
}

async fn in_force(client: &Client) -> anyhow::Result<VersionContent> {
    let versions: Vec<VersionView> = client.get("/routing/agreements", &[]).await?;
    match versions.iter().find(|v| v.in_force) {
        Some(now) => version(client, now.version).await,
        None => bail!(NONE_YET),
    }
}

async fn show(client: &Client, number: Option<i64>) -> anyhow::Result<()> {
    let shown = match number {
        Some(number) => version(client, number).await?,
        None => in_force(client).await?,
    };
    say!("{}", heading(&shown.version))?;
    say!("{}", agreements::show(&shown.content).trim_end())
}

async fn diff(client: &Client, new: &Agreements) -> anyhow::Result<()> {
    let old = in_force(client).await?;
    say!("skillnad mot (difference from) {}", heading(&old.version))?;
    print_diff(&old.content, new)
}

fn print_diff(old: &Agreements, new: &Agreements) -> anyhow::Result<()> {
    let changes = agreements::diff(old, new);
    if changes.is_empty() {
        say!("  ingen skillnad (no difference)")?;
    }
    for change in changes {
        say!("  {change}")?;
    }
    Ok(())
}

async fn list(client: &Client) -> anyhow::Result<()> {
    let versions: Vec<VersionView> = client.get("/routing/agreements", &[]).await?;
    if versions.is_empty() {
        say!("{NONE_YET}")?;
    }
    for version in &versions {
        say!("{}", heading(version))?;
    }
    Ok(())
}

fn heading(version: &VersionView) -> String {
    let in_force = if version.in_force {
        ", i kraft (in force)"
    } else {
        ""
    };
    format!(
        "version {}, gäller från (valid from) {}, beslut (approved by) {}, inläst (applied) {}{in_force}",
        version.version,
        version.valid_from,
        version.approved_by,
        super::local(version.applied_at),
    )
}
