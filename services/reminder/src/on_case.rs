//! `case.*.*`: what routing tells of cases becomes their plans. What intake tells is before that; what reminder told itself it
//! knows.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use domain::{AgreementsVersion, CaseEvent, CaseId, CaseWhat, numbered};
use jiff::Timestamp;
use platform::{
    consumer::{Apply, Failure},
    lease::Leading,
};
use sqlx::PgConnection;

use crate::{
    Desk,
    people::{terms, terms_of},
    rules::Plan,
    store,
};

/// A version that was applied just now is here in a moment: so often and so long it is waited for, in real time, before that
/// counts as a failure.
const TRIES: u32 = 30;
const BETWEEN: Duration = Duration::from_millis(50);

pub(crate) struct Cases {
    pub(crate) desk: Desk,
    /// `None` where a dead letter is sent again by hand: the rows of its plans are locked, and it takes no steps.
    pub(crate) leading: Option<Leading>,
}

impl Apply for Cases {
    type Event = CaseEvent;

    async fn apply(
        &self,
        connection: &mut PgConnection,
        events: &[&CaseEvent],
    ) -> Result<(), Failure> {
        if let Some(leading) = &self.leading {
            leading.check(connection).await?;
        }
        let events: Vec<&CaseEvent> = events.iter().copied().filter(|e| concerns(e)).collect();
        if events.is_empty() {
            return Ok(());
        }
        let mut versions = self.desk.versions.all(connection).await?;
        let mut tries = 0;
        while let Some(missing) = missing(&versions, &events) {
            self.desk.versions.want();
            tries += 1;
            if tries > TRIES {
                // Nobody guesses when a case is due to be told of. What has been told waits on the bus.
                return Err(Failure::Retry(anyhow::anyhow!(
                    "version {missing} of the agreements is not here yet; routing hands it out"
                )));
            }
            tokio::time::sleep(BETWEEN).await;
            versions = self.desk.versions.all(connection).await?;
        }
        let ids: BTreeSet<CaseId> = events.iter().map(|e| e.case).collect();
        let ids: Vec<CaseId> = ids.into_iter().collect();
        let mut plans = store::plans_for_update(connection, &ids).await?;
        let mut changed = BTreeSet::new();
        for event in &events {
            if fold(&mut plans, event, &versions) {
                changed.insert(event.case);
            }
        }
        let now = self.desk.clock.now();
        let changed: Vec<(&Plan, Option<Timestamp>)> = changed
            .iter()
            .filter_map(|case| plans.get(case))
            .map(|plan| (plan, plan.next(&terms_of(&versions, plan), now)))
            .collect();
        store::save_plans(connection, &changed).await?;
        store::add_happened(connection, &events).await?;
        Ok(())
    }

    fn applied(&self) {
        self.desk.changed.notify_one();
    }
}

fn concerns(event: &CaseEvent) -> bool {
    match event.what {
        CaseWhat::Forwarded(_)
        | CaseWhat::Taken
        | CaseWhat::Paused { .. }
        | CaseWhat::Resumed { .. }
        | CaseWhat::Bounced(_)
        | CaseWhat::Promised(_)
        | CaseWhat::Closed(_) => true,
        CaseWhat::Registered { .. }
        | CaseWhat::Resolved
        | CaseWhat::RepeatContact
        | CaseWhat::ForwardRequested { .. }
        | CaseWhat::Reminded(_)
        | CaseWhat::Overdue(_)
        | CaseWhat::Escalated(_) => false,
    }
}

/// A version that a case is bound to, and that has not been copied.
fn missing(versions: &[AgreementsVersion], events: &[&CaseEvent]) -> Option<i64> {
    events.iter().find_map(|event| match &event.what {
        CaseWhat::Forwarded(forwarding) => forwarding
            .agreement
            .filter(|version| numbered(versions, *version).is_none()),
        _ => None,
    })
}

/// Whether a plan is new or other than before.
fn fold(
    plans: &mut HashMap<CaseId, Plan>,
    event: &CaseEvent,
    versions: &[AgreementsVersion],
) -> bool {
    let old = plans.get(&event.case);
    let CaseWhat::Forwarded(forwarding) = &event.what else {
        let Some(plan) = plans.get_mut(&event.case) else {
            return false;
        };
        let terms = terms_of(versions, plan);
        return plan.apply(event, &terms);
    };
    // Routing's changes of a case are each later than the last, so this is its forwarding, or an earlier one, told again.
    if old.is_some_and(|old| event.at <= old.forwarded_at()) {
        return false;
    }
    let then = forwarding.registered_at;
    let place = (&event.department, &forwarding.case_type, &forwarding.group);
    let terms = terms(versions, forwarding.agreement, then, place);
    let mut plan = Plan::forwarded(event, forwarding, &terms);
    if let Some(old) = old {
        plan = plan.after(old, &terms_of(versions, old));
    }
    plans.insert(event.case, plan);
    true
}
