//! `contact.*.*`: facts and sums of contacts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{ContactCell, ContactEvent, ContactFacts, ContactId, ContactSums};
use platform::consumer::{Apply, Failure};
use sqlx::PgConnection;

use crate::store::contacts as store;

#[derive(Debug)]
pub(crate) struct Contacts;

impl Apply for Contacts {
    type Event = ContactEvent;

    async fn apply(
        &self,
        connection: &mut PgConnection,
        events: &[&ContactEvent],
    ) -> Result<(), Failure> {
        let ids: BTreeSet<ContactId> = events.iter().map(|e| e.contact).collect();
        let before = store::load(connection, &ids).await?;
        let mut after = before.clone();
        for event in events {
            after
                .entry(event.contact)
                .or_insert_with(|| ContactFacts::new(event))
                .apply(event);
        }
        after.retain(|id, facts| before.get(id) != Some(facts));
        let change = Change::between(&before, &after);
        store::save(connection, &after).await?;
        store::add(connection, &change.sums).await?;
        store::find_longest_again(connection, &change.removed).await?;
        Ok(())
    }
}

type Facts = HashMap<ContactId, ContactFacts>;

/// What changed facts change in the sums.
#[derive(Debug, Default)]
struct Change {
    sums: HashMap<ContactCell, ContactSums>,
    /// The longest wait taken out of each cell, ms. A maximum cannot be taken away from, so where that was it, the next
    /// longest is looked up.
    removed: BTreeMap<ContactCell, i64>,
}

impl Change {
    fn between(before: &Facts, after: &Facts) -> Self {
        let mut change = Self::default();
        for (id, facts) in after {
            let old = before.get(id).and_then(ContactFacts::counted);
            let new = facts.counted();
            if old == new {
                continue;
            }
            if let Some((cell, sums)) = &old {
                change.sums.entry(cell.clone()).or_default().add(sums, -1);
                let kept = new
                    .as_ref()
                    .is_some_and(|(c, s)| c == cell && s.longest_wait_ms >= sums.longest_wait_ms);
                if let Some(wait) = sums.longest_wait_ms.filter(|_| !kept) {
                    let removed = change.removed.entry(cell.clone()).or_insert(wait);
                    *removed = wait.max(*removed);
                }
            }
            if let Some((cell, sums)) = new {
                change.sums.entry(cell).or_default().add(&sums, 1);
            }
        }
        change
    }
}
