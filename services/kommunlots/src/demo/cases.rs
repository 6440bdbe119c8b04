//! The guides' work with cases, posted in its order.

use std::collections::HashMap;

use anyhow::Context;
use serde::Deserialize;

use super::api::Client;
use super::event::{CaseWork, Registration};

/// The ids of cases whose citizen comes back, by the contact they came in by.
#[derive(Default)]
pub(super) struct Cases(HashMap<String, String>);

#[derive(Deserialize)]
struct Registered {
    id: String,
}

impl Cases {
    pub(super) async fn post(&mut self, client: &Client, work: CaseWork) -> anyhow::Result<()> {
        match work {
            CaseWork::Register(registration) => self.register(client, *registration).await?,
            CaseWork::Repeat { of, by } => {
                // Unknown, if its registration was refused: that has been logged.
                if let Some(id) = self.0.remove(&of) {
                    take_step(client, &id, "repeat-contact", &by).await;
                }
            }
        }
        Ok(())
    }

    async fn register(&mut self, client: &Client, new: Registration) -> anyhow::Result<()> {
        let json = serde_json::to_string(&new.case)?;
        let key = format!("{}-register", new.reference);
        let Some(answer) = client.post("/intake/cases", json, key).await else {
            return Ok(());
        };
        let Registered { id } = serde_json::from_str(&answer)
            .context("the answer to a registration has no id, see the API's description")?;
        if new.resolved {
            take_step(client, &id, "resolve", &new.reference).await;
        }
        if new.comes_back {
            self.0.insert(new.reference, id);
        }
        Ok(())
    }
}

/// One step of a case's life, on behalf of a contact: its reference makes the idempotency key.
async fn take_step(client: &Client, id: &str, step: &str, reference: &str) {
    let path = format!("/intake/cases/{id}/{step}");
    let key = format!("{reference}-{step}");
    client.post(&path, "{}".to_owned(), key).await;
}
