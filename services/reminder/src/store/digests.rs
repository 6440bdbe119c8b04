//! SQL of digests, and of what waits for the unit head's.

use domain::{CaseId, CaseType, Department};
use jiff::{Timestamp, civil::Date};
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};

use super::impossible;

/// Whether the digest `kind` of `of` has been sent for a day.
pub(crate) async fn was_sent(
    executor: impl PgExecutor<'_>,
    kind: &str,
    of: &str,
    day: Date,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM digest WHERE kind = $1 AND of = $2 AND day = $3)",
    )
    .bind(kind)
    .bind(of)
    .bind(day.to_sqlx())
    .fetch_one(executor)
    .await
}

/// Marks a digest as sent, with all that happened up to `upto`; false when it has been already.
pub(crate) async fn mark_digest(
    executor: impl PgExecutor<'_>,
    kind: &str,
    of: &str,
    day: Date,
    upto: Timestamp,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO digest (kind, of, day, upto) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(kind)
    .bind(of)
    .bind(day.to_sqlx())
    .bind(upto.to_sqlx())
    .execute(executor)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Up to when the digest before `day` told.
pub(crate) async fn digest_before(
    executor: impl PgExecutor<'_>,
    kind: &str,
    of: &str,
    day: Date,
) -> Result<Option<Timestamp>, sqlx::Error> {
    let upto: Option<jiff_sqlx::Timestamp> = sqlx::query_scalar(
        "SELECT upto FROM digest WHERE kind = $1 AND of = $2 AND day < $3 ORDER BY day DESC LIMIT 1",
    )
    .bind(kind)
    .bind(of)
    .bind(day.to_sqlx())
    .fetch_optional(executor)
    .await?;
    Ok(upto.map(jiff_sqlx::Timestamp::to_jiff))
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
