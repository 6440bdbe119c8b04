//! `in.closure.<department>`: closures over the bus, read from each department's own stream.
//!
//! Who sends is told by the stream alone. What is committed and not acknowledged comes again and is known by its id, so it is
//! the acknowledgement that follows the commit, and it need not arrive.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{
    self,
    consumer::{AckPolicy, DeliverPolicy, pull},
};
use domain::{ClosedBy, Department, in_stream};
use futures::StreamExt;
use platform::{
    bus::ensure_department,
    database::{Kept, is_duplicate, refuses_data},
    seldom, telemetry,
};
use sqlx::Connection;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::{
    read::Unreadable,
    settle::{Sender, Sent},
};
use crate::{Desk, SERVICE};

/// Closures settled in one transaction at the most.
const CHUNK: usize = 200;
/// What is not acknowledged by then comes again.
const ACK_WAIT: Duration = Duration::from_secs(10);
/// Between attempts.
const PAUSE: Duration = Duration::from_millis(300);

/// The reading of one department's closures.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) desk: Desk,
    pub(crate) department: Department,
    /// The departments take turns on one connection: their transactions would wait for the same row anyway.
    pub(crate) turn: Arc<Mutex<Kept>>,
    /// See [`platform::bus::DUPLICATE_WINDOW`].
    pub(crate) duplicate_window: Duration,
}

impl Inbox {
    /// The connection for the inboxes of all departments.
    pub(crate) fn turn(desk: &Desk) -> Arc<Mutex<Kept>> {
        Arc::new(Mutex::new(Kept::new(desk.pool.clone())))
    }

    /// Runs until `stop`. Failures of the bus or the database are waited out.
    pub(crate) async fn run(self, stop: CancellationToken) {
        self.sender().touch();
        let mut failing = false;
        while !stop.is_cancelled() {
            let Err(error) = self.session(&stop, &mut failing).await else {
                continue;
            };
            if !std::mem::replace(&mut failing, true) {
                tracing::warn!(
                    service = SERVICE,
                    stream = in_stream(&self.department),
                    error = format!("{error:#}"),
                    "cannot read closures; trying again"
                );
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    fn sender(&self) -> Sender {
        Sender {
            department: self.department.clone(),
            way: ClosedBy::Bus,
        }
    }

    /// Reads until something fails. A consumer that has gone silent, as when its stream is gone, is an error too; the next
    /// session makes what is missing.
    async fn session(&self, stop: &CancellationToken, failing: &mut bool) -> anyhow::Result<()> {
        ensure_department(&self.desk.bus, &self.department, self.duplicate_window).await?;
        let consumer: jetstream::consumer::Consumer<pull::Config> = self
            .desk
            .bus
            .jetstream
            .create_consumer_on_stream(
                pull::Config {
                    durable_name: Some(SERVICE.to_owned()),
                    name: Some(SERVICE.to_owned()),
                    deliver_policy: DeliverPolicy::All,
                    ack_policy: AckPolicy::Explicit,
                    ack_wait: ACK_WAIT,
                    max_ack_pending: 2_000,
                    ..pull::Config::default()
                },
                in_stream(&self.department),
            )
            .await?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(2 * CHUNK)
            .expires(Duration::from_secs(10))
            .heartbeat(Duration::from_secs(2))
            .messages()
            .await?;
        let mut messages = messages.ready_chunks(CHUNK);
        *failing = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                chunk = messages.next() => {
                    let chunk = chunk.ok_or_else(|| anyhow::anyhow!("the stream of messages ended"))?;
                    self.chunk(chunk, stop).await?;
                    if let Some(wait) = self.desk.pace.wait(&self.department) {
                        // What has come and is not read yet comes again when it is read.
                        drop(messages);
                        self.rest(wait, stop).await;
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Leaves a department's closures where they are for a while: it has sent too many that change nothing.
    async fn rest(&self, wait: Duration, stop: &CancellationToken) {
        let stream = in_stream(&self.department);
        let first = || {
            tracing::warn!(
                service = SERVICE,
                stream,
                seconds = wait.as_secs(),
                "a department sends more closures that change nothing than are read at once; its next ones wait"
            );
        };
        seldom::tell(&format!("closures wait on {stream}"), first, |_| {});
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => {}
        }
    }

    async fn chunk(
        &self,
        chunk: Vec<Result<jetstream::Message, pull::MessagesError>>,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let (mut messages, mut failed) = (Vec::with_capacity(chunk.len()), None);
        for message in chunk {
            match message {
                Ok(message) => messages.push(message),
                Err(error) => failed = Some(error),
            }
        }
        let mut sent = Vec::with_capacity(messages.len());
        for message in &messages {
            let number = message.info().map_err(anyhow::Error::from_boxed)?;
            let number = number.stream_sequence;
            sent.push(Sent::new(message.payload.clone(), Some(number)));
        }
        // One cause for one closure; many together have none in common.
        let span = match messages.as_slice() {
            [message] => span(message),
            _ => None,
        };
        let cause = span.as_ref().and_then(telemetry::traceparent_of);
        self.settle_all(&mut sent, cause, stop).await?;
        for message in &messages {
            message.ack().await.map_err(anyhow::Error::from_boxed)?;
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Settles closures together; where the database refuses one of them, each alone, so that the others pass.
    async fn settle_all(
        &self,
        sent: &mut [Sent],
        cause: Option<String>,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        if sent.is_empty() || self.settle_until_told(sent, cause, stop).await? {
            return Ok(());
        }
        for alone in sent.chunks_mut(1) {
            if !self.settle_until_told(alone, None, stop).await? {
                for sent in alone.iter_mut() {
                    sent.read = Err(Unreadable::unstorable(&sent.read));
                }
                anyhow::ensure!(
                    self.settle_until_told(alone, None, stop).await?,
                    "the database refuses a dead letter"
                );
            }
        }
        Ok(())
    }

    /// Settles closures in one transaction, however long the database is away; whether it has taken them.
    async fn settle_until_told(
        &self,
        sent: &[Sent],
        cause: Option<String>,
        stop: &CancellationToken,
    ) -> anyhow::Result<bool> {
        let mut failing = false;
        loop {
            let Err(error) = self.settle(sent, cause.clone()).await else {
                return Ok(true);
            };
            // A duplicate is a closure that came by webhook at the same moment; the next attempt knows it.
            if refuses_data(&error) && !is_duplicate(&error) {
                return Ok(false);
            }
            if !std::mem::replace(&mut failing, true) {
                tracing::warn!(
                    service = SERVICE,
                    stream = in_stream(&self.department),
                    %error,
                    "cannot settle closures; trying again"
                );
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => anyhow::bail!("stopped while the database was away"),
            }
        }
    }

    async fn settle(&self, sent: &[Sent], cause: Option<String>) -> Result<(), sqlx::Error> {
        let sender = self.sender();
        let mut kept = self.turn.lock().await;
        let mut connection = kept.take().await?;
        let mut transaction = connection.begin().await?;
        let settled = sender
            .settle(&self.desk, &mut transaction, sent, cause)
            .await?;
        transaction.commit().await?;
        kept.put(connection);
        drop(kept);
        self.desk.wake();
        sender.settled(&self.desk, sent, &settled);
        Ok(())
    }
}

/// A span that continues what caused a message, if its sender traces. Headers are as their sender wrote them, so only the
/// trace goes on, and no text.
fn span(message: &jetstream::Message) -> Option<tracing::Span> {
    let headers = message.headers.as_ref()?;
    let (_, values) = headers.iter().find(|(name, _)| {
        let name: &str = name.as_ref();
        name.eq_ignore_ascii_case("traceparent")
    })?;
    let span = tracing::info_span!("closure", service = SERVICE);
    telemetry::continue_from(&span, values.first()?.as_str());
    Some(span)
}
