//! SQL of closures that departments' systems have sent.

use std::collections::HashMap;

use domain::{ClosureAnswer, Department};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, types::Json};

/// What a department's closures with these ids were answered before.
pub(crate) async fn answers(
    connection: &mut PgConnection,
    department: &Department,
    ids: &[&str],
) -> Result<HashMap<String, ClosureAnswer>, sqlx::Error> {
    let rows: Vec<(String, Json<ClosureAnswer>)> =
        sqlx::query_as("SELECT id, answer FROM closure WHERE department = $1 AND id = ANY($2)")
            .bind(department.as_str())
            .bind(ids)
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(id, answer)| (id, answer.0))
        .collect())
}

/// Remembers answers by the closures' ids.
pub(crate) async fn save_answers(
    connection: &mut PgConnection,
    department: &Department,
    answers: &[(&str, &ClosureAnswer)],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if answers.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO closure (department, id, answer, at) SELECT $1, id, answer, $4 FROM unnest($2::text[], $3::json[]) AS c (id, answer)",
    )
    .bind(department.as_str())
    .bind(answers.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(answers.iter().map(|(_, answer)| Json(*answer)).collect::<Vec<_>>())
    .bind(now.to_sqlx())
    .execute(connection)
    .await?;
    Ok(())
}
