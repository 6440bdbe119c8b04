//! Intake's HTTP paths.

mod change_case;
mod contact_events;
mod get_case;
mod problems;
mod register_case;
mod restarts;
mod sources;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use platform::{Clock, Problem, auth::Keys};
use sqlx::PgPool;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::{cases::CaseWriter, contacts::ContactWriter, input::Installation};
pub use contact_events::NDJSON;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Intake {
    pub(crate) pool: PgPool,
    pub(crate) keys: Keys,
    pub(crate) clock: Clock,
    pub(crate) contacts: ContactWriter,
    pub(crate) cases: CaseWriter,
    pub(crate) installation: Arc<Installation>,
}

pub(crate) fn router(intake: Intake) -> Router {
    Router::new()
        .route("/intake/contacts", post(contact_events::post))
        .route("/intake/restarts", post(restarts::post))
        .route("/intake/sources", get(sources::get))
        .route("/intake/cases", post(register_case::post))
        .route("/intake/cases/{id}", get(get_case::get))
        .route("/intake/cases/{id}/resolve", post(change_case::resolve))
        .route(
            "/intake/cases/{id}/repeat-contact",
            post(change_case::repeat_contact),
        )
        .route("/intake/cases/{id}/forward", post(change_case::forward))
        .with_state(intake)
}

/// Intake's part of the OpenAPI document.
#[derive(Debug, OpenApi)]
#[openapi(
    info(title = "Kommunlots", description = "The contact centre's API. Errors are application/problem+json and name the field."),
    paths(
        contact_events::post,
        restarts::post,
        sources::get,
        register_case::post,
        get_case::get,
        change_case::resolve,
        change_case::repeat_contact,
        change_case::forward
    ),
    components(schemas(Problem)),
    modifiers(&BearerKey)
)]
pub struct IntakeApi;

struct BearerKey;

impl Modify for BearerKey {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "A key made with `kommunlots key new`. Each path names the scope it needs.",
            ));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(scheme.build()));
    }
}
