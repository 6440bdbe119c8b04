//! The relay: publishes the event log in commit order, and again from wherever a consumer asks.

mod publish;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::Subscriber;
use domain::{Envelope, EventId};
use futures::{FutureExt, StreamExt};
use jiff_sqlx::Timestamp;
use serde_json::value::RawValue;
use sqlx::{PgPool, types::Json};
use tokio::{sync::Notify, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{
    bus::{Bus, StreamSpec, ensure_stream},
    database::Kept,
    heartbeat::{Heartbeat, TellAgain, heartbeat_subject, tell_again_subject},
    meters,
};
use publish::Outgoing;

/// Events read and published at a time; the bus takes at most 1,000 together.
const CHUNK: usize = 500;
/// From this many on, events go together: the bus then syncs once for all of them.
const TOGETHER: usize = 2;
/// While more than an event a millisecond comes, events gather for so long: the bus syncs once for all that go together,
/// and whoever consumes them commits once. A fraction of the time between two boards.
const GATHER: Duration = Duration::from_millis(20);
/// So many at once do not tell that more come.
const FEW: usize = 8;
/// How often a source says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Publishes one source.
#[derive(Debug)]
pub struct Relay {
    /// The database that holds the log.
    pub pool: PgPool,
    /// The bus.
    pub bus: Bus,
    /// The source, such as `intake/CONTACTS`.
    pub source: String,
    /// The stream it writes.
    pub stream: StreamSpec,
    /// Rung after every commit.
    pub wake: Arc<Notify>,
    /// See [`crate::bus::DUPLICATE_WINDOW`].
    pub duplicate_window: Duration,
}

/// Sequence, id, kind, subject, at, traceparent, data.
type Row = (
    i64,
    uuid::Uuid,
    String,
    String,
    Timestamp,
    Option<String>,
    Json<Box<RawValue>>,
);

/// How far the relay has come.
#[derive(Debug, Default)]
struct Cursor {
    /// Acknowledged up to here.
    published: i64,
    /// Acknowledged up to here at some time: up to here a message is told again, and must pass the bus's own memory of
    /// message ids.
    told: i64,
    /// What the database knows of `published`.
    saved: i64,
    /// When it last read the log.
    gathered_since: Option<Instant>,
}

impl Cursor {
    fn reach(&mut self, sequence: i64) {
        self.published = sequence;
        self.told = self.told.max(sequence);
    }
}

impl Relay {
    /// Runs until `stop`. Failures of the bus or the database are waited out.
    ///
    /// # Errors
    /// When the bus connection is closed for good.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut wishes = self
            .bus
            .client
            .subscribe(tell_again_subject(&self.source))
            .await?;
        let mut beat = tokio::time::interval(HEARTBEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut cursor = None;
        let mut kept = Kept::new(self.pool.clone());
        let mut failing = false;
        while !stop.is_cancelled() {
            match self
                .turn(&mut cursor, &mut kept, &mut wishes, &mut beat, &stop)
                .await
            {
                Ok(()) => failing = false,
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(
                            source = self.source,
                            error = format!("{error:#}"),
                            "cannot publish; trying again"
                        );
                    }
                    tokio::select! {
                        () = tokio::time::sleep(Duration::from_millis(200)) => {}
                        () = stop.cancelled() => {}
                    }
                    // The stream may be gone with the server's storage.
                    if self.bus.is_connected() {
                        let _ = ensure_stream(&self.bus, &self.stream, self.duplicate_window).await;
                    }
                }
            }
        }
        if let Some(cursor) = &mut cursor {
            self.save(cursor).await?;
        }
        Ok(())
    }

    async fn turn(
        &self,
        cursor: &mut Option<Cursor>,
        kept: &mut Kept,
        wishes: &mut Subscriber,
        beat: &mut tokio::time::Interval,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let cursor = match cursor {
            Some(cursor) => cursor,
            None => {
                ensure_stream(&self.bus, &self.stream, self.duplicate_window).await?;
                let published: i64 =
                    sqlx::query_scalar("SELECT published FROM source WHERE name = $1")
                        .bind(&self.source)
                        .fetch_one(&self.pool)
                        .await?;
                cursor.insert(Cursor {
                    published,
                    told: published,
                    saved: published,
                    gathered_since: None,
                })
            }
        };
        while let Some(Some(wish)) = wishes.next().now_or_never() {
            self.tell_again(cursor, &wish).await?;
        }
        if beat.tick().now_or_never().is_some() {
            self.heartbeat(cursor).await?;
        }
        let since = cursor.gathered_since.replace(Instant::now());
        let published = self.publish(cursor, kept).await?;
        if published > 0 {
            let gathered_in = since.map_or(Duration::MAX, |since| since.elapsed());
            // A few that come together are no crowd; of many, the next are there already.
            let crowd = FEW..CHUNK / 2;
            if crowd.contains(&published) && published as u128 > gathered_in.as_millis() {
                tokio::time::sleep(GATHER).await;
            }
            return Ok(());
        }
        tokio::select! {
            () = self.wake.notified() => {}
            () = stop.cancelled() => {}
            _ = beat.tick() => self.heartbeat(cursor).await?,
            wish = wishes.next() => match wish {
                Some(wish) => self.tell_again(cursor, &wish).await?,
                None => anyhow::bail!("the bus connection is closed"),
            },
        }
        Ok(())
    }

    /// Publishes the next chunk and returns how many events that were.
    async fn publish(&self, cursor: &mut Cursor, kept: &mut Kept) -> anyhow::Result<usize> {
        // The client would keep what it cannot send, until it takes no more and waits.
        anyhow::ensure!(self.bus.is_connected(), "the bus is away");
        let mut connection = kept.take().await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT sequence, id, kind, subject, at, traceparent, data FROM event_log
             WHERE source = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
        )
        .bind(&self.source)
        .bind(cursor.published)
        .bind(CHUNK as i64)
        .fetch_all(&mut *connection)
        .await?;
        kept.put(connection);
        let told = cursor.told;
        let chunk: Vec<Outgoing> = rows
            .into_iter()
            .map(|row| self.outgoing(row, told))
            .collect::<anyhow::Result<_>>()?;
        let Some(last) = chunk.last().map(|o| o.sequence) else {
            return Ok(0);
        };
        // What the bus refuses as a whole, because it has some of it already, goes one by one.
        if chunk.len() >= TOGETHER && publish::together(&self.bus, &chunk).await.is_ok() {
            cursor.reach(last);
        } else {
            publish::one_by_one(&self.bus, &chunk, |sequence| cursor.reach(sequence)).await?;
        }
        meters::PUBLISHED
            .with_label_values(&[self.stream.name.as_str()])
            .inc_by(chunk.len() as u64);
        Ok(chunk.len())
    }

    fn outgoing(&self, row: Row, told: i64) -> anyhow::Result<Outgoing> {
        let (sequence, id, kind, subject, at, traceparent, data) = row;
        let id = EventId(id);
        let envelope = Envelope {
            specversion: "1.0".to_owned(),
            id,
            source: self.source.clone(),
            kind,
            time: at.to_jiff(),
            datacontenttype: "application/json".to_owned(),
            sequence: u64::try_from(sequence)?,
            traceparent: traceparent.clone(),
            data: data.0,
        };
        Ok(Outgoing {
            sequence,
            subject,
            source: self.source.clone(),
            traceparent,
            // What is told again was asked for because the stream no longer has it: the server's memory must not drop it.
            id: (sequence > told).then_some(id),
            payload: serde_json::to_vec(&envelope)?.into(),
        })
    }

    async fn tell_again(
        &self,
        cursor: &mut Cursor,
        wish: &async_nats::Message,
    ) -> anyhow::Result<()> {
        let Ok(TellAgain { from }) = serde_json::from_slice(&wish.payload) else {
            tracing::warn!(
                source = self.source,
                "a wish to tell again could not be read"
            );
            return Ok(());
        };
        let before = i64::try_from(from)
            .unwrap_or(i64::MAX)
            .saturating_sub(1)
            .max(0);
        tracing::info!(source = self.source, from, "telling again");
        cursor.published = cursor.published.min(before);
        if let Some(reply) = wish.reply.clone() {
            self.bus.client.publish(reply, wish.payload.clone()).await?;
        }
        Ok(())
    }

    async fn heartbeat(&self, cursor: &mut Cursor) -> anyhow::Result<()> {
        let last: i64 = sqlx::query_scalar("SELECT last FROM source WHERE name = $1")
            .bind(&self.source)
            .fetch_one(&self.pool)
            .await?;
        meters::UNPUBLISHED
            .with_label_values(&[self.stream.name.as_str()])
            .set(last - cursor.published);
        let heartbeat = Heartbeat {
            source: self.source.clone(),
            last: u64::try_from(last)?,
        };
        let payload = serde_json::to_vec(&heartbeat)?;
        self.bus
            .client
            .publish(heartbeat_subject(&self.source), payload.into())
            .await?;
        self.save(cursor).await
    }

    async fn save(&self, cursor: &mut Cursor) -> anyhow::Result<()> {
        if cursor.saved != cursor.published {
            sqlx::query("UPDATE source SET published = $2 WHERE name = $1")
                .bind(&self.source)
                .bind(cursor.published)
                .execute(&self.pool)
                .await?;
            cursor.saved = cursor.published;
        }
        Ok(())
    }
}

/// Header with the source, so that a message whose body cannot be read still has its place in the line.
pub const SOURCE_HEADER: &str = "Kommunlots-Source";
/// Header with the number within the source.
pub const SEQUENCE_HEADER: &str = "Kommunlots-Sequence";
