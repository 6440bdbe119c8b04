//! `/figures/dead-letters`: what could not be applied, and sending it again.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use domain::Stream;
use platform::{
    Problem,
    auth::Scope,
    dead_letters::{self, Again, DeadLetter},
    http::NeedsKey,
};
use serde_json::{Value, json};

use super::Metrics;
use crate::{on_case::Cases, on_contact::Contacts};

/// The dead letters, oldest first, at most a thousand.
///
/// Needs the scope `operate`.
#[utoipa::path(
    get,
    path = "/figures/dead-letters",
    tag = "operations",
    security(("key" = [])),
    responses((status = 200, body = Vec<DeadLetter>), NeedsKey)
)]
pub(crate) async fn list(
    State(metrics): State<Metrics>,
    headers: HeaderMap,
) -> Result<Json<Vec<DeadLetter>>, Problem> {
    metrics.keys.require(&headers, Scope::Operate).await?;
    let letters = dead_letters::list(&metrics.pool)
        .await
        .map_err(|e| Problem::away("the database", &e))?;
    Ok(Json(letters))
}

/// Apply a dead letter with the program as it is now.
///
/// It is removed when that succeeds. Needs the scope `operate`.
#[utoipa::path(
    post,
    path = "/figures/dead-letters/{id}/send-again",
    tag = "operations",
    security(("key" = [])),
    params(("id" = i64, Path)),
    responses(
        (status = 200),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn send_again(
    State(metrics): State<Metrics>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    metrics.keys.require(&headers, Scope::Operate).await?;
    let unknown = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            "no such dead letter",
            "list them to see their numbers",
        )
    };
    let id: i64 = id.parse().map_err(|_| unknown())?;
    let stream = dead_letters::stream_of(&metrics.pool, id)
        .await
        .map_err(|e| Problem::away("the database", &e))?;
    let stream = stream.ok_or_else(unknown)?;
    let again = if stream == Stream::Contacts.name() {
        dead_letters::send_again(&metrics.pool, &Contacts, id).await
    } else {
        dead_letters::send_again(&metrics.pool, &Cases, id).await
    };
    match again.map_err(|e| Problem::internal(&e))? {
        Again::Applied => Ok(Json(json!({ "id": id, "applied": true }))),
        Again::Unknown => Err(unknown()),
        Again::Refused(reason) => Err(Problem::new(
            StatusCode::CONFLICT,
            "it still cannot be applied",
            format!("{reason}; it stays a dead letter"),
        )),
    }
}
