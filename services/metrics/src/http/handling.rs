//! `GET /figures/handling`: how long cases took that departments closed in a period.

use axum::{Json, extract::State};
use domain::HANDLING;
use jiff::Timestamp;
use platform::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Metrics,
    query::{Asked, Period},
};
use crate::{
    board::rounded,
    store::forwarded_figures::{Handled, Split, Times, handled},
};

/// Handling times (*handläggningstid*), for one key of a period. See `GET /figures/definitions` for what each figure means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Handling {
    /// The department; the queue, which is `department/group` or an older system's name; or `all`.
    pub key: String,
    /// Cases closed.
    pub closed: i64,
    /// In calendar time.
    pub calendar: HandlingTimes,
    /// In working time.
    pub working: HandlingTimes,
    /// 0-1, to six decimals: closed within their limit, of those that have one; null where none has.
    pub within_limit: Option<f64>,
    /// Those that have a limit.
    pub limited: i64,
    /// Id and version of the definition.
    pub definition: String,
    /// When the figures were read.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
}

/// Handling times and where they were spent; null is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HandlingTimes {
    /// From registered to closed.
    pub total: Option<Spread>,
    /// From registered to first forwarded.
    pub centre: Option<Spread>,
    /// From first forwarded to closed.
    pub department: Option<Spread>,
}

/// Times of the cases of which they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Spread {
    /// How many cases that is.
    pub cases: i64,
    /// Seconds that at least half of them do not exceed.
    pub median_s: i64,
    /// Seconds that at least nine in ten of them do not exceed.
    pub p90_s: i64,
}

impl Spread {
    fn new(times: Times) -> Self {
        Self {
            cases: times.known,
            median_s: times.median_s,
            p90_s: times.p90_s,
        }
    }
}

impl HandlingTimes {
    fn new(split: Split) -> Self {
        Self {
            total: split.total.map(Spread::new),
            centre: split.centre.map(Spread::new),
            department: split.department.map(Spread::new),
        }
    }
}

impl Handling {
    fn new(handled: Handled, as_of: Timestamp) -> Self {
        let within = handled.within as f64 / handled.limited as f64;
        Self {
            key: handled.key,
            closed: handled.closed,
            calendar: HandlingTimes::new(handled.calendar),
            working: HandlingTimes::new(handled.working),
            within_limit: (handled.limited > 0).then(|| rounded(within, 6)),
            limited: handled.limited,
            definition: HANDLING.id.to_owned(),
            as_of,
        }
    }
}

/// Handling times.
///
/// Of cases that departments closed from one local day (Europe/Stockholm) to another, both included. Keys of which nothing
/// is known are not in the answer.
#[utoipa::path(
    get,
    path = "/figures/handling",
    tag = "figures",
    params(
        Period,
        ("by" = Option<String>, Query, description = "department or queue; all in one without it")
    ),
    responses(
        (status = 200, body = Vec<Handling>),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(metrics): State<Metrics>,
    asked: Asked,
) -> Result<Json<Vec<Handling>>, Problem> {
    let of = asked.of_cases(&[]);
    let (from, until, by) = of.map_err(Problem::wrong_query)?;
    let rows = handled(&metrics.pool, from, until, by)
        .await
        .map_err(|error| Problem::away("the database", &error))?;
    let as_of = metrics.clock.now();
    Ok(Json(
        rows.into_iter()
            .map(|row| Handling::new(row, as_of))
            .collect(),
    ))
}
