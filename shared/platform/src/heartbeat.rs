//! How a source says that it lives and how far it has come, and how a consumer asks it to tell again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// Told by a source once a second, outside the streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The source, such as `intake/CONTACTS`.
    pub source: String,
    /// The last number it has committed.
    pub last: u64,
    /// Whether it cannot see now what it tells of: it lives, and what it told is not of now.
    #[serde(default)]
    pub blind: bool,
}

/// Whoever has not looked for this long has lost sight. A fraction of the time after which a wall strikes figures through.
const GLANCE: Duration = Duration::from_secs(2);

/// Whether a source sees what it tells of. One that is told by others always does; one that must look for itself, such as at a
/// PBX's log, does while it has looked lately.
#[derive(Debug, Clone, Default)]
pub struct Sight(Option<Arc<Mutex<Option<Instant>>>>);

impl Sight {
    /// Of a source that must look for itself, and has not yet.
    pub fn needed() -> Self {
        Self(Some(Arc::default()))
    }

    /// It has looked, and has told all that there was to see.
    pub fn saw_all(&self) {
        if let Some(last) = &self.0 {
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    /// Whether it has not looked lately.
    pub fn is_lost(&self) -> bool {
        self.0.as_ref().is_some_and(|last| {
            let last = *last.lock().unwrap_or_else(PoisonError::into_inner);
            last.is_none_or(|at| at.elapsed() > GLANCE)
        })
    }
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
