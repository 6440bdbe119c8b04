//! SQL of what waits for the unit head's list.

use domain::{CaseId, CaseType, Department};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};

use super::impossible;

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
            "INSERT INTO heads_late (case_id, department, case_type, due) VALUES ($1, $2, $3, $4)
             ON CONFLICT (case_id) DO UPDATE SET
                 department = excluded.department, case_type = excluded.case_type, due = excluded.due",
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

/// Whether any wait.
pub(crate) async fn any_heads_late(executor: impl PgExecutor<'_>) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM heads_late)")
        .fetch_one(executor)
        .await
}

/// Takes those that wait, the longest overdue first. Those that have ended or gone elsewhere meanwhile are left out.
pub(crate) async fn take_heads_late(
    executor: impl PgExecutor<'_>,
) -> Result<Vec<HeadsLate>, sqlx::Error> {
    type Row = (uuid::Uuid, String, String, jiff_sqlx::Timestamp);
    let rows: Vec<Row> = sqlx::query_as(
        "WITH taken AS (DELETE FROM heads_late RETURNING case_id, department, case_type, due)
         SELECT t.case_id, t.department, t.case_type, t.due
         FROM taken t JOIN plan p ON p.case_id = t.case_id AND p.due = t.due WHERE p.state <> 'ended'",
    )
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
