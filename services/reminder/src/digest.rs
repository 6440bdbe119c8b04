//! Digests: each working morning the guides' list of forwarded cases that became late, each week the contact persons' lists.
//! Quiet where there is nothing; each sent once, in the transaction with its mail.

mod schedule;

use std::time::Duration;

use domain::{Agreements, Department, DepartmentAgreement, WorkingTime, local_day};
use jiff::{Timestamp, civil::Date};
use platform::{
    lease::Leading,
    mail::{self, Mail},
};
use sqlx::{Connection, PgConnection};

use crate::{
    Desk,
    mails::{self, Listing},
    people,
    store::{self, Which},
};

/// How long agreements that change may go unnoticed, in real time.
const EACH: Duration = Duration::from_secs(30);
/// Before something that failed, or had nothing to go by, is tried again, in real time.
const AGAIN: Duration = Duration::from_secs(1);
/// Cases in one list at the most.
const MOST: i64 = 500;

/// Runs until the lease ends.
pub(crate) async fn run(desk: Desk, leading: Leading) {
    let mut failing = false;
    while !leading.ended().is_cancelled() {
        let now = desk.clock.now();
        let (next, wait) = match send(&desk, &leading, now).await {
            Ok(next) => {
                failing = false;
                // Without any agreements nothing is due; the first may be here in a moment.
                (next, if next.is_some() { EACH } else { AGAIN })
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) && !leading.ended().is_cancelled() {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "cannot send digests; trying again"
                    );
                }
                (None, AGAIN)
            }
        };
        let due = async {
            match next {
                Some(next) => desk.clock.sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = tokio::time::sleep(wait) => {}
            () = leading.ended().cancelled() => {}
        }
    }
}

/// Sends what is due and has not been sent, and tells when something is due next.
async fn send(desk: &Desk, leading: &Leading, now: Timestamp) -> anyhow::Result<Option<Timestamp>> {
    let mut connection = desk.fenced.acquire().await?;
    let versions = desk.versions.all(&mut connection).await?;
    let Some(agreements) = people::current(&versions, now) else {
        return Ok(None);
    };
    let office = office_hours(agreements);
    let mut next = schedule::next(&office, now);
    if schedule::morning(&office, now) {
        guides(desk, leading, &mut connection, agreements, now).await?;
    }
    for (department, agreed) in &agreements.departments {
        let working_time = agreements.working_time(department);
        next = next
            .into_iter()
            .chain(schedule::next(&working_time, now))
            .min();
        if let Some(meeting) = schedule::week(&working_time, agreed.meeting, now) {
            let of = (department, agreed, meeting);
            contact_person(desk, leading, &mut connection, of, now).await?;
        }
    }
    Ok(next)
}

fn office_hours(agreements: &Agreements) -> WorkingTime {
    WorkingTime {
        hours: agreements.hours.clone(),
        closures: agreements.closures.clone(),
    }
}

async fn guides(
    desk: &Desk,
    leading: &Leading,
    connection: &mut PgConnection,
    agreements: &Agreements,
    now: Timestamp,
) -> anyhow::Result<()> {
    let day = local_day(now);
    if store::was_sent(&mut *connection, "guides", "", day).await? {
        return Ok(());
    }
    let which = Which {
        due_after: store::digest_before(&mut *connection, "guides", "", day).await?,
        due_by: Some(now),
        going: true,
        ..Which::default()
    };
    let late = listing(connection, &which).await?;
    let mail = people::guides(agreements)
        .filter(|_| !late.cases.is_empty())
        .map(|to| mails::of_guides(agreements, day, &late, to));
    once(desk, leading, connection, ("guides", "", day), mail, now).await
}

async fn contact_person(
    desk: &Desk,
    leading: &Leading,
    connection: &mut PgConnection,
    (department, agreed, day): (&Department, &DepartmentAgreement, Date),
    now: Timestamp,
) -> anyhow::Result<()> {
    let kind = ("contact_person", department.as_str(), day);
    if store::was_sent(&mut *connection, kind.0, kind.1, day).await? {
        return Ok(());
    }
    let which = Which {
        department: Some(department.clone()),
        ..Which::default()
    };
    let open = listing(connection, &which).await?;
    let of = (department, agreed.name.as_str());
    let mail = people::of(&agreed.contact_person)
        .filter(|_| !open.cases.is_empty())
        .map(|to| mails::of_contact_person(of, day, &open, now, to));
    once(desk, leading, connection, kind, mail, now).await
}

async fn listing(connection: &mut PgConnection, which: &Which) -> Result<Listing, sqlx::Error> {
    let mut cases = store::list(connection, which, MOST + 1).await?;
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let more = cases.len() > most;
    cases.truncate(most);
    Ok(Listing { cases, more })
}

/// Marks a digest as sent and queues its mail, unless somebody has.
async fn once(
    desk: &Desk,
    leading: &Leading,
    connection: &mut PgConnection,
    (kind, of, day): (&str, &str, Date),
    mail: Option<Mail>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let mut transaction = connection.begin().await?;
    leading.check(&mut transaction).await?;
    if store::mark_digest(&mut *transaction, kind, of, day, now).await? {
        let mails: Vec<Mail> = mail.into_iter().collect();
        mail::enqueue(&mut transaction, &mails, now).await?;
    }
    transaction.commit().await?;
    desk.wake();
    Ok(())
}
