//! SQL of contacts' facts and sums.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    CONTACTS, ContactCell, ContactFacts, ContactId, ContactSums, Left, LeftHow, Outcome, TookIt,
};
use jiff::Timestamp;
use jiff_sqlx::{Date, Timestamp as Sql, ToSqlx};
use sqlx::{PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use super::impossible;

/// The facts known of these contacts.
pub(crate) async fn load(
    connection: &mut PgConnection,
    ids: &BTreeSet<ContactId>,
) -> Result<HashMap<ContactId, ContactFacts>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT id, channel, queue, department, first_queued, last_queued, answered_at, answered_waited_s, left_at,
                left_how, left_waited_s, come_and_gone, lost_at, ended_at
         FROM contact_fact WHERE id = ANY($1)",
    )
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((ContactId(row.try_get("id")?), facts(row)?)))
        .collect()
}

fn facts(row: &PgRow) -> Result<ContactFacts, sqlx::Error> {
    let time =
        |column| Ok::<_, sqlx::Error>(row.try_get::<Option<Sql>, _>(column)?.map(Sql::to_jiff));
    let seconds = |column| {
        Ok::<_, sqlx::Error>(
            row.try_get::<Option<i32>, _>(column)?
                .map(i32::unsigned_abs),
        )
    };
    let text = |column| row.try_get::<String, _>(column);
    let answered_s = seconds("answered_waited_s")?;
    let left_s = seconds("left_waited_s")?;
    let how = row.try_get::<Option<i16>, _>("left_how")?;
    let left = match (time("left_at")?, how) {
        (Some(at), Some(how)) => Some(Left {
            at,
            how: how_of(how)?,
            waited_s: left_s,
        }),
        _ => None,
    };
    Ok(ContactFacts {
        channel: text("channel")?
            .parse()
            .map_err(|_| impossible("channel"))?,
        queue: text("queue")?.parse().map_err(|_| impossible("queue"))?,
        department: row
            .try_get::<Option<String>, _>("department")?
            .map(|d| d.parse().map_err(|_| impossible("department")))
            .transpose()?,
        first_queued: time("first_queued")?,
        last_queued: time("last_queued")?,
        answered: time("answered_at")?.map(|at| TookIt {
            at,
            waited_s: answered_s,
        }),
        left,
        come_and_gone: time("come_and_gone")?,
        lost: time("lost_at")?,
        ended: time("ended_at")?,
    })
}

/// How each way of leaving is stored: by its place here. New ones go to the end.
const HOWS: [LeftHow; 3] = [LeftHow::TurnedAway, LeftHow::Abandoned, LeftHow::Closed];

fn how_of(number: i16) -> Result<LeftHow, sqlx::Error> {
    usize::try_from(number)
        .ok()
        .and_then(|n| HOWS.get(n).copied())
        .ok_or_else(|| impossible("way of leaving"))
}

fn number_of(how: LeftHow) -> Option<i16> {
    let place = HOWS.iter().position(|h| *h == how)?;
    i16::try_from(place).ok()
}

/// Stores facts.
pub(crate) async fn save(
    connection: &mut PgConnection,
    facts: &HashMap<ContactId, ContactFacts>,
) -> Result<(), sqlx::Error> {
    if facts.is_empty() {
        return Ok(());
    }
    let rows: Vec<(Uuid, &ContactFacts)> = facts.iter().map(|(id, f)| (id.0, f)).collect();
    let counted: Vec<_> = rows.iter().map(|(_, f)| f.counted()).collect();
    let times = |of: fn(&ContactFacts) -> Option<Timestamp>| -> Vec<Option<Sql>> {
        rows.iter()
            .map(|(_, f)| of(f).map(ToSqlx::to_sqlx))
            .collect()
    };
    let seconds = |of: fn(&ContactFacts) -> Option<u32>| -> Vec<Option<i32>> {
        rows.iter()
            .map(|(_, f)| of(f).and_then(|s| i32::try_from(s).ok()))
            .collect()
    };
    sqlx::query(
        "WITH heard AS (
             INSERT INTO channel_heard SELECT DISTINCT * FROM unnest($2::text[]) ON CONFLICT DO NOTHING
         )
         INSERT INTO contact_fact AS f (id, channel, queue, department, first_queued, last_queued, answered_at,
             answered_waited_s, left_at, left_how, left_waited_s, come_and_gone, lost_at, ended_at, waiting, day, wait_ms)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
             $7::timestamptz[], $8::integer[], $9::timestamptz[], $10::smallint[], $11::integer[], $12::timestamptz[],
             $13::timestamptz[], $14::timestamptz[], $15::boolean[], $16::date[], $17::bigint[])
         ON CONFLICT (id) DO UPDATE SET
             channel = excluded.channel, department = excluded.department, first_queued = excluded.first_queued,
             last_queued = excluded.last_queued, answered_at = excluded.answered_at,
             answered_waited_s = excluded.answered_waited_s, left_at = excluded.left_at, left_how = excluded.left_how,
             left_waited_s = excluded.left_waited_s, come_and_gone = excluded.come_and_gone, lost_at = excluded.lost_at,
             ended_at = excluded.ended_at, waiting = excluded.waiting, day = excluded.day, wait_ms = excluded.wait_ms",
    )
    .bind(rows.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, f)| f.channel.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, f)| f.queue.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, f)| f.department.as_ref().map(|d| d.as_str())).collect::<Vec<_>>())
    .bind(times(|f| f.first_queued))
    .bind(times(|f| f.last_queued))
    .bind(times(|f| f.answered.map(|a| a.at)))
    .bind(seconds(|f| f.answered.and_then(|a| a.waited_s)))
    .bind(times(|f| f.left.map(|l| l.at)))
    .bind(rows.iter().map(|(_, f)| f.left.and_then(|l| number_of(l.how))).collect::<Vec<_>>())
    .bind(seconds(|f| f.left.and_then(|l| l.waited_s)))
    .bind(times(|f| f.come_and_gone))
    .bind(times(|f| f.lost))
    .bind(times(|f| f.ended))
    .bind(rows.iter().map(|(_, f)| matches!(f.outcome(), Outcome::Waiting(_))).collect::<Vec<_>>())
    .bind(counted.iter().map(|c| c.as_ref().map(|(cell, _)| cell.day.to_sqlx())).collect::<Vec<Option<Date>>>())
    .bind(counted.iter().map(|c| c.as_ref().and_then(|(_, s)| s.longest_wait_ms)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds to sums.
pub(crate) async fn add(
    connection: &mut PgConnection,
    sums: &HashMap<ContactCell, ContactSums>,
) -> Result<(), sqlx::Error> {
    if sums.is_empty() {
        return Ok(());
    }
    let rows: Vec<(&ContactCell, &ContactSums)> = sums.iter().collect();
    let counts =
        |of: fn(&ContactSums) -> i64| -> Vec<i64> { rows.iter().map(|(_, s)| of(s)).collect() };
    sqlx::query(
        "INSERT INTO contact_sum AS s
         SELECT $1, * FROM unnest($2::date[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
             $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])
         ON CONFLICT (definition, day, channel, queue, department) DO UPDATE SET
             offered = s.offered + excluded.offered,
             answered = s.answered + excluded.answered,
             abandoned = s.abandoned + excluded.abandoned,
             short_abandoned = s.short_abandoned + excluded.short_abandoned,
             answered_within = s.answered_within + excluded.answered_within,
             waits_known = s.waits_known + excluded.waits_known,
             wait_of_answered_ms = s.wait_of_answered_ms + excluded.wait_of_answered_ms,
             longest_wait_ms = greatest(s.longest_wait_ms, excluded.longest_wait_ms)",
    )
    .bind(CONTACTS.id)
    .bind(rows.iter().map(|(c, _)| c.day.to_sqlx()).collect::<Vec<Date>>())
    .bind(rows.iter().map(|(c, _)| c.channel.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(c, _)| c.queue.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(c, _)| department(c)).collect::<Vec<_>>())
    .bind(counts(|s| s.offered))
    .bind(counts(|s| s.answered))
    .bind(counts(|s| s.abandoned))
    .bind(counts(|s| s.short_abandoned))
    .bind(counts(|s| s.answered_within))
    .bind(counts(|s| s.waits_known))
    .bind(counts(|s| s.wait_of_answered_ms))
    .bind(rows.iter().map(|(_, s)| s.longest_wait_ms).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

fn department(cell: &ContactCell) -> &str {
    cell.department.as_ref().map_or("", |d| d.as_str())
}

/// Looks up the longest wait anew of those cells whose longest was the one that was removed.
pub(crate) async fn find_longest_again(
    connection: &mut PgConnection,
    removed: &BTreeMap<ContactCell, i64>,
) -> Result<(), sqlx::Error> {
    for (cell, removed) in removed {
        sqlx::query(
            "UPDATE contact_sum SET longest_wait_ms = (
                 SELECT max(wait_ms) FROM contact_fact
                 WHERE day = $2 AND channel = $3 AND queue = $4 AND coalesce(department, '') = $5)
             WHERE definition = $1 AND day = $2 AND channel = $3 AND queue = $4 AND department = $5
                   AND longest_wait_ms <= $6",
        )
        .bind(CONTACTS.id)
        .bind(cell.day.to_sqlx())
        .bind(cell.channel.as_str())
        .bind(cell.queue.as_str())
        .bind(department(cell))
        .bind(removed)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
