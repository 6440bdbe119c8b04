//! Routing's HTTP paths.

mod agreements;
mod dry_run;
mod explain;
mod history;
mod problems;
mod sources;

use axum::{
    Router,
    routing::{get, post},
};
use platform::auth::Keys;
use utoipa::OpenApi;

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
