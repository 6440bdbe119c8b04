//! `GET /intake/sources`: how far intake's sources have come.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use platform::Problem;

use super::Intake;

/// The last number of each of intake's sources, by its name.
///
/// The figures hold everything up to there once `GET /figures/positions` has come as far.
#[utoipa::path(get, path = "/intake/sources", tag = "contacts", responses((status = 200, body = BTreeMap<String, u64>)))]
pub(crate) async fn get(
    State(intake): State<Intake>,
) -> Result<Json<BTreeMap<String, u64>>, Problem> {
    let sources = platform::event_log::sources(&intake.pool)
        .await
        .map_err(|e| Problem::of_database(&e))?;
    Ok(Json(sources))
}
