//! `POST /intake/cases/{id}/{resolve,repeat-contact,forward}`: change a case's state.

use axum::{
    Json,
    extract::{Request, State},
    http::HeaderMap,
};
use platform::{
    Problem,
    auth::{KeyId, Scope},
    http::{CaseInPath, NeedsKey, idempotency_key, read_body, read_json},
    telemetry,
};
use sha2::{Digest, Sha256};

use super::{Intake, problems::not_done};
use crate::{
    cases::{Ask, CaseView, Idempotency, Job, Reply},
    input::ForwardInput,
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
/// The body may be empty, or say which guide asks. Needs the scope `cases:write`.
#[utoipa::path(
    post,
    path = "/intake/cases/{id}/forward",
    tag = "cases",
    security(("key" = [])),
    params(("id" = uuid::Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<ForwardInput>,
    responses(
        (status = 200, body = CaseView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn forward(
    State(intake): State<Intake>,
    id: Result<CaseInPath, Problem>,
    request: Request,
) -> Result<Json<CaseView>, Problem> {
    let headers = request.headers().clone();
    let key = intake.keys.require(&headers, Scope::CasesWrite).await?;
    let id = id?;
    let body = read_body(request).await?;
    let input = match body.trim_ascii() {
        // Some clients write `null` for nothing.
        b"" | b"null" => ForwardInput::default(),
        body => read_json(body)?,
    };
    let change = Change::Forward { guide: input.guide };
    asked(&intake, &headers, key, id, change).await
}

async fn change(
    State(intake): State<Intake>,
    id: Result<CaseInPath, Problem>,
    headers: HeaderMap,
    change: Change,
) -> Result<Json<CaseView>, Problem> {
    let key = intake.keys.require(&headers, Scope::CasesWrite).await?;
    asked(&intake, &headers, key, id?, change).await
}

async fn asked(
    intake: &Intake,
    headers: &HeaderMap,
    key: KeyId,
    CaseInPath(id): CaseInPath,
    change: Change,
) -> Result<Json<CaseView>, Problem> {
    let kind = change.event().kind();
    let mut request: Vec<&[u8]> = vec![kind.as_bytes(), id.0.as_bytes()];
    // Who says nothing of the guide has asked the same as before there were any.
    let guide = match &change {
        Change::Forward { guide } => guide.clone(),
        _ => None,
    };
    request.extend(guide.iter().map(|guide| guide.as_str().as_bytes()));
    ask(intake, headers, key, Ask::Change(id, change), &request)
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
