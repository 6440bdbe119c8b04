//! SQL of what happened to a case.

use domain::{CaseId, Words};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as Sql, ToSqlx};
use sqlx::{PgConnection, PgExecutor, types::Json};

/// A line of a case's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) case: CaseId,
    pub(crate) at: Timestamp,
    /// `forwarded`, `viewed`, `taken`, `noted`, `paused`, `resumed`, `bounced`, `promised`, `closed`, `reopened`, `refused`,
    /// `reminded`, `overdue`, `escalated`.
    pub(crate) what: &'static str,
    /// The department and group it was done by, or the way.
    pub(crate) who: String,
    /// The department's own words; they go nowhere but on the case page.
    pub(crate) note: Option<String>,
    /// Of what was forwarded.
    pub(crate) reason: Option<Reason>,
}

/// Why a case was forwarded to where it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    /// The rule that decided.
    pub(crate) rule: String,
    /// How, step by step.
    pub(crate) why: Vec<Words>,
}

/// Writes lines.
pub(crate) async fn write(
    connection: &mut PgConnection,
    lines: &[Line],
) -> Result<(), sqlx::Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let reasons = || lines.iter().map(|l| l.reason.as_ref());
    sqlx::query(
        "INSERT INTO case_log (case_id, at, what, who, note, rule, why)
         SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::json[])",
    )
    .bind(lines.iter().map(|l| l.case.0).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.at.to_sqlx()).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.what).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.who.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.note.as_deref()).collect::<Vec<_>>())
    .bind(reasons().map(|r| Some(r?.rule.as_str())).collect::<Vec<_>>())
    .bind(reasons().map(|r| Some(Json(&r?.why))).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Lines and views of a case that are read at the most: what a page shows must not grow with history.
const MOST_LINES: i64 = 100;
const MOST_VIEWS: i64 = 10;

/// Something that happened to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Happened {
    pub(crate) id: i64,
    pub(crate) at: Timestamp,
    pub(crate) what: String,
    pub(crate) who: String,
    pub(crate) note: Option<String>,
    pub(crate) reason: Option<Reason>,
}

/// The latest of what happened to a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct History {
    /// All but views, oldest first.
    pub(crate) lines: Vec<Happened>,
    /// When its page was looked at, latest first.
    pub(crate) views: Vec<Timestamp>,
    /// Whether there is more than is read.
    pub(crate) more: bool,
}

/// The latest of what happened to a case.
pub(crate) async fn history(
    connection: &mut PgConnection,
    case: CaseId,
) -> Result<History, sqlx::Error> {
    type Row = (
        i64,
        Sql,
        String,
        String,
        Option<String>,
        Option<String>,
        Option<Json<Vec<Words>>>,
    );
    let mut rows: Vec<Row> = sqlx::query_as(
        "SELECT id, at, what, who, note, rule, why FROM case_log WHERE case_id = $1 AND what <> 'viewed' ORDER BY id DESC LIMIT $2",
    )
    .bind(case.0)
    .bind(MOST_LINES + 1)
    .fetch_all(&mut *connection)
    .await?;
    let views: Vec<Sql> = sqlx::query_scalar(
        "SELECT at FROM case_log WHERE case_id = $1 AND what = 'viewed' ORDER BY id DESC LIMIT $2",
    )
    .bind(case.0)
    .bind(MOST_VIEWS)
    .fetch_all(connection)
    .await?;
    let most = usize::try_from(MOST_LINES).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let happened = |(id, at, what, who, note, rule, why): Row| Happened {
        id,
        at: at.to_jiff(),
        what,
        who,
        note,
        reason: rule.map(|rule| Reason {
            rule,
            why: why.map(|why| why.0).unwrap_or_default(),
        }),
    };
    Ok(History {
        lines: rows.into_iter().rev().map(happened).collect(),
        views: views.into_iter().map(Sql::to_jiff).collect(),
        more,
    })
}

/// Whether a note with these very words has come after the line `after`: the same form was sent twice.
pub(crate) async fn noted_after(
    executor: impl PgExecutor<'_>,
    case: CaseId,
    after: i64,
    note: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM case_log WHERE case_id = $1 AND id > $2 AND what <> 'viewed' AND what = 'noted' AND note = $3)",
    )
    .bind(case.0)
    .bind(after)
    .bind(note)
    .fetch_one(executor)
    .await
}
