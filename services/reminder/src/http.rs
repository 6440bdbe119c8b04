//! Reminder's HTTP paths. A standby answers them too.

mod cases;
mod plan;
mod simulate;
mod sources;

use axum::{
    Router,
    http::StatusCode,
    routing::{get, post},
};
use platform::{Problem, auth::Keys};
use utoipa::OpenApi;

use crate::Desk;

pub use cases::{CaseOf, Cases};
pub use plan::PlanOf;
pub use simulate::SimulateInput;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Reminder {
    pub(crate) desk: Desk,
    pub(crate) keys: Keys,
}

pub(crate) fn router(reminder: Reminder) -> Router {
    Router::new()
        .route("/reminder/cases", get(cases::get))
        .route("/reminder/cases/{id}/plan", get(plan::get))
        .route("/reminder/simulate", post(simulate::post))
        .route("/reminder/sources", get(sources::get))
        .with_state(reminder)
}

/// Reminder's part of the OpenAPI document.
#[derive(Debug, OpenApi)]
#[openapi(paths(cases::get, plan::get, simulate::post, sources::get))]
pub struct ReminderApi;

/// What a failed read is told.
fn not_done(error: &sqlx::Error) -> Problem {
    if platform::database::may_pass(error) {
        Problem::away("the database", error)
    } else {
        Problem::internal(error)
    }
}

fn unknown_case() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no such forwarded case",
        "look at the id that the registration answered; a case that has not been forwarded has no plan, and of one forwarded \
         just now reminder hears in a moment",
    )
}
