//! SQL of cases.

use std::collections::{BTreeSet, HashMap};

use domain::{CaseId, Content, Department};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as Sql, ToSqlx};
use platform::{
    append_events,
    auth::KeyId,
    event_log::{self, NewEvent},
    mail::Address,
};
use sqlx::{PgConnection, PgExecutor, Row as _};
use uuid::Uuid;

use crate::{
    cases::{CaseView, Idempotency, NewCase},
    citizen::Asked,
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

/// What one turn writes.
#[derive(Debug, Default)]
pub(crate) struct Written<'a> {
    /// Cases to insert; they get their numbers then.
    pub(crate) registered: Vec<&'a NewCase>,
    /// New states, and since when.
    pub(crate) changed: HashMap<CaseId, (State, Timestamp)>,
    /// What requests with a key were answered.
    pub(crate) answers: Vec<Answered>,
    /// What is told of it.
    pub(crate) events: Vec<NewEvent>,
}

/// Inserts cases with their content, stores new states, remembers what requests were answered, and appends the events, all
/// in one statement; returns the numbers of the cases inserted.
pub(crate) async fn save(
    connection: &mut PgConnection,
    source: &str,
    written: &Written<'_>,
) -> Result<HashMap<CaseId, i64>, sqlx::Error> {
    let Written {
        registered: new,
        changed,
        answers,
        events,
    } = written;
    if events.is_empty() {
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
    let query = sqlx::query(concat!(
        "WITH ",
        append_events!(),
        ", new AS (
             INSERT INTO cases (id, case_type, rosa_group, department, opinion, urgent, zone, contact, state,
                                registered_at, changed_at)
             SELECT id, case_type, rosa_group, department, opinion, urgent, zone, contact, state, at, at
             FROM unnest($8::uuid[], $9::text[], $10::smallint[], $11::text[], $12::text[], $13::boolean[], $14::text[],
                         $15::uuid[], $16::timestamptz[], $31::text[])
                  AS c (id, case_type, rosa_group, department, opinion, urgent, zone, contact, at, state)
             RETURNING id, number
         ), content AS (
             INSERT INTO case_content (case_id, text, name, email, phone, notify)
             SELECT * FROM unnest($17::uuid[], $18::text[], $19::text[], $20::text[], $21::text[], $32::boolean[])
         ), changed AS (
             UPDATE cases SET state = c.state, changed_at = c.at
             FROM unnest($22::uuid[], $23::text[], $24::timestamptz[]) AS c (id, state, at) WHERE cases.id = c.id
         ), answer AS (
             INSERT INTO idempotency (api_key, key, request, case_id, state, created_at)
             SELECT * FROM unnest($25::uuid[], $26::text[], $27::bytea[], $28::uuid[], $29::text[], $30::timestamptz[])
         )
         SELECT id, number FROM new",
    ));
    let numbers = event_log::bind(query, source, events)
        .bind(new.iter().map(|c| c.id.0).collect::<Vec<_>>())
        .bind(
            new.iter()
                .map(|c| c.input.case_type.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(
            new.iter()
                .map(|c| i16::from(u8::from(c.input.rosa_group)))
                .collect::<Vec<_>>(),
        )
        .bind(
            new.iter()
                .map(|c| c.input.department.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(
            new.iter()
                .map(|c| c.input.opinion.map(opinion))
                .collect::<Vec<_>>(),
        )
        .bind(new.iter().map(|c| c.input.urgent).collect::<Vec<_>>())
        .bind(
            new.iter()
                .map(|c| c.input.zone.as_ref().map(|z| z.as_str()))
                .collect::<Vec<_>>(),
        )
        .bind(
            new.iter()
                .map(|c| c.contact.map(|id| id.0))
                .collect::<Vec<_>>(),
        )
        .bind(new.iter().map(|c| c.at.to_sqlx()).collect::<Vec<_>>())
        .bind(with_content.iter().map(|c| c.id.0).collect::<Vec<_>>())
        .bind(
            with_content
                .iter()
                .map(|c| c.input.text.as_deref())
                .collect::<Vec<_>>(),
        )
        .bind(citizen(|c| c.name.as_deref()))
        .bind(citizen(|c| c.email.as_deref()))
        .bind(citizen(|c| c.phone.as_deref()))
        .bind(changed.keys().map(|id| id.0).collect::<Vec<_>>())
        .bind(
            changed
                .values()
                .map(|(state, _)| state.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(
            changed
                .values()
                .map(|(_, at)| at.to_sqlx())
                .collect::<Vec<_>>(),
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
        .bind(answers.iter().map(|a| a.view.id.0).collect::<Vec<_>>())
        .bind(
            answers
                .iter()
                .map(|a| a.view.state.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(answers.iter().map(|a| a.at.to_sqlx()).collect::<Vec<_>>())
        .bind(new.iter().map(|c| c.state().as_str()).collect::<Vec<_>>())
        .bind(
            with_content
                .iter()
                .map(|c| c.input.citizen.as_ref().is_some_and(|c| c.notify))
                .collect::<Vec<_>>(),
        )
        .fetch_all(connection)
        .await?;
    numbers
        .iter()
        .map(|row| Ok((CaseId(row.try_get(0)?), row.try_get(1)?)))
        .collect()
}

fn opinion(opinion: domain::Opinion) -> &'static str {
    match opinion {
        domain::Opinion::Complaint => "complaint",
        domain::Opinion::Praise => "praise",
    }
}

fn impossible(id: Uuid, what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("case {id} has an impossible {what}").into())
}

/// Id, number, state, registered at, department, changed at.
type Row = (Uuid, i64, String, Sql, String, Sql);

fn now(
    (id, number, state, registered_at, department, changed_at): Row,
) -> Result<CaseNow, sqlx::Error> {
    Ok(CaseNow {
        view: CaseView {
            id: CaseId(id),
            number,
            state: State::parse(&state).ok_or_else(|| impossible(id, "state"))?,
            registered_at: registered_at.to_jiff(),
        },
        department: department
            .parse()
            .map_err(|_| impossible(id, "department"))?,
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

/// What requests with these keys were answered before.
pub(crate) async fn answers(
    connection: &mut PgConnection,
    keys: &[&Idempotency],
) -> Result<Vec<Answered>, sqlx::Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    type Row = (Uuid, String, Vec<u8>, Uuid, i64, String, Sql, Sql);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT i.api_key, i.key, i.request, c.id, c.number, i.state, c.registered_at, i.created_at
         FROM idempotency i JOIN cases c ON c.id = i.case_id
         WHERE (i.api_key, i.key) IN (SELECT * FROM unnest($1::uuid[], $2::text[]))",
    )
    .bind(keys.iter().map(|i| i.api_key.0).collect::<Vec<_>>())
    .bind(keys.iter().map(|i| i.key.as_str()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let answered = |(api_key, key, request, id, number, state, registered_at, at): Row| {
        Ok(Answered {
            idempotency: Idempotency {
                api_key: KeyId(api_key),
                key,
                request,
            },
            view: CaseView {
                id: CaseId(id),
                number,
                state: State::parse(&state).ok_or_else(|| impossible(id, "state"))?,
                registered_at: registered_at.to_jiff(),
            },
            at: at.to_jiff(),
        })
    };
    rows.into_iter().map(answered).collect()
}

/// Shows how cases stand at their departments; of several states of one case, the latest.
pub(crate) async fn show_states(
    connection: &mut PgConnection,
    states: &[(CaseId, State, Timestamp)],
) -> Result<(), sqlx::Error> {
    if states.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE cases SET state = n.state, changed_at = n.at
         FROM (SELECT DISTINCT ON (id) id, state, at
               FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS s (id, state, at) ORDER BY id, at DESC) n
         WHERE cases.id = n.id AND cases.changed_at < n.at",
    )
    .bind(states.iter().map(|(id, ..)| id.0).collect::<Vec<_>>())
    .bind(states.iter().map(|(_, state, _)| state.as_str()).collect::<Vec<_>>())
    .bind(states.iter().map(|(.., at)| at.to_sqlx()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// A case's content, with its number; all else is `None` where none was given, or where it has been weeded out.
pub(crate) async fn content(
    executor: impl PgExecutor<'_>,
    id: CaseId,
) -> Result<Option<Content>, sqlx::Error> {
    type Row = (
        i64,
        Option<String>,
        Option<String>,
        Option<String>,
        Option<String>,
    );
    let row: Option<Row> = sqlx::query_as(
        "SELECT c.number, t.text, t.name, t.email, t.phone
         FROM cases c LEFT JOIN case_content t ON t.case_id = c.id WHERE c.id = $1",
    )
    .bind(id.0)
    .fetch_optional(executor)
    .await?;
    Ok(row.map(|(number, text, name, email, phone)| Content {
        number,
        text,
        name,
        email,
        phone,
    }))
}

/// Of `ids` those whose citizens asked to be told, and how they stand.
pub(crate) async fn to_be_told(
    connection: &mut PgConnection,
    ids: &BTreeSet<CaseId>,
) -> Result<HashMap<CaseId, Asked>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Uuid, i64, String, Sql, String)> = sqlx::query_as(
        "SELECT c.id, c.number, c.state, c.changed_at, t.email
         FROM cases c JOIN case_content t ON t.case_id = c.id
         WHERE c.id = ANY($1) AND t.notify AND t.email IS NOT NULL",
    )
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let mut told = HashMap::new();
    for (id, number, state, changed_at, email) in rows {
        let Ok(to) = Address::new("", &email) else {
            tracing::error!(case = %id, "the citizen's address is none that mail can be sent to; they are not told");
            continue;
        };
        let asked = Asked {
            number,
            to,
            state: State::parse(&state).ok_or_else(|| impossible(id, "state"))?,
            changed_at: changed_at.to_jiff(),
        };
        told.insert(CaseId(id), asked);
    }
    Ok(told)
}
