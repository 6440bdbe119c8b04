//! The copy of routing's agreements, and the plans that follow a new version of them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{AgreementsAnswer, AgreementsRequest, AgreementsVersion};
use jiff::Timestamp;
use platform::{bus, lease::Leading};
use sqlx::{Connection, PgConnection};
use tokio::sync::Notify;

use crate::{
    Desk,
    people::terms_of,
    rules::Plan,
    store::{self, Listed},
};

/// How often routing is asked for the next version, in real time.
const EACH: Duration = Duration::from_secs(2);
/// Plans that are gone through in one transaction.
const CHUNK: i64 = 500;

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

/// Copies every version as it comes, until the lease ends, and lets the plans follow it. While routing is away nothing is
/// missed: versions are only added.
pub(crate) async fn copy(desk: Desk, leading: Leading) {
    let mut failing = false;
    while !leading.ended().is_cancelled() {
        let copied = match next(&desk, &leading).await {
            Ok(true) => continue,
            copied => copied.map(drop),
        };
        // What is here is followed also while routing is away.
        match follow(&desk, &leading).await.and(copied) {
            Ok(()) => failing = false,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) && !leading.ended().is_cancelled() {
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

/// After a new version, works out anew when each open plan is looked at again: its steps wait for hours in which somebody is
/// there by the version in force. Begun again where it was interrupted.
async fn follow(desk: &Desk, leading: &Leading) -> anyhow::Result<()> {
    let mut connection = desk.fenced.acquire().await?;
    let Some(version) = store::unfollowed_version(&mut *connection).await? else {
        return Ok(());
    };
    let versions = desk.versions.all(&mut connection).await?;
    let mut after = None;
    loop {
        let mut transaction = connection.begin().await?;
        leading.check(&mut transaction).await?;
        let open = store::open_plans_for_update(&mut transaction, after, CHUNK).await?;
        let Some(last) = open.last() else {
            store::plans_follow(&mut *transaction, version).await?;
            transaction.commit().await?;
            return Ok(());
        };
        after = Some(last.plan.case());
        let now = desk.clock.now();
        let next = |listed: &Listed| listed.plan.next(&terms_of(&versions, &listed.plan), now);
        let moved: Vec<(&Plan, Option<Timestamp>)> = open
            .iter()
            .map(|listed| (listed, next(listed)))
            .filter(|(listed, next)| listed.next_at != *next)
            .map(|(listed, next)| (&listed.plan, next))
            .collect();
        store::save_plans(&mut transaction, &moved).await?;
        transaction.commit().await?;
        desk.changed.notify_one();
    }
}
