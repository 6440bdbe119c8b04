//! SQL of cases' facts and sums.

use std::collections::{BTreeSet, HashMap};

use domain::{CASES, CaseCell, CaseFacts, CaseId, CaseSums};
use jiff::Timestamp;
use jiff_sqlx::{Date, Timestamp as Sql, ToSqlx};
use sqlx::PgConnection;
use uuid::Uuid;

use super::impossible;

/// The facts known of these cases.
pub(crate) async fn load(
    connection: &mut PgConnection,
    ids: &BTreeSet<CaseId>,
) -> Result<HashMap<CaseId, CaseFacts>, sqlx::Error> {
    type Row = (
        Uuid,
        String,
        Option<Sql>,
        Option<Sql>,
        Option<Sql>,
        Option<Sql>,
    );
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, department, registered, resolved, repeat_contact, forward_requested FROM case_fact
         WHERE id = ANY($1)",
    )
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let facts = |(id, department, registered, resolved, repeat_contact, forward_requested): Row| {
        let facts = CaseFacts {
            department: department.parse().map_err(|_| impossible("department"))?,
            registered: registered.map(Sql::to_jiff),
            resolved: resolved.map(Sql::to_jiff),
            repeat_contact: repeat_contact.map(Sql::to_jiff),
            forward_requested: forward_requested.map(Sql::to_jiff),
        };
        Ok((CaseId(id), facts))
    };
    rows.into_iter().map(facts).collect()
}

/// Stores facts.
pub(crate) async fn save(
    connection: &mut PgConnection,
    facts: &HashMap<CaseId, CaseFacts>,
) -> Result<(), sqlx::Error> {
    if facts.is_empty() {
        return Ok(());
    }
    let times = |of: fn(&CaseFacts) -> Option<Timestamp>| -> Vec<Option<Sql>> {
        facts.values().map(|f| of(f).map(ToSqlx::to_sqlx)).collect()
    };
    sqlx::query(
        "INSERT INTO case_fact (id, department, registered, resolved, repeat_contact, forward_requested)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[],
                              $6::timestamptz[])
         ON CONFLICT (id) DO UPDATE SET
             registered = excluded.registered, resolved = excluded.resolved,
             repeat_contact = excluded.repeat_contact, forward_requested = excluded.forward_requested",
    )
    .bind(facts.keys().map(|id| id.0).collect::<Vec<_>>())
    .bind(facts.values().map(|f| f.department.as_str()).collect::<Vec<_>>())
    .bind(times(|f| f.registered))
    .bind(times(|f| f.resolved))
    .bind(times(|f| f.repeat_contact))
    .bind(times(|f| f.forward_requested))
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds to sums.
pub(crate) async fn add(
    connection: &mut PgConnection,
    sums: &HashMap<CaseCell, CaseSums>,
) -> Result<(), sqlx::Error> {
    if sums.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO case_sum AS s
         SELECT $1, * FROM unnest($2::date[], $3::text[], $4::bigint[], $5::bigint[])
         ON CONFLICT (definition, day, department) DO UPDATE SET
             registered = s.registered + excluded.registered, resolved = s.resolved + excluded.resolved",
    )
    .bind(CASES.id)
    .bind(sums.keys().map(|c| c.day.to_sqlx()).collect::<Vec<Date>>())
    .bind(sums.keys().map(|c| c.department.as_str()).collect::<Vec<_>>())
    .bind(sums.values().map(|s| s.registered).collect::<Vec<_>>())
    .bind(sums.values().map(|s| s.resolved).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
