//! `GET /intake/cases/{id}`: how it stands with a case.

use axum::{Json, extract::State, http::HeaderMap};
use platform::{
    Problem,
    auth::Scope,
    http::{CaseInPath, NeedsKey},
};

use super::Intake;
use crate::{cases::CaseView, store};

/// How it stands with a case, without its content.
///
/// Needs the scope `cases:read`.
#[utoipa::path(
    get,
    path = "/intake/cases/{id}",
    tag = "cases",
    security(("key" = [])),
    params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, body = CaseView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn get(
    State(intake): State<Intake>,
    id: Result<CaseInPath, Problem>,
    headers: HeaderMap,
) -> Result<Json<CaseView>, Problem> {
    intake.keys.require(&headers, Scope::CasesRead).await?;
    let CaseInPath(id) = id?;
    let mut connection = intake
        .pool
        .acquire()
        .await
        .map_err(|e| Problem::of_database(&e))?;
    let case = store::case(&mut connection, id)
        .await
        .map_err(|e| Problem::of_database(&e))?;
    case.map(Json).ok_or_else(Problem::unknown_case)
}
