//! SQL of cases.

use std::collections::HashMap;

use domain::{CaseId, Department};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as Sql, ToSqlx};
use platform::auth::KeyId;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::{
    cases::{CaseView, Idempotency, NewCase},
    input::Citizen,
    rules::State,
};

/// A case as it stands.
#[derive(Debug, Clone)]
pub(crate) struct CaseNow {
    pub(crate) view: CaseView,
    pub(crate) department: Department,
    pub(crate) changed_at: Timestamp,
}

/// What a request with a key was answered.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) idempotency: Idempotency,
    pub(crate) view: CaseView,
    pub(crate) at: Timestamp,
}

impl Answered {
    pub(crate) fn place(&self) -> (KeyId, String) {
        (self.idempotency.api_key, self.idempotency.key.clone())
    }
}

/// Inserts cases and their content; returns their numbers.
pub(crate) async fn insert_cases(
    connection: &mut PgConnection,
    new: &[&NewCase],
) -> Result<HashMap<CaseId, i64>, sqlx::Error> {
    if new.is_empty() {
        return Ok(HashMap::new());
    }
    let with_content: Vec<_> = new
        .iter()
        .filter(|case| case.input.text.is_some() || case.input.citizen.is_some())
        .collect();
    let citizen = |of: fn(&Citizen) -> Option<&str>| -> Vec<Option<&str>> {
        with_content
            .iter()
            .map(|case| case.input.citizen.as_ref().and_then(of))
            .collect()
    };
    let numbers: Vec<(Uuid, i64)> = sqlx::query_as(
        "WITH new AS (
             INSERT INTO cases (id, case_type, rosa_group, department, opinion, urgent, zone, contact, state,
                                registered_at, changed_at)
             SELECT id, case_type, rosa_group, department, opinion, urgent, zone, contact, 'registered', at, at
             FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::text[], $5::text[], $6::boolean[], $7::text[],
                         $8::uuid[], $9::timestamptz[])
                  AS c (id, case_type, rosa_group, department, opinion, urgent, zone, contact, at)
             RETURNING id, number
         ), content AS (
             INSERT INTO case_content (case_id, text, name, email, phone)
             SELECT * FROM unnest($10::uuid[], $11::text[], $12::text[], $13::text[], $14::text[])
         )
         SELECT id, number FROM new",
    )
    .bind(new.iter().map(|c| c.id.0).collect::<Vec<_>>())
    .bind(new.iter().map(|c| c.input.case_type.as_str()).collect::<Vec<_>>())
    .bind(new.iter().map(|c| i16::from(u8::from(c.input.rosa_group))).collect::<Vec<_>>())
    .bind(new.iter().map(|c| c.input.department.as_str()).collect::<Vec<_>>())
    .bind(new.iter().map(|c| c.input.opinion.map(opinion)).collect::<Vec<_>>())
    .bind(new.iter().map(|c| c.input.urgent).collect::<Vec<_>>())
    .bind(new.iter().map(|c| c.input.zone.as_ref().map(|z| z.as_str())).collect::<Vec<_>>())
    .bind(new.iter().map(|c| c.contact.map(|id| id.0)).collect::<Vec<_>>())
    .bind(new.iter().map(|c| c.at.to_sqlx()).collect::<Vec<_>>())
    .bind(with_content.iter().map(|c| c.id.0).collect::<Vec<_>>())
    .bind(with_content.iter().map(|c| c.input.text.as_deref()).collect::<Vec<_>>())
    .bind(citizen(|c| c.name.as_deref()))
    .bind(citizen(|c| c.email.as_deref()))
    .bind(citizen(|c| c.phone.as_deref()))
    .fetch_all(connection)
    .await?;
    Ok(numbers
        .into_iter()
        .map(|(id, number)| (CaseId(id), number))
        .collect())
}

fn opinion(opinion: domain::Opinion) -> &'static str {
    match opinion {
        domain::Opinion::Complaint => "complaint",
        domain::Opinion::Praise => "praise",
    }
}

/// Id, number, state, registered at, department, changed at.
type Row = (Uuid, i64, String, Sql, String, Sql);

fn now(
    (id, number, state, registered_at, department, changed_at): Row,
) -> Result<CaseNow, sqlx::Error> {
    let bad =
        |what: &str| sqlx::Error::Decode(format!("case {id} has an impossible {what}").into());
    Ok(CaseNow {
        view: CaseView {
            id: CaseId(id),
            number,
            state: State::parse(&state).ok_or_else(|| bad("state"))?,
            registered_at: registered_at.to_jiff(),
        },
        department: department.parse().map_err(|_| bad("department"))?,
        changed_at: changed_at.to_jiff(),
    })
}

/// One case.
pub(crate) async fn case(
    connection: &mut PgConnection,
    id: CaseId,
) -> Result<Option<CaseView>, sqlx::Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, number, state, registered_at, department, changed_at FROM cases WHERE id = $1",
    )
    .bind(id.0)
    .fetch_optional(connection)
    .await?;
    row.map(|row| now(row).map(|case| case.view)).transpose()
}

/// Cases that are about to change; nobody else changes them meanwhile.
pub(crate) async fn cases_for_update(
    connection: &mut PgConnection,
    ids: &[CaseId],
) -> Result<HashMap<CaseId, CaseNow>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, number, state, registered_at, department, changed_at FROM cases WHERE id = ANY($1) ORDER BY id FOR UPDATE",
    )
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| now(row).map(|case| (case.view.id, case)))
        .collect()
}

/// Stores new states.
pub(crate) async fn update_states(
    connection: &mut PgConnection,
    changed: &HashMap<CaseId, (State, Timestamp)>,
) -> Result<(), sqlx::Error> {
    if changed.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE cases SET state = n.state, changed_at = n.at
         FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS n (id, state, at) WHERE cases.id = n.id",
    )
    .bind(changed.keys().map(|id| id.0).collect::<Vec<_>>())
    .bind(changed.values().map(|(state, _)| state.as_str()).collect::<Vec<_>>())
    .bind(changed.values().map(|(_, at)| at.to_sqlx()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// What requests with these keys were answered before.
pub(crate) async fn answers(
    connection: &mut PgConnection,
    keys: &[&Idempotency],
) -> Result<Vec<Answered>, sqlx::Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    type Row = (Uuid, String, Vec<u8>, Json<CaseView>, Sql);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT api_key, key, request, response, created_at FROM idempotency
         WHERE (api_key, key) IN (SELECT * FROM unnest($1::uuid[], $2::text[]))",
    )
    .bind(keys.iter().map(|i| i.api_key.0).collect::<Vec<_>>())
    .bind(keys.iter().map(|i| i.key.as_str()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let answered = |(api_key, key, request, view, at): Row| Answered {
        idempotency: Idempotency {
            api_key: KeyId(api_key),
            key,
            request,
        },
        view: view.0,
        at: at.to_jiff(),
    };
    Ok(rows.into_iter().map(answered).collect())
}

/// Remembers what requests were answered.
pub(crate) async fn save_answers(
    connection: &mut PgConnection,
    answers: &[Answered],
) -> Result<(), sqlx::Error> {
    if answers.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO idempotency (api_key, key, request, response, created_at)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::json[], $5::timestamptz[])",
    )
    .bind(
        answers
            .iter()
            .map(|a| a.idempotency.api_key.0)
            .collect::<Vec<_>>(),
    )
    .bind(
        answers
            .iter()
            .map(|a| a.idempotency.key.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(
        answers
            .iter()
            .map(|a| a.idempotency.request.as_slice())
            .collect::<Vec<_>>(),
    )
    .bind(answers.iter().map(|a| Json(&a.view)).collect::<Vec<_>>())
    .bind(answers.iter().map(|a| a.at.to_sqlx()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
