//! `kommunlots import cases`: reads an older system's export of cases into the product over its public API.

mod columns;
mod mapping;
mod rows;
mod table;
#[cfg(test)]
mod tests;
mod times;

use std::{fs::File, path::Path};

use anyhow::{Context, ensure};
use csv::ByteRecord;
use domain::local_day;
use indicatif::ProgressBar;

use super::batch::{self, Batch, Tally};
use crate::{cli::Access, client::Client, config::Settings, output::say};
use columns::Columns;
use mapping::Mapping;
use rows::read_row;
use table::Table;

/// Cases sent in one request, which the product stores in one transaction.
const BATCH: usize = 500;

/// Imports a file. A refused row does not stop the others.
pub(crate) async fn run(
    settings: Settings,
    access: &Access,
    file: &Path,
    mapping: &Path,
) -> anyhow::Result<()> {
    // Before anything is started: what is wrong with the files is the likeliest mistake.
    let mapping = Mapping::read(mapping)?;
    let (open, bytes) = batch::open(file)?;
    let mut table = Table::new(open, &mapping);
    let columns = columns(&mut table, &mapping)
        .with_context(|| format!("cannot import {}", file.display()))?;
    let send = async |client: &Client, tally: &mut Tally, bar: &ProgressBar| {
        import(client, &mut table, &mapping, &columns, tally, bar).await
    };
    batch::import((settings, access), (bytes, "row"), send, print).await
}

fn columns(table: &mut Table<File>, mapping: &Mapping) -> anyhow::Result<Columns> {
    let names = table.header(mapping)?;
    let names = names
        .context("its first line is not in the mapping's encoding; set `encoding = \"latin-1\"`")?;
    ensure!(
        names.iter().any(|n| !n.is_empty()),
        "its first line must name the columns, and it is empty"
    );
    Columns::find(&mapping.columns, &names)
}

async fn import(
    client: &Client,
    table: &mut Table<File>,
    mapping: &Mapping,
    columns: &Columns,
    tally: &mut Tally,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let mut batch = Batch::default();
    let mut row = ByteRecord::new();
    while let Some(line) = table.next(&mut row)? {
        tally.read += 1;
        match read_row(&row, mapping, columns) {
            Ok(case) => {
                tally.read_day(local_day(case.registered_at));
                batch.lines.push((line, serde_json::to_string(&case)?));
            }
            Err(reason) => tally.refused.push((line, reason)),
        }
        if batch.lines.len() >= BATCH {
            batch.send(client, "/routing/history", tally).await?;
            bar.set_position(table.bytes());
        }
    }
    batch.send(client, "/routing/history", tally).await?;
    tally.refused.sort();
    Ok(())
}

fn print(tally: &Tally) -> anyhow::Result<()> {
    say!("rows read       {:>9}", tally.read)?;
    say!("taken           {:>9}", tally.answered("taken"))?;
    say!(
        "closed          {:>9}  (known, and closed since they were first read)",
        tally.answered("closed")
    )?;
    say!("already known   {:>9}", tally.answered("known"))?;
    tally.print_refused()?;
    if let Some((first, last)) = tally.days {
        say!("registered      {first} to {last}; their figures, by department:")?;
        say!("  kommunlots figures forwarded --from {first} --to {last} --by department")?;
    }
    Ok(())
}
