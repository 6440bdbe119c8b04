//! `kommunlots import queue-log`: reads an Asterisk queue_log into the product over its public API.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use anyhow::{Context, ensure};
use indicatif::ProgressBar;
use intake::{
    NDJSON, RestartInput,
    queue_log::{Line, read_line},
};
use platform::http::FieldError;

use crate::{
    cli::Access,
    client::{Client, progress},
    config::Settings,
    output::say,
};

/// Lines sent in one request.
const BATCH: usize = 2_000;
/// Refused lines that are printed.
const PRINTED: usize = 50;

/// What became of the lines.
#[derive(Debug, Default)]
struct Tally {
    read: usize,
    taken: u64,
    known: u64,
    passed_over: usize,
    /// Line number and reason.
    refused: Vec<(usize, String)>,
}

/// Imports a file. A refused line does not stop the others.
pub(crate) async fn run(
    settings: Settings,
    access: &Access,
    file: &Path,
    system: &str,
) -> anyhow::Result<()> {
    // Before anything is started: a slip in the name is the likeliest mistake.
    let open = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let bytes = open.metadata()?.len();
    let client = Client::reach(settings, access).await?;
    let bar = progress(bytes, "bytes read");
    let mut tally = Tally::default();
    let outcome = import(&client, BufReader::new(open), system, &mut tally, &bar).await;
    bar.finish_and_clear();
    let outcome = match outcome {
        Ok(()) => client.until_figures_hold_all().await,
        Err(error) => Err(error),
    };
    client.close().await;
    tally.print()?;
    outcome.with_context(|| {
        format!(
            "stopped after line {}; import the file again, what was taken is known",
            tally.read
        )
    })
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
            batch.send(client, tally).await?;
        }
        bar.inc(length as u64);
    }
    batch.send(client, tally).await?;
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

/// What the product answers: `taken` and `known`.
type Counts = BTreeMap<String, u64>;

fn reason(error: &FieldError) -> String {
    format!("{}: {}", error.field, error.reason)
}

/// Lines to send together: the number that each has in the file, and what it says.
#[derive(Debug, Default)]
struct Batch {
    lines: Vec<(usize, String)>,
}

impl Batch {
    /// Sends the batch. What the product refuses is named with its line, and the rest is sent without it.
    async fn send(&mut self, client: &Client, tally: &mut Tally) -> anyhow::Result<()> {
        while !self.lines.is_empty() {
            let body = self
                .lines
                .iter()
                .fold(String::new(), |body, (_, line)| body + line + "\n");
            let counts = match client
                .offer::<Counts>("/intake/contacts", NDJSON, body)
                .await?
            {
                Ok(counts) => counts,
                Err(errors) => {
                    self.refuse(errors, tally)?;
                    continue;
                }
            };
            tally.taken += counts.get("taken").copied().unwrap_or(0);
            tally.known += counts.get("known").copied().unwrap_or(0);
            self.lines.clear();
        }
        Ok(())
    }

    fn refuse(&mut self, errors: Vec<FieldError>, tally: &mut Tally) -> anyhow::Result<()> {
        let before = self.lines.len();
        // From the last, so that the places of the others stay.
        for error in errors.iter().rev() {
            let place = error.line.unwrap_or(0).wrapping_sub(1);
            if place < self.lines.len() {
                tally
                    .refused
                    .push((self.lines.remove(place).0, reason(error)));
            }
        }
        tally.refused.sort();
        ensure!(
            self.lines.len() < before,
            "the product refused a batch without naming a line"
        );
        Ok(())
    }
}

impl Tally {
    fn print(&self) -> anyhow::Result<()> {
        say!("lines read      {:>9}", self.read)?;
        say!("taken           {:>9}", self.taken)?;
        say!("already known   {:>9}", self.known)?;
        say!(
            "passed over     {:>9}  (no contact event: log-ins, unanswered rings, restarts ...)",
            self.passed_over
        )?;
        say!("refused         {:>9}", self.refused.len())?;
        for (line, reason) in self.refused.iter().take(PRINTED) {
            say!("  line {line} {reason}")?;
        }
        if self.refused.len() > PRINTED {
            say!("  and {} more", self.refused.len() - PRINTED)?;
        }
        Ok(())
    }
}
