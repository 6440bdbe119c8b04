//! A session: messages and heartbeats, as long as the bus and the database are there.

use std::{collections::BTreeMap, time::Duration};

use async_nats::jetstream::{
    self, ErrorCode,
    consumer::{AckPolicy, DeliverPolicy, pull},
    stream::{ConsumerError, ConsumerErrorKind},
};
use futures::StreamExt;
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;

use super::{Alone, Apply, Consumer, Positions, hearing::Heard, line::Line, message::Received};
use crate::{
    database::Kept,
    heartbeat::{Heartbeat, heartbeats_of},
    meters,
};

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

impl<A: Apply> Consumer<A> {
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
}
