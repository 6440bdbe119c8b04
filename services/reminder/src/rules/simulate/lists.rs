//! The lists that cases would have been in.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use domain::{Agreements, Department, WorkingTime, local_day};
use jiff::{Timestamp, ToSpan};

use super::SimulatedDigest;
use crate::{
    digest::schedule,
    rules::plan::{Plan, PlanState},
};

/// When lists are due in a period.
pub(super) struct Meetings {
    period: Range<Timestamp>,
    office: WorkingTime,
    /// The contact persons', in the order of time.
    of: BTreeMap<Department, Vec<Timestamp>>,
}

impl Meetings {
    pub(super) fn of(agreements: &Agreements, period: Range<Timestamp>) -> Self {
        let mut of: BTreeMap<Department, Vec<Timestamp>> = BTreeMap::new();
        for (department, agreed) in &agreements.departments {
            let working_time = agreements.working_time(department);
            let mut monday = schedule::monday_of(local_day(period.start));
            while monday <= local_day(period.end) {
                let due = schedule::week_at(&working_time, agreed.meeting, monday);
                let due = due.filter(|due| period.contains(due));
                of.entry(department.clone()).or_default().extend(due);
                let Ok(next) = monday.checked_add(1.week()) else {
                    break;
                };
                monday = next;
            }
        }
        Self {
            period,
            office: WorkingTime {
                hours: agreements.hours.clone(),
                closures: agreements.closures.clone(),
            },
            of,
        }
    }
}

/// How many cases would have been in each list: whose it is, none for the guides', and when.
#[derive(Debug, Default)]
pub(crate) struct Lists(BTreeMap<Option<Department>, BTreeMap<Timestamp, u64>>);

impl Lists {
    /// A case stood as in `plan` for a while. `guides_know` is the forwarding whose being late the guides were told of.
    pub(super) fn add(
        &mut self,
        plan: &Plan,
        stretch: Range<Timestamp>,
        meetings: &Meetings,
        guides_know: &mut Option<Timestamp>,
    ) {
        if plan.state() == PlanState::Ended {
            return;
        }
        let all = meetings.of.get(plan.department());
        for at in all.into_iter().flatten().filter(|at| stretch.contains(at)) {
            self.count(Some(plan.department()), *at);
        }
        let Some(late) = plan.late_from().filter(|_| !plan.is_imported()) else {
            return;
        };
        let morning = schedule::next(&meetings.office, late.max(stretch.start));
        let Some(morning) = morning.filter(|morning| *morning < stretch.end) else {
            return;
        };
        let known = guides_know.replace(plan.forwarded_at());
        if known != *guides_know && meetings.period.contains(&morning) {
            self.count(None, morning);
        }
    }

    fn count(&mut self, whose: Option<&Department>, at: Timestamp) {
        let lists = self.0.entry(whose.cloned()).or_default();
        *lists.entry(at).or_default() += 1;
    }

    /// Adds what is in the same lists of other cases.
    pub(crate) fn merge(&mut self, others: Self) {
        for (whose, lists) in others.0 {
            let known = self.0.entry(whose).or_default();
            for (at, cases) in lists {
                *known.entry(at).or_default() += cases;
            }
        }
    }

    /// These beside those that were sent, by whose they are: how many, and how many cases were in them.
    pub(crate) fn beside(
        &self,
        sent: &BTreeMap<Option<Department>, (u64, u64)>,
    ) -> Vec<SimulatedDigest> {
        let whose: BTreeSet<&Option<Department>> = sent.keys().chain(self.0.keys()).collect();
        let digest = |whose: &Option<Department>| {
            let (sent, sent_cases) = sent.get(whose).copied().unwrap_or_default();
            let would = self.0.get(whose);
            SimulatedDigest {
                department: whose.clone(),
                sent,
                sent_cases,
                would: would.map_or(0, |lists| lists.len() as u64),
                would_cases: would.map_or(0, |lists| lists.values().sum()),
            }
        };
        whose.into_iter().map(digest).collect()
    }
}
