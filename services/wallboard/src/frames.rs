//! Turns boards into frames: each is written once, and sent to every browser as it is.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::Message;
use axum::extract::ws::Utf8Bytes;
use domain::{BoardMessage, SourceAge};
use futures::StreamExt;
use platform::{bus::Bus, telemetry};
use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A frame is sent at least this often, so that a browser knows a silent socket from a calm day.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Metrics that has been silent for this long is asked.
const SILENCE: Duration = Duration::from_secs(7);

/// While there is no board at all, metrics is asked this often.
const IMPATIENCE: Duration = Duration::from_millis(250);

/// What a browser gets.
#[derive(Serialize)]
struct Frame<'a> {
    /// Grows by one with each frame of this process.
    sequence: u64,
    /// Real seconds since metrics made the board.
    age_s: f64,
    #[serde(flatten)]
    message: &'a BoardMessage,
}

/// How old a frame may be to be sent as it was written. Older ones are written anew: their ages have grown.
const JUST_MADE: Duration = Duration::from_millis(50);

/// The latest frame, for whoever shows it.
#[derive(Debug, Clone)]
pub(crate) struct Frames(Arc<watch::Sender<Option<Made>>>);

impl Default for Frames {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Frames {
    /// Follows the frames from the latest on.
    pub(crate) fn follow(&self) -> watch::Receiver<Option<Made>> {
        self.0.subscribe()
    }

    /// Waits for the first frame.
    pub(crate) async fn first(self) {
        // The sender lives as long as this.
        let _ = self.follow().wait_for(Option::is_some).await;
    }
}

/// A frame as it was written, and what it takes to write it anew.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    sequence: u64,
    at: Instant,
    text: Utf8Bytes,
    latest: Arc<Latest>,
}

impl Made {
    fn new(sequence: u64, latest: Arc<Latest>) -> Result<Self, serde_json::Error> {
        Ok(Self {
            sequence,
            at: Instant::now(),
            text: latest.frame(sequence)?,
            latest,
        })
    }

    /// The frame with the ages of this moment.
    pub(crate) fn text(&self) -> Utf8Bytes {
        if self.at.elapsed() < JUST_MADE {
            return self.text.clone();
        }
        // It was written once already, so it can be again.
        self.latest
            .frame(self.sequence)
            .unwrap_or_else(|_| self.text.clone())
    }
}

/// A board and when it came.
#[derive(Debug)]
struct Latest {
    message: BoardMessage,
    came: Instant,
}

impl Latest {
    fn read(message: &Message) -> Option<Arc<Self>> {
        match serde_json::from_slice(&message.payload) {
            Ok(message) => Some(Arc::new(Self {
                message,
                came: Instant::now(),
            })),
            Err(error) => {
                tracing::error!(%error, "a board could not be read");
                None
            }
        }
    }

    /// The frame as it is now: everything has aged since the board came.
    fn frame(&self, sequence: u64) -> Result<Utf8Bytes, serde_json::Error> {
        let age_s = self.came.elapsed().as_secs_f64();
        let aged = |source: &SourceAge| SourceAge {
            age_s: source.age_s.map(|s| s + age_s),
            ..source.clone()
        };
        let message = BoardMessage {
            sources: self.message.sources.iter().map(aged).collect(),
            ..self.message.clone()
        };
        let frame = Frame {
            sequence,
            age_s,
            message: &message,
        };
        Ok(serde_json::to_string(&frame)?.into())
    }
}

/// Receives boards and makes frames until `stop`.
pub(crate) async fn run(bus: Bus, frames: Frames, stop: CancellationToken) -> anyhow::Result<()> {
    let mut boards = bus.client.subscribe(BoardMessage::SUBJECT).await?;
    let mut latest = ask(&bus).await;
    let mut sequence = 0;
    loop {
        if let Some(latest) = &latest {
            sequence += 1;
            frames
                .0
                .send_replace(Some(Made::new(sequence, latest.clone())?));
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            board = boards.next() => {
                let Some(board) = board else { anyhow::bail!("the bus connection is closed") };
                let span = tracing::info_span!("frame");
                if let Some(cause) = board.headers.as_ref().and_then(|h| h.get("traceparent")) {
                    telemetry::continue_from(&span, cause.as_str());
                }
                latest = span.in_scope(|| Latest::read(&board)).or(latest);
            }
            () = tokio::time::sleep(if latest.is_some() { HEARTBEAT } else { IMPATIENCE }) => {
                if latest.as_ref().is_none_or(|l| l.came.elapsed() > SILENCE) {
                    latest = ask(&bus).await.or(latest);
                }
            }
        }
    }
}

/// Asks metrics for its board. Nothing where metrics does not answer.
async fn ask(bus: &Bus) -> Option<Arc<Latest>> {
    let answer = bus.client.request(BoardMessage::ASK, bytes::Bytes::new());
    match tokio::time::timeout(Duration::from_secs(1), answer).await {
        Ok(Ok(message)) => Latest::read(&message),
        _ => None,
    }
}
