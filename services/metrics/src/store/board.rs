//! SQL of the board.

use domain::{CASES, CONTACTS, Channel, ContactSums, Department, FollowUpStep};
use jiff::{Timestamp, civil::Date};
use jiff_sqlx::{Timestamp as Sql, ToSqlx};
use sqlx::{Executor, PgConnection, PgPool};

use super::impossible;

/// What the board is made of, all as of one instant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Snapshot {
    /// The last number applied, by source.
    pub(crate) positions: Vec<(String, u64)>,
    /// Channels ever heard of, who waits in them, and since when the first.
    pub(crate) queues: Vec<(Channel, u32, Option<Timestamp>)>,
    /// Contacts of the day.
    pub(crate) contacts: ContactSums,
    /// Cases of the day: registered, resolved; `None` where no case was ever heard of.
    pub(crate) cases: Option<(i64, i64)>,
    /// Departments that ever had forwarded cases, in the board's order; `None` where no forwarded case was ever heard of.
    pub(crate) forwarded: Option<Vec<Open>>,
    /// The next instant at which a forwarded case becomes overdue.
    pub(crate) next_due: Option<Timestamp>,
    /// Steps of follow-ups ever told, by step; empty where nobody has told of any.
    pub(crate) steps: Vec<(FollowUpStep, i64)>,
}

/// A department's open forwarded cases, an import's not among them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Open {
    pub(crate) department: Department,
    pub(crate) open: i64,
    pub(crate) overdue: i64,
    /// Those of which the department's head was told; nothing to go by while nobody tells of steps.
    pub(crate) escalated: i64,
    /// When the oldest was forwarded to it; `None` where there is none.
    pub(crate) oldest_forwarded_at: Option<Timestamp>,
    /// When the oldest overdue one was, likewise.
    pub(crate) oldest_overdue_forwarded_at: Option<Timestamp>,
    /// See [`domain::ForwardedAt`].
    pub(crate) oldest_due: Option<Timestamp>,
}

/// Reads it as of `now`. `start` is the first instant of its `day`: nobody hangs on the telephone since yesterday.
pub(crate) async fn snapshot(
    pool: &PgPool,
    now: Timestamp,
    day: Date,
    start: Timestamp,
) -> Result<Snapshot, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    transaction
        .execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?;
    let positions: Vec<(String, i64)> =
        sqlx::query_as("SELECT source, sequence FROM position ORDER BY source")
            .fetch_all(&mut *transaction)
            .await?;
    let in_person: Vec<&str> = Channel::ALL
        .into_iter()
        .filter(|c| c.waits_in_person())
        .map(Channel::as_str)
        .collect();
    let queues: Vec<(String, i64, Option<Sql>)> = sqlx::query_as(
        "SELECT h.channel, q.waiting, q.since FROM channel_heard h, LATERAL (
             SELECT count(*) AS waiting, min(first_queued) AS since FROM contact_fact
             WHERE channel = h.channel AND waiting
                   AND first_queued >= CASE WHEN h.channel = ANY($2) THEN $1 ELSE '-infinity' END) q",
    )
    .bind(start.to_sqlx())
    .bind(in_person)
    .fetch_all(&mut *transaction)
    .await?;
    let (offered, answered, abandoned, short_abandoned): (i64, i64, i64, i64) = sqlx::query_as(
        "SELECT coalesce(sum(offered), 0)::bigint, coalesce(sum(answered), 0)::bigint,
                coalesce(sum(abandoned), 0)::bigint, coalesce(sum(short_abandoned), 0)::bigint
         FROM contact_sum WHERE definition = $1 AND day = $2",
    )
    .bind(CONTACTS.id)
    .bind(day.to_sqlx())
    .fetch_one(&mut *transaction)
    .await?;
    let (known, registered, resolved): (bool, i64, i64) = sqlx::query_as(
        "SELECT EXISTS (SELECT FROM case_fact), coalesce(sum(registered), 0)::bigint,
                coalesce(sum(resolved), 0)::bigint
         FROM case_sum WHERE definition = $1 AND day = $2",
    )
    .bind(CASES.id)
    .bind(day.to_sqlx())
    .fetch_one(&mut *transaction)
    .await?;
    let open = open(&mut transaction, now).await?;
    let (any_forwarded, next_due): (bool, Option<Sql>) = sqlx::query_as(
        "SELECT EXISTS (SELECT FROM forwarded_fact), min(late_from) FROM forwarded_span
         WHERE until IS NULL AND state <> 'closed' AND NOT imported AND late_from >= $1",
    )
    .bind(now.to_sqlx())
    .fetch_one(&mut *transaction)
    .await?;
    let steps: Vec<(String, i64)> =
        sqlx::query_as("SELECT step, taken FROM follow_up_sum ORDER BY step")
            .fetch_all(&mut *transaction)
            .await?;
    transaction.commit().await?;

    let step = |(step, taken): (String, i64)| {
        let step = step.parse().map_err(|_| impossible("step"))?;
        Ok((step, taken))
    };
    let queue = |(channel, waiting, since): (String, i64, Option<Sql>)| {
        let channel = channel.parse().map_err(|_| impossible("channel"))?;
        Ok((
            channel,
            u32::try_from(waiting).unwrap_or(u32::MAX),
            since.map(Sql::to_jiff),
        ))
    };
    Ok(Snapshot {
        positions: positions
            .into_iter()
            .map(|(source, n)| (source, n.unsigned_abs()))
            .collect(),
        queues: queues
            .into_iter()
            .map(queue)
            .collect::<Result<_, sqlx::Error>>()?,
        contacts: ContactSums {
            offered,
            answered,
            abandoned,
            short_abandoned,
            ..ContactSums::default()
        },
        cases: known.then_some((registered, resolved)),
        forwarded: any_forwarded.then_some(open),
        next_due: next_due.map(Sql::to_jiff),
        steps: steps
            .into_iter()
            .map(step)
            .collect::<Result<_, sqlx::Error>>()?,
    })
}

/// Every department's open forwarded cases: first the one whose case has been overdue for the longest, then the one whose
/// case is oldest.
async fn open(connection: &mut PgConnection, now: Timestamp) -> Result<Vec<Open>, sqlx::Error> {
    type Row = (String, i64, i64, i64, Option<Sql>, Option<Sql>, Option<Sql>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT d.department, o.open, o.overdue, o.escalated, o.oldest_forwarded_at, o.oldest_overdue_forwarded_at, o.oldest_due
         FROM forwarded_department d, LATERAL (
             SELECT count(*) AS open, count(*) FILTER (WHERE late_from < $1) AS overdue,
                    count(*) FILTER (WHERE $2 = ANY (steps)) AS escalated, min(forwarded_at) AS oldest_forwarded_at,
                    min(forwarded_at) FILTER (WHERE late_from < $1) AS oldest_overdue_forwarded_at,
                    min(late_from) AS oldest_due
             FROM forwarded_span
             WHERE department = d.department AND until IS NULL AND state <> 'closed' AND NOT imported) o
         ORDER BY CASE WHEN o.overdue > 0 THEN o.oldest_due END, o.oldest_forwarded_at, d.department",
    )
    .bind(now.to_sqlx())
    .bind(FollowUpStep::Heads.as_str())
    .fetch_all(connection)
    .await?;
    let open = |(department, open, overdue, escalated, oldest, oldest_overdue, due): Row| {
        Ok(Open {
            department: department.parse().map_err(|_| impossible("department"))?,
            open,
            overdue,
            escalated,
            oldest_forwarded_at: oldest.map(Sql::to_jiff),
            oldest_overdue_forwarded_at: oldest_overdue.map(Sql::to_jiff),
            oldest_due: due.map(Sql::to_jiff),
        })
    };
    rows.into_iter().map(open).collect()
}
