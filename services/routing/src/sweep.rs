//! What nobody asks for: pauses that have lasted as long as they may, cases that waited for agreements, and what is weeded.

use std::time::Duration;

use domain::{CaseId, Words, start_of_day};
use jiff::{SignedDuration, Timestamp};
use platform::database::Kept;
use sqlx::Connection;
use tokio_util::sync::CancellationToken;

use crate::{
    Desk,
    ask::{Ask, ask},
    case::{Case, State},
    closures,
    forward::{To, forward},
    on_case::keep_from_centre,
    store, versions,
    work::Work,
};

/// How often it looks, in real time; it is also woken when agreements are applied.
const EACH: Duration = Duration::from_secs(1);
/// Cases in one transaction at the most.
const MOST: i64 = 500;

/// Between looks for what is to be weeded, by the product's clock.
const WEEDING: SignedDuration = SignedDuration::from_hours(1);

/// Runs until `stop`. Failures of the database are waited out.
pub(crate) async fn run(desk: Desk, stop: CancellationToken) {
    let mut kept = Kept::new(desk.pool.clone());
    let mut weeded = None;
    let mut failing = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EACH) => {}
            () = desk.applied.notified() => {}
        }
        match sweep(&desk, &mut kept, &mut weeded).await {
            Ok(()) => failing = false,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(%error, "cannot look for cases whose time has come; trying again");
                }
            }
        }
    }
}

async fn sweep(
    desk: &Desk,
    kept: &mut Kept,
    weeded: &mut Option<Timestamp>,
) -> Result<(), sqlx::Error> {
    let mut connection = kept.take().await?;
    let now = desk.clock.now();
    let lately = |at: Timestamp| now.duration_since(at) < WEEDING;
    if !weeded.is_some_and(lately) && !closures::weed(&mut connection, now).await? {
        *weeded = Some(now);
    }
    loop {
        let mut ids: Vec<CaseId> =
            store::pauses_over(&mut *connection, desk.clock.now(), MOST).await?;
        let versions = desk.versions.all(&mut connection).await?;
        // Of what was registered before the first day of any agreements, they say nothing.
        if let Some(first) = versions.iter().map(|v| v.valid_from).min() {
            let since = start_of_day(first).unwrap_or(Timestamp::MAX);
            ids.extend(store::waiting(&mut *connection, since, MOST).await?);
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
                    let to = To::Department(case.about.clone());
                    let why = Words {
                        swedish: "väntade på överenskommelser".to_owned(),
                        english: "waited for agreements".to_owned(),
                    };
                    forward(&mut work, case, to, vec![why]);
                }
                State::Centre if case.undecided => decide(&mut work, case),
                _ => {}
            }
        }
        work.save(&mut transaction).await?;
        transaction.commit().await?;
        desk.wake();
    }
}

/// Decides on a case that was registered when there were no agreements, by those that hold for its day.
fn decide(work: &mut Work<'_>, mut case: Case) {
    let versions = work.versions.clone();
    let Some(version) = versions::bound(&versions, case.registered_at) else {
        return;
    };
    let route = case.to_route(case.about.clone());
    if version.content.route(&route).must_forward {
        keep_from_centre(work, case);
    } else {
        case.undecided = false;
        case.agreement = Some(version.version);
        work.put(case);
    }
}
