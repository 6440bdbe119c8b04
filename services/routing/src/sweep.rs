//! What nobody asks for: pauses that have lasted as long as they may, and cases that waited for agreements.

use std::time::Duration;

use domain::{CaseId, Words};
use platform::database::Kept;
use sqlx::Connection;
use tokio_util::sync::CancellationToken;

use crate::{
    Desk,
    ask::{Ask, ask},
    case::State,
    forward::forward,
    store,
    work::Work,
};

/// How often it looks, in real time; it is also woken when agreements are applied.
const EACH: Duration = Duration::from_secs(1);
/// Cases in one transaction at the most.
const MOST: i64 = 500;

/// Runs until `stop`. Failures of the database are waited out.
pub(crate) async fn run(desk: Desk, stop: CancellationToken) {
    let mut kept = Kept::new(desk.pool.clone());
    let mut failing = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EACH) => {}
            () = desk.applied.notified() => {}
        }
        match sweep(&desk, &mut kept).await {
            Ok(()) => failing = false,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(%error, "cannot look for cases whose time has come; trying again");
                }
            }
        }
    }
}

async fn sweep(desk: &Desk, kept: &mut Kept) -> Result<(), sqlx::Error> {
    let mut connection = kept.take().await?;
    loop {
        let mut ids: Vec<CaseId> =
            store::pauses_over(&mut *connection, desk.clock.now(), MOST).await?;
        if !desk.versions.all(&mut connection).await?.is_empty() {
            ids.extend(store::waiting(&mut *connection, MOST).await?);
        }
        if ids.is_empty() {
            kept.put(connection);
            return Ok(());
        }
        let mut transaction = connection.begin().await?;
        let mut work = Work::begin(desk, &mut transaction, &ids).await?;
        for id in ids {
            let Some(case) = work.cases.get(&id).cloned() else {
                continue;
            };
            match case.state {
                State::Paused if case.paused_until <= Some(work.now) => {
                    // It is paused, so it can go on.
                    let _ = ask(&mut work, id, "routing", Ask::Resume);
                }
                State::Centre if case.wanted => {
                    let department = case.about.clone();
                    let why = Words {
                        swedish: "väntade på överenskommelser".to_owned(),
                        english: "waited for agreements".to_owned(),
                    };
                    forward(&mut work, case, department, Some(why));
                }
                _ => {}
            }
        }
        work.save(&mut transaction).await?;
        transaction.commit().await?;
        desk.wake();
    }
}
