//! The copy of routing's agreements, and what they say of one case or one recipient.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{AgreementsAnswer, AgreementsRequest, AgreementsVersion};
use platform::{bus, lease::Leading};
use sqlx::{Connection, PgConnection};
use tokio::sync::Notify;

use crate::{Desk, store};

/// How often routing is asked for the next version, in real time.
const EACH: Duration = Duration::from_secs(2);

/// Every version that routing has handed out, kept in memory: they are few, never change, and every step needs one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Versions {
    known: Arc<Mutex<Arc<Vec<AgreementsVersion>>>>,
    /// Rung when one is missing.
    wanted: Arc<Notify>,
}

impl Versions {
    /// Every version that has been copied, in the order they were applied.
    pub(crate) async fn all(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Arc<Vec<AgreementsVersion>>, sqlx::Error> {
        let known = self.known();
        let last = known.last().map_or(0, |v| v.version);
        if store::latest_version(&mut *connection).await? == last {
            return Ok(known);
        }
        let mut all = known.to_vec();
        all.extend(store::versions_after(connection, last).await?);
        let all = Arc::new(all);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = all.clone();
        Ok(all)
    }

    /// Asks for the next version at once.
    pub(crate) fn want(&self) {
        self.wanted.notify_one();
    }

    fn known(&self) -> Arc<Vec<AgreementsVersion>> {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Copies every version as it comes, until the lease ends. While routing is away nothing is missed: versions are only added.
pub(crate) async fn copy(desk: Desk, leading: Leading) {
    let mut failing = false;
    while !leading.ended().is_cancelled() {
        match next(&desk, &leading).await {
            Ok(true) => continue,
            Ok(false) => failing = false,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "cannot copy the agreements; trying again"
                    );
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EACH) => {}
            () = desk.versions.wanted.notified() => {
                // A version that routing cannot hand out yet would be asked for again at once.
                tokio::time::sleep(EACH / 20).await;
            }
            () = leading.ended().cancelled() => {}
        }
    }
}

/// Copies the next version; false when there is none.
async fn next(desk: &Desk, leading: &Leading) -> anyhow::Result<bool> {
    let mut connection = desk.fenced.acquire().await?;
    let after = store::latest_version(&mut *connection).await?;
    let answer = bus::ask(&desk.bus, &AgreementsRequest { after }).await;
    let version = match answer {
        AgreementsAnswer::Next(version) => version,
        AgreementsAnswer::Latest => return Ok(false),
        AgreementsAnswer::Away => anyhow::bail!("routing is away, which hands them out"),
    };
    let mut transaction = connection.begin().await?;
    leading.check(&mut transaction).await?;
    store::add_version(&mut transaction, &version).await?;
    transaction.commit().await?;
    Ok(true)
}
