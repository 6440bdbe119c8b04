//! `POST /intake/restarts`: a PBX has restarted.

use axum::{
    Json,
    extract::{Request, State},
};
use platform::{
    Problem,
    auth::Scope,
    http::{NeedsKey, read_body, read_json},
};

use super::{Intake, contact_events::Taken};
use crate::{contacts::Job, input::RestartInput};

/// Tell that a PBX restarted.
///
/// The calls that waited in it are lost: how they went is unknown, and they are counted in no figure. Repeating it changes
/// nothing. Needs the scope `contacts:write`.
#[utoipa::path(
    post,
    path = "/intake/restarts",
    tag = "contacts",
    security(("key" = [])),
    request_body = RestartInput,
    responses(
        (status = 200, body = Taken),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn post(
    State(intake): State<Intake>,
    request: Request,
) -> Result<Json<Taken>, Problem> {
    let headers = request.headers().clone();
    intake.keys.require(&headers, Scope::ContactsWrite).await?;
    let body = read_body(request).await?;
    let restart: RestartInput = read_json(&body)?;
    restart
        .check(intake.clock.now())
        .map_err(|e| Problem::invalid(vec![e]))?;
    let job = Job {
        restarts: vec![(restart.system, restart.at)],
        ..Job::default()
    };
    let counts = intake
        .contacts
        .write(job)
        .await
        .map_err(|e| Problem::of_database(&e))?;
    Ok(Json(Taken {
        taken: counts.taken,
        known: counts.known,
    }))
}
