//! `POST /intake/cases/{id}/{resolve,repeat-contact,forward}`: change a case's state.

use axum::{Json, extract::State, http::HeaderMap};
use platform::{
    Problem,
    auth::{KeyId, Scope},
    http::{CaseInPath, NeedsKey, idempotency_key},
    telemetry,
};
use sha2::{Digest, Sha256};

use super::{Intake, problems::not_done};
use crate::{
    cases::{Ask, CaseView, Idempotency, Job, Reply},
    rules::Change,
};

/// Resolve a case: it is answered and closed at the centre.
///
/// Needs the scope `cases:write`.
#[utoipa::path(
    post,
    path = "/intake/cases/{id}/resolve",
    tag = "cases",
    security(("key" = [])),
    params(("id" = uuid::Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = CaseView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn resolve(
    state: State<Intake>,
    id: Result<CaseInPath, Problem>,
    headers: HeaderMap,
) -> Result<Json<CaseView>, Problem> {
    change(state, id, headers, Change::Resolve).await
}

/// Mark a repeat contact: the citizen came back about the same matter, so the case was not resolved after all.
///
/// The case is open again, and no longer counts as resolved. Needs the scope `cases:write`.
#[utoipa::path(
    post,
    path = "/intake/cases/{id}/repeat-contact",
    tag = "cases",
    security(("key" = [])),
    params(("id" = uuid::Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = CaseView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn repeat_contact(
    state: State<Intake>,
    id: Result<CaseInPath, Problem>,
    headers: HeaderMap,
) -> Result<Json<CaseView>, Problem> {
    change(state, id, headers, Change::RepeatContact).await
}

/// Ask for a case to be forwarded to its department.
///
/// Needs the scope `cases:write`.
#[utoipa::path(
    post,
    path = "/intake/cases/{id}/forward",
    tag = "cases",
    security(("key" = [])),
    params(("id" = uuid::Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = CaseView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn forward(
    state: State<Intake>,
    id: Result<CaseInPath, Problem>,
    headers: HeaderMap,
) -> Result<Json<CaseView>, Problem> {
    change(state, id, headers, Change::Forward).await
}

async fn change(
    State(intake): State<Intake>,
    id: Result<CaseInPath, Problem>,
    headers: HeaderMap,
    change: Change,
) -> Result<Json<CaseView>, Problem> {
    let key = intake.keys.require(&headers, Scope::CasesWrite).await?;
    let CaseInPath(id) = id?;
    let request: [&[u8]; 2] = [change.event().kind().as_bytes(), id.0.as_bytes()];
    ask(&intake, &headers, key, Ask::Change(id, change), &request)
        .await
        .map(Json)
}

/// Hands a request to the writer of cases. `request` is what its idempotency key stands for.
pub(super) async fn ask(
    intake: &Intake,
    headers: &HeaderMap,
    api_key: KeyId,
    ask: Ask,
    request: &[&[u8]],
) -> Result<CaseView, Problem> {
    let idempotency = idempotency_key(headers)?.map(|key| {
        let mut hash = Sha256::new();
        for part in request {
            hash.update(part);
            hash.update([0]);
        }
        Idempotency {
            api_key,
            key,
            request: hash.finalize().to_vec(),
        }
    });
    let job = Job {
        ask,
        now: intake.clock.now(),
        idempotency,
        traceparent: telemetry::traceparent(),
    };
    match intake
        .cases
        .write(job)
        .await
        .map_err(|e| Problem::of_database(&e))?
    {
        Reply::Done(view) => Ok(view),
        other => Err(not_done(&other)),
    }
}
