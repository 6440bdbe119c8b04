//! `GET /reminder/cases/{id}/plan`: what has happened to a forwarded case, and what comes next.

use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
};
use domain::CaseId;
use platform::{Problem, auth::Scope, http::NeedsKey};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Reminder, cases::CaseOf, not_done, unknown_case};
use crate::{people::terms_of, rules::OutlineLine, store};

/// A forwarded case's follow-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanOf {
    /// The case; its state may also be `ended`: closed, or sent back.
    pub case: CaseOf,
    /// What the department is called.
    pub department_name: String,
    /// What the group is called.
    pub group_name: String,
    /// What has happened and what comes next, in sentences.
    pub outline: Vec<OutlineLine>,
}

/// What has happened to a forwarded case, and what comes next, with times and reasons.
///
/// Needs the scope `cases:read`.
#[utoipa::path(
    get,
    path = "/reminder/cases/{id}/plan",
    tag = "reminder",
    security(("key" = [])),
    params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, body = PlanOf),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn get(
    State(reminder): State<Reminder>,
    id: Result<Path<Uuid>, axum::extract::rejection::PathRejection>,
    headers: HeaderMap,
) -> Result<Json<PlanOf>, Problem> {
    reminder.keys.require(&headers, Scope::CasesRead).await?;
    // What is no id is no case either.
    let Path(id) = id.map_err(|_| unknown_case())?;
    let away = |error: sqlx::Error| not_done(&error);
    let mut connection = reminder.desk.pool.acquire().await.map_err(away)?;
    let found = store::plan(&mut *connection, CaseId(id)).await;
    let listed = found.map_err(away)?.ok_or_else(unknown_case)?;
    let versions = reminder.desk.versions.all(&mut connection).await;
    let terms = terms_of(&versions.map_err(away)?, &listed.plan);
    let now = reminder.desk.clock.now();
    Ok(Json(PlanOf {
        case: CaseOf::of(&listed, now),
        outline: listed.plan.outline(&terms, now),
        department_name: terms.department,
        group_name: terms.group,
    }))
}
