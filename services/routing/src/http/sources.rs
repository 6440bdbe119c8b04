//! `GET /routing/sources`: how far routing's source has come.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use platform::{Problem, event_log};

use super::Routing;

/// The last number of routing's source of case events, by its name.
///
/// The figures hold everything up to there once `GET /figures/positions` has come as far.
#[utoipa::path(get, path = "/routing/sources", tag = "routing", responses((status = 200, body = BTreeMap<String, u64>)))]
pub(crate) async fn get(
    State(routing): State<Routing>,
) -> Result<Json<BTreeMap<String, u64>>, Problem> {
    let mut sources = event_log::sources(&routing.desk.pool)
        .await
        .map_err(|e| Problem::of_database(&e))?;
    // What departments are told is in no figure.
    sources.retain(|source, _| *source == routing.desk.source);
    Ok(Json(sources))
}
