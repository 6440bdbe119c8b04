//! Digests: each working morning the guides' list of forwarded cases that became late, each week the contact persons' lists.
//! Quiet where there is nothing; each sent once, in the transaction with its mail.

pub(crate) mod schedule;

use std::time::Duration;

use domain::{Agreements, Department, DepartmentAgreement, local_day};
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
    store::{self, DigestKind, Which},
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
    let office = agreements.office_time();
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

async fn guides(
    desk: &Desk,
    leading: &Leading,
    connection: &mut PgConnection,
    agreements: &Agreements,
    now: Timestamp,
) -> anyhow::Result<()> {
    let day = local_day(now);
    let list = List {
        kind: DigestKind::Guides,
        of: "",
        day,
    };
    if list.was_sent(&mut *connection).await? {
        return Ok(());
    }
    // By what has been told rather than by the time since the last list: what was paused meanwhile, heard of late, or did not
    // fit in, is told all the same, and once.
    let which = Which {
        late_at: Some(now),
        to_list: true,
        ..Which::default()
    };
    let late = listing(connection, &which).await?;
    let to = people::guides(agreements);
    let mail = |to| mails::of_guides(agreements, day, &late, to);
    list.send_once(desk, leading, connection, (&late, to.map(mail)), now)
        .await
}

async fn contact_person(
    desk: &Desk,
    leading: &Leading,
    connection: &mut PgConnection,
    (department, agreed, meeting): (&Department, &DepartmentAgreement, Date),
    now: Timestamp,
) -> anyhow::Result<()> {
    let list = List {
        kind: DigestKind::ContactPerson,
        of: department.as_str(),
        // Once a week, also when the meeting is moved within it.
        day: schedule::monday_of(meeting),
    };
    if list.was_sent(&mut *connection).await? {
        return Ok(());
    }
    let which = Which {
        department: Some(department.clone()),
        ..Which::default()
    };
    let open = listing(connection, &which).await?;
    let of = (department, agreed.name.as_str());
    let to = people::of(&agreed.contact_person);
    let mail = |to| mails::of_contact_person(of, meeting, &open, now, to);
    list.send_once(desk, leading, connection, (&open, to.map(mail)), now)
        .await
}

async fn listing(connection: &mut PgConnection, which: &Which) -> Result<Listing, sqlx::Error> {
    let mut cases = store::list(connection, which, MOST + 1).await?;
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let more = cases.len() > most;
    cases.truncate(most);
    Ok(Listing { cases, more })
}

/// A digest, by what it is sent once.
struct List<'a> {
    kind: DigestKind,
    /// The department of a contact person's; empty for the guides'.
    of: &'a str,
    day: Date,
}

impl List<'_> {
    async fn was_sent(&self, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
        store::was_sent(connection, self.kind, self.of, self.day).await
    }

    /// Marks it as sent, with what is in it, and queues its mail, unless somebody has. Nobody gets one with nothing in it.
    async fn send_once(
        &self,
        desk: &Desk,
        leading: &Leading,
        connection: &mut PgConnection,
        (listing, mail): (&Listing, Option<Mail>),
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let cases: &[_] = match &mail {
            Some(_) => &listing.cases,
            None => &[],
        };
        let mail = mail.filter(|_| !cases.is_empty());
        let mut transaction = connection.begin().await?;
        leading.check(&mut transaction).await?;
        let (kind, of, day) = (self.kind, self.of, self.day);
        let first =
            store::mark_digest(&mut *transaction, kind, of, day, (now, cases.len())).await?;
        if first {
            if kind == DigestKind::Guides {
                store::mark_listed(&mut transaction, cases).await?;
            }
            mail::enqueue(&mut transaction, mail.as_slice(), now).await?;
        }
        transaction.commit().await?;
        if first && cases.len() < listing.cases.len() {
            tracing::warn!(
                list = kind.as_str(),
                department = of,
                cases = listing.cases.len(),
                "a list of cases is sent to nobody: whom it is for has no address that mail can be sent to; mend the agreements"
            );
        }
        desk.wake();
        Ok(())
    }
}
