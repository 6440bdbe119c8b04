//! What the imports share: sending many lines at a time, and counting what became of them.

use std::collections::BTreeMap;

use anyhow::ensure;
use intake::NDJSON;
use platform::http::FieldError;

use crate::{client::Client, output::say};

/// Refused lines that are printed.
const PRINTED: usize = 50;

/// What the product answers, such as `taken` and `known`.
pub(crate) type Counts = BTreeMap<String, u64>;

/// What became of a file's lines.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) read: usize,
    pub(crate) passed_over: usize,
    /// Line number and reason.
    pub(crate) refused: Vec<(usize, String)>,
    answered: Counts,
}

impl Tally {
    /// How many the product has answered `what` of.
    pub(crate) fn answered(&self, what: &str) -> u64 {
        self.answered.get(what).copied().unwrap_or(0)
    }

    /// Prints how many were refused, and the first of them.
    pub(crate) fn print_refused(&self) -> anyhow::Result<()> {
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
