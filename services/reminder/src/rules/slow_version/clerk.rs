//! A clerk with a watch: looks each minute whether it is worked, and counts.

use std::collections::BTreeSet;

use domain::{FollowUpStep, ReminderSteps};

/// Follows one case up.
pub(super) struct Clerk {
    /// Whether each minute is worked, by hours.
    open: &'static [Vec<bool>],
    minute: i64,
    case: Option<Case>,
}

/// The case as the clerk has it on paper. Lengths are minutes of the case's clock.
struct Case {
    hours: usize,
    /// By which hours people are there, from a minute on; by those of the limit before the first.
    there: Vec<(i64, usize)>,
    from: i64,
    limit: i64,
    share: i64,
    contact_person: i64,
    heads: i64,
    /// What the clock showed each minute since it was forwarded; the last is now.
    clock: Vec<i64>,
    /// Since when it goes, or that it stands.
    goes_since: Option<i64>,
    promise: Option<i64>,
    behind: BTreeSet<FollowUpStep>,
}

impl Clerk {
    pub(super) fn new(open: &'static [Vec<bool>]) -> Self {
        Self {
            open,
            minute: 0,
            case: None,
        }
    }

    /// Whether the case's clock counts a minute, unless it stands.
    fn counts(&self, minute: i64) -> bool {
        let case = self.case.as_ref();
        case.is_some_and(|case| self.open[case.hours][usize::try_from(minute).unwrap()])
    }

    /// Whether somebody is there at the department that has the case.
    pub(super) fn open(&self, minute: i64) -> bool {
        let Some(case) = &self.case else {
            return false;
        };
        let mut begun = case.there.iter().filter(|(from, _)| *from <= minute);
        let hours = begun.next_back().map_or(case.hours, |(_, hours)| *hours);
        self.open[hours][usize::try_from(minute).unwrap()]
    }

    /// Waits until a minute.
    pub(super) fn walk(&mut self, until: i64) {
        while self.minute < until {
            let open = self.counts(self.minute);
            if let Some(case) = &mut self.case {
                let shows = case.clock.last().unwrap();
                let counts = open && case.goes_since.is_some();
                case.clock.push(shows + i64::from(counts));
            }
            self.minute += 1;
        }
    }

    pub(super) fn forward(&mut self, hours: usize, limit: i64, steps: &ReminderSteps) {
        let minutes = |hours: domain::WorkingHours| i64::from(u32::from(hours)) * 60;
        let quarters = [0.25, 0.5, 0.75]
            .iter()
            .position(|s| *s == steps.first_at_share);
        let quarters = i64::try_from(quarters.unwrap()).unwrap() + 1;
        self.case = Some(Case {
            hours,
            there: Vec::new(),
            from: self.minute,
            limit,
            share: limit / 4 * quarters,
            contact_person: minutes(steps.contact_person_after_working_hours),
            heads: minutes(steps.heads_after_working_hours),
            clock: vec![0],
            goes_since: Some(self.minute),
            promise: None,
            behind: BTreeSet::new(),
        });
    }

    /// Other hours are agreed on, from a minute on.
    pub(super) fn agree(&mut self, from: i64, hours: usize) -> bool {
        let case = self.case.as_mut();
        case.is_some_and(|case| {
            let at = case.there.partition_point(|(begun, _)| *begun <= from);
            case.there.insert(at, (from, hours));
            true
        })
    }

    pub(super) fn pause(&mut self) -> bool {
        let goes = self.case.as_mut().map(|case| &mut case.goes_since);
        goes.is_some_and(|goes| goes.take().is_some())
    }

    pub(super) fn resume(&mut self) -> bool {
        let minute = self.minute;
        let case = self.case.as_mut().filter(|case| case.goes_since.is_none());
        case.is_some_and(|case| case.goes_since.replace(minute).is_none())
    }

    /// A day that is promised; the same one again is no other.
    pub(super) fn promise(&mut self, day: i64) -> bool {
        let case = self.case.as_mut();
        case.is_some_and(|case| {
            case.promise = Some(day);
            true
        })
    }

    /// It is closed, or sent back: the paper is thrown away.
    pub(super) fn end(&mut self) -> bool {
        self.case.take().is_some()
    }

    /// Looks at the case: the step to take, and those that are not taken any more.
    pub(super) fn look(&mut self, minute: i64) -> Option<(FollowUpStep, Vec<FollowUpStep>)> {
        let open = self.open(minute);
        let case = self.case.as_mut()?;
        if !open || case.goes_since.is_none_or(|since| minute < since) {
            return None;
        }
        let steps = FollowUpStep::ALL.into_iter();
        let mut come: Vec<_> = steps
            .filter(|step| !case.behind.contains(step))
            .filter_map(|step| Some((case.came(step, minute)?, step)))
            .collect();
        come.sort();
        let mut come: Vec<_> = come.into_iter().map(|(_, step)| step).collect();
        case.behind.extend(&come);
        let present = come.pop()?;
        Some((present, come))
    }
}

impl Case {
    fn shows(&self, minute: i64) -> i64 {
        self.clock[usize::try_from(minute - self.from).unwrap()]
    }

    /// What the clock was to show for a step that has come; `None` for one that has not.
    fn came(&self, step: FollowUpStep, minute: i64) -> Option<i64> {
        let now = self.shows(minute);
        // What the clock showed as the promised day came; `None` while it has not.
        let promised = self.promise.filter(|day| *day <= minute);
        let promised = promised.map(|day| self.shows(day));
        let waits = self.promise.is_some() && promised.is_none();
        let base = promised.map_or(self.limit, |shows| shows.max(self.limit));
        let comes = match step {
            FollowUpStep::Share if waits || promised.is_some_and(|shows| self.share <= shows) => {
                None
            }
            FollowUpStep::Share => Some(self.share),
            FollowUpStep::Limit => Some(self.limit),
            FollowUpStep::Promised => promised.filter(|shows| *shows != self.limit),
            FollowUpStep::ContactPerson | FollowUpStep::Heads if waits => None,
            FollowUpStep::ContactPerson => Some(base + self.contact_person),
            FollowUpStep::Heads => Some(base + self.heads),
        };
        comes.filter(|comes| *comes <= now)
    }
}
