//! How far a source has come.

use std::time::{Duration, Instant};

use domain::{Envelope, EventId};

use super::{log::Row, publish::Outgoing};
use crate::bus::StreamSpec;

/// Events that come more slowly than one in this time need not gather.
const EACH: Duration = Duration::from_millis(1);
/// So many more than that make a crowd.
const CROWD: u32 = 40;

/// A source, and how far it has come.
#[derive(Debug)]
pub(super) struct Source {
    /// Among the relay's sources.
    pub(super) place: usize,
    pub(super) name: String,
    pub(super) stream: StreamSpec,
    /// Acknowledged up to here.
    pub(super) published: i64,
    /// Acknowledged up to here at some time: up to here a message is told again, and must pass the bus's own memory of
    /// message ids.
    told: i64,
    /// What the database knows of `published`.
    pub(super) saved: i64,
    /// Whether there may be more in the log.
    pub(super) look: bool,
    /// Whether a chunk is on its way.
    pub(super) busy: bool,
    /// Where to go on when what is on its way has come: somebody wishes to hear from there again.
    wished: Option<i64>,
    /// When what has come would be through, at an event each [`EACH`].
    calm_at: Instant,
    failing: bool,
}

/// What became of a chunk.
#[derive(Debug)]
pub(super) struct Done {
    /// The source's place.
    pub(super) place: usize,
    /// Acknowledged up to here.
    pub(super) reached: Option<i64>,
    pub(super) error: Option<anyhow::Error>,
}

impl Done {
    pub(super) fn nothing(place: usize) -> Self {
        Self {
            place,
            reached: None,
            error: None,
        }
    }
}

impl Source {
    pub(super) fn new(place: usize, name: String, stream: StreamSpec, published: i64) -> Self {
        Self {
            place,
            name,
            stream,
            published,
            told: published,
            saved: published,
            look: true,
            busy: false,
            wished: None,
            calm_at: Instant::now(),
            failing: false,
        }
    }

    /// Takes in that `n` events were read at `now`; whether so many come, and have come, that they had better gather.
    pub(super) fn crowds(&mut self, n: usize, now: Instant) -> bool {
        let n = u32::try_from(n).unwrap_or(u32::MAX).min(CROWD);
        let calm_at = self.calm_at.max(now) + EACH * n;
        self.calm_at = calm_at.min(now + EACH * CROWD);
        calm_at >= now + EACH * CROWD
    }

    /// Takes in what became of its chunk.
    pub(super) fn done(&mut self, done: Done) {
        (self.busy, self.look) = (false, true);
        if let Some(sequence) = done.reached {
            self.published = sequence;
            self.told = self.told.max(sequence);
        }
        if let Some(before) = self.wished.take() {
            self.published = self.published.min(before);
        }
        let failed_before = std::mem::replace(&mut self.failing, done.error.is_some());
        if let Some(error) = done.error.filter(|_| !failed_before) {
            tracing::warn!(
                source = self.name,
                error = format!("{error:#}"),
                "cannot publish; trying again"
            );
        }
    }

    /// Goes back so far that the event numbered `from` is the next.
    pub(super) fn tell_again(&mut self, from: u64) {
        let before = i64::try_from(from)
            .unwrap_or(i64::MAX)
            .saturating_sub(1)
            .max(0);
        if self.busy {
            self.wished = Some(self.wished.map_or(before, |wished| wished.min(before)));
        } else {
            self.published = self.published.min(before);
            self.look = true;
        }
    }

    /// An event of its log in its envelope.
    pub(super) fn outgoing(&self, row: Row) -> anyhow::Result<Outgoing> {
        let id = EventId(row.id);
        let envelope = Envelope {
            specversion: "1.0".to_owned(),
            id,
            source: self.name.clone(),
            kind: row.kind,
            time: row.at.to_jiff(),
            datacontenttype: "application/json".to_owned(),
            sequence: u64::try_from(row.sequence)?,
            traceparent: row.traceparent.clone(),
            data: row.data.0,
        };
        Ok(Outgoing {
            sequence: row.sequence,
            subject: row.subject,
            source: self.name.clone(),
            traceparent: row.traceparent,
            // What is told again was asked for because the stream no longer has it: the server's memory must not drop it.
            id: (row.sequence > self.told).then_some(id),
            payload: serde_json::to_vec(&envelope)?.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        let stream = StreamSpec {
            name: "CASES".to_owned(),
            subjects: "case.*.*".to_owned(),
        };
        Source::new(0, "routing/CASES".to_owned(), stream, 10)
    }

    fn reached(sequence: i64) -> Done {
        Done {
            reached: Some(sequence),
            ..Done::nothing(0)
        }
    }

    #[test]
    fn only_many_that_keep_coming_are_a_crowd() {
        let began = Instant::now();
        // Chunks of `n` every `ms` milliseconds: after how many of them it is a crowd.
        let crowd_after = |n: usize, ms: u32| {
            let mut source = source();
            source.calm_at = began;
            (0..1_000).position(|chunk: u32| source.crowds(n, began + EACH * ms * chunk))
        };
        assert_eq!(crowd_after(1, 3), None, "300 a second, one by one");
        assert_eq!(crowd_after(20, 100), None, "a few at once, and then none");
        assert_eq!(crowd_after(8, 2), Some(6), "4,000 a second");
        assert_eq!(crowd_after(100, 20), Some(0), "they gather already");
    }

    #[test]
    fn a_crowd_is_over_when_fewer_come() {
        let began = Instant::now();
        let mut source = source();
        for chunk in 0..100 {
            source.crowds(100, began + EACH * 20 * chunk);
        }
        let quiet = began + EACH * 20 * 100;
        for n in 0..1_000 {
            assert!(!source.crowds(1, quiet + EACH * 3 * n), "{n}");
        }
    }

    #[test]
    fn a_wish_holds_over_what_is_on_its_way() {
        let mut source = source();
        source.busy = true;
        for from in [8, 4, 6] {
            source.tell_again(from);
        }
        assert_eq!(source.published, 10, "a chunk is on its way from here");
        source.done(reached(20));
        assert_eq!((source.published, source.told), (3, 20));
        assert!(source.look && !source.busy);
        // Told again, it is not wished for any more.
        source.done(reached(20));
        assert_eq!(source.published, 20);
        source.tell_again(21);
        assert_eq!(source.published, 20, "it has not come so far");
        source.tell_again(1);
        assert_eq!(source.published, 0);
    }

    #[test]
    fn what_fails_stays_where_it_was_acknowledged() {
        let mut source = source();
        source.busy = true;
        source.done(Done {
            error: Some(anyhow::anyhow!("full")),
            ..reached(12)
        });
        assert_eq!((source.published, source.failing), (12, true));
        source.done(Done {
            error: Some(anyhow::anyhow!("full")),
            ..Done::nothing(0)
        });
        assert_eq!(source.published, 12);
        assert!(source.look, "it is tried again");
        source.done(reached(13));
        assert!(!source.failing);
    }
}
