//! Sends what is due, one mail after another.

use std::{collections::HashSet, sync::Arc, time::Duration};

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Address, Mail, Transport, queue, schedule,
    transport::{Failure, Kind, Line},
};
use crate::{Clock, database::Kept, meters};

/// How often it looks for what has become due, or was queued by another process.
const POLL: Duration = Duration::from_secs(1);
/// Before it tries the next mail when the server is away.
const PAUSE: Duration = Duration::from_secs(5);
/// Between looks for what is to be weeded, by the product's clock.
const WEEDING: SignedDuration = SignedDuration::from_hours(1);
/// For one mail. A server that takes longer counts as away, and may then get the mail twice.
const PATIENCE: Duration = Duration::from_secs(120);
/// For the mail that is under way when the service stops.
const FAREWELL: Duration = Duration::from_secs(4);

/// Sends the mail of one service. Several processes may run it on the same queue.
#[derive(Debug)]
pub struct Mailer {
    /// The service, as the figures call it.
    pub service: &'static str,
    /// The database that holds the queue.
    pub pool: PgPool,
    /// Where mail goes.
    pub transport: Transport,
    /// Whom it is from. Its domain is also that of the `Message-ID`s.
    pub from: Address,
    /// Dates what it does. Delays are in real time, however fast this clock runs.
    pub clock: Clock,
    /// Rung after every commit that queued a mail.
    pub wake: Arc<Notify>,
}

/// Id, name and address, subject, body, created at, attempts.
type Row = (
    Uuid,
    String,
    String,
    String,
    String,
    jiff_sqlx::Timestamp,
    i32,
);

/// What a turn came to.
enum Turn {
    /// Nothing was due.
    Idle,
    /// Something was, and there may be more.
    Done,
    /// The server is away.
    Away,
}

/// What lasts from turn to turn.
struct State {
    kept: Kept,
    line: Line,
    /// Taken by the server, but the database failed before that was marked.
    unmarked: HashSet<Uuid>,
    /// The server was away the last time.
    away: bool,
    /// When it is to count what waits, and to look for what may be weeded.
    count_at: Instant,
    /// When it last found no more to weed.
    weeded: Option<Timestamp>,
}

impl Mailer {
    /// Runs until `stop`. Failures of the server or the database are waited out.
    ///
    /// # Errors
    /// Never so far; that is how a service's tasks end.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        meters::MAILS_SENT.with_label_values(&[self.service]);
        meters::MAILS_FAILED.with_label_values(&[self.service]);
        let mut state = State {
            kept: Kept::new(self.pool.clone()),
            line: Line::new(self.transport.clone(), self.from.clone()),
            unmarked: HashSet::new(),
            away: false,
            count_at: Instant::now(),
            weeded: None,
        };
        let mut failing = false;
        while !stop.is_cancelled() {
            match self.turn(&mut state, &stop).await {
                Ok(Turn::Done) => failing = false,
                Ok(Turn::Idle) => {
                    failing = false;
                    state.line.close().await;
                    tokio::select! {
                        () = self.wake.notified() => {}
                        () = stop.cancelled() => {}
                        () = sleep_until(state.count_at) => {}
                    }
                }
                Ok(Turn::Away) => {
                    failing = false;
                    pause(PAUSE, &stop).await;
                }
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(
                            service = self.service,
                            error = format!("{error:#}"),
                            "cannot use the queue of mail; trying again"
                        );
                    }
                    pause(POLL, &stop).await;
                }
            }
        }
        state.line.close().await;
        Ok(())
    }

    /// Sends the next mail that is due and that nobody else is sending. Its row is locked meanwhile.
    async fn turn(&self, state: &mut State, stop: &CancellationToken) -> anyhow::Result<Turn> {
        let mut connection = state.kept.take().await?;
        if state.count_at <= Instant::now() {
            self.count(&mut connection).await?;
            self.weed(state, &mut connection).await?;
            state.count_at = Instant::now() + POLL;
        }
        let mut transaction = connection.begin().await?;
        let next: Option<Row> = sqlx::query_as(
            "SELECT id, to_name, to_address, subject, body, created_at, attempts FROM mail
             WHERE sent_at IS NULL AND failed_at IS NULL AND next_attempt_at <= $1
             ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED",
        )
        .bind(self.clock.now().to_sqlx())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = next else {
            transaction.rollback().await?;
            state.kept.put(connection);
            return Ok(Turn::Idle);
        };
        let (id, attempts) = (row.0, u32::try_from(row.6)?.saturating_add(1));
        let outcome = if state.unmarked.contains(&id) {
            Ok(())
        } else {
            send(&mut state.line, row, stop).await
        };
        if outcome.is_ok() {
            state.unmarked.insert(id);
        }
        let marked = match &outcome {
            Ok(()) => queue::mark_sent(&mut transaction, id, self.clock.now()).await,
            Err(failure) => {
                let next = self.next_attempt(failure, attempts);
                queue::mark_failure(&mut transaction, id, failure, next, self.clock.now()).await
            }
        };
        marked.context("a mail was tried, and that could not be marked")?;
        transaction
            .commit()
            .await
            .context("a mail was tried, and that could not be marked")?;
        state.kept.put(connection);
        state.unmarked.remove(&id);
        Ok(self.tell(state, id, attempts, outcome))
    }

    /// When to try again; none when it is given up.
    fn next_attempt(&self, failure: &Failure, attempts: u32) -> Option<Timestamp> {
        let delay = match failure.kind {
            Kind::Refused => return None,
            Kind::NotNow | Kind::Away => schedule::after(attempts)?,
        };
        let delay = SignedDuration::from_secs_f64(delay.as_secs_f64() * self.clock.speed());
        Some(
            self.clock
                .now()
                .checked_add(delay)
                .unwrap_or(Timestamp::MAX),
        )
    }

    /// Counts and logs what came of a mail.
    fn tell(
        &self,
        state: &mut State,
        id: Uuid,
        attempts: u32,
        outcome: Result<(), Failure>,
    ) -> Turn {
        let service = self.service;
        let Err(failure) = outcome else {
            meters::MAILS_SENT.with_label_values(&[service]).inc();
            state.away = false;
            return Turn::Done;
        };
        let reason = failure.reason;
        let away = failure.kind == Kind::Away;
        let was_away = std::mem::replace(&mut state.away, away);
        if failure.kind == Kind::Refused || schedule::after(attempts).is_none() {
            meters::MAILS_FAILED.with_label_values(&[service]).inc();
            tracing::error!(service, mail = %id, attempts, reason, "a mail is given up; its row says more");
        } else if away && !was_away {
            tracing::warn!(service, reason, "cannot send mail; trying again");
        } else if !away && attempts == 1 {
            tracing::warn!(service, mail = %id, reason, "a mail was not taken; trying again later");
        }
        if away {
            state.line.hang_up();
            return Turn::Away;
        }
        Turn::Done
    }

    async fn count(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM mail WHERE sent_at IS NULL AND failed_at IS NULL",
        )
        .fetch_one(connection)
        .await?;
        meters::MAILS_WAITING
            .with_label_values(&[self.service])
            .set(waiting);
        Ok(())
    }

    /// Clears what has been done with for long enough, once an hour.
    async fn weed(
        &self,
        state: &mut State,
        connection: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        let now = self.clock.now();
        let lately = |at: Timestamp| now.duration_since(at) < WEEDING;
        if !state.weeded.is_some_and(lately) && !queue::weed(connection, now).await? {
            state.weeded = Some(now);
        }
        Ok(())
    }
}

async fn pause(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = sleep(time) => {}
        () = stop.cancelled() => {}
    }
}

/// Hands the mail of `row` over, in bounded time.
async fn send(line: &mut Line, row: Row, stop: &CancellationToken) -> Result<(), Failure> {
    let (id, name, address, subject, body, created_at, _) = row;
    let to = Address::new(&name, &address).map_err(|_| Failure::no_mail())?;
    let mail = Mail {
        id,
        to,
        subject,
        body,
    };
    let stopped = async {
        stop.cancelled().await;
        sleep(FAREWELL).await;
    };
    let sent = tokio::select! {
        sent = line.send(&mail, created_at.to_jiff()) => Some(sent),
        () = sleep(PATIENCE) => None,
        () = stopped => None,
    };
    sent.unwrap_or_else(|| {
        line.hang_up();
        Err(Failure::no_answer())
    })
}
