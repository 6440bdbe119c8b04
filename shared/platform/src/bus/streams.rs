//! The streams, as their owner ensures them.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use domain::Stream;

use super::{Bus, Rights};

/// How long the server knows message ids again. Ids live in its memory, so it is short; what comes again later is
/// skipped by its number.
pub const DUPLICATE_WINDOW: Duration = Duration::from_secs(600);

/// How long the bus keeps events. It only carries them: who was away longer asks the source to tell again.
const MAX_AGE: Duration = Duration::from_secs(2 * 24 * 3600);

/// A stream to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSpec {
    /// Its name on the bus.
    pub name: String,
    /// The subjects it holds.
    pub subjects: String,
}

impl From<Stream> for StreamSpec {
    fn from(stream: Stream) -> Self {
        Self {
            name: stream.name().to_owned(),
            subjects: stream.subjects().to_owned(),
        }
    }
}

/// Creates the stream, or brings it to this configuration.
///
/// # Errors
/// When the bus is away or refuses.
pub async fn ensure_stream(
    bus: &Bus,
    stream: &StreamSpec,
    duplicate_window: Duration,
) -> anyhow::Result<()> {
    let config = Config {
        name: stream.name.clone(),
        subjects: vec![stream.subjects.clone()],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        max_age: MAX_AGE,
        duplicate_window,
        deny_delete: true,
        deny_purge: true,
        allow_atomic_publish: true,
        ..Config::default()
    };
    bus.jetstream.create_or_update_stream(config).await?;
    Ok(())
}

impl Rights {
    /// Adds what a writer of the stream named `name`, who tells of `subjects`, needs.
    #[must_use]
    pub fn owning(mut self, name: &str, subjects: &[&str]) -> Self {
        self.publish
            .extend(subjects.iter().map(|s| (*s).to_owned()));
        self.publish.push(format!("source.*.{name}"));
        for verb in ["CREATE", "UPDATE", "INFO"] {
            self.publish.push(format!("$JS.API.STREAM.{verb}.{name}"));
        }
        self.subscribe.push(format!("resend.*.{name}"));
        self.answers = true;
        self
    }

    /// Adds what a consumer of `stream` needs.
    #[must_use]
    pub fn consuming(mut self, stream: Stream) -> Self {
        let (name, service) = (stream.name(), self.service);
        for verb in ["CREATE", "INFO", "MSG.NEXT"] {
            self.publish
                .push(format!("$JS.API.CONSUMER.{verb}.{name}.{service}"));
        }
        self.publish.push(format!("$JS.ACK.{name}.{service}.>"));
        self.publish.push(format!("resend.*.{name}"));
        self.subscribe.push(format!("source.*.{name}"));
        self
    }
}
