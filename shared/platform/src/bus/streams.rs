//! The streams, as their owner ensures them.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use domain::{Department, Stream, in_stream, out_stream, out_subjects};

use super::{Bus, Rights};

/// How long the server knows message ids again. Ids live in its memory, so it is short; what comes again later is
/// skipped by its number.
pub const DUPLICATE_WINDOW: Duration = Duration::from_secs(600);

/// How long the bus keeps events. It only carries them: who was away longer asks the source to tell again.
pub(super) const MAX_AGE: Duration = Duration::from_secs(2 * 24 * 3600);

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
        max_bytes: stream.max_bytes(),
        max_age: stream.max_age(),
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
        self.keep_stream(name);
        self.subscribe.push(format!("resend.*.{name}"));
        self.answers = true;
        self
    }

    /// Adds what a consumer of `stream` needs.
    #[must_use]
    pub fn consuming(mut self, stream: Stream) -> Self {
        let name = stream.name();
        self.pull(name);
        self.publish.push(format!("resend.*.{name}"));
        self.subscribe.push(format!("source.*.{name}"));
        self
    }

    /// Adds what routing needs for a department with an account: see [`super::ensure_department`]. It reads closures as
    /// the consumer with the service's name.
    #[must_use]
    pub fn department(self, department: &Department) -> Self {
        let (closures, told) = (in_stream(department), out_stream(department));
        let mut rights = self.owning(&told, &[&out_subjects(department)]);
        rights.keep_stream(&closures);
        rights.pull(&closures);
        rights.keep_consumer(&told, department.as_str());
        rights
    }

    fn keep_stream(&mut self, name: &str) {
        for verb in ["CREATE", "UPDATE", "INFO"] {
            self.publish.push(format!("$JS.API.STREAM.{verb}.{name}"));
        }
    }

    fn keep_consumer(&mut self, stream: &str, consumer: &str) {
        for verb in ["CREATE", "INFO"] {
            self.publish
                .push(format!("$JS.API.CONSUMER.{verb}.{stream}.{consumer}"));
        }
    }

    /// As the consumer with the service's name.
    fn pull(&mut self, stream: &str) {
        let service = self.service;
        self.keep_consumer(stream, service);
        self.publish
            .push(format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{service}"));
        self.publish.push(format!("$JS.ACK.{stream}.{service}.>"));
    }
}
