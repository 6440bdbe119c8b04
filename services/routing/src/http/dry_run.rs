//! `POST /routing/agreements/dry-run`: what other agreements would have changed.

use axum::{
    Json,
    extract::{Request, State},
};
use domain::start_of_day;
use jiff::{ToSpan, civil::Date};
use platform::{
    Problem,
    auth::Scope,
    http::{FieldError, NeedsKey, read_body, read_json},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    Routing,
    agreements::{all_versions, day, today},
    problems::wrong_content,
};
use crate::{
    agreements,
    dry_run::{DryRun, beginnings, dry_run},
    store,
};

/// Cases looked at in one dry run: a year of a large municipality, and some seconds' work.
const MOST: i64 = 500_000;
/// Days looked at where none are named, today included.
const DAYS: i32 = 30;

/// What to try, and on which cases.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DryRunInput {
    /// The agreements to try, as `GET /routing/agreements/{version}` answers them.
    #[schema(value_type = Object)]
    content: Value,
    /// The first local day; 29 days before the last without it.
    #[schema(format = Date)]
    from: Option<String>,
    /// The last local day; today without it.
    #[schema(format = Date)]
    to: Option<String>,
}

/// Try other agreements on the cases of a period.
///
/// Each case registered in the period is routed by the version it is bound to, and by the agreements sent; the answer counts
/// what would have been different. Nothing is stored. At most 500,000 cases are looked at, the first of the period. Needs the
/// scope `cases:read`.
#[utoipa::path(
    post,
    path = "/routing/agreements/dry-run",
    tag = "routing",
    security(("key" = [])),
    request_body = DryRunInput,
    responses(
        (status = 200, body = DryRun),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn post(
    State(routing): State<Routing>,
    request: Request,
) -> Result<Json<DryRun>, Problem> {
    let headers = request.headers().clone();
    routing.keys.require(&headers, Scope::CasesRead).await?;
    let input: DryRunInput = read_json(&read_body(request).await?)?;
    let today = today(&routing.desk);
    let (from, to) = period(&input, today).map_err(|e| Problem::invalid(vec![e]))?;
    let beyond = |error: jiff::Error| {
        let reason = format!("is no day that can be looked at: {error}");
        Problem::invalid(vec![FieldError::new("to", reason)])
    };
    let between = (
        start_of_day(from).map_err(beyond)?,
        to.tomorrow().and_then(start_of_day).map_err(beyond)?,
    );
    let new = agreements::from_json(input.content).map_err(wrong_content)?;
    let versions = all_versions(&routing.desk).await?;
    let begin = beginnings(&versions).into_iter().map(start_of_day);
    let begin: Vec<_> = begin
        .collect::<Result<_, _>>()
        .map_err(|e| Problem::internal(&e))?;
    let alike = store::alike(&routing.desk.pool, between, &begin, MOST)
        .await
        .map_err(|e| Problem::of_database(&e))?;
    let truncated = alike.iter().map(|a| a.cases).sum::<i64>() >= MOST;
    let result = dry_run((from, to), &alike, truncated, &versions, &new.agreements);
    Ok(Json(result))
}

fn period(input: &DryRunInput, today: Date) -> Result<(Date, Date), FieldError> {
    let given = |field, text: &Option<String>| text.as_ref().map(|t| day(field, t)).transpose();
    let to = given("to", &input.to)?.unwrap_or(today);
    let from = given("from", &input.from)?.unwrap_or_else(|| to.saturating_sub((DAYS - 1).days()));
    if to < from {
        return Err(FieldError::new(
            "to",
            format!("is {to}, and must not be before {from}"),
        ));
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(from: Option<&str>, to: Option<&str>) -> Result<(String, String), String> {
        let input = DryRunInput {
            content: Value::Null,
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        };
        let period = period(&input, "2026-05-04".parse().unwrap());
        period
            .map(|(from, to)| (from.to_string(), to.to_string()))
            .map_err(|e| format!("{} {}", e.field, e.reason))
    }

    #[test]
    fn without_days_it_is_the_last_thirty() {
        let days = |from: &str, to: &str| Ok((from.to_owned(), to.to_owned()));
        assert_eq!(of(None, None), days("2026-04-05", "2026-05-04"));
        assert_eq!(
            of(None, Some("2026-01-31")),
            days("2026-01-02", "2026-01-31")
        );
        assert_eq!(
            of(Some("2026-05-01"), None),
            days("2026-05-01", "2026-05-04")
        );
        assert!(
            of(Some("2026-05-05"), None)
                .unwrap_err()
                .starts_with("to is 2026-05-04")
        );
        assert!(
            of(Some("i går"), None)
                .unwrap_err()
                .starts_with("from must be a day")
        );
        assert!(of(Some("-009999-01-01"), None).is_ok());
    }
}
