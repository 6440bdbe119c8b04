//! `case.*.*`: facts and sums of cases.

use std::collections::{BTreeSet, HashMap};

use domain::{CaseCell, CaseEvent, CaseFacts, CaseId, CaseSums};
use platform::consumer::{Apply, Failure};
use sqlx::PgConnection;

use crate::store::cases as store;

#[derive(Debug)]
pub(crate) struct Cases;

impl Apply for Cases {
    type Event = CaseEvent;

    async fn apply(
        &self,
        connection: &mut PgConnection,
        events: &[&CaseEvent],
    ) -> Result<(), Failure> {
        let ids: BTreeSet<CaseId> = events.iter().map(|e| e.case).collect();
        let before = store::load(connection, &ids).await?;
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
        store::save(connection, &after).await?;
        store::add(connection, &sums).await?;
        Ok(())
    }
}
