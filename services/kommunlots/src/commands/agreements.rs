//! `kommunlots agreements`: check a folder of agreements, apply it, and look at what holds.

use std::path::Path;

use anyhow::bail;
use domain::{Agreements, Department, DepartmentAgreement};
use jiff::civil::Date;
use platform::http::FieldError;
use routing::{
    AppliedVersion, VersionContent, VersionView,
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
    let mut new_keys = Vec::new();
    match versions.iter().find(|v| v.in_force) {
        Some(old) => {
            say!(
                "skillnad mot version {0}, som annars gäller {valid_from} (difference from version {0}, otherwise in force \
                 on {valid_from}):",
                old.version
            )?;
            let old = version(client, old.version).await?.content;
            print_diff(&old, new)?;
            new_keys = with_new_key(&old, new);
        }
        None => say!("det finns ingen version än (there is no version yet)")?,
    }
    let body = json!({ "valid_from": valid_from, "approved_by": approved_by, "content": new });
    let answer: Result<AppliedVersion, Vec<FieldError>> = client
        .offer("/routing/agreements", "application/json", body.to_string())
        .await?;
    let AppliedVersion {
        version: added,
        accounts,
    } = match answer {
        Ok(applied) => applied,
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
    )?;
    if accounts.is_empty() {
        // No department has a system on this bus.
        return Ok(());
    }
    let missing = new.departments.keys().filter(|d| !accounts.contains(*d));
    new_keys.retain(|department| accounts.contains(department));
    say_restart(&missing.cloned().collect::<Vec<_>>(), &new_keys)
}

/// Departments whose systems are to connect with another key than before.
fn with_new_key(old: &Agreements, new: &Agreements) -> Vec<Department> {
    let changed = |(department, agreed): (&Department, &DepartmentAgreement)| {
        let before = old.departments.get(department)?;
        (before.public_nkey != agreed.public_nkey).then(|| department.clone())
    };
    new.departments.iter().filter_map(changed).collect()
}

/// Says whose systems reach the bus only after a restart: the bus learns accounts and keys when the product starts.
fn say_restart(without_account: &[Department], new_keys: &[Department]) -> anyhow::Result<()> {
    let names = |departments: &[Department]| {
        let names: Vec<&str> = departments.iter().map(Department::as_str).collect();
        names.join(", ")
    };
    if !without_account.is_empty() {
        say!(
            "inget konto på bussen förrän den och produkten startas om (no account on the bus until it and the product are started again): {}",
            names(without_account)
        )?;
    }
    if !new_keys.is_empty() {
        say!(
            "gammal nyckel på bussen tills produkten startas om (the old key holds on the bus until the product is started \
             again): {}",
            names(new_keys)
        )?;
    }
    if !without_account.is_empty() || !new_keys.is_empty() {
        say!(
            "  konton görs ur mappen i inställningen routing.agreements, eller för en egen NATS med kommunlots nats-config \
             (accounts are made from the folder that the setting routing.agreements names, or for a NATS server of your own \
             with kommunlots nats-config)"
        )?;
    }
    Ok(())
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
