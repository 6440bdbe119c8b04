//! `kommunlots reminder plan`, `cases` and `simulate`: what comes next for forwarded cases, and what other agreements would
//! have sent.

mod text;

use std::path::Path;

use reminder::{Cases, PlanOf, Simulation};
use serde_json::json;
use uuid::Uuid;

use super::agreements::read;
use crate::{
    cli::{Access, ReminderCommand},
    client,
    config::Settings,
    output::say,
};

/// Does what was asked.
pub(crate) async fn run(
    settings: Settings,
    access: &Access,
    what: ReminderCommand,
) -> anyhow::Result<()> {
    match what {
        ReminderCommand::Plan { case } => plan(settings, access, case).await,
        ReminderCommand::Cases {
            department,
            guide,
            late,
            limit,
        } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(department.map(|d| ("department", d)));
            query.extend(guide.map(|g| ("guide", g)));
            if late {
                query.push(("late", "true".to_owned()));
            }
            cases(settings, access, &query).await
        }
        ReminderCommand::Simulate { agreements, days } => {
            simulate(settings, access, &agreements, days).await
        }
    }
}

async fn plan(settings: Settings, access: &Access, case: Uuid) -> anyhow::Result<()> {
    let plan: PlanOf = client::with(settings, access, async |client| {
        client
            .get(&format!("/reminder/cases/{case}/plan"), &[])
            .await
    })
    .await?;
    say!("{}", text::plan(&plan).trim_end())
}

async fn cases(
    settings: Settings,
    access: &Access,
    query: &[(&str, String)],
) -> anyhow::Result<()> {
    let cases: Cases = client::with(settings, access, async |client| {
        client.get("/reminder/cases", query).await
    })
    .await?;
    say!("{}", text::cases(&cases).trim_end())
}

async fn simulate(
    settings: Settings,
    access: &Access,
    dir: &Path,
    days: u16,
) -> anyhow::Result<()> {
    let body = json!({ "content": read(dir)?, "days": days }).to_string();
    let result: Simulation = client::with(settings, access, async |client| {
        client
            .post("/reminder/simulate", "application/json", body)
            .await
    })
    .await?;
    say!("{}", text::simulation(&result, days).trim_end())
}
