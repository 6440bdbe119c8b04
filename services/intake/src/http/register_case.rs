//! `POST /intake/cases`: register a case.

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
};
use domain::CaseId;
use platform::{
    Problem,
    auth::Scope,
    http::{NeedsKey, read_body, read_json},
};
use uuid::Uuid;

use super::{Intake, change_case::ask};
use crate::{
    cases::{Ask, CaseView, NewCase},
    input::CaseInput,
};

/// Register a case.
///
/// With an `Idempotency-Key` header, repeating the request within a week registers it once and answers the same. Free text
/// and the citizen's details stay in intake. Needs the scope `cases:write`.
#[utoipa::path(
    post,
    path = "/intake/cases",
    tag = "cases",
    security(("key" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "1-200 visible ASCII characters")),
    request_body = CaseInput,
    responses(
        (status = 201, body = CaseView),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn post(
    State(intake): State<Intake>,
    request: Request,
) -> Result<(StatusCode, Json<CaseView>), Problem> {
    let headers = request.headers().clone();
    let key = intake.keys.require(&headers, Scope::CasesWrite).await?;
    let body = read_body(request).await?;
    let input: CaseInput = read_json(&body)?;
    input.check().map_err(|e| Problem::invalid(vec![e]))?;
    let case = NewCase {
        id: CaseId(Uuid::now_v7()),
        contact: input.contact.as_ref().map(|c| c.id(&intake.installation)),
        input,
        at: intake.clock.now(),
    };
    let register = Ask::Register(Box::new(case));
    let view = ask(&intake, &headers, key, register, &[b"register", &body]).await?;
    Ok((StatusCode::CREATED, Json(view)))
}
