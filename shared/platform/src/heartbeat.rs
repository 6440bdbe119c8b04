//! How a source says that it lives and how far it has come, and how a consumer asks it to tell again.

use serde::{Deserialize, Serialize};

/// Told by a source once a second, outside the streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The source, such as `intake/CONTACTS`.
    pub source: String,
    /// The last number it has committed.
    pub last: u64,
}

/// A consumer's wish to hear a source again from a number on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TellAgain {
    /// The first number wanted.
    pub from: u64,
}

/// Where a source tells its heartbeat.
pub fn heartbeat_subject(source: &str) -> String {
    format!("source.{}", source.replace('/', "."))
}

/// Where a source can be asked to tell again.
pub fn tell_again_subject(source: &str) -> String {
    format!("resend.{}", source.replace('/', "."))
}

/// Every source of a stream, for a consumer of that stream.
pub fn heartbeats_of(stream: domain::Stream) -> String {
    format!("source.*.{}", stream.name())
}
