//! SQL of closures that departments' systems have sent.

use std::collections::HashMap;

use domain::{CaseClosure, CaseId, ClosureAnswer, Department};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, types::Json};

/// A closure that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) closure: CaseClosure,
    pub(crate) answer: ClosureAnswer,
}

/// Those of a department's closures with these ids that were answered before.
pub(crate) async fn answered(
    connection: &mut PgConnection,
    department: &Department,
    ids: &[&str],
) -> Result<HashMap<String, Answered>, sqlx::Error> {
    type Row = (String, uuid::Uuid, String, Json<ClosureAnswer>);
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, case_id, outcome, answer FROM closure WHERE department = $1 AND id = ANY($2)",
    )
    .bind(department.as_str())
    .bind(ids)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(id, case, outcome, answer)| {
            let closure = CaseClosure {
                case: CaseId(case),
                outcome: outcome
                    .parse()
                    .map_err(|e: String| sqlx::Error::Decode(e.into()))?,
            };
            let answer = answer.0;
            Ok((id, Answered { closure, answer }))
        })
        .collect()
}

/// Remembers closures by their ids, which the department has not used before.
pub(crate) async fn save_answered(
    connection: &mut PgConnection,
    department: &Department,
    answered: &[(&str, &Answered)],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    fn of<'a, T>(
        answered: &[(&'a str, &'a Answered)],
        what: impl Fn(&'a str, &'a Answered) -> T,
    ) -> Vec<T> {
        answered.iter().map(|(id, a)| what(id, a)).collect()
    }
    if answered.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO closure (department, id, case_id, outcome, answer, at)
         SELECT $1, id, case_id, outcome, answer, $6
         FROM unnest($2::text[], $3::uuid[], $4::text[], $5::json[]) AS c (id, case_id, outcome, answer)",
    )
    .bind(department.as_str())
    .bind(of(answered, |id, _| id))
    .bind(of(answered, |_, a| a.closure.case.0))
    .bind(of(answered, |_, a| a.closure.outcome.as_str()))
    .bind(of(answered, |_, a| Json(&a.answer)))
    .bind(now.to_sqlx())
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets closures that were answered before `until`, so many at the most, and returns how many.
pub(crate) async fn forget_answered(
    connection: &mut PgConnection,
    until: Timestamp,
    most: i64,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "DELETE FROM closure WHERE (department, id) IN (SELECT department, id FROM closure WHERE at < $1 ORDER BY at LIMIT $2)",
    )
    .bind(until.to_sqlx())
    .bind(most)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}
