//! `GET /reminder/sources`: how far reminder's source has come.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use platform::{Problem, event_log};

use super::{Reminder, not_done};

/// The last number of reminder's source of case events, by its name.
///
/// The figures hold everything up to there once `GET /figures/positions` has come as far.
#[utoipa::path(get, path = "/reminder/sources", tag = "reminder", responses((status = 200, body = BTreeMap<String, u64>)))]
pub(crate) async fn get(
    State(reminder): State<Reminder>,
) -> Result<Json<BTreeMap<String, u64>>, Problem> {
    let sources = event_log::sources(&reminder.desk.pool).await;
    Ok(Json(sources.map_err(|e| not_done(&e))?))
}
