//! `GET /figures/followup`: how far cases had to be followed up that departments closed in a period.

use axum::{Json, extract::State};
use domain::{FOLLOW_UP, FollowUpStep};
use jiff::{Timestamp, civil::Date};
use platform::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Metrics,
    query::{Asked, Period},
};
use crate::{
    board::rounded,
    store::follow_up_figures::{FollowedUp, followed_up},
};

/// Closed cases and their follow-up, for one key of a period. See `GET /figures/definitions` for what each figure means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FollowUpFigures {
    /// The department; the queue, which is `department/group` or an older system's name; or `all`.
    pub key: String,
    /// The first day of the period.
    #[schema(value_type = String, format = Date)]
    pub from: Date,
    /// The last day of the period.
    #[schema(value_type = String, format = Date)]
    pub to: Date,
    /// Cases closed.
    pub closed: i64,
    /// Of those, those that have a limit.
    pub limited: i64,
    /// Of those, closed within it.
    pub closed_within_limit: i64,
    /// 0-1, to six decimals; null where none has a limit.
    pub share_within_limit: Option<f64>,
    /// Steps taken until a case was closed, to three decimals.
    pub mean_steps: f64,
    /// Closed before any step was taken.
    pub after_no_step: ClosedAfter,
    /// Closed after the first reminder, at a share of the limit.
    pub after_share: ClosedAfter,
    /// Closed after the reminder at the limit.
    pub after_limit: ClosedAfter,
    /// Closed after the reminder of the day that the group had promised.
    pub after_promised: ClosedAfter,
    /// Closed after the contact person was told.
    pub after_contact_person: ClosedAfter,
    /// Closed after the department's head was told.
    pub after_heads: ClosedAfter,
    /// Cases closed whose group had promised a day.
    pub promised: i64,
    /// Of those, closed by then.
    pub promised_kept: i64,
    /// Id and version of the definition.
    pub definition: String,
    /// The instant that the figures are of.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
}

/// Cases closed when a step was the last one taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClosedAfter {
    /// How many.
    pub cases: i64,
    /// Of all closed: 0-1, to six decimals.
    pub share: f64,
}

impl FollowUpFigures {
    fn new(key: String, (from, to): (Date, Date), of: &FollowedUp, as_of: Timestamp) -> Self {
        let share = |part: i64, whole: i64| rounded(part as f64 / whole as f64, 6);
        let after = |last: Option<FollowUpStep>| {
            let cases = of.after.get(&last).copied().unwrap_or(0);
            ClosedAfter {
                cases,
                share: share(cases, of.closed),
            }
        };
        Self {
            key,
            from,
            to,
            closed: of.closed,
            limited: of.limited,
            closed_within_limit: of.within,
            share_within_limit: (of.limited > 0).then(|| share(of.within, of.limited)),
            mean_steps: rounded(of.steps as f64 / of.closed as f64, 3),
            after_no_step: after(None),
            after_share: after(Some(FollowUpStep::Share)),
            after_limit: after(Some(FollowUpStep::Limit)),
            after_promised: after(Some(FollowUpStep::Promised)),
            after_contact_person: after(Some(FollowUpStep::ContactPerson)),
            after_heads: after(Some(FollowUpStep::Heads)),
            promised: of.promised,
            promised_kept: of.kept,
            definition: FOLLOW_UP.id.to_owned(),
            as_of,
        }
    }
}

/// Figures of follow-up.
///
/// Of cases that departments closed from one local day (Europe/Stockholm) to another, both included, as they stand now or
/// stood at an instant. Keys of which nothing was closed are not in the answer.
#[utoipa::path(
    get,
    path = "/figures/followup",
    tag = "figures",
    params(
        Period,
        ("by" = Option<String>, Query, description = "department or queue; all in one without it"),
        (
            "as_of" = Option<String>,
            Query,
            description = "an instant such as 2021-02-01T12:00:00+01:00, or a day, which is its end; now without it"
        )
    ),
    responses(
        (status = 200, body = Vec<FollowUpFigures>),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(metrics): State<Metrics>,
    asked: Asked,
) -> Result<Json<Vec<FollowUpFigures>>, Problem> {
    let read = || {
        let of = asked.of_cases(&["as_of"])?;
        Ok((of, asked.days()?, asked.as_of()?))
    };
    let ((from, until, by), days, as_of) = read().map_err(Problem::wrong_query)?;
    let as_of = as_of.unwrap_or_else(|| metrics.clock.now());
    let keys = followed_up(&metrics.pool, (from, until), as_of, by)
        .await
        .map_err(|error| Problem::away("the database", &error))?;
    let figures = |(key, of): (String, FollowedUp)| FollowUpFigures::new(key, days, &of, as_of);
    Ok(Json(keys.into_iter().map(figures).collect()))
}
