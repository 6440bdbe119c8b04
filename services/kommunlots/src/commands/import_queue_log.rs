//! `kommunlots import queue-log`: reads an Asterisk queue_log into the product over its public API.

use std::{
    io::{BufRead, BufReader},
    path::Path,
};

use indicatif::ProgressBar;
use intake::{
    RestartInput,
    queue_log::{Line, read_line},
};

use super::batch::{self, Batch, Counts, Tally, reason};
use crate::{cli::Access, client::Client, config::Settings, output::say};

/// Lines sent in one request.
const BATCH: usize = 2_000;

/// Imports a file. A refused line does not stop the others.
pub(crate) async fn run(
    settings: Settings,
    access: &Access,
    file: &Path,
    system: &str,
) -> anyhow::Result<()> {
    // Before anything is started: a slip in the name is the likeliest mistake.
    let (file, bytes) = batch::open(file)?;
    let send = async |client: &Client, tally: &mut Tally, bar: &ProgressBar| {
        import(client, BufReader::new(file), system, tally, bar).await
    };
    batch::import((settings, access), (bytes, "line"), send, print).await
}

async fn import(
    client: &Client,
    mut from: impl BufRead,
    system: &str,
    tally: &mut Tally,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let mut batch = Batch::default();
    let mut restarts = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = from.read_until(b'\n', &mut line)?;
        if length == 0 {
            break;
        }
        tally.read += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            tally.passed_over += 1;
            continue;
        }
        match read_line(&line, system) {
            Err(reason) => tally.refused.push((tally.read, reason)),
            Ok(Line::PassedOver) => tally.passed_over += 1,
            Ok(Line::Restart(at)) => {
                tally.passed_over += 1;
                restarts.push((tally.read, at));
            }
            Ok(Line::Contact(input)) => {
                batch
                    .lines
                    .push((tally.read, serde_json::to_string(&input)?));
            }
        }
        if batch.lines.len() >= BATCH {
            batch.send(client, "/intake/contacts", tally).await?;
        }
        bar.inc(length as u64);
    }
    batch.send(client, "/intake/contacts", tally).await?;
    // Last, so that only calls whose end is nowhere in the file are lost.
    for (line, at) in restarts {
        let restart = RestartInput {
            system: system.to_owned(),
            at,
        };
        let body = serde_json::to_string(&restart)?;
        let answer = client
            .offer::<Counts>("/intake/restarts", "application/json", body)
            .await?;
        if let Err(errors) = answer {
            tally.passed_over -= 1;
            tally
                .refused
                .extend(errors.into_iter().map(|e| (line, reason(&e))));
        }
    }
    Ok(())
}

fn print(tally: &Tally) -> anyhow::Result<()> {
    say!("lines read      {:>9}", tally.read)?;
    say!("taken           {:>9}", tally.answered("taken"))?;
    say!("already known   {:>9}", tally.answered("known"))?;
    say!(
        "passed over     {:>9}  (no contact event: log-ins, unanswered rings, restarts ...)",
        tally.passed_over
    )?;
    tally.print_refused()
}
