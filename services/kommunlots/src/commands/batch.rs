//! What the imports share: reaching the product, sending many lines at a time, and counting what became of them.

use std::{collections::BTreeMap, fs::File, path::Path};

use anyhow::{Context, ensure};
use indicatif::ProgressBar;
use intake::NDJSON;
use jiff::civil::Date;
use platform::http::FieldError;

use crate::{
    cli::Access,
    client::{Client, progress},
    config::Settings,
    output::say,
};

/// Refused lines that are printed.
const PRINTED: usize = 50;

/// More lines than these that are refused for one reason are told together.
const TOGETHER: usize = 3;

/// What the product answers, such as `taken` and `known`.
pub(crate) type Counts = BTreeMap<String, u64>;

/// What became of a file's lines.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) read: usize,
    pub(crate) passed_over: usize,
    /// Line number and reason.
    pub(crate) refused: Vec<(usize, String)>,
    /// The first and the last local day of what was read, where that is told.
    pub(crate) days: Option<(Date, Date)>,
    answered: Counts,
}

impl Tally {
    /// How many the product has answered `what` of.
    pub(crate) fn answered(&self, what: &str) -> u64 {
        self.answered.get(what).copied().unwrap_or(0)
    }

    /// Counts a day among those read.
    pub(crate) fn read_day(&mut self, day: Date) {
        let (first, last) = self.days.unwrap_or((day, day));
        self.days = Some((first.min(day), last.max(day)));
    }

    /// Prints how many were refused, and the first of them; what many lines have in common is said once.
    pub(crate) fn print_refused(&self) -> anyhow::Result<()> {
        say!("refused         {:>9}", self.refused.len())?;
        let mut lines: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (line, reason) in &self.refused {
            lines.entry(reason).or_default().push(*line);
        }
        let mut grouped: Vec<(&str, Vec<usize>)> = lines.into_iter().collect();
        grouped.sort_by_key(|(_, lines)| lines.first().copied());
        for (reason, lines) in grouped.iter().take(PRINTED) {
            match lines.as_slice() {
                [first, .., _] if lines.len() > TOGETHER => {
                    say!("  line {first} and {} more: {reason}", lines.len() - 1)?;
                }
                lines => {
                    for line in lines {
                        say!("  line {line} {reason}")?;
                    }
                }
            }
        }
        if grouped.len() > PRINTED {
            let more = grouped.iter().skip(PRINTED).map(|(_, lines)| lines.len());
            say!("  and {} more", more.sum::<usize>())?;
        }
        Ok(())
    }
}

/// Reads a file into the product: `send` sends what is in it and moves a bar over its `bytes`. Then waits until the figures
/// hold what was taken, and prints what became of it, also where it stopped after some of its lines, which are called `unit`.
pub(crate) async fn import(
    (settings, access): (Settings, &Access),
    (bytes, unit): (u64, &str),
    send: impl AsyncFnOnce(&Client, &mut Tally, &ProgressBar) -> anyhow::Result<()>,
    print: fn(&Tally) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    // Whoever gives an address says which product is meant.
    if access.url.is_none() {
        super::demo::refuse_made_up(&settings.data)?;
    }
    let client = Client::reach(settings, access).await?;
    let bar = progress(bytes, "bytes read");
    let mut tally = Tally::default();
    let work = async {
        send(&client, &mut tally, &bar).await?;
        bar.finish_and_clear();
        client.until_figures_hold_all().await
    };
    let outcome = client.unless_told(work).await;
    bar.finish_and_clear();
    client.close().await;
    print(&tally)?;
    outcome.with_context(|| {
        format!(
            "stopped after {unit} {}; import the file again, what was taken is known",
            tally.read
        )
    })
}

/// Opens a file to import, and tells how many bytes it has.
pub(crate) fn open(file: &Path) -> anyhow::Result<(File, u64)> {
    let open = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let bytes = open.metadata()?.len();
    Ok((open, bytes))
}

/// An error of the product as the reason of a refusal.
pub(crate) fn reason(error: &FieldError) -> String {
    format!("{}: {}", error.field, error.reason)
}

/// Lines to send together: the number that each has in the file, and what it says as JSON.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) lines: Vec<(usize, String)>,
}

impl Batch {
    /// Sends the batch. What the product refuses is named with its line, and the rest is sent without it.
    pub(crate) async fn send(
        &mut self,
        client: &Client,
        path: &str,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        while !self.lines.is_empty() {
            let body = self
                .lines
                .iter()
                .fold(String::new(), |body, (_, line)| body + line + "\n");
            match client.offer::<Counts>(path, NDJSON, body).await? {
                Ok(counts) => {
                    for (what, count) in counts {
                        *tally.answered.entry(what).or_default() += count;
                    }
                    self.lines.clear();
                }
                Err(errors) => self.refuse(errors, tally)?,
            }
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
