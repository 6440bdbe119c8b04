//! The relay: publishes the event log in commit order, and again from wherever a consumer asks.
//!
//! One relay serves as many sources as its service has on one log, with one connection to the database. Sources do not wait
//! for each other: at any moment one chunk of each may be on its way, and what the bus refuses of one stays its own matter.

mod log;
mod publish;
mod source;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use async_nats::Subscriber;
use futures::{
    FutureExt, Stream, StreamExt,
    future::BoxFuture,
    stream::{FuturesUnordered, select_all},
};
use sqlx::PgPool;
use tokio::{
    sync::Notify,
    time::{Interval, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use crate::{
    bus::{Bus, StreamSpec, ensure_stream},
    database::Kept,
    heartbeat::{Heartbeat, Sight, TellAgain, heartbeat_subject, tell_again_subject},
    meters,
};
use publish::Outgoing;
use source::{Done, Source};

/// Events of a source read and published at a time, if it is alone; the bus takes at most 1,000 together.
const CHUNK: usize = 500;
/// The same over all sources of a relay: what is on its way stays bounded, however many they are.
const ALL_CHUNKS: usize = 2_000;
/// Of each source of many, events published at a time at the least.
const FEW: usize = 8;
/// While more than an event a millisecond comes, events gather for so long: the bus syncs once for all that go together,
/// and whoever consumes them commits once. A fraction of the time between two boards.
const GATHER: Duration = Duration::from_millis(20);
/// How often a source says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Between attempts.
const PAUSE: Duration = Duration::from_millis(200);

/// Publishes sources of one log.
#[derive(Debug)]
pub struct Relay {
    /// The database that holds the log.
    pub pool: PgPool,
    /// The bus.
    pub bus: Bus,
    /// The sources, such as `intake/CONTACTS`, each with the stream it writes.
    pub sources: Vec<(String, StreamSpec)>,
    /// Rung after every commit.
    pub wake: Arc<Notify>,
    /// See [`crate::bus::DUPLICATE_WINDOW`].
    pub duplicate_window: Duration,
    /// Whether the sources see what they tell of.
    pub sight: Sight,
}

/// What a relay keeps from turn to turn.
struct State {
    kept: Kept,
    /// In the order of [`Relay::sources`]; none until their places in the log are known.
    sources: Vec<Source>,
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    beat: Interval,
}

impl Relay {
    /// Runs until `stop`. Failures of the bus or the database are waited out.
    ///
    /// # Errors
    /// When the bus connection is closed for good.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        if self.sources.is_empty() {
            stop.cancelled().await;
            return Ok(());
        }
        let mut wishes = self.wishes().await?;
        let mut beat = tokio::time::interval(HEARTBEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut state = State {
            kept: Kept::new(self.pool.clone()),
            sources: Vec::new(),
            under_way: FuturesUnordered::new(),
            beat,
        };
        let mut failing = false;
        while !stop.is_cancelled() {
            match self.turn(&mut state, &mut wishes, &stop).await {
                Ok(()) => failing = false,
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(
                            source = self.sources[0].0,
                            sources = self.sources.len(),
                            error = format!("{error:#}"),
                            "cannot publish; trying again"
                        );
                    }
                    pause(&stop).await;
                }
            }
        }
        while let Some(done) = state.under_way.next().await {
            state.sources[done.place].done(done);
        }
        for source in &mut state.sources {
            self.save(source).await?;
        }
        Ok(())
    }

    /// Who asks to hear a source again, by the source's place.
    async fn wishes(
        &self,
    ) -> anyhow::Result<impl Stream<Item = (usize, async_nats::Message)> + Unpin + use<>> {
        let mut wishes: Vec<(usize, Subscriber)> = Vec::new();
        for (place, (source, _)) in self.sources.iter().enumerate() {
            let subject = tell_again_subject(source);
            wishes.push((place, self.bus.client.subscribe(subject).await?));
        }
        let wishes = wishes
            .into_iter()
            .map(|(place, wishes)| wishes.map(move |wish| (place, wish)));
        Ok(select_all(wishes))
    }

    async fn turn(
        &self,
        state: &mut State,
        wishes: &mut (impl Stream<Item = (usize, async_nats::Message)> + Unpin),
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        if state.sources.is_empty() {
            self.begin(state, stop).await?;
        }
        // The client would keep what it cannot send, until it takes no more and waits.
        let away = !self.bus.is_connected();
        if !away {
            self.launch(state, stop).await?;
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE), if away => {}
            () = self.wake.notified() => state.sources.iter_mut().for_each(|s| s.look = true),
            () = stop.cancelled() => {}
            Some(done) = state.under_way.next() => state.sources[done.place].done(done),
            _ = state.beat.tick() => self.heartbeat(state).await?,
            wish = wishes.next() => {
                let (place, wish) = wish.context("the bus connection is closed")?;
                self.tell_again(&mut state.sources[place], &wish).await?;
            }
        }
        Ok(())
    }

    /// Finds each source's place in the log, and sees that its stream is there.
    async fn begin(&self, state: &mut State, stop: &CancellationToken) -> anyhow::Result<()> {
        let published = log::published(&self.pool, &self.names()).await?;
        for (place, (name, stream)) in self.sources.iter().enumerate() {
            let at = published.get(name).copied();
            let at = at.with_context(|| format!("the source {name} has no counter"))?;
            let mut source = Source::new(place, name.clone(), stream.clone(), at);
            source.busy = true;
            let sending = self.sending(&source);
            state.sources.push(source);
            state.under_way.push(sending.ensure(stop.clone()).boxed());
        }
        Ok(())
    }

    /// Sends the next chunk of each source that may have one and has none on its way.
    async fn launch(&self, state: &mut State, stop: &CancellationToken) -> anyhow::Result<()> {
        let ready = |source: &&mut Source| source.look && !source.busy;
        let mut ready: Vec<&mut Source> = state.sources.iter_mut().filter(ready).collect();
        if ready.is_empty() {
            return Ok(());
        }
        let most = (ALL_CHUNKS / self.sources.len()).clamp(FEW, CHUNK);
        let from: Vec<(&str, i64)> = ready
            .iter()
            .map(|s| (s.name.as_str(), s.published))
            .collect();
        let mut connection = state.kept.take().await?;
        let mut rows = log::after(&mut connection, &from, most).await?;
        state.kept.put(connection);
        for source in &mut ready {
            source.look = false;
            let Some(rows) = rows.remove(&source.name) else {
                continue;
            };
            let chunk = rows.into_iter().map(|row| source.outgoing(row));
            let chunk: Vec<Outgoing> = chunk.collect::<anyhow::Result<_>>()?;
            source.busy = true;
            // Of a large chunk, the next events are there already.
            let gather = source.crowds(chunk.len(), Instant::now()) && chunk.len() < most / 2;
            let sending = self.sending(source).send(chunk, gather, stop.clone());
            state.under_way.push(sending.boxed());
        }
        Ok(())
    }

    async fn tell_again(
        &self,
        source: &mut Source,
        wish: &async_nats::Message,
    ) -> anyhow::Result<()> {
        let Ok(TellAgain { from }) = serde_json::from_slice(&wish.payload) else {
            tracing::warn!(
                source = source.name,
                "a wish to tell again could not be read"
            );
            return Ok(());
        };
        tracing::info!(source = source.name, from, "telling again");
        source.tell_again(from);
        if let Some(reply) = wish.reply.clone() {
            self.bus.client.publish(reply, wish.payload.clone()).await?;
        }
        Ok(())
    }

    async fn heartbeat(&self, state: &mut State) -> anyhow::Result<()> {
        let last = log::last(&self.pool, &self.names()).await?;
        for source in &mut state.sources {
            let Some(last) = last.get(&source.name).copied() else {
                continue;
            };
            meters::UNPUBLISHED
                .with_label_values(&[source.stream.name.as_str()])
                .set(last - source.published);
            // Whoever should have rung may have ended before it could.
            source.look |= last > source.published;
            if self.bus.is_connected() {
                let heartbeat = Heartbeat {
                    source: source.name.clone(),
                    last: u64::try_from(last)?,
                    blind: self.sight.is_lost(),
                };
                let payload = serde_json::to_vec(&heartbeat)?;
                self.bus
                    .client
                    .publish(heartbeat_subject(&source.name), payload.into())
                    .await?;
            }
            self.save(source).await?;
        }
        Ok(())
    }

    async fn save(&self, source: &mut Source) -> anyhow::Result<()> {
        if source.saved != source.published {
            log::save(&self.pool, &source.name, source.published).await?;
            source.saved = source.published;
        }
        Ok(())
    }

    fn sending(&self, source: &Source) -> Sending {
        Sending {
            bus: self.bus.clone(),
            place: source.place,
            stream: source.stream.clone(),
            window: self.duplicate_window,
        }
    }

    fn names(&self) -> Vec<&str> {
        self.sources.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// What is done for one source while the others go on.
struct Sending {
    bus: Bus,
    place: usize,
    stream: StreamSpec,
    window: Duration,
}

impl Sending {
    /// Sees that the stream is there, however long that takes.
    async fn ensure(self, stop: CancellationToken) -> Done {
        let mut failing = false;
        while let Err(error) = ensure_stream(&self.bus, &self.stream, self.window).await {
            if !std::mem::replace(&mut failing, true) {
                tracing::warn!(
                    stream = self.stream.name,
                    error = format!("{error:#}"),
                    "there is no stream to publish on; trying again"
                );
            }
            pause(&stop).await;
            if stop.is_cancelled() {
                break;
            }
        }
        Done::nothing(self.place)
    }

    /// Publishes a chunk, and lets events `gather` afterwards if it is to.
    async fn send(self, chunk: Vec<Outgoing>, gather: bool, stop: CancellationToken) -> Done {
        let mut done = Done::nothing(self.place);
        match publish::chunk(&self.bus, &chunk, |sequence| done.reached = Some(sequence)).await {
            Ok(()) => {
                meters::PUBLISHED
                    .with_label_values(&[self.stream.name.as_str()])
                    .inc_by(chunk.len() as u64);
                if gather {
                    tokio::time::sleep(GATHER).await;
                }
            }
            Err(error) => {
                done.error = Some(error);
                pause(&stop).await;
                // The stream may be gone with the server's storage.
                if self.bus.is_connected() {
                    let _ = ensure_stream(&self.bus, &self.stream, self.window).await;
                }
            }
        }
        done
    }
}

async fn pause(stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(PAUSE) => {}
        () = stop.cancelled() => {}
    }
}

/// Header with the source, so that a message whose body cannot be read still has its place in the line.
pub const SOURCE_HEADER: &str = "Kommunlots-Source";
/// Header with the number within the source.
pub const SEQUENCE_HEADER: &str = "Kommunlots-Sequence";
