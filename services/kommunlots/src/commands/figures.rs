//! `kommunlots figures`: a table, or JSON.

use jiff::civil::Date;
use metrics::{By, Figures};

use crate::{cli::Access, client::Client, config::Settings, output::say};

/// Prints the figures of a period.
pub(crate) async fn run(
    settings: Settings,
    access: &Access,
    from: Date,
    to: Date,
    by: Option<By>,
    json: bool,
) -> anyhow::Result<()> {
    let client = Client::reach(settings, access).await?;
    let figures = fetch(&client, from, to, by).await;
    client.close().await;
    let figures = figures?;
    if json {
        say!("{}", serde_json::to_string_pretty(&figures)?)?;
    } else if figures.is_empty() {
        say!("no contacts are known from {from} to {to}")?;
    } else {
        say!("{}", table(&figures, by).trim_end())?;
    }
    Ok(())
}

async fn fetch(
    client: &Client,
    from: Date,
    to: Date,
    by: Option<By>,
) -> anyhow::Result<Vec<Figures>> {
    client.until_figures_hold_all().await?;
    let mut query = vec![("from", from.to_string()), ("to", to.to_string())];
    if let Some(by) = by {
        query.push(("by", by.as_str().to_owned()));
    }
    client.get("/figures", &query).await
}

const COLUMNS: [&str; 8] = [
    "offered",
    "answered",
    "abandoned",
    "short",
    "rate",
    "within 60 s",
    "mean wait",
    "longest",
];

fn table(figures: &[Figures], by: Option<By>) -> String {
    let key = by.map_or("", By::as_str);
    let width = figures
        .iter()
        .map(|f| f.key.chars().count())
        .chain([key.len()])
        .max()
        .unwrap_or(0);
    let mut text = format!("{key:width$}");
    for column in COLUMNS {
        text += &format!("  {column:>11}");
    }
    text.push('\n');
    let unknown = || "-".to_owned();
    for f in figures {
        let cells = [
            f.offered.to_string(),
            f.answered.to_string(),
            f.abandoned.to_string(),
            f.short_abandoned.to_string(),
            f.answer_rate
                .map_or_else(unknown, |r| format!("{:.1} %", r * 100.0)),
            f.answered_within_60s.to_string(),
            f.mean_wait_of_answered_s
                .map_or_else(unknown, |s| format!("{s:.1} s")),
            f.longest_wait_s
                .map_or_else(unknown, |s| format!("{s:.0} s")),
        ];
        text += &format!("{:width$}", f.key);
        for cell in cells {
            text += &format!("  {cell:>11}");
        }
        text.push('\n');
    }
    if let Some(first) = figures.first() {
        text += &format!("\ndefinition {}, as of {}\n", first.definition, first.as_of);
    }
    text
}
