//! `GET /figures`: the figures of a period.

use axum::{Json, extract::State};
use domain::{CONTACTS, ContactSums};
use jiff::{Timestamp, civil::Date};
use platform::{Problem, http::FieldError};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::{
    Metrics,
    query::{Asked, Period},
};
use crate::{
    board::{rate, rounded},
    store::figures::sums,
};

/// Figures of contacts, for one key of a period. See `GET /figures/definitions` for what each means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Figures {
    /// The queue, the day as 2021-02-01, the channel, the department (`unknown` where no department was named), or `all`.
    pub key: String,
    /// Decided contacts.
    pub offered: i64,
    /// Answered.
    pub answered: i64,
    /// Abandoned, short ones included.
    pub abandoned: i64,
    /// Abandoned within 10 s.
    pub short_abandoned: i64,
    /// 0-1, to six decimals; null where nothing counts.
    pub answer_rate: Option<f64>,
    /// Answered within 60 s.
    pub answered_within_60s: i64,
    /// Seconds, to three decimals; null where nothing was answered after a known wait.
    #[serde(serialize_with = "plain_number")]
    pub mean_wait_of_answered_s: Option<f64>,
    /// Seconds; null where no wait is known.
    #[serde(serialize_with = "plain_number")]
    pub longest_wait_s: Option<f64>,
    /// Id and version of the definition.
    pub definition: String,
    /// When the figures were read.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
}

/// Whole seconds as `242`, not `242.0`.
fn plain_number<S: Serializer>(number: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
    match number {
        Some(n) if n.fract() == 0.0 && n.abs() < 1e15 => to.serialize_i64(*n as i64),
        Some(n) => to.serialize_f64(*n),
        None => to.serialize_none(),
    }
}

impl Figures {
    fn new(key: String, sums: &ContactSums, as_of: Timestamp) -> Self {
        let mean = |sum_ms: i64, count: i64| rounded(sum_ms as f64 / 1e3 / count as f64, 3);
        Self {
            key,
            offered: sums.offered,
            answered: sums.answered,
            abandoned: sums.abandoned,
            short_abandoned: sums.short_abandoned,
            answer_rate: rate(sums),
            answered_within_60s: sums.answered_within,
            mean_wait_of_answered_s: (sums.waits_known > 0)
                .then(|| mean(sums.wait_of_answered_ms, sums.waits_known)),
            longest_wait_s: sums.longest_wait_ms.map(|ms| ms as f64 / 1e3),
            definition: CONTACTS.id.to_owned(),
            as_of,
        }
    }
}

/// What figures are broken down by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The queue.
    Queue,
    /// The local day.
    Day,
    /// The channel.
    Channel,
    /// The department.
    Department,
}

impl By {
    /// Every breakdown.
    pub const ALL: [By; 4] = [Self::Queue, Self::Day, Self::Channel, Self::Department];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Day => "day",
            Self::Channel => "channel",
            Self::Department => "department",
        }
    }
}

impl std::str::FromStr for By {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|by| by.as_str() == text)
            .ok_or_else(|| {
                format!(
                    "must be one of {}, or left out",
                    Self::ALL.map(By::as_str).join(", ")
                )
            })
    }
}

/// Figures of contacts.
///
/// From one local day (Europe/Stockholm) to another, both included. Keys of which nothing is known are not in the answer.
#[utoipa::path(
    get,
    path = "/figures",
    tag = "figures",
    params(
        Period,
        ("by" = Option<String>, Query, description = "queue, day, channel or department; all in one without it")
    ),
    responses(
        (status = 200, body = Vec<Figures>),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(metrics): State<Metrics>,
    query: Asked,
) -> Result<Json<Vec<Figures>>, Problem> {
    let (from, to, by) = read(&query).map_err(Problem::wrong_query)?;
    let rows = sums(&metrics.pool, from, to, by.map_or("all", By::as_str))
        .await
        .map_err(|error| Problem::away("the database", &error))?;
    let as_of = metrics.clock.now();
    Ok(Json(
        rows.into_iter()
            .map(|(key, sums)| Figures::new(key, &sums, as_of))
            .collect(),
    ))
}

fn read(query: &Asked) -> Result<(Date, Date, Option<By>), FieldError> {
    query.only(&["from", "to", "by"])?;
    let (from, to) = query.days()?;
    Ok((from, to, query.by()?))
}
