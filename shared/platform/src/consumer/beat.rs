//! What a source's heartbeat tells, beside the one before it.

/// What a source had told at a heartbeat, and what of it was applied then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) told: u64,
    pub(super) applied: u64,
}

/// How it stands with a source. One heartbeat may cross with events under way, so only what several in a row say counts
/// against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// All that it had told at its last heartbeat is applied.
    Whole,
    /// It is ahead, and its events may be on their way. Nobody can say yet that its figures are of now.
    UnderWay,
    /// It was ahead already, and nothing has come meanwhile: the tail is lost.
    TailLost,
    /// It knows fewer events than were applied long before.
    Forgotten,
}

/// A source's last two heartbeats; none when consuming has just begun, also anew after a failure, which must not make a
/// source look fresh that is stuck.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lately {
    last: Option<Before>,
    before: Option<Before>,
}

impl Lately {
    /// What `now` tells after those, which it is one of from now on.
    pub(super) fn read(&mut self, now: Before) -> Beat {
        let beat = Beat::read(*self, now);
        *self = Self {
            last: Some(now),
            before: self.last,
        };
        beat
    }
}

impl Beat {
    fn read(lately: Lately, now: Before) -> Self {
        let behind = |at: Before| at.told > at.applied;
        // Any heartbeat may be overtaken by events that were told after it, and then seems to know too few. But one that was
        // told after another was heard knows what was applied by then. A process that stood still may tell an old one; not two.
        let forgot =
            |at: Before, earlier: Option<Before>| earlier.is_some_and(|e| at.told < e.applied);
        match lately.last {
            Some(last) if forgot(now, Some(last)) && forgot(last, lately.before) => Self::Forgotten,
            Some(last) if behind(now) && behind(last) && last.applied == now.applied => {
                Self::TailLost
            }
            Some(last) if now.applied >= last.told => Self::Whole,
            _ if now.applied >= now.told => Self::Whole,
            _ => Self::UnderWay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Beat, Before, Lately};

    fn at((told, applied): (u64, u64)) -> Before {
        Before { told, applied }
    }

    /// What the last of some heartbeats tells; each is what was told, and what was applied when it was heard.
    fn last_of(beats: &[(u64, u64)]) -> Beat {
        let mut lately = Lately::default();
        let told: Vec<Beat> = beats.iter().map(|b| lately.read(at(*b))).collect();
        told[told.len() - 1]
    }

    #[test]
    fn a_source_is_fresh_only_while_its_events_come_through() {
        for (beats, expected) in [
            // The first heartbeat of all, or of a new session.
            (vec![(0, 0)], Beat::Whole),
            (vec![(7, 7)], Beat::Whole),
            (vec![(7, 0)], Beat::UnderWay),
            (vec![(7, 6)], Beat::UnderWay),
            (vec![(7, 8)], Beat::Whole),
            // A quiet source, and a busy one whose events cross with its heartbeats.
            (vec![(7, 7), (7, 7)], Beat::Whole),
            (vec![(7, 7), (9, 7)], Beat::Whole),
            (vec![(7, 5), (9, 7)], Beat::Whole),
            (vec![(7, 5), (7, 7)], Beat::Whole),
            // They come, but slower than they are told.
            (vec![(7, 5), (9, 6)], Beat::UnderWay),
            // They do not come.
            (vec![(7, 5), (9, 5)], Beat::TailLost),
            (vec![(7, 6), (7, 6)], Beat::TailLost),
            // A database lost the end of what it had applied, and the source is quiet.
            (vec![(7, 7), (7, 5)], Beat::UnderWay),
        ] {
            assert_eq!(last_of(&beats), expected, "{beats:?}");
        }
    }

    #[test]
    fn a_heartbeat_that_was_overtaken_is_no_forgetting() {
        for beats in [
            vec![(7, 7), (7, 8)],
            // Each of them, for as long as events come.
            vec![(5967, 5968), (5968, 5969), (5969, 5970), (5970, 5972)],
            // A process that stood still wakes and tells what it had read.
            vec![(900, 900), (1000, 1000), (700, 1000)],
            vec![(1000, 1000), (700, 1000), (1001, 1001), (700, 1001)],
        ] {
            assert_eq!(last_of(&beats), Beat::Whole, "{beats:?}");
        }
    }

    #[test]
    fn a_source_whose_database_was_restored_has_forgotten() {
        for beats in [
            // It is quiet, or tells further events that are taken for known.
            vec![(7, 7), (5, 7), (5, 7)],
            vec![(7, 7), (5, 7), (6, 7)],
            // Consuming began anew meanwhile.
            vec![(5, 7), (5, 7), (6, 7)],
        ] {
            assert_eq!(last_of(&beats), Beat::Forgotten, "{beats:?}");
        }
    }
}
