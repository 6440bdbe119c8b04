//! `GET /figures/forwarded`: forwarded cases of a period, as they stand or stood.

use axum::{Json, extract::State};
use domain::FORWARDED;
use jiff::Timestamp;
use platform::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Metrics,
    query::{Asked, Period},
};
use crate::store::forwarded_figures::{Counts, counts};

/// Forwarded cases, for one key of a period. See `GET /figures/definitions` for what each figure means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForwardedFigures {
    /// The department; the queue, which is `department/group` or an older system's name; or `all`.
    pub key: String,
    /// Forwarded.
    pub forwarded: i64,
    /// Closed by the department.
    pub closed: i64,
    /// Of those, closed after their limit.
    pub closed_overdue: i64,
    /// Not closed.
    pub open: i64,
    /// Of those, past their limit.
    pub open_overdue: i64,
    /// Id and version of the definition.
    pub definition: String,
    /// The instant that the figures are of.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
}

/// Figures of forwarded cases.
///
/// Those first forwarded from one local day (Europe/Stockholm) to another, both included, as they stand now or stood at an
/// instant. Keys of which nothing is known are not in the answer.
#[utoipa::path(
    get,
    path = "/figures/forwarded",
    tag = "figures",
    params(
        Period,
        ("by" = Option<String>, Query, description = "department or queue; all in one without it"),
        (
            "as_of" = Option<String>,
            Query,
            description = "an instant such as 2021-02-01T12:00:00+01:00, or a day, which is its end; now without it. In the \
                           future: as it would be if nothing more happened"
        )
    ),
    responses(
        (status = 200, body = Vec<ForwardedFigures>),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(metrics): State<Metrics>,
    asked: Asked,
) -> Result<Json<Vec<ForwardedFigures>>, Problem> {
    let read = || {
        let of = asked.of_cases(&["as_of"])?;
        Ok((of, asked.as_of()?))
    };
    let ((from, until, by), as_of) = read().map_err(Problem::wrong_query)?;
    let as_of = as_of.unwrap_or_else(|| metrics.clock.now());
    let rows = counts(&metrics.pool, from, until, as_of, by)
        .await
        .map_err(|error| Problem::away("the database", &error))?;
    let figures = |counts: Counts| ForwardedFigures {
        key: counts.key,
        forwarded: counts.closed + counts.open,
        closed: counts.closed,
        closed_overdue: counts.closed_overdue,
        open: counts.open,
        open_overdue: counts.open_overdue,
        definition: FORWARDED.id.to_owned(),
        as_of,
    };
    Ok(Json(rows.into_iter().map(figures).collect()))
}
