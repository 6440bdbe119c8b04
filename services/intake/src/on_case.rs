//! `case.*.*` from routing and reminder: how a case stands that is no longer intake's, and what its citizen is told of it.

use std::{collections::BTreeSet, sync::Arc};

use domain::{CaseEvent, CaseId, CaseWhat};
use jiff::Timestamp;
use platform::{
    Clock,
    consumer::{Apply, Failure},
    mail,
};
use sqlx::PgConnection;
use tokio::sync::Notify;

use crate::{citizen, rules::State, store};

#[derive(Clone)]
pub(crate) struct Cases {
    pub(crate) clock: Clock,
    /// Rung after every commit: the mailer.
    pub(crate) wake: Arc<Notify>,
}

impl Apply for Cases {
    type Event = CaseEvent;

    async fn apply(
        &self,
        connection: &mut PgConnection,
        events: &[&CaseEvent],
    ) -> Result<(), Failure> {
        let told: BTreeSet<CaseId> = events
            .iter()
            .filter(|event| citizen::concerns(event))
            .map(|event| event.case)
            .collect();
        // As they stood before these events.
        let mut asked = store::to_be_told(connection, &told).await?;
        let mut mails = Vec::new();
        for event in events {
            if let Some(case) = asked.get_mut(&event.case) {
                mails.extend(citizen::tell(case, event));
            }
        }
        let states: Vec<(CaseId, State, Timestamp)> = events
            .iter()
            .filter_map(|event| Some((event.case, state_after(&event.what)?, event.at)))
            .collect();
        store::show_states(connection, &states).await?;
        mail::enqueue(connection, &mails, self.clock.now()).await?;
        Ok(())
    }

    fn applied(&self) {
        self.wake.notify_one();
    }
}

fn state_after(what: &CaseWhat) -> Option<State> {
    match what {
        CaseWhat::Forwarded(_) => Some(State::Forwarded),
        CaseWhat::Closed(_) => Some(State::Closed),
        _ => None,
    }
}
