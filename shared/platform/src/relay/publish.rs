//! Two ways to publish a chunk: together or one by one. Either way only an acknowledgement counts.

use anyhow::ensure;
use async_nats::{HeaderMap, header::NATS_MESSAGE_ID, jetstream::message::PublishMessage};
use bytes::Bytes;
use domain::{Envelope, EventId};
use uuid::Uuid;

use super::{SEQUENCE_HEADER, SOURCE_HEADER};
use crate::bus::Bus;

/// An event ready to publish.
pub(super) struct Outgoing {
    pub(super) sequence: i64,
    pub(super) subject: String,
    pub(super) source: String,
    pub(super) traceparent: Option<String>,
    /// Its `Nats-Msg-Id`, unless it is told again.
    pub(super) id: Option<EventId>,
    pub(super) payload: Bytes,
}

impl Outgoing {
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("Content-Type", Envelope::<()>::CONTENT_TYPE);
        headers.insert(SOURCE_HEADER, self.source.as_str());
        headers.insert(SEQUENCE_HEADER, self.sequence.to_string().as_str());
        if let Some(traceparent) = &self.traceparent {
            headers.insert("traceparent", traceparent.as_str());
        }
        if let Some(id) = self.id {
            headers.insert(NATS_MESSAGE_ID, id.to_string().as_str());
        }
        headers
    }
}

/// From this many on, events go together: the bus then syncs once for all of them.
const TOGETHER: usize = 2;

/// Publishes a chunk, and tells up to where it is acknowledged.
///
/// # Errors
/// When not all of it is.
pub(super) async fn chunk(
    bus: &Bus,
    chunk: &[Outgoing],
    acknowledged: impl FnMut(i64),
) -> anyhow::Result<()> {
    // What the bus refuses as a whole, because it has some of it already, goes one by one.
    if chunk.len() >= TOGETHER && together(bus, chunk).await.is_ok() {
        chunk.iter().map(|o| o.sequence).for_each(acknowledged);
        return Ok(());
    }
    one_by_one(bus, chunk, acknowledged).await
}

/// Publishes a chunk as one atomic batch (NATS ADR-50): all of it is stored, after one sync, or none.
///
/// # Errors
/// When the bus is away, or has one of the events already.
async fn together(bus: &Bus, chunk: &[Outgoing]) -> anyhow::Result<()> {
    let batch = Uuid::new_v4().simple().to_string();
    let headers = |n: usize, outgoing: &Outgoing| {
        let mut headers = outgoing.headers();
        headers.insert("Nats-Batch-Id", batch.as_str());
        headers.insert("Nats-Batch-Sequence", (n + 1).to_string().as_str());
        headers
    };
    let Some((last, before)) = chunk.split_last() else {
        return Ok(());
    };
    for (n, outgoing) in before.iter().enumerate() {
        let (subject, payload) = (outgoing.subject.clone(), outgoing.payload.clone());
        bus.client
            .publish_with_headers(subject, headers(n, outgoing), payload)
            .await?;
    }
    let mut headers = headers(before.len(), last);
    headers.insert("Nats-Batch-Commit", "1");
    let message = PublishMessage::build()
        .headers(headers)
        .payload(last.payload.clone());
    let ack = bus
        .jetstream
        .send_publish(last.subject.clone(), message)
        .await?
        .await?;
    ensure!(
        ack.batch_size == Some(chunk.len() as u64),
        "the bus stored {:?} of {} events",
        ack.batch_size,
        chunk.len()
    );
    Ok(())
}

/// Publishes a chunk with all of it in flight at once, and tells of each acknowledgement in order.
///
/// # Errors
/// At the first event that is not acknowledged; those before it are.
async fn one_by_one(
    bus: &Bus,
    chunk: &[Outgoing],
    mut acknowledged: impl FnMut(i64),
) -> anyhow::Result<()> {
    let mut acks = Vec::with_capacity(chunk.len());
    for outgoing in chunk {
        let message = PublishMessage::build()
            .headers(outgoing.headers())
            .payload(outgoing.payload.clone());
        let ack = bus
            .jetstream
            .send_publish(outgoing.subject.clone(), message)
            .await?;
        acks.push((outgoing.sequence, ack));
    }
    // Only the second await is the acknowledgement.
    for (sequence, ack) in acks {
        ack.await?;
        acknowledged(sequence);
    }
    Ok(())
}
