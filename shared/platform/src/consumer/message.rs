//! A message as it came, read as far as it can be.

use async_nats::jetstream;
use bytes::Bytes;
use domain::Envelope;
use serde::de::DeserializeOwned;

use crate::relay::{SEQUENCE_HEADER, SOURCE_HEADER};

/// A message and its place in the line.
pub(super) struct Received<E> {
    pub(super) subject: String,
    pub(super) source: Option<String>,
    pub(super) sequence: Option<u64>,
    pub(super) traceparent: Option<String>,
    pub(super) payload: Bytes,
    pub(super) body: Body<E>,
}

pub(super) enum Body<E> {
    Event(E),
    Unreadable(String),
}

impl<E: DeserializeOwned> Received<E> {
    /// Reads a message. Its place comes from the headers, so that an unreadable body does not stop the line.
    pub(super) fn read(message: &jetstream::Message) -> Self {
        let header = |name: &str| {
            message
                .headers
                .as_ref()
                .and_then(|h| h.get(name))
                .map(|v| v.as_str().to_owned())
        };
        let source = header(SOURCE_HEADER);
        let sequence = header(SEQUENCE_HEADER).and_then(|n| n.parse().ok());
        let body = match read::<E>(&message.payload) {
            // Without a place in the line it could have its effect twice.
            Ok(_) if source.is_none() || sequence.is_none() => {
                Body::Unreadable("its headers name no source and number".to_owned())
            }
            Ok(event) => Body::Event(event),
            Err(reason) => Body::Unreadable(reason),
        };
        Self {
            subject: message.subject.to_string(),
            source,
            sequence,
            traceparent: header("traceparent"),
            payload: message.payload.clone(),
            body,
        }
    }
}

impl<E> Received<E> {
    pub(super) fn event(&self) -> Option<&E> {
        match &self.body {
            Body::Event(event) => Some(event),
            _ => None,
        }
    }
}

/// Reads an event out of its envelope. The error names the field.
pub(crate) fn read<E: DeserializeOwned>(payload: &[u8]) -> Result<E, String> {
    match serde_json::from_slice::<Envelope<E>>(payload) {
        Ok(envelope) => Ok(envelope.data),
        Err(_) => {
            let mut from = serde_json::Deserializer::from_slice(payload);
            match serde_path_to_error::deserialize::<_, Envelope<E>>(&mut from) {
                Ok(envelope) => Ok(envelope.data),
                // Where and what kind, not the words: they may quote what was sent.
                Err(error) => Err(format!(
                    "`{}` cannot be read: {:?} error",
                    error.path(),
                    error.inner().classify()
                )),
            }
        }
    }
}
