//! Takes the steps whose time has come. Each is one transaction with its event and its mails.

mod heads_late;
mod turn;

use std::time::Duration;

use platform::{database::Kept, lease::Leading};

use crate::{Desk, store};
use turn::Turn;

/// Before something that failed is tried again, in real time.
const AGAIN: Duration = Duration::from_millis(500);
/// Before plans that somebody else is changing are looked at again, in real time.
const BUSY: Duration = Duration::from_millis(50);
/// How long plans that another process has changed may go unnoticed, in real time: only what a person sends again is.
const MISSED: Duration = Duration::from_secs(30);

/// Runs until the lease ends. It sleeps until the next step is due, or until a plan has changed.
pub(crate) async fn run(desk: Desk, leading: Leading) {
    let mut kept = Kept::new(desk.fenced.clone());
    let mut failing = false;
    while !leading.ended().is_cancelled() {
        let wait = match sweep(&desk, &leading, &mut kept).await {
            Ok(wait) => {
                failing = false;
                wait
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) && !leading.ended().is_cancelled() {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "cannot take steps whose time has come; trying again"
                    );
                }
                Wait::For(AGAIN)
            }
        };
        let passed = async {
            match wait {
                Wait::For(time) => tokio::time::sleep(time).await,
                Wait::Until(at) => desk.clock.sleep_until(at).await,
                Wait::Change => std::future::pending().await,
            }
        };
        tokio::select! {
            () = passed => {}
            () = tokio::time::sleep(MISSED) => {}
            () = desk.changed.notified() => {}
            () = leading.ended().cancelled() => {}
        }
    }
}

/// What is waited for, unless a plan changes before.
enum Wait {
    For(Duration),
    Until(jiff::Timestamp),
    Change,
}

/// Takes every step that is due.
async fn sweep(desk: &Desk, leading: &Leading, kept: &mut Kept) -> anyhow::Result<Wait> {
    let mut connection = kept.take().await?;
    let wait = loop {
        if leading.ended().is_cancelled() {
            break Wait::Change;
        }
        match turn::turn(desk, leading, &mut connection).await? {
            Turn::Done => desk.wake(),
            Turn::Busy => break Wait::For(BUSY),
            Turn::Idle => {
                let list = heads_late::send(desk, leading, &mut connection).await?;
                let next = store::next_look(&mut *connection).await?;
                let first = next.into_iter().chain(list).min();
                break first.map_or(Wait::Change, Wait::Until);
            }
        }
    };
    kept.put(connection);
    Ok(wait)
}
