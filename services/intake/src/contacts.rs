//! The writer of `CONTACTS`: contacts, their events, and the place in a live queue_log, in one transaction.

use std::collections::{HashMap, HashSet};

use domain::{ContactEvent, ContactId, ContactWhat, Event, EventId, Streamed};
use jiff::Timestamp;
use platform::{
    database::is_duplicate,
    event_log::{self, NewEvent},
    meters,
};
use sqlx::{PgConnection, PgPool};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    Source,
    input::Told,
    store::{self, ContactRow, Place},
    writer::{Write, Writer},
};

/// What is told of contacts, together.
#[derive(Debug, Default)]
pub(crate) struct Job {
    /// The events, each with the name its system gave the contact.
    pub(crate) told: Vec<Told>,
    /// Restarts of a PBX, by its name.
    pub(crate) restarts: Vec<(String, Timestamp)>,
    /// How far the log they come from has been read.
    pub(crate) place: Option<Place>,
    /// What caused it.
    pub(crate) traceparent: Option<String>,
}

/// How many events were new, and how many had been told before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) taken: usize,
    pub(crate) known: usize,
}

pub(crate) type ContactWriter = Writer<Contacts>;

pub(crate) struct Contacts {
    source: Source,
}

pub(crate) fn start(
    pool: PgPool,
    source: Source,
    tasks: &mut JoinSet<anyhow::Result<()>>,
    stop: &CancellationToken,
) -> ContactWriter {
    Writer::start(Contacts { source }, pool, tasks, stop)
}

impl Write for Contacts {
    type Job = Job;
    type Reply = Counts;

    fn events(job: &Job) -> usize {
        job.told.len().max(1)
    }

    async fn commit(
        &self,
        connection: &mut PgConnection,
        jobs: &[Job],
    ) -> Result<Vec<Counts>, sqlx::Error> {
        let mut events = Vec::new();
        let mut first = HashSet::new();
        let mut rows: HashMap<ContactId, ContactRow<'_>> = HashMap::new();
        for job in jobs {
            for told in &job.told {
                rows.entry(told.event.contact)
                    .or_insert_with(|| ContactRow::new(told))
                    .add(&told.event);
                let event = new_event(&told.event, job.traceparent.as_deref())?;
                if first.insert(event.id()) {
                    events.push(event);
                }
            }
        }
        let mut rows: Vec<_> = rows.into_values().collect();
        // Another replica may be told of the same contacts at this moment: in one order, neither waits for a row while the
        // other waits for one of its.
        rows.sort_unstable_by_key(ContactRow::id);
        let mut added = match self
            .write(connection, jobs, &rows, &events, Known::None)
            .await
        {
            Err(error) if is_duplicate(&error) => {
                self.write(connection, jobs, &rows, &events, Known::Some)
                    .await?
            }
            added => added?,
        };

        self.source.wake.notify_one();
        meters::COMMITTED
            .with_label_values(&[ContactEvent::STREAM.name()])
            .inc_by(added.len() as u64);
        // An event told twice in one commit is new the first time.
        let count = |job: &Job| {
            let taken = job
                .told
                .iter()
                .filter(|told| added.remove(&told.event.id()))
                .count();
            Counts {
                taken,
                known: job.told.len() - taken,
            }
        };
        Ok(jobs.iter().map(count).collect())
    }
}

/// Whether some of the events, or the contacts that come, may have been told of before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    None,
    Some,
}

impl Contacts {
    /// Writes all of it in one transaction, and returns the ids of the events that were new.
    async fn write(
        &self,
        connection: &mut PgConnection,
        jobs: &[Job],
        rows: &[ContactRow<'_>],
        events: &[NewEvent],
        known: Known,
    ) -> Result<HashSet<EventId>, sqlx::Error> {
        let source = &self.source.name;
        let mut transaction = event_log::begin(connection, source).await?;
        // Where the events are new, so are those who come; if not, all of it is done again.
        if known == Known::None && rows.iter().all(ContactRow::comes) {
            store::insert_contacts(&mut transaction, rows).await?;
        } else {
            store::merge_contacts(&mut transaction, rows).await?;
        }
        let mut lost = Vec::new();
        for job in jobs {
            for (system, at) in &job.restarts {
                for event in store::lose_waiting(&mut transaction, system, *at).await? {
                    lost.push(new_event(&event, job.traceparent.as_deref())?);
                }
            }
            if let Some(place) = &job.place {
                store::save_place(&mut transaction, place).await?;
            }
        }
        let mut added = match known {
            Known::Some => event_log::append_unknown(&mut transaction, source, events).await?,
            Known::None => {
                event_log::append(&mut transaction, source, events).await?;
                events.iter().map(NewEvent::id).collect()
            }
        };
        added.extend(event_log::append_unknown(&mut transaction, source, &lost).await?);
        transaction.commit().await?;
        Ok(added)
    }
}

fn new_event(event: &ContactEvent, traceparent: Option<&str>) -> Result<NewEvent, sqlx::Error> {
    NewEvent::new(event, traceparent.map(str::to_owned))
        .map_err(|e| sqlx::Error::Encode(Box::new(e)))
}

/// That a contact is lost.
pub(crate) fn lost(
    contact: ContactId,
    at: Timestamp,
    channel: domain::Channel,
    queue: domain::QueueName,
) -> ContactEvent {
    ContactEvent {
        contact,
        at,
        channel,
        queue,
        department: None,
        what: ContactWhat::Lost,
    }
}
