//! `case.*.*`: facts and sums of cases.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    CaseCell, CaseEvent, CaseFacts, CaseId, CaseSums, CaseWhat, FollowUpStep, ForwardedFacts,
};
use platform::consumer::{Apply, Failure};
use sqlx::PgConnection;

use crate::store::{cases, forwarded};

#[derive(Debug)]
pub(crate) struct Cases;

impl Apply for Cases {
    type Event = CaseEvent;

    async fn apply(
        &self,
        connection: &mut PgConnection,
        events: &[&CaseEvent],
    ) -> Result<(), Failure> {
        // Each of the two is told of a case by one service: what a department does must not decide under which department
        // a case was registered, just because it was heard of first.
        let registered: Vec<&CaseEvent> = events
            .iter()
            .copied()
            .filter(|e| is_the_centres(e))
            .collect();
        at_the_centre(connection, &registered).await?;
        let forwarded: Vec<&CaseEvent> = events
            .iter()
            .copied()
            .filter(|e| ForwardedFacts::concern(e))
            .collect();
        at_departments(connection, &forwarded).await?;
        Ok(())
    }
}

/// Whether it is told by the centre, of a case as it was registered.
fn is_the_centres(event: &CaseEvent) -> bool {
    matches!(
        event.what,
        CaseWhat::Registered { .. }
            | CaseWhat::Resolved
            | CaseWhat::RepeatContact
            | CaseWhat::ForwardRequested { .. }
    )
}

fn ids(events: &[&CaseEvent]) -> BTreeSet<CaseId> {
    events.iter().map(|e| e.case).collect()
}

async fn at_the_centre(
    connection: &mut PgConnection,
    events: &[&CaseEvent],
) -> Result<(), sqlx::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let before = cases::load(connection, &ids(events)).await?;
    let mut after = before.clone();
    for event in events {
        let facts = after
            .entry(event.case)
            .or_insert_with(|| CaseFacts::new(event.department.clone()));
        facts.apply(event);
    }
    after.retain(|id, facts| before.get(id) != Some(facts));

    let mut sums: HashMap<CaseCell, CaseSums> = HashMap::new();
    for (id, facts) in &after {
        for (cell, old) in before.get(id).map(CaseFacts::counted).unwrap_or_default() {
            sums.entry(cell).or_default().add(&old, -1);
        }
        for (cell, new) in facts.counted() {
            sums.entry(cell).or_default().add(&new, 1);
        }
    }
    cases::save(connection, &after).await?;
    cases::add(connection, &sums).await
}

async fn at_departments(
    connection: &mut PgConnection,
    events: &[&CaseEvent],
) -> Result<(), sqlx::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let before = forwarded::load(connection, &ids(events)).await?;
    let mut after = before.clone();
    for event in events {
        after.entry(event.case).or_default().apply(event);
    }
    after.retain(|id, facts| before.get(id) != Some(facts));

    let mut steps: BTreeMap<FollowUpStep, i64> = BTreeMap::new();
    for (id, facts) in &after {
        for step in before.get(id).iter().flat_map(|old| old.followed_up()) {
            *steps.entry(step).or_default() -= 1;
        }
        for step in facts.followed_up() {
            *steps.entry(step).or_default() += 1;
        }
    }
    steps.retain(|_, taken| *taken != 0);
    forwarded::save(connection, &after).await?;
    forwarded::add(connection, &steps).await
}
