//! `GET /reminder/cases`: forwarded cases that are not closed, and what comes next for each.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::HeaderMap};
use domain::{CaseId, CaseType, Department, GroupId, Guide};
use jiff::Timestamp;
use platform::{
    Problem,
    auth::Scope,
    http::{FieldError, NeedsKey, QueryFields},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Reminder, not_done};
use crate::store::{self, Listed, Which};

/// Cases in one answer where nothing else is asked for, and at the most.
const USUAL: i64 = 200;
const MOST: i64 = 1_000;

/// Forwarded cases that are not closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Cases {
    /// The cases, the earliest limit first; those without one, and those that were paused before it, last.
    pub cases: Vec<CaseOf>,
    /// Whether there are more than were asked for.
    pub more: bool,
    /// The instant that they are of.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
}

/// A forwarded case, as far as its follow-up goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CaseOf {
    /// The case.
    pub case: CaseId,
    /// Its type.
    pub case_type: CaseType,
    /// The department that has it.
    pub department: Department,
    /// The group that has it.
    pub group: GroupId,
    /// The guide who forwarded it, where the centre says so.
    pub guide: Option<Guide>,
    /// `open`, or `paused`: the department waits for somebody else, and the clock stands.
    pub state: String,
    /// When it was forwarded to the group.
    #[schema(value_type = String, format = DateTime)]
    pub forwarded_at: Timestamp,
    /// Its limit; null where there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due: Option<Timestamp>,
    /// Whether it is overdue: open after its limit or, while it is paused, paused after it.
    pub late: bool,
    /// How many steps have been taken since it was forwarded to the group.
    pub steps: usize,
    /// The day that its group has promised.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub promised: Option<Timestamp>,
    /// When somebody is told of it next, if it is not closed before; null while it is paused, and where all have been told.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Timestamp>,
}

impl CaseOf {
    pub(super) fn of(listed: &Listed, now: Timestamp) -> Self {
        let plan = &listed.plan;
        Self {
            case: plan.case(),
            case_type: plan.case_type().clone(),
            department: plan.department().clone(),
            group: plan.group().clone(),
            guide: plan.guide().cloned(),
            state: plan.state().as_str().to_owned(),
            forwarded_at: plan.forwarded_at(),
            due: plan.due(),
            late: plan.is_late(now),
            steps: plan.steps_taken(),
            promised: plan.promised(),
            next_at: listed.next_at,
        }
    }
}

/// Forwarded cases that are not closed.
///
/// Those of a department, of a guide (*mina vidareskickade*), those that are late, or all. Needs the scope `cases:read`.
#[utoipa::path(
    get,
    path = "/reminder/cases",
    tag = "reminder",
    security(("key" = [])),
    params(
        ("department" = Option<String>, Query, description = "the department that has them"),
        ("guide" = Option<String>, Query, description = "the guide who forwarded them"),
        ("late" = Option<bool>, Query, description = "only those that are late (true), or only the others (false)"),
        ("limit" = Option<u32>, Query, description = "so many at the most, 1-1000; 200 without it")
    ),
    responses(
        (status = 200, body = Cases),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn get(
    State(reminder): State<Reminder>,
    query: Result<QueryFields, Problem>,
    headers: HeaderMap,
) -> Result<Json<Cases>, Problem> {
    reminder.keys.require(&headers, Scope::CasesRead).await?;
    let now = reminder.desk.clock.now();
    let QueryFields(query) = query?;
    let (which, limit) = asked(&query, now).map_err(Problem::wrong_query)?;
    let mut listed = store::list(&reminder.desk.pool, &which, limit + 1)
        .await
        .map_err(|e| not_done(&e))?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = listed.len() > limit;
    listed.truncate(limit);
    Ok(Json(Cases {
        cases: listed.iter().map(|case| CaseOf::of(case, now)).collect(),
        more,
        as_of: now,
    }))
}

fn asked(query: &BTreeMap<String, String>, now: Timestamp) -> Result<(Which, i64), FieldError> {
    let (mut which, mut limit) = (Which::default(), USUAL);
    for (name, value) in query {
        match name.as_str() {
            "department" => which.department = Some(label(name, value)?),
            "guide" => which.guide = Some(label(name, value)?),
            "late" => match value.as_str() {
                "true" => which.late_at = Some(now),
                "false" => which.in_time_at = Some(now),
                _ => return Err(FieldError::new(name, "must be true or false")),
            },
            "limit" => {
                let given = value.parse().ok().filter(|n| (1..=MOST).contains(n));
                limit = given
                    .ok_or_else(|| FieldError::new(name, "must be a number from 1 to 1000"))?;
            }
            unknown => {
                return Err(FieldError::new(
                    unknown,
                    "is not known here; use department, guide, late and limit",
                ));
            }
        }
    }
    Ok((which, limit))
}

fn label<T: std::str::FromStr<Err = domain::InvalidLabel>>(
    name: &str,
    value: &str,
) -> Result<T, FieldError> {
    value
        .parse()
        .map_err(|e: domain::InvalidLabel| FieldError::new(name, e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &[(&str, &str)]) -> Result<(Which, i64), String> {
        let query = query.iter().map(|(n, v)| ((*n).into(), (*v).into()));
        asked(&query.collect(), Timestamp::UNIX_EPOCH)
            .map_err(|e| format!("{} {}", e.field, e.reason))
    }

    #[test]
    fn what_is_asked_for_is_read_and_what_is_wrong_is_named() {
        let (which, limit) = of(&[("department", "bygg"), ("late", "true")]).unwrap();
        assert_eq!(which.department.unwrap().as_str(), "bygg");
        assert_eq!(which.late_at, Some(Timestamp::UNIX_EPOCH));
        assert_eq!(limit, USUAL);
        assert!(
            of(&[("departement", "bygg")])
                .unwrap_err()
                .starts_with("departement is not known")
        );
        assert!(
            of(&[("late", "ja")])
                .unwrap_err()
                .starts_with("late must be")
        );
        for limit in ["0", "1001", "many"] {
            assert!(
                of(&[("limit", limit)])
                    .unwrap_err()
                    .starts_with("limit must be")
            );
        }
        assert!(
            of(&[("department", "Bygg & miljö")])
                .unwrap_err()
                .starts_with("department ")
        );
    }
}
