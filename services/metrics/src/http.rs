//! Metrics' HTTP paths.

mod figures;
mod follow_up;
mod forwarded;
mod handling;
mod query;

use std::collections::BTreeMap;

use axum::{Json, Router, extract::State, routing::get};
use domain::Definition;
use platform::{Clock, Problem};
use sqlx::PgPool;
use utoipa::OpenApi;

pub use figures::{By, Figures};
pub use follow_up::{ClosedAfter, FollowUpFigures};
pub use forwarded::ForwardedFigures;
pub use handling::{Handling, HandlingTimes, Spread};
pub use query::{CasesBy, as_of};

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) pool: PgPool,
    pub(crate) clock: Clock,
}

pub(crate) fn router(metrics: Metrics) -> Router {
    Router::new()
        .route("/figures", get(figures::get))
        .route("/figures/forwarded", get(forwarded::get))
        .route("/figures/handling", get(handling::get))
        .route("/figures/followup", get(follow_up::get))
        .route("/figures/definitions", get(definitions))
        .route("/figures/positions", get(positions))
        .with_state(metrics)
}

/// What each figure means.
#[utoipa::path(get, path = "/figures/definitions", tag = "figures", responses((status = 200, body = Vec<Definition>)))]
async fn definitions() -> Json<[Definition; 5]> {
    Json(domain::definitions())
}

/// The last number of each source that the figures hold, by the source's name.
#[utoipa::path(
    get,
    path = "/figures/positions",
    tag = "figures",
    responses((status = 200, body = BTreeMap<String, u64>))
)]
async fn positions(State(metrics): State<Metrics>) -> Result<Json<BTreeMap<String, u64>>, Problem> {
    let positions = platform::consumer::positions(&metrics.pool).await;
    positions
        .map(Json)
        .map_err(|error| Problem::away("the database", &error))
}

/// Metrics' part of the OpenAPI document.
#[derive(Debug, OpenApi)]
#[openapi(paths(
    figures::get,
    forwarded::get,
    handling::get,
    follow_up::get,
    definitions,
    positions
))]
pub struct FiguresApi;
