//! Routing's HTTP paths.

mod agreements;
mod dry_run;
mod explain;
mod history;
pub(crate) mod problems;
mod sources;

use axum::{
    Router,
    extract::{FromRequestParts, Path},
    http::request::Parts,
    routing::{get, post},
};
use domain::CaseId;
use platform::{Problem, auth::Keys};
use utoipa::OpenApi;
use uuid::Uuid;

use crate::Desk;

pub use agreements::{AppliedVersion, VersionContent, VersionView};
pub use explain::{At, Explanation, LogLine};

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Routing {
    pub(crate) desk: Desk,
    pub(crate) keys: Keys,
}

pub(crate) fn router(routing: Routing) -> Router {
    Router::new()
        .route(
            "/routing/agreements",
            get(agreements::list).post(agreements::post),
        )
        .route("/routing/agreements/{version}", get(agreements::get))
        .route("/routing/agreements/dry-run", post(dry_run::post))
        .route("/routing/cases/{id}", get(explain::get))
        .route("/routing/history", post(history::post))
        .route("/routing/sources", get(sources::get))
        .with_state(routing)
}

/// The case that a path names. What is no id is no case either.
pub(crate) struct CaseInPath(pub(crate) CaseId);

impl<S: Send + Sync> FromRequestParts<S> for CaseInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(id) = Path::<Uuid>::from_request_parts(parts, state)
            .await
            .map_err(|_| problems::unknown_case())?;
        Ok(Self(CaseId(id)))
    }
}

/// Routing's part of the OpenAPI document.
#[derive(Debug, OpenApi)]
#[openapi(paths(
    agreements::list,
    agreements::get,
    agreements::post,
    dry_run::post,
    explain::get,
    history::post,
    sources::get,
))]
pub struct RoutingApi;
