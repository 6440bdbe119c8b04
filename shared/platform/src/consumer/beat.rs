//! What a source's heartbeat tells, beside the one before it.

/// What a source had told at a heartbeat, and what of it was applied then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) told: u64,
    pub(super) applied: u64,
}

/// How it stands with a source. One heartbeat may cross with events under way, so only what two in a row say counts against
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// All that it had told at its last heartbeat is applied.
    Whole,
    /// It is ahead, and its events may be on their way. Nobody can say yet that its figures are of now.
    UnderWay,
    /// It was ahead already, and nothing has come meanwhile: the tail is lost.
    TailLost,
    /// It knows fewer events than were applied, and did so before.
    Forgotten,
}

impl Beat {
    /// What `now` tells after `last`; there is no `last` when consuming has just begun, also anew after a failure, which
    /// must not make a source look fresh that is stuck.
    pub(super) fn read(last: Option<Before>, now: Before) -> Self {
        let behind = |at: Before| at.told > at.applied;
        let ahead = |at: Before| at.told < at.applied;
        match last {
            Some(last) if ahead(now) && ahead(last) => Self::Forgotten,
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
    use super::{Beat, Before};

    fn at(told: u64, applied: u64) -> Before {
        Before { told, applied }
    }

    #[test]
    fn a_source_is_fresh_only_while_its_events_come_through() {
        for (last, now, expected) in [
            // The first heartbeat of all, or of a new session.
            (None, at(0, 0), Beat::Whole),
            (None, at(7, 7), Beat::Whole),
            (None, at(7, 0), Beat::UnderWay),
            (None, at(7, 6), Beat::UnderWay),
            (None, at(7, 8), Beat::Whole),
            // A quiet source, and a busy one whose events cross with its heartbeats.
            (Some(at(7, 7)), at(7, 7), Beat::Whole),
            (Some(at(7, 7)), at(9, 7), Beat::Whole),
            (Some(at(7, 5)), at(9, 7), Beat::Whole),
            (Some(at(7, 5)), at(7, 7), Beat::Whole),
            // They come, but slower than they are told.
            (Some(at(7, 5)), at(9, 6), Beat::UnderWay),
            // They do not come.
            (Some(at(7, 5)), at(9, 5), Beat::TailLost),
            (Some(at(7, 6)), at(7, 6), Beat::TailLost),
            // A database lost the end of what it had applied, and the source is quiet.
            (Some(at(7, 7)), at(7, 5), Beat::UnderWay),
            // A source whose database was restored, and one whose heartbeat was overtaken by its event.
            (Some(at(5, 7)), at(5, 7), Beat::Forgotten),
            (Some(at(7, 7)), at(7, 8), Beat::Whole),
        ] {
            assert_eq!(Beat::read(last, now), expected, "{last:?}, then {now:?}");
        }
    }
}
