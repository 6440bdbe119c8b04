//! SQL of forwarded cases' facts, and of how they have stood.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{CaseId, FollowUpStep, ForwardedFacts, ForwardedSpan};
use serde::Serialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

/// The facts known of these cases.
pub(crate) async fn load(
    connection: &mut PgConnection,
    ids: &BTreeSet<CaseId>,
) -> Result<HashMap<CaseId, ForwardedFacts>, sqlx::Error> {
    let rows: Vec<(Uuid, Json<ForwardedFacts>)> =
        sqlx::query_as("SELECT case_id, steps FROM forwarded_fact WHERE case_id = ANY($1)")
            .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(id, facts)| (CaseId(id), facts.0))
        .collect())
}

/// A row of `forwarded_span`, by the columns' names.
#[derive(Serialize)]
struct Row {
    case_id: CaseId,
    #[serde(flatten)]
    span: ForwardedSpan,
}

/// Stores facts, and how those cases have stood in the place of what was thought before.
pub(crate) async fn save(
    connection: &mut PgConnection,
    facts: &HashMap<CaseId, ForwardedFacts>,
) -> Result<(), sqlx::Error> {
    if facts.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = facts.keys().map(|id| id.0).collect();
    let steps: Vec<String> = facts.values().map(text).collect::<Result<_, _>>()?;
    sqlx::query(
        "INSERT INTO forwarded_fact SELECT * FROM unnest($1::uuid[], $2::text[]::json[])
         ON CONFLICT (case_id) DO UPDATE SET steps = excluded.steps",
    )
    .bind(&ids)
    .bind(steps)
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM forwarded_span WHERE case_id = ANY($1)")
        .bind(&ids)
        .execute(&mut *connection)
        .await?;
    let rows = |(id, facts): (&CaseId, &ForwardedFacts)| {
        let case_id = *id;
        let spans = facts.spans().into_iter();
        spans.map(move |span| Row { case_id, span })
    };
    let rows: Vec<Row> = facts.iter().flat_map(rows).collect();
    sqlx::query(
        "WITH span AS (
             INSERT INTO forwarded_span SELECT * FROM json_populate_recordset(NULL::forwarded_span, $1::json)
             RETURNING department, imported
         )
         INSERT INTO forwarded_department SELECT DISTINCT department FROM span WHERE NOT imported
         ON CONFLICT DO NOTHING",
    )
    .bind(text(&rows)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds to the steps of follow-ups.
pub(crate) async fn add(
    connection: &mut PgConnection,
    steps: &BTreeMap<FollowUpStep, i64>,
) -> Result<(), sqlx::Error> {
    if steps.is_empty() {
        return Ok(());
    }
    let (names, taken): (Vec<&str>, Vec<i64>) =
        steps.iter().map(|(step, n)| (step.as_str(), *n)).unzip();
    sqlx::query(
        "INSERT INTO follow_up_sum SELECT * FROM unnest($1::text[], $2::bigint[])
         ON CONFLICT (step) DO UPDATE SET taken = follow_up_sum.taken + excluded.taken",
    )
    .bind(names)
    .bind(taken)
    .execute(connection)
    .await?;
    Ok(())
}

fn text(of: &impl Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(of).map_err(|e| sqlx::Error::Encode(Box::new(e)))
}
