//! SQL of digests.

use std::collections::BTreeMap;

use domain::Department;
use jiff::{Timestamp, civil::Date};
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;

use super::impossible;

/// Whom a digest is to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DigestKind {
    /// The guides: forwarded cases that became late.
    Guides,
    /// A department's contact person: its open cases.
    ContactPerson,
    /// The unit head: cases that should have reached the heads long ago.
    Heads,
}

impl DigestKind {
    /// As it stands in data.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Guides => "guides",
            Self::ContactPerson => "contact_person",
            Self::Heads => "heads",
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
        "SELECT of, count(*), sum(cases)::bigint FROM digest
         WHERE at >= $1 AND at < $2 AND cases > 0 AND kind <> 'heads' GROUP BY of",
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

fn wrong(error: domain::InvalidLabel) -> sqlx::Error {
    impossible(serde::de::Error::custom(error))
}
