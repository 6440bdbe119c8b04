//! SQL of digests, and of what waits for the unit head's.

use std::collections::BTreeMap;

use domain::{CaseId, CaseType, Department};
use jiff::{Timestamp, civil::Date};
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};

use super::impossible;

/// Whom a digest is to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DigestKind {
    /// The guides: forwarded cases that became late.
    Guides,
    /// A department's contact person: its open cases.
    ContactPerson,
}

impl DigestKind {
    /// As it stands in data.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Guides => "guides",
            Self::ContactPerson => "contact_person",
        }
    }
}

/// Whether the digest `kind` of `of` has been sent for a day.
pub(crate) async fn was_sent(
    executor: impl PgExecutor<'_>,
    kind: DigestKind,
    of: &str,
    day: Date,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM digest WHERE kind = $1 AND of = $2 AND day = $3)",
    )
    .bind(kind.as_str())
    .bind(of)
    .bind(day.to_sqlx())
    .fetch_one(executor)
    .await
}

/// Marks a digest as sent at a time, with so many cases in it; false when it has been already.
pub(crate) async fn mark_digest(
    executor: impl PgExecutor<'_>,
    kind: DigestKind,
    of: &str,
    day: Date,
    (at, cases): (Timestamp, usize),
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO digest (kind, of, day, at, cases) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(kind.as_str())
    .bind(of)
    .bind(day.to_sqlx())
    .bind(at.to_sqlx())
    .bind(i64::try_from(cases).unwrap_or(i64::MAX))
    .execute(executor)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many digests somebody got from `since` until before `until`, and how many cases were in them: those of departments'
/// contact persons, and under `None` the guides'.
pub(crate) async fn digests_sent(
    executor: impl PgExecutor<'_>,
    (since, until): (Timestamp, Timestamp),
) -> Result<BTreeMap<Option<Department>, (u64, u64)>, sqlx::Error> {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT of, count(*), sum(cases)::bigint FROM digest WHERE at >= $1 AND at < $2 AND cases > 0 GROUP BY of",
    )
    .bind(since.to_sqlx())
    .bind(until.to_sqlx())
    .fetch_all(executor)
    .await?;
    let sent = rows.into_iter().map(|(of, lists, cases)| {
        let of = (!of.is_empty()).then(|| of.parse().map_err(wrong));
        Ok((
            of.transpose()?,
            (lists.unsigned_abs(), cases.unsigned_abs()),
        ))
    });
    sent.collect()
}

/// Forgets the digests that were sent before an instant.
pub(crate) async fn weed_digests(
    executor: impl PgExecutor<'_>,
    before: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM digest WHERE at < $1")
        .bind(before.to_sqlx())
        .execute(executor)
        .await?;
    Ok(())
}

/// A case that reached the heads late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeadsLate {
    pub(crate) case: CaseId,
    pub(crate) department: Department,
    pub(crate) case_type: CaseType,
    pub(crate) due: Timestamp,
}

/// Lets cases wait for the unit head's list.
pub(crate) async fn add_heads_late(
    connection: &mut PgConnection,
    late: &[HeadsLate],
) -> Result<(), sqlx::Error> {
    for case in late {
        sqlx::query(
            "INSERT INTO heads_late (case_id, department, case_type, due) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(case.case.0)
        .bind(case.department.as_str())
        .bind(case.case_type.as_str())
        .bind(case.due.to_sqlx())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Takes those that wait, the longest overdue first.
pub(crate) async fn take_heads_late(
    executor: impl PgExecutor<'_>,
) -> Result<Vec<HeadsLate>, sqlx::Error> {
    type Row = (uuid::Uuid, String, String, jiff_sqlx::Timestamp);
    let rows: Vec<Row> =
        sqlx::query_as("DELETE FROM heads_late RETURNING case_id, department, case_type, due")
            .fetch_all(executor)
            .await?;
    let late = rows.into_iter().map(|(case, department, case_type, due)| {
        Ok(HeadsLate {
            case: CaseId(case),
            department: department.parse().map_err(wrong)?,
            case_type: case_type.parse().map_err(wrong)?,
            due: due.to_jiff(),
        })
    });
    let mut late: Vec<HeadsLate> = late.collect::<Result<_, sqlx::Error>>()?;
    late.sort_by_key(|case| case.due);
    Ok(late)
}

fn wrong(error: domain::InvalidLabel) -> sqlx::Error {
    impossible(serde::de::Error::custom(error))
}
