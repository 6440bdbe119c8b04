//! How far a service has come with each source, for whoever shows its figures.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// A source that is asked to tell again is given this long to do so.
const PATIENCE: Duration = Duration::from_secs(3);

/// Shared by a service's consumers and those who show its figures.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    heard: BTreeMap<String, Instant>,
    asked: HashMap<String, Instant>,
    cause: Option<String>,
}

/// What has been heard of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The source.
    pub source: String,
    /// When it last said that it lives while nothing older was missing.
    pub heard: Instant,
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        // The state is plain data, whole after every statement: a panic elsewhere does not spoil it.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Events have been applied; `cause` is the trace context of the last traced one.
    pub(super) fn applied(&self, cause: Option<&str>) {
        if let Some(cause) = cause {
            self.state().cause = Some(cause.to_owned());
        }
        self.0.changed.notify_one();
    }

    /// A source lives and sees, and all that it had told before is applied.
    pub(super) fn heard(&self, source: &str) {
        self.state().heard.insert(source.to_owned(), Instant::now());
    }

    /// Whether the source has not just been asked.
    pub(super) fn may_ask(&self, source: &str) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        if state
            .asked
            .get(source)
            .is_some_and(|at| now.duration_since(*at) < PATIENCE)
        {
            return false;
        }
        state.asked.insert(source.to_owned(), now);
        true
    }

    /// Every source heard since the service started.
    pub fn sources(&self) -> Vec<Reached> {
        self.state()
            .heard
            .iter()
            .map(|(source, heard)| Reached {
                source: source.clone(),
                heard: *heard,
            })
            .collect()
    }

    /// The trace context of the latest traced event, once.
    pub fn take_cause(&self) -> Option<String> {
        self.state().cause.take()
    }

    /// Says that something has changed though no event came.
    pub fn touch(&self) {
        self.0.changed.notify_one();
    }

    /// Waits until events have been applied.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }
}
