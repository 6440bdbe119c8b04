//! `kommunlots routing explain` and `dry-run`: why a case is where it is, and what other agreements would change.

mod explanation;
mod tried;

use std::path::Path;

use jiff::civil::Date;
use routing::{DryRun, Explanation};
use serde_json::json;
use uuid::Uuid;

use super::agreements::read;
use crate::{
    cli::{Access, RoutingCommand},
    client,
    config::Settings,
    output::say,
};

/// Does what was asked.
pub(crate) async fn run(
    settings: Settings,
    access: &Access,
    what: RoutingCommand,
) -> anyhow::Result<()> {
    match what {
        RoutingCommand::Explain { case } => explain(settings, access, case).await,
        RoutingCommand::DryRun { dir, from, to } => dry_run(settings, access, &dir, from, to).await,
    }
}

async fn explain(settings: Settings, access: &Access, case: Uuid) -> anyhow::Result<()> {
    let explained: Explanation = client::with(settings, access, async |client| {
        client.get(&format!("/routing/cases/{case}"), &[]).await
    })
    .await?;
    say!("{}", explanation::text(&explained).trim_end())
}

async fn dry_run(
    settings: Settings,
    access: &Access,
    dir: &Path,
    from: Option<Date>,
    to: Option<Date>,
) -> anyhow::Result<()> {
    let content = read(dir)?;
    // The product's own last days, where none are named: a demo lives on another clock than this command.
    let body = json!({ "content": content, "from": from, "to": to }).to_string();
    let result: DryRun = client::with(settings, access, async |client| {
        client
            .post("/routing/agreements/dry-run", "application/json", body)
            .await
    })
    .await?;
    say!("{}", tried::text(&result).trim_end())
}
