//! When a plan's steps come, and taking them.

use domain::{CaseEvent, CaseWhat, FollowUpStep, StepTaken, local_day};
use jiff::{SignedDuration, Timestamp};

use super::{
    clock::CaseClock,
    plan::{Done, Follow, How, Plan},
    reason::{Measures, reason},
    terms::Terms,
};

/// A step was taken: what is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taking {
    /// The step.
    pub(crate) step: FollowUpStep,
    /// Earlier steps that were due as well, and are not taken any more.
    pub(crate) missed: Vec<FollowUpStep>,
    /// How much later than planned it was taken, in the department's working time.
    pub(crate) late_by_working: SignedDuration,
    /// Where the limit is among what was missed: that the case is overdue, which is told before `event` and without a
    /// mail, so that nothing is escalated that is not known to be overdue. It is told as of the limit, to nobody.
    pub(crate) overdue: Option<CaseEvent>,
    /// What is told of the step, and mailed to those it names.
    pub(crate) event: CaseEvent,
}

/// A step to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ahead {
    pub(super) step: FollowUpStep,
    /// When, in working time.
    pub(super) at: Timestamp,
}

impl Plan {
    /// Takes the step that is due at `now`, if one is and the department works: the latest such one. Earlier ones are missed
    /// then; a case gets its present step, and no step twice, whatever the clock does.
    pub(crate) fn take(&mut self, terms: &Terms, now: Timestamp) -> Option<Taking> {
        let Follow::Limit { due, .. } = self.follow else {
            return None;
        };
        if !terms.works(now) {
            return None;
        }
        let mut missed = self.ahead(terms, &self.clock);
        missed.retain(|ahead| ahead.at <= now);
        let present = missed.pop()?;

        let measures = self.measures(terms, &self.clock)?;
        let reading = self.clock.reading(&terms.working_time, now);
        let tell = |step, at, nobody| {
            let reason = reason(step, &measures, reading);
            let taken = StepTaken {
                step,
                to: if nobody {
                    Vec::new()
                } else {
                    step.to().to_vec()
                },
                group: self.group.clone(),
                due,
                reason,
            };
            CaseEvent {
                case: self.case,
                at,
                department: self.department.clone(),
                what: told_as(taken),
            }
        };
        let limit = missed.iter().find(|m| m.step == FollowUpStep::Limit);
        let taking = Taking {
            step: present.step,
            missed: missed.iter().map(|m| m.step).collect(),
            late_by_working: terms.works_on(local_day(now)).between(present.at, now),
            overdue: limit.map(|limit| tell(FollowUpStep::Limit, limit.at, true)),
            event: tell(present.step, now, false),
        };
        let why = reason(present.step, &measures, reading);
        self.done.extend(missed.iter().map(|m| Done {
            step: m.step,
            planned: m.at,
            at: now,
            how: How::Missed,
        }));
        self.done.push(Done {
            step: present.step,
            planned: present.at,
            at: now,
            how: How::Taken(why),
        });
        Some(taking)
    }

    /// When to look at the plan again: when its next step is due or, when one is due already, the next working instant.
    /// `None` while nothing is going to be due.
    pub(crate) fn next(&self, terms: &Terms, now: Timestamp) -> Option<Timestamp> {
        let first = self.ahead(terms, &self.clock).into_iter().next()?;
        if first.at > now {
            Some(first.at)
        } else {
            terms.next_work(now)
        }
    }

    /// The steps to come, the next one first, as `clock` goes; none while it stands.
    pub(super) fn ahead(&self, terms: &Terms, clock: &CaseClock) -> Vec<Ahead> {
        let mut ahead = Vec::new();
        let (None, Some((since, shown))) = (&self.ended, clock.going()) else {
            return ahead;
        };
        let (mut at, mut reading) = (since, shown);
        for (step, offset) in self.offsets(terms, clock) {
            if self.done.iter().any(|done| done.step == step) {
                continue;
            }
            // From step to step rather than from the beginning each time: the days between are walked once.
            let mut passes = terms.working_time.add(at, offset - reading);
            // The clock may show so much already when the promised time has not come: nobody works in between.
            if let (FollowUpStep::Promised, Some(promise)) = (step, &self.promise) {
                passes = passes.map(|at| at.max(promise.promised));
            }
            let Some((passes, working)) = passes.and_then(|at| Some((at, terms.next_work(at)?)))
            else {
                break;
            };
            ahead.push(Ahead { step, at: working });
            (at, reading) = (passes, reading.max(offset));
        }
        ahead
    }

    /// Where the plan's steps lie on the case's clock, ascending; also those that are behind.
    fn offsets(&self, terms: &Terms, clock: &CaseClock) -> Vec<(FollowUpStep, SignedDuration)> {
        let Some(measures) = self.measures(terms, clock) else {
            return Vec::new();
        };
        let limit = measures.limit;
        let mut offsets = vec![(FollowUpStep::Limit, limit)];
        if !measures.promised_after_share() {
            offsets.push((FollowUpStep::Share, measures.share_of_limit()));
        }
        // One that falls together with the limit is told of with it.
        if let Some((promise, _)) = measures.promise.filter(|(promise, _)| *promise != limit) {
            offsets.push((FollowUpStep::Promised, promise));
        }
        let base = measures.base();
        offsets.push((
            FollowUpStep::ContactPerson,
            base + terms.steps.contact_person_after_working_hours.duration(),
        ));
        offsets.push((
            FollowUpStep::Heads,
            base + terms.steps.heads_after_working_hours.duration(),
        ));
        offsets.sort_by_key(|(step, offset)| (*offset, *step));
        offsets
    }

    /// What the steps are measured by; `None` where the case is not followed up.
    pub(super) fn measures(&self, terms: &Terms, clock: &CaseClock) -> Option<Measures> {
        let Follow::Limit { length, .. } = self.follow else {
            return None;
        };
        Some(Measures {
            limit: length,
            promise: self.promise.as_ref().map(|promise| {
                let reading = clock.reading(&terms.working_time, promise.promised);
                (reading, promise.promised)
            }),
            steps: terms.steps,
        })
    }
}

/// The event that tells of a step.
fn told_as(taken: StepTaken) -> CaseWhat {
    match taken.step {
        FollowUpStep::Share | FollowUpStep::Promised => CaseWhat::Reminded(taken),
        FollowUpStep::Limit => CaseWhat::Overdue(taken),
        FollowUpStep::ContactPerson | FollowUpStep::Heads => CaseWhat::Escalated(taken),
    }
}
