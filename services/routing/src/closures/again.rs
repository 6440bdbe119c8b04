//! Dead letters that are closures, sent again: settled as if they had just come, by the department that sent them, and answered
//! on the bus where they came over the bus. What came by webhook has nobody waiting for an answer any more.

use domain::{ClosureAnswer, ClosureResult};
use platform::{
    database::{is_duplicate, refuses_data},
    dead_letters::{self, Again, Letter},
};

use super::settle::{Sender, Sent};
use crate::Desk;

/// Another way may bring the same closure at the same moment; the next attempt knows it.
const ATTEMPTS: usize = 3;

/// Settles a closure that could not be read, with the program as it is now.
///
/// It has no effect twice: what the department has mended and sent meanwhile is known by its id, and a case that is closed
/// already stays as it is.
///
/// # Errors
/// When the database fails.
pub(crate) async fn send_again(desk: &Desk, letter: &Letter) -> anyhow::Result<Again> {
    let Some(sender) = Sender::of(letter) else {
        let reason = "its subject names no department whose closure it is";
        return Ok(Again::Refused(reason.to_owned()));
    };
    let mut attempt = 1;
    loop {
        match settle(desk, &sender, letter.id).await {
            Err(error) if is_duplicate(&error) && attempt < ATTEMPTS => attempt += 1,
            Err(error) if refuses_data(&error) => {
                let reason = "the database refuses what it asks for";
                return Ok(Again::Refused(reason.to_owned()));
            }
            done => return Ok(done?),
        }
    }
}

async fn settle(desk: &Desk, sender: &Sender, id: i64) -> Result<Again, sqlx::Error> {
    let mut transaction = desk.pool.begin().await?;
    let Some(payload) = dead_letters::take(&mut transaction, id).await? else {
        return Ok(Again::Unknown);
    };
    let sent = [Sent::new(payload.into(), None)];
    // What is taken is put back: the transaction is not committed.
    if let Err(unreadable) = &sent[0].read {
        return Ok(Again::Refused(unreadable.reason()));
    }
    let settled = sender.settle(desk, &mut transaction, &sent, None).await?;
    transaction.commit().await?;
    desk.wake();
    sender.settled(desk, &sent, &settled);
    Ok(Again::Applied(settled.answers.first().map(in_words)))
}

/// Its result, and why. Holds nothing that the closure says.
fn in_words(answer: &ClosureAnswer) -> String {
    let result = match answer.result {
        ClosureResult::Accepted => "accepted",
        ClosureResult::AlreadyClosed => "already closed",
        ClosureResult::Refused => "refused",
    };
    format!("{result}, {}", answer.why.english)
}
