//! SQL of what happened to a case.

use domain::CaseId;
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as Sql, ToSqlx};
use sqlx::{PgConnection, PgExecutor};

/// A line of a case's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) case: CaseId,
    pub(crate) at: Timestamp,
    /// `forwarded`, `viewed`, `taken`, `noted`, `paused`, `resumed`, `bounced`, `closed`, `reopened`, `refused`.
    pub(crate) what: &'static str,
    /// The department and group it was done by, or the way.
    pub(crate) who: String,
    /// The department's own words; they go nowhere but on the case page.
    pub(crate) note: Option<String>,
}

/// Writes lines.
pub(crate) async fn write(
    connection: &mut PgConnection,
    lines: &[Line],
) -> Result<(), sqlx::Error> {
    if lines.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO case_log (case_id, at, what, who, note)
         SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[])",
    )
    .bind(lines.iter().map(|l| l.case.0).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.at.to_sqlx()).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.what).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.who.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.note.as_deref()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// A case's log, oldest first: when, what, who, note.
pub(crate) async fn lines(
    executor: impl PgExecutor<'_>,
    case: CaseId,
) -> Result<Vec<(Timestamp, String, String, Option<String>)>, sqlx::Error> {
    let rows: Vec<(Sql, String, String, Option<String>)> =
        sqlx::query_as("SELECT at, what, who, note FROM case_log WHERE case_id = $1 ORDER BY id")
            .bind(case.0)
            .fetch_all(executor)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(at, what, who, note)| (at.to_jiff(), what, who, note))
        .collect())
}
