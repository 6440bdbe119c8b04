//! `kommunlots figures`: a table, or JSON.

mod follow_up;
mod forwarded;
mod handling;

use jiff::{Timestamp, civil::Date};
use metrics::{By, CasesBy, Figures};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    cli::{Access, CaseFigures, FiguresOf},
    client::{self, Client},
    config::Settings,
    output::say,
};

/// Prints the figures of a period.
pub(crate) async fn run(
    settings: Settings,
    access: &Access,
    from: Date,
    to: Date,
    by: Option<By>,
    json: bool,
) -> anyhow::Result<()> {
    let figures = client::with(settings, access, async |client| {
        fetch(client, from, to, by).await
    })
    .await?;
    if json {
        say!("{}", serde_json::to_string_pretty(&figures)?)?;
    } else if figures.is_empty() {
        say!("no contacts are known from {from} to {to}")?;
    } else {
        say!("{}", table(&figures, by).trim_end())?;
    }
    Ok(())
}

/// Prints figures of forwarded cases.
pub(crate) async fn of_cases(
    settings: Settings,
    access: &Access,
    of: FiguresOf,
) -> anyhow::Result<()> {
    match of {
        FiguresOf::Forwarded { cases, as_of } => {
            let as_of = as_of.map(then);
            let asked = (settings, access, "/figures/forwarded", as_of);
            let none = ["inga vidareskickade ärenden", "no forwarded cases"];
            print(asked, &cases, none, forwarded::table).await
        }
        FiguresOf::Handling { cases } => {
            let asked = (settings, access, "/figures/handling", None);
            let none = ["inga avslutade ärenden", "no cases closed"];
            print(asked, &cases, none, handling::table).await
        }
        FiguresOf::Followup { cases, as_of } => {
            let asked = (settings, access, "/figures/followup", as_of.map(then));
            let none = ["inga avslutade ärenden", "no cases closed"];
            print(asked, &cases, none, follow_up::table).await
        }
    }
}

/// The instant that is asked about.
fn then(as_of: Timestamp) -> (&'static str, String) {
    ("as_of", as_of.to_string())
}

type Asked<'a> = (
    Settings,
    &'a Access,
    &'static str,
    Option<(&'static str, String)>,
);

async fn print<F: Serialize + DeserializeOwned>(
    (settings, access, path, more): Asked<'_>,
    cases: &CaseFigures,
    [none, none_english]: [&str; 2],
    table: fn(&[F], Option<CasesBy>) -> String,
) -> anyhow::Result<()> {
    let CaseFigures { from, to, by, json } = cases;
    let mut query = vec![("from", from.to_string()), ("to", to.to_string())];
    query.extend(by.map(|by| ("by", by.as_str().to_owned())));
    query.extend(more);
    let figures = client::with(settings, access, async |client| {
        client.until_figures_hold_all().await?;
        client.get::<Vec<F>>(path, &query).await
    })
    .await?;
    if *json {
        say!("{}", serde_json::to_string_pretty(&figures)?)?;
    } else if figures.is_empty() {
        say!("{none} från {from} till {to} ({none_english})")?;
    } else {
        say!("{}", table(&figures, *by).trim_end())?;
    }
    Ok(())
}

/// What the rows of figures of cases are named by.
fn key(by: Option<CasesBy>) -> [&'static str; 2] {
    match by {
        Some(CasesBy::Department) => ["förvaltning", "department"],
        Some(CasesBy::Queue) => ["kö", "queue"],
        None => ["", ""],
    }
}

/// Below a table: what its figures mean and when they hold.
fn footing(definition: &str, as_of: Timestamp) -> String {
    format!("\ndefinition {definition}, läget {as_of} (as of)\n")
}

/// A table whose columns are named in Swedish, and in English below it.
fn in_columns(names: &[[&str; 2]], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let named = names[column].iter().map(|name| name.chars().count());
        let cells = rows.iter().map(|row| row[column].chars().count());
        named.chain(cells).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let heading = |language: usize| names.iter().map(|name| name[language].to_owned()).collect();
    let mut text = String::new();
    for row in [heading(0), heading(1)].iter().chain(rows) {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            text += &if column == 0 {
                format!("{cell:width$}")
            } else {
                format!("  {cell:>width$}")
            };
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
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
