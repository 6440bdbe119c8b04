//! Makes the board and publishes it: at most ten times a second and only when it has changed, with a sign of life
//! between.

use std::time::{Duration, Instant};

use async_nats::HeaderMap;
use domain::{
    AnswerRate, Board, BoardMessage, CONTACTS, Cases, Channel, ContactSums, Forwarded, ForwardedAt,
    Queue, RateState, SourceAge, local_day, start_of_day,
};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp, civil::Date};
use platform::{Clock, consumer::Progress, telemetry};
use tokio_util::sync::CancellationToken;

use crate::{
    Config, Surroundings, gauges,
    store::board::{Open, Snapshot, snapshot},
};

/// Between two boards at the least.
const PACE: Duration = Duration::from_millis(100);
/// Between two boards at the most, changed or not: a wall that hears nothing must be able to say so.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// Makes boards.
pub(crate) struct Maker {
    pub(crate) config: Config,
    pub(crate) with: Surroundings,
    pub(crate) progress: Progress,
}

impl Maker {
    /// Runs until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut questions = self.with.bus.client.subscribe(BoardMessage::ASK).await?;
        let mut told: Option<(Board, Instant)> = None;
        let mut made: Option<Instant> = None;
        let mut next_due: Option<Timestamp> = None;
        let mut failing = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = self.progress.changed() => {}
                () = until(told.as_ref().map(|(_, at)| *at + SIGN_OF_LIFE)) => {}
                () = until_past(&self.with.clock, next_due) => {}
                question = questions.next() => {
                    let Some(question) = question else { anyhow::bail!("the bus connection is closed") };
                    // Whoever asks has no board at all, so the next one is told to all, changed or not.
                    told = None;
                    if let Some(reply) = question.reply
                        && let Err(error) = self.answer(reply).await
                    {
                        tracing::warn!(error = format!("{error:#}"), "cannot answer with the board");
                    }
                    continue;
                }
            }
            if let Some(made) = made {
                tokio::time::sleep_until((made + PACE).into()).await;
            }
            let now = Instant::now();
            made = Some(now);
            match self.make().await {
                Ok((message, due)) => {
                    failing = false;
                    next_due = due;
                    let news = told.as_ref().is_none_or(|(board, at)| {
                        *board != message.board || now.duration_since(*at) >= SIGN_OF_LIFE
                    });
                    if news {
                        self.publish(&message).await?;
                        told = Some((message.board, now));
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(
                            error = format!("{error:#}"),
                            "cannot make the board; trying again"
                        );
                    }
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    self.progress.touch();
                }
            }
        }
    }

    async fn answer(&self, reply: async_nats::Subject) -> anyhow::Result<()> {
        let (message, _) = self.make().await?;
        self.with
            .bus
            .client
            .publish(reply, serde_json::to_vec(&message)?.into())
            .await?;
        Ok(())
    }

    async fn publish(&self, message: &BoardMessage) -> anyhow::Result<()> {
        let span = tracing::info_span!("board");
        let mut headers = HeaderMap::new();
        if let Some(cause) = self.progress.take_cause() {
            telemetry::continue_from(&span, &cause);
            if let Some(traceparent) = telemetry::traceparent_of(&span) {
                headers.insert("traceparent", traceparent.as_str());
            }
        }
        let payload = serde_json::to_vec(message)?.into();
        self.with
            .bus
            .client
            .publish_with_headers(BoardMessage::SUBJECT, headers, payload)
            .await?;
        Ok(())
    }

    /// The board, and when it changes though nothing happens: at the next limit of a forwarded case.
    async fn make(&self) -> anyhow::Result<(BoardMessage, Option<Timestamp>)> {
        let as_of = self.with.clock.now();
        let day = local_day(as_of);
        let snapshot = snapshot(&self.with.pool, as_of, day, start_of_day(day)?).await?;
        let heard = self.progress.sources();
        let sources = snapshot
            .positions
            .iter()
            .map(|(source, sequence)| SourceAge {
                source: source.clone(),
                sequence: *sequence,
                age_s: heard
                    .iter()
                    .find(|h| h.source == *source)
                    .map(|h| h.heard.elapsed().as_secs_f64()),
            });
        let message = BoardMessage {
            as_of,
            clock_speed: self.with.clock.speed(),
            sources: sources.collect(),
            board: board(&snapshot, day, self.config.answer_rate_target),
        };
        gauges::show(&message);
        let followed_up = !snapshot.steps.is_empty();
        gauges::show_forwarded(
            snapshot.forwarded.as_deref().unwrap_or_default(),
            followed_up,
        );
        gauges::show_steps(&snapshot.steps);
        Ok((message, snapshot.next_due))
    }
}

async fn until(at: Option<Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at.into()).await;
    }
}

/// A limit itself is still in time: waits until the clock is past it.
async fn until_past(clock: &Clock, due: Option<Timestamp>) {
    match due {
        Some(due) => {
            let past = due.checked_add(SignedDuration::from_micros(1));
            clock.sleep_until(past.unwrap_or(due)).await;
        }
        None => std::future::pending().await,
    }
}

/// The board as `snapshot` gives it.
fn board(snapshot: &Snapshot, day: Date, target: f64) -> Board {
    Board {
        day,
        queues: Channel::ALL
            .into_iter()
            .map(|channel| queue(snapshot, channel))
            .collect(),
        answer_rate: answer_rate(&snapshot.contacts, target),
        cases: Cases {
            registered: snapshot.cases.map(|(registered, _)| registered),
            resolved: snapshot.cases.map(|(_, resolved)| resolved),
        },
        forwarded: snapshot
            .forwarded
            .as_deref()
            .map_or_else(Forwarded::default, |departments| {
                forwarded(departments, !snapshot.steps.is_empty())
            }),
    }
}

/// `followed_up` is whether anybody has told of follow-up at all; what is escalated is not known otherwise.
fn forwarded(departments: &[Open], followed_up: bool) -> Forwarded {
    let at = |d: &Open| {
        Some(ForwardedAt {
            department: d.department.clone(),
            open: d.open,
            overdue: d.overdue,
            escalated: followed_up.then_some(d.escalated),
            oldest_forwarded_at: d.oldest_forwarded_at?,
            oldest_overdue_forwarded_at: d.oldest_overdue_forwarded_at,
            oldest_due: d.oldest_due,
        })
    };
    let mut with_open: Vec<ForwardedAt> = departments.iter().filter_map(at).collect();
    let more = with_open.len().saturating_sub(Forwarded::DEPARTMENTS);
    with_open.truncate(Forwarded::DEPARTMENTS);
    Forwarded {
        open: Some(departments.iter().map(|d| d.open).sum()),
        overdue: Some(departments.iter().map(|d| d.overdue).sum()),
        escalated: followed_up.then(|| departments.iter().map(|d| d.escalated).sum()),
        departments: with_open,
        more,
    }
}

fn queue(snapshot: &Snapshot, channel: Channel) -> Queue {
    let known: Option<&(Channel, u32, Option<Timestamp>)> =
        snapshot.queues.iter().find(|(c, ..)| *c == channel);
    Queue {
        channel,
        waiting: known.map(|(_, waiting, _)| *waiting),
        longest_since: known.and_then(|(.., since)| *since),
    }
}

fn answer_rate(sums: &ContactSums, target: f64) -> AnswerRate {
    let value = rate(sums);
    let state = match value {
        None => RateState::Unknown,
        Some(rate) if rate >= target => RateState::Met,
        Some(_) => RateState::Below,
    };
    AnswerRate {
        value,
        target,
        state,
        offered: sums.offered,
        answered: sums.answered,
        abandoned: sums.abandoned,
        short_abandoned: sums.short_abandoned,
        definition: CONTACTS.id.to_owned(),
    }
}

/// answered / (offered - short abandons), to six decimals; `None` where that is nothing.
pub(crate) fn rate(sums: &ContactSums) -> Option<f64> {
    let counted = sums.offered - sums.short_abandoned;
    (counted > 0).then(|| rounded(sums.answered as f64 / counted as f64, 6))
}

/// The decimal number nearest to `value`, and of two equally near the even one, as accountants and most other programs do;
/// an auditor who computes a figure again gets the same last digit.
pub(crate) fn rounded(value: f64, decimals: usize) -> f64 {
    format!("{value:.decimals$}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn ties_go_to_the_even_digit() {
        assert_eq!(rounded(0.0625, 3), 0.062);
        assert_eq!(rounded(0.1875, 3), 0.188);
        assert_eq!(rounded(2987.0 / 3054.0, 6), 0.978062);
    }
}
