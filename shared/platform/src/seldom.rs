//! Log lines of what may happen any number of times a second: the first is told at once, and then how many more there were,
//! at most every ten seconds. Counters count each.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Between two lines of the same kind.
const PAUSE: Duration = Duration::from_secs(10);

static PROCESS: LazyLock<Seldom> = LazyLock::new(|| Seldom::new(PAUSE));

/// Something of the kind `kind` has happened. `first` tells of it, if none has been told of in the last ten seconds; else it
/// is counted, and `more` tells how many there were when the ten seconds are over. Kinds are of a closed set.
pub fn tell(kind: &str, first: impl FnOnce(), more: impl Fn(u64) + Send + 'static) {
    PROCESS.tell(kind, first, more);
}

/// What happened lately.
#[derive(Clone)]
struct Seldom {
    pause: Duration,
    /// Kinds told of lately, with how many have not been told of since.
    untold: Arc<Mutex<HashMap<String, u64>>>,
}

impl Seldom {
    fn new(pause: Duration) -> Self {
        Self {
            pause,
            untold: Arc::default(),
        }
    }

    fn untold(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        // Plain numbers, whole after every statement.
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, kind: &str, first: impl FnOnce(), more: impl Fn(u64) + Send + 'static) {
        let mut all = self.untold();
        if let Some(untold) = all.get_mut(kind) {
            *untold += 1;
            return;
        }
        all.insert(kind.to_owned(), 0);
        drop(all);
        first();
        let (seldom, kind) = (self.clone(), kind.to_owned());
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(seldom.pause).await;
                match seldom.over(&kind) {
                    0 => return,
                    untold => more(untold),
                }
            }
        });
    }

    /// A pause of `kind` is over: how many were not told of in it. None ends it.
    fn over(&self, kind: &str) -> u64 {
        let mut all = self.untold();
        match all.get_mut(kind) {
            Some(untold) if *untold > 0 => std::mem::take(untold),
            _ => {
                all.remove(kind);
                0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn the_first_is_told_and_the_others_are_counted() {
        let seldom = Seldom::new(Duration::from_millis(50));
        let told = AtomicU64::new(0);
        let (sender, mut counted) = mpsc::unbounded_channel();
        let happens = |kind: &str| {
            let sender = sender.clone();
            let count = move |n| sender.send(n).unwrap();
            seldom.tell(kind, || _ = told.fetch_add(1, Ordering::Relaxed), count);
        };
        // Nothing else runs in between, so no pause ends.
        for _ in 0..100 {
            happens("a");
        }
        happens("b");
        assert_eq!(told.load(Ordering::Relaxed), 2, "one of each kind");
        assert_eq!(counted.recv().await, Some(99));
        // Nothing more for a whole pause: the next is told at once again.
        while !seldom.untold().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        happens("a");
        assert_eq!(told.load(Ordering::Relaxed), 3);
        while !seldom.untold().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(counted.try_recv().is_err(), "one by itself is not counted");
    }
}
