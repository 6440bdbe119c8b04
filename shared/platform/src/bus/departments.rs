//! What a department has on the bus: a stream for its closures, a stream of what it is told, and a consumer to read it with.

use std::time::Duration;

use async_nats::jetstream::{
    consumer::{AckPolicy, DeliverPolicy, pull},
    stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
};
use domain::{Department, in_stream, in_subject, out_stream, out_subjects};

use super::{Bus, StreamSpec, ensure_stream, streams::MAX_AGE};

/// The largest message a department may send, headers included, in bytes. A closure is some 500.
pub(super) const MAX_MESSAGE_BYTES: i32 = 65_536;

/// Closures that may wait to be read; the next is refused.
const IN_MAX_MESSAGES: i64 = 10_000;
/// Bytes of closures that may wait to be read.
const IN_MAX_BYTES: i64 = 16 * 1024 * 1024;
/// How long the server knows the ids of closures again, at the most. It keeps them in its memory, as long as their sender
/// has written them, also after the closure has been read. What comes again later routing knows by its id.
const IN_DUPLICATE_WINDOW: Duration = Duration::from_secs(60);

/// Bytes of what a department is told, some million messages. When they are there, the relay waits until the oldest are
/// [`OUT_MAX_AGE`]; what waits is in its log.
const OUT_MAX_BYTES: i64 = 1024 * 1024 * 1024;

/// How long a department's system may be away without missing anything: longer than a summer holiday.
const OUT_MAX_AGE: Duration = Duration::from_secs(60 * 24 * 3600);

/// What the streams of one department may take of the disk, in bytes.
pub(super) const MAX_BYTES: i64 = IN_MAX_BYTES + OUT_MAX_BYTES;

/// How long a department may let one request wait for messages. The server forgets where to send what has not come by
/// [`ANSWERED_WITHIN_S`], and what it then sends is lost until it is sent again.
const MAX_EXPIRES: Duration = Duration::from_secs(60);
/// Somewhat more than [`MAX_EXPIRES`], in seconds.
pub(super) const ANSWERED_WITHIN_S: u32 = 70;

/// Creates both streams of `department` and the consumer that its system reads with, or brings them to this
/// configuration. `duplicate_window` is that of what it is told; see [`super::DUPLICATE_WINDOW`].
///
/// # Errors
/// When the bus is away or refuses.
pub async fn ensure_department(
    bus: &Bus,
    department: &Department,
    duplicate_window: Duration,
) -> anyhow::Result<()> {
    let closures = closures(department, duplicate_window);
    bus.jetstream.create_or_update_stream(closures).await?;
    ensure_stream(bus, &StreamSpec::told(department), duplicate_window).await?;
    bus.jetstream
        .create_consumer_on_stream(reader(department), out_stream(department))
        .await?;
    Ok(())
}

/// A closure leaves the stream when routing acknowledges it, and not with age: the department has an acknowledgement for it,
/// nobody could tell it again, and routing may be away for days. A flood fills this stream and is refused until routing has
/// made room; the stream is nobody else's. Headers that would remove, schedule or batch messages are refused, since nothing
/// here allows them.
///
/// Whose a closure is, its stream says, and not its subject: a department that has what it is told sent to its own
/// `closure` finds that in its stream, under `out.<department>.>`.
fn closures(department: &Department, duplicate_window: Duration) -> Config {
    Config {
        name: in_stream(department),
        subjects: vec![in_subject(department)],
        retention: RetentionPolicy::WorkQueue,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        max_messages: IN_MAX_MESSAGES,
        max_bytes: IN_MAX_BYTES,
        max_message_size: MAX_MESSAGE_BYTES,
        duplicate_window: duplicate_window.min(IN_DUPLICATE_WINDOW),
        deny_delete: true,
        deny_purge: true,
        ..Config::default()
    }
}

/// The consumer `<department>`. The department cannot make one: it would then choose what it reads.
fn reader(department: &Department) -> pull::Config {
    let name = Some(department.to_string());
    pull::Config {
        durable_name: name.clone(),
        name,
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: Duration::from_secs(30),
        max_ack_pending: 100,
        max_waiting: 64,
        max_expires: MAX_EXPIRES,
        ..pull::Config::default()
    }
}

impl StreamSpec {
    /// The stream of what `department` is told.
    pub fn told(department: &Department) -> Self {
        Self {
            name: out_stream(department),
            subjects: out_subjects(department),
        }
    }

    /// How much it may hold, in bytes. A department's is bounded, so that the answers to a flood do not take the space of
    /// the city's own streams; those are bounded by what the city's account may hold.
    pub(super) fn max_bytes(&self) -> i64 {
        if self.subjects.starts_with("out.") {
            OUT_MAX_BYTES
        } else {
            -1
        }
    }

    /// How long it keeps what it holds. A department cannot ask routing to tell again, so what it is told waits for longer.
    pub(super) fn max_age(&self) -> Duration {
        if self.subjects.starts_with("out.") {
            OUT_MAX_AGE
        } else {
            MAX_AGE
        }
    }
}
