//! The consumer: applies a stream's events to a service's own tables, each exactly once and in order.

mod beat;
mod line;
mod message;
mod progress;

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use async_nats::jetstream::{
    self, ErrorCode,
    consumer::{AckPolicy, DeliverPolicy, pull},
    stream::{ConsumerError, ConsumerErrorKind},
};
use domain::{Stream, Streamed};
use futures::StreamExt;
use sqlx::{Acquire, PgConnection, PgExecutor, PgPool, Postgres, Transaction};
use tokio_util::sync::CancellationToken;

use crate::{
    Clock,
    bus::Bus,
    database::{Kept, refuses_data},
    dead_letters,
    heartbeat::{Heartbeat, TellAgain, heartbeats_of, tell_again_subject},
    meters, seldom,
};
use beat::{Beat, Before, Lately};
use line::Line;
pub(crate) use message::read;
use message::{Body, Received};
pub use progress::{Progress, Reached};

/// Messages applied in one transaction at the most.
const CHUNK: usize = 1_000;

/// How often a standby looks whether it is needed.
const STANDBY: Duration = Duration::from_secs(1);

/// Attempts for which a stream may be missing without a word when the product is new: its owner makes it when it starts, at
/// the same moment or from another process.
const UNMADE: u32 = 100;

/// How consuming has gone so far.
#[derive(Default)]
struct SoFar {
    /// The last session failed, and that was said.
    failing: bool,
    /// Attempts for which the stream was missing without a word; [`UNMADE`] once it has been there.
    unmade: u32,
}

/// Whether the stream to consume is not there.
fn is_missing_stream(error: &anyhow::Error) -> bool {
    error.downcast_ref::<ConsumerError>().is_some_and(|error| {
        matches!(error.kind(), ConsumerErrorKind::JetStream(e) if e.error_code() == ErrorCode::STREAM_NOT_FOUND)
    })
}

/// Why events were not applied.
#[derive(Debug)]
pub enum Failure {
    /// The surroundings failed; the same events will do later.
    Retry(anyhow::Error),
    /// The events can never be applied.
    Reject(String),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        if refuses_data(&error) {
            Self::Reject(error.to_string())
        } else {
            Self::Retry(error.into())
        }
    }
}

/// What a service does with the events of one stream.
pub trait Apply: Send + Sync + 'static {
    /// The events.
    type Event: Streamed + Send + Sync;

    /// Applies `events` within the transaction on `connection` that also moves the position.
    fn apply(
        &self,
        connection: &mut PgConnection,
        events: &[&Self::Event],
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Called after the commit, for a service that tells of what it applied.
    fn applied(&self) {}
}

/// One service's reading of one stream.
#[derive(Debug)]
pub struct Consumer<A> {
    /// The service; also the consumer's durable name.
    pub service: &'static str,
    /// What it does with the events.
    pub apply: A,
    /// Its database.
    pub pool: PgPool,
    /// Its bus.
    pub bus: Bus,
    /// Dates dead letters.
    pub clock: Clock,
    /// Where it tells how far it has come.
    pub progress: Progress,
    /// A source that is the service's own: what it told itself it knows, and passes by.
    pub own: Option<String>,
    /// Who sees to it that one of the service's processes consumes.
    pub alone: Alone,
}

/// How one of a service's processes is chosen to consume. Should two do so for a moment, the positions keep them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alone {
    /// A lock in the database, which a session holds for as long as its process lives.
    ByLock,
    /// A [`lease`](crate::lease), which all that the service does is under.
    ByLease,
}

/// How far a service has applied each source.
///
/// # Errors
/// When the database fails.
pub async fn positions(pool: &PgPool) -> Result<BTreeMap<String, u64>, sqlx::Error> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT source, sequence FROM position")
        .fetch_all(pool)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(source, sequence)| (source, sequence.unsigned_abs()))
        .collect())
}

/// How far a service has applied one source.
///
/// # Errors
/// When the database fails.
pub async fn position(executor: impl PgExecutor<'_>, source: &str) -> Result<u64, sqlx::Error> {
    let applied: Option<i64> =
        sqlx::query_scalar("SELECT sequence FROM position WHERE source = $1")
            .bind(source)
            .fetch_optional(executor)
            .await?;
    Ok(applied.unwrap_or(0).unsigned_abs())
}

/// The last number applied, by source.
type Positions = HashMap<String, u64>;
/// A message and its event.
type Readable<'a, E> = (&'a Received<E>, &'a E);
/// Each source's last heartbeats.
type Heard = HashMap<String, Lately>;

impl<A: Apply> Consumer<A> {
    const STREAM: Stream = <A::Event as Streamed>::STREAM;

    /// Runs until `stop`. Failures of the bus or the database are waited out.
    pub async fn run(self, stop: CancellationToken) {
        let mut so_far = SoFar::default();
        while !stop.is_cancelled() {
            let Err(error) = self.session(&stop, &mut so_far).await else {
                continue;
            };
            let awaited = is_missing_stream(&error) && so_far.unmade < UNMADE;
            if awaited && self.is_new().await {
                so_far.unmade += 1;
            } else if !std::mem::replace(&mut so_far.failing, true) {
                tracing::warn!(
                    service = self.service,
                    stream = Self::STREAM.name(),
                    error = format!("{error:#}"),
                    "cannot consume; trying again"
                );
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(300)) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Whether nothing of the stream has been applied yet, as far as the database tells: then its owner may still be about to
    /// make it.
    async fn is_new(&self) -> bool {
        let of_stream = |source: &String| source.ends_with(&format!("/{}", Self::STREAM.name()));
        self.load_positions()
            .await
            .is_ok_and(|positions| !positions.keys().any(of_stream))
    }

    /// Consumes until something fails. A consumer that has gone silent is an error too, and is made anew.
    async fn session(&self, stop: &CancellationToken, so_far: &mut SoFar) -> anyhow::Result<()> {
        // Of a service's replicas one consumes. A connection out of the pool is closed with the session, and gives the
        // lock up.
        let lock = match self.alone {
            Alone::ByLock => self.lock().await?,
            Alone::ByLease => None,
        };
        if self.alone == Alone::ByLock && lock.is_none() {
            tokio::select! {
                () = tokio::time::sleep(STANDBY) => {}
                () = stop.cancelled() => {}
            }
            return Ok(());
        }
        let mut positions = self.load_positions().await?;
        let consumer: jetstream::consumer::Consumer<pull::Config> = self
            .bus
            .jetstream
            .create_consumer_on_stream(
                pull::Config {
                    durable_name: Some(self.service.to_owned()),
                    name: Some(self.service.to_owned()),
                    deliver_policy: DeliverPolicy::All,
                    ack_policy: AckPolicy::All,
                    ack_wait: Duration::from_secs(30),
                    max_ack_pending: 10_000,
                    ..pull::Config::default()
                },
                Self::STREAM.name(),
            )
            .await?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(2_000)
            .expires(Duration::from_secs(10))
            .heartbeat(Duration::from_secs(2))
            .messages()
            .await?;
        let mut messages = messages.ready_chunks(CHUNK);
        let heartbeats = self
            .bus
            .client
            .subscribe(heartbeats_of(Self::STREAM))
            .await?;
        let mut heartbeats = heartbeats.ready_chunks(CHUNK);
        let mut heard = Heard::new();
        let mut kept = Kept::new(self.pool.clone());
        so_far.failing = false;
        so_far.unmade = UNMADE;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                chunk = messages.next() => {
                    let chunk = chunk.ok_or_else(|| anyhow::anyhow!("the stream of messages ended"))?;
                    self.chunk(chunk, &mut positions, &mut kept, stop).await?;
                }
                beats = heartbeats.next() => {
                    let beats = beats.ok_or_else(|| anyhow::anyhow!("the bus connection is closed"))?;
                    // Those that waited while events were applied are old news; a source's latest tells.
                    let latest: BTreeMap<String, Heartbeat> = beats
                        .iter()
                        .filter_map(|beat| serde_json::from_slice::<Heartbeat>(&beat.payload).ok())
                        .filter(|beat| Some(&beat.source) != self.own.as_ref())
                        .map(|beat| (beat.source.clone(), beat))
                        .collect();
                    if !latest.is_empty() {
                        // A crash of the database may have taken back what was applied.
                        positions = self.load_positions().await?;
                    }
                    for beat in latest.into_values() {
                        self.heartbeat(beat, &positions, &mut heard).await;
                    }
                }
            }
        }
    }

    /// The connection that holds the lock; none while another process does.
    async fn lock(&self) -> Result<Option<PgConnection>, sqlx::Error> {
        let mut connection = self.pool.acquire().await?.detach();
        let mine: bool = sqlx::query_scalar(
            "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || $1, 0))",
        )
        .bind(Self::STREAM.name())
        .fetch_one(&mut connection)
        .await?;
        Ok(mine.then_some(connection))
    }

    async fn load_positions(&self) -> anyhow::Result<Positions> {
        Ok(positions(&self.pool).await?.into_iter().collect())
    }

    async fn chunk(
        &self,
        chunk: Vec<Result<jetstream::Message, pull::MessagesError>>,
        positions: &mut Positions,
        kept: &mut Kept,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let (mut messages, mut failed) = (Vec::with_capacity(chunk.len()), None);
        for message in chunk {
            match message {
                Ok(message) => messages.push(message),
                Err(error) => failed = Some(error),
            }
        }
        if let Some(last) = messages.last().cloned() {
            let received: Vec<Received<A::Event>> = messages
                .iter()
                .map(Received::read)
                .filter(|received| received.source.is_none() || received.source != self.own)
                .collect();
            self.apply_until_done(&received, positions, kept, stop)
                .await?;
            // Everything up to here has had its effect, or will be told again because we asked.
            last.ack().await.map_err(anyhow::Error::from_boxed)?;
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Applies what comes next for each source, however long the database is away.
    async fn apply_until_done(
        &self,
        received: &[Received<A::Event>],
        positions: &mut Positions,
        kept: &mut Kept,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let mut failing = false;
        loop {
            let line = Line::sort(received, positions);
            let spans = line.spans(self.service);
            let Err(error) = self.transaction(kept, &line, positions).await else {
                drop(spans);
                self.done(&line, positions).await;
                return Ok(());
            };
            if !std::mem::replace(&mut failing, true) {
                tracing::warn!(
                    service = self.service,
                    error = format!("{error:#}"),
                    "cannot apply events; trying again"
                );
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(300)) => {}
                () = stop.cancelled() => anyhow::bail!("stopped while the database was away"),
            }
            // The commit may have been made though its answer was lost: the stored positions tell.
            if let Ok(stored) = self.load_positions().await {
                *positions = stored;
            }
        }
    }

    async fn done(&self, line: &Line<'_, A::Event>, positions: &mut Positions) {
        let stream = Self::STREAM.name();
        meters::SKIPPED
            .with_label_values(&[self.service, stream])
            .inc_by(line.skipped);
        meters::APPLIED
            .with_label_values(&[self.service, stream])
            .inc_by(line.bodies.len() as u64);
        if !line.bodies.is_empty() {
            positions.extend(line.reached.iter().map(|(source, n)| (source.clone(), *n)));
            self.apply.applied();
            self.progress.applied(line.cause());
        }
        for (source, from) in &line.gaps {
            self.ask_again(source, *from).await;
        }
    }

    /// Applies the line and moves the positions, all or nothing.
    async fn transaction(
        &self,
        kept: &mut Kept,
        line: &Line<'_, A::Event>,
        positions: &Positions,
    ) -> anyhow::Result<()> {
        if line.bodies.is_empty() {
            return Ok(());
        }
        let readable: Vec<Readable<'_, A::Event>> = line
            .bodies
            .iter()
            .filter_map(|r| Some((*r, r.event()?)))
            .collect();
        let events: Vec<&A::Event> = readable.iter().map(|(_, event)| *event).collect();

        let mut connection = kept.take().await?;
        let mut transaction = self.begin(&mut connection, line, positions).await?;
        match self.apply.apply(&mut transaction, &events).await {
            Ok(()) => {}
            Err(Failure::Retry(error)) => return Err(error),
            // One of them cannot be applied: find it, and let the others pass.
            Err(Failure::Reject(_)) => {
                transaction.rollback().await?;
                transaction = self.begin(&mut connection, line, positions).await?;
                self.apply_each(&mut transaction, &readable).await?;
            }
        }
        for received in &line.bodies {
            if let Body::Unreadable(reason) = &received.body {
                self.reject(&mut transaction, received, reason).await?;
            }
        }
        transaction.commit().await?;
        kept.put(connection);
        Ok(())
    }

    async fn begin<'a>(
        &self,
        connection: &'a mut PgConnection,
        line: &Line<'_, A::Event>,
        positions: &Positions,
    ) -> anyhow::Result<Transaction<'a, Postgres>> {
        let mut transaction = connection.begin().await?;
        for (source, reached) in &line.reached {
            let before = positions.get(source).copied().unwrap_or(0);
            self.move_position(&mut transaction, source, before, *reached)
                .await?;
        }
        Ok(transaction)
    }

    async fn apply_each(
        &self,
        transaction: &mut PgConnection,
        readable: &[Readable<'_, A::Event>],
    ) -> anyhow::Result<()> {
        for (received, event) in readable {
            let mut attempt = transaction.begin().await?;
            match self.apply.apply(&mut attempt, &[*event]).await {
                Ok(()) => attempt.commit().await?,
                Err(Failure::Retry(error)) => return Err(error),
                Err(Failure::Reject(reason)) => {
                    attempt.rollback().await?;
                    self.reject(transaction, received, &reason).await?;
                }
            }
        }
        Ok(())
    }

    /// Moves a position, if nobody else has: two active consumers would otherwise apply an event twice.
    async fn move_position(
        &self,
        transaction: &mut PgConnection,
        source: &str,
        before: u64,
        reached: u64,
    ) -> anyhow::Result<()> {
        let statement = if before == 0 {
            "INSERT INTO position AS p (source, sequence) VALUES ($1, $3)
             ON CONFLICT (source) DO UPDATE SET sequence = $3 WHERE p.sequence = $2"
        } else {
            "UPDATE position SET sequence = $3 WHERE source = $1 AND sequence = $2"
        };
        let moved = sqlx::query(statement)
            .bind(source)
            .bind(i64::try_from(before)?)
            .bind(i64::try_from(reached)?)
            .execute(transaction)
            .await?
            .rows_affected();
        anyhow::ensure!(
            moved == 1,
            "another process has moved the position of {source}; is a second one running"
        );
        Ok(())
    }

    async fn reject(
        &self,
        transaction: &mut PgConnection,
        received: &Received<A::Event>,
        reason: &str,
    ) -> anyhow::Result<()> {
        let (service, stream) = (self.service, Self::STREAM.name());
        seldom::tell(
            &format!("dead letters of {service} from {stream}"),
            || {
                tracing::error!(
                    service,
                    source = received.source.as_deref(),
                    sequence = received.sequence,
                    reason,
                    "an event could not be applied and is a dead letter"
                );
            },
            move |more| {
                tracing::error!(service, stream, more, "more events are dead letters");
            },
        );
        meters::DEAD_LETTERS
            .with_label_values(&[service, stream])
            .inc();
        let letter = dead_letters::New {
            stream: Self::STREAM.name(),
            subject: &received.subject,
            source: received.source.as_deref(),
            sequence: received.sequence,
            reason,
            payload: &received.payload,
        };
        Ok(dead_letters::insert(transaction, &letter, self.clock.now()).await?)
    }

    /// Compares what a source says it has told with what has been applied. An age that grows although the source lives
    /// means that its events do not come through, or that it cannot see what it tells of.
    async fn heartbeat(&self, beat: Heartbeat, positions: &Positions, heard: &mut Heard) {
        let now = Before {
            told: beat.last,
            applied: positions.get(&beat.source).copied().unwrap_or(0),
        };
        match heard.entry(beat.source.clone()).or_default().read(now) {
            Beat::Whole if !beat.blind => self.progress.heard(&beat.source),
            Beat::Whole | Beat::UnderWay => {}
            Beat::TailLost => self.ask_again(&beat.source, now.applied + 1).await,
            Beat::Forgotten => tracing::error!(
                service = self.service,
                source = beat.source,
                told = now.told,
                applied = now.applied,
                "the source knows fewer events than were applied, so its next ones would be taken for known; \
                 was its database restored from an older backup? restore this service's to the same moment"
            ),
        }
    }

    async fn ask_again(&self, source: &str, from: u64) {
        if !self.progress.may_ask(source) {
            return;
        }
        tracing::warn!(
            service = self.service,
            source,
            from,
            "events are missing; asking the source to tell them again"
        );
        meters::GAPS
            .with_label_values(&[self.service, Self::STREAM.name()])
            .inc();
        let Ok(wish) = serde_json::to_vec(&TellAgain { from }) else {
            return;
        };
        if let Err(error) = self
            .bus
            .client
            .request(tell_again_subject(source), wish.into())
            .await
        {
            tracing::warn!(service = self.service, source, %error, "the source did not answer; asking again at its next heartbeat");
        }
    }
}
