//! SQL of contacts.

use domain::{Channel, ContactEvent, ContactId, ContactWhat, Pseudonyms, QueueName};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as Sql, ToSqlx};
use sqlx::{PgConnection, PgPool};

use crate::{contacts::lost, input::Told};

/// What this installation derives contact ids with.
pub(crate) async fn pseudonyms(pool: &PgPool) -> Result<Pseudonyms, sqlx::Error> {
    sqlx::query_scalar("SELECT pseudonyms FROM installation")
        .fetch_one(pool)
        .await
        .map(Pseudonyms)
}

/// What one commit knows of a contact.
#[derive(Debug)]
pub(crate) struct ContactRow<'a> {
    told: &'a Told,
    first_queued: Option<Timestamp>,
    last_queued: Option<Timestamp>,
    answered: Option<Timestamp>,
    left: Option<Timestamp>,
    ended: Option<Timestamp>,
}

impl<'a> ContactRow<'a> {
    pub(crate) fn new(told: &'a Told) -> Self {
        Self {
            told,
            first_queued: None,
            last_queued: None,
            answered: None,
            left: None,
            ended: None,
        }
    }

    /// Whose row it is.
    pub(crate) fn id(&self) -> ContactId {
        self.told.event.contact
    }

    /// Whether it is told here that it came: then it is hardly ever known already.
    pub(crate) fn comes(&self) -> bool {
        self.first_queued.is_some()
    }

    /// Earliest and latest, as the database merges them with what it has.
    pub(crate) fn add(&mut self, event: &ContactEvent) {
        let at = Some(event.at);
        let earliest = |known: Option<Timestamp>| known.map_or(at, |k| at.min(Some(k)));
        match event.what {
            ContactWhat::Queued => {
                self.first_queued = earliest(self.first_queued);
                self.last_queued = self.last_queued.max(at);
            }
            ContactWhat::Answered { .. } => self.answered = earliest(self.answered),
            ContactWhat::Abandoned { .. } | ContactWhat::TurnedAway { .. } | ContactWhat::Lost => {
                self.left = self.left.max(at);
            }
            ContactWhat::Ended => self.ended = self.ended.max(at),
        }
    }
}

/// Inserts contacts that are not known yet, which costs less than [`merge_contacts`].
///
/// # Errors
/// When the database fails, and [`is_duplicate`](platform::database::is_duplicate) when one of them is known.
pub(crate) async fn insert_contacts(
    connection: &mut PgConnection,
    rows: &[ContactRow<'_>],
) -> Result<(), sqlx::Error> {
    write(connection, rows, INSERT).await
}

/// Merges what is known of contacts. What is known already is not written again.
pub(crate) async fn merge_contacts(
    connection: &mut PgConnection,
    rows: &[ContactRow<'_>],
) -> Result<(), sqlx::Error> {
    write(connection, rows, MERGE).await
}

macro_rules! insert {
    () => {
        "INSERT INTO contact AS c
             (id, system, reference, channel, queue, first_queued, last_queued, answered_at, left_at, ended_at)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
                              $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[])"
    };
}

const INSERT: &str = insert!();

const MERGE: &str = concat!(
    insert!(),
    "ON CONFLICT (id) DO UPDATE SET
         first_queued = least(c.first_queued, excluded.first_queued),
         last_queued  = greatest(c.last_queued, excluded.last_queued),
         answered_at  = least(c.answered_at, excluded.answered_at),
         left_at      = greatest(c.left_at, excluded.left_at),
         ended_at     = greatest(c.ended_at, excluded.ended_at)
     WHERE (c.first_queued, c.last_queued, c.answered_at, c.left_at, c.ended_at) IS DISTINCT FROM
           (least(c.first_queued, excluded.first_queued), greatest(c.last_queued, excluded.last_queued),
            least(c.answered_at, excluded.answered_at), greatest(c.left_at, excluded.left_at),
            greatest(c.ended_at, excluded.ended_at))"
);

async fn write(
    connection: &mut PgConnection,
    rows: &[ContactRow<'_>],
    statement: &'static str,
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let times = |of: fn(&ContactRow<'_>) -> Option<Timestamp>| -> Vec<Option<Sql>> {
        rows.iter().map(|r| of(r).map(ToSqlx::to_sqlx)).collect()
    };
    sqlx::query(statement)
        .bind(
            rows.iter()
                .map(|r| r.told.event.contact.0)
                .collect::<Vec<_>>(),
        )
        .bind(
            rows.iter()
                .map(|r| r.told.system.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(
            rows.iter()
                .map(|r| r.told.reference.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(
            rows.iter()
                .map(|r| r.told.event.channel.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(
            rows.iter()
                .map(|r| r.told.event.queue.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(times(|r| r.first_queued))
        .bind(times(|r| r.last_queued))
        .bind(times(|r| r.answered))
        .bind(times(|r| r.left))
        .bind(times(|r| r.ended))
        .execute(connection)
        .await?;
    Ok(())
}

/// Loses the calls that waited in a PBX when it restarted, also those that had left before and come back. No call
/// waits longer than a day.
pub(crate) async fn lose_waiting(
    connection: &mut PgConnection,
    system: &str,
    at: Timestamp,
) -> Result<Vec<ContactEvent>, sqlx::Error> {
    let rows: Vec<(uuid::Uuid, String)> = sqlx::query_as(
        "UPDATE contact SET left_at = $2
         WHERE system = $1 AND channel = 'phone' AND last_queued BETWEEN $2 - interval '1 day' AND $2
               AND answered_at IS NULL AND ended_at IS NULL AND (left_at IS NULL OR left_at <= last_queued)
               AND (left_at IS NULL OR left_at < last_queued OR first_queued < last_queued)
         RETURNING id, queue",
    )
    .bind(system)
    .bind(at.to_sqlx())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(id, queue)| {
            let queue = QueueName::try_from(queue).map_err(|e| sqlx::Error::Decode(Box::new(e)))?;
            Ok(lost(ContactId(id), at, Channel::Phone, queue))
        })
        .collect()
}

/// How far a live queue_log has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) system: String,
    /// Device and inode.
    pub(crate) file: String,
    pub(crate) offset: u64,
    /// A hash of how the file begins.
    pub(crate) beginning: Vec<u8>,
}

pub(crate) async fn place(pool: &PgPool, system: &str) -> Result<Option<Place>, sqlx::Error> {
    let row: Option<(String, i64, Vec<u8>)> =
        sqlx::query_as("SELECT file, \"offset\", beginning FROM queue_log_place WHERE system = $1")
            .bind(system)
            .fetch_optional(pool)
            .await?;
    Ok(row.map(|(file, offset, beginning)| Place {
        system: system.to_owned(),
        file,
        offset: offset.unsigned_abs(),
        beginning,
    }))
}

pub(crate) async fn save_place(
    connection: &mut PgConnection,
    place: &Place,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO queue_log_place (system, file, \"offset\", beginning) VALUES ($1, $2, $3, $4)
         ON CONFLICT (system) DO UPDATE SET
             file = excluded.file, \"offset\" = excluded.\"offset\", beginning = excluded.beginning",
    )
    .bind(&place.system)
    .bind(&place.file)
    .bind(i64::try_from(place.offset).unwrap_or(i64::MAX))
    .bind(&place.beginning)
    .execute(connection)
    .await?;
    Ok(())
}
