//! `case.*.*` from routing: how a case stands that is no longer intake's.

use domain::{CaseEvent, CaseId, CaseWhat};
use platform::consumer::{Apply, Failure};
use sqlx::PgConnection;

use crate::{rules::State, store};

pub(crate) struct Cases;

impl Apply for Cases {
    type Event = CaseEvent;

    async fn apply(
        &self,
        connection: &mut PgConnection,
        events: &[&CaseEvent],
    ) -> Result<(), Failure> {
        let states: Vec<(CaseId, State, jiff::Timestamp)> = events
            .iter()
            .filter_map(|event| {
                let state = match event.what {
                    CaseWhat::Forwarded(_) => State::Forwarded,
                    CaseWhat::Closed(_) => State::Closed,
                    _ => return None,
                };
                Some((event.case, state, event.at))
            })
            .collect();
        Ok(store::show_states(connection, &states).await?)
    }
}
