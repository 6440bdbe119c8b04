//! `/routing/agreements`: the versions there are, and a new one.

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode},
};
use domain::{Agreements, Department, local_day};
use jiff::{Timestamp, civil::Date};
use platform::{
    Problem,
    auth::Scope,
    http::{FieldError, NeedsKey, QueryFields, read_body, read_json},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::Connection;
use utoipa::ToSchema;

use super::{
    Routing,
    problems::{unknown_version, wrong_content},
};
use crate::{
    Desk, agreements,
    store::{self, Version},
    versions,
};

/// A version of the agreements, without what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionView {
    /// Its number.
    pub version: i64,
    /// The first day it holds.
    #[schema(value_type = String, format = Date)]
    pub valid_from: Date,
    /// Who approved it, such as a board and its paragraph.
    pub approved_by: String,
    /// When it was applied.
    #[schema(value_type = String, format = DateTime)]
    pub applied_at: Timestamp,
    /// Whether cases registered on the day asked about, today unless another is named, are bound to it.
    pub in_force: bool,
}

/// A version of the agreements that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppliedVersion {
    /// Which.
    #[serde(flatten)]
    pub version: VersionView,
    /// Departments that have an account on the bus now. Accounts are made when the product starts.
    pub accounts: Vec<Department>,
}

/// A version of the agreements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VersionContent {
    /// Which.
    #[serde(flatten)]
    pub version: VersionView,
    /// What it says.
    #[schema(value_type = Object)]
    pub content: Agreements,
}

/// A version to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVersion {
    /// The first day it holds, today or later; any day where it is the first version.
    #[schema(format = Date)]
    valid_from: String,
    /// Who approved it, 1-200 characters, such as a board and its paragraph.
    approved_by: String,
    /// What it says, as `GET /routing/agreements/{version}` answers it.
    #[schema(value_type = Object)]
    content: Value,
}

/// The versions of the agreements, in the order they were applied.
///
/// A case is bound to the version in force on the day it was registered. Needs the scope `cases:read`.
#[utoipa::path(
    get,
    path = "/routing/agreements",
    tag = "routing",
    security(("key" = [])),
    params(("on" = Option<String>, Query, description = "the day that `in_force` tells of, such as 2027-01-01; today without it", format = Date)),
    responses(
        (status = 200, body = Vec<VersionView>),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn list(
    State(routing): State<Routing>,
    query: Result<QueryFields, Problem>,
    headers: HeaderMap,
) -> Result<Json<Vec<VersionView>>, Problem> {
    routing.keys.require(&headers, Scope::CasesRead).await?;
    let QueryFields(query) = query?;
    let mut on = today(&routing.desk);
    for (name, value) in &query {
        match name.as_str() {
            "on" => on = day("on", value).map_err(Problem::wrong_query)?,
            unknown => {
                let error = FieldError::new(unknown, "is not known here; use on");
                return Err(Problem::wrong_query(error));
            }
        }
    }
    let all = all_versions(&routing.desk).await?;
    Ok(Json(
        all.iter().map(|v| VersionView::of(v, &all, on)).collect(),
    ))
}

/// A version of the agreements.
///
/// Needs the scope `cases:read`.
#[utoipa::path(
    get,
    path = "/routing/agreements/{version}",
    tag = "routing",
    security(("key" = [])),
    params(("version" = i64, Path)),
    responses(
        (status = 200, body = VersionContent),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn get(
    State(routing): State<Routing>,
    Path(version): Path<String>,
    headers: HeaderMap,
) -> Result<Json<VersionContent>, Problem> {
    routing.keys.require(&headers, Scope::CasesRead).await?;
    let number = version.parse().map_err(|_| unknown_version())?;
    let all = all_versions(&routing.desk).await?;
    let version = versions::numbered(&all, number).ok_or_else(unknown_version)?;
    Ok(Json(VersionContent {
        version: VersionView::of(version, &all, today(&routing.desk)),
        content: version.content.clone(),
    }))
}

/// Add a version of the agreements.
///
/// Nothing is overwritten: a version begins today or later, and cases registered before that keep theirs. Only the first may
/// begin earlier. Repeating the request adds it once. Needs the scope `agreements:write`.
#[utoipa::path(
    post,
    path = "/routing/agreements",
    tag = "routing",
    security(("key" = [])),
    request_body = NewVersion,
    responses(
        (status = 200, body = AppliedVersion, description = "It is the last that was added, and nothing has changed."),
        (status = 201, body = AppliedVersion),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn post(
    State(routing): State<Routing>,
    request: Request,
) -> Result<(StatusCode, Json<AppliedVersion>), Problem> {
    let headers = request.headers().clone();
    routing
        .keys
        .require(&headers, Scope::AgreementsWrite)
        .await?;
    let new: NewVersion = read_json(&read_body(request).await?)?;
    let (valid_from, approved_by) = new.decision().map_err(|e| Problem::invalid(vec![e]))?;
    let content = agreements::from_json(new.content).map_err(wrong_content)?;
    let (status, version) =
        add(&routing.desk, valid_from, &approved_by, &content.agreements).await?;
    routing.desk.applied.notify_one();
    let all = all_versions(&routing.desk).await?;
    let version = versions::numbered(&all, version)
        .ok_or_else(|| Problem::internal(&"a version that was added is not there"))?;
    let applied = AppliedVersion {
        version: VersionView::of(version, &all, today(&routing.desk)),
        accounts: routing.desk.departments.iter().cloned().collect(),
    };
    Ok((status, Json(applied)))
}

/// Adds a version, unless it is the very one that was added last: an answer that was lost is asked for again.
async fn add(
    desk: &Desk,
    valid_from: Date,
    approved_by: &str,
    content: &Agreements,
) -> Result<(StatusCode, i64), Problem> {
    let away = |error: sqlx::Error| Problem::of_database(&error);
    let mut connection = desk.pool.acquire().await.map_err(away)?;
    let mut transaction = connection.begin().await.map_err(away)?;
    store::add_alone(&mut transaction).await.map_err(away)?;
    let all = desk.versions.all(&mut transaction).await.map_err(away)?;
    let same = |v: &&Version| {
        v.valid_from == valid_from && v.approved_by == approved_by && v.content == *content
    };
    if let Some(same) = all.last().filter(same) {
        return Ok((StatusCode::OK, same.version));
    }
    let now = desk.clock.now();
    let today = local_day(now);
    if valid_from < today && !all.is_empty() {
        return Err(Problem::invalid(vec![FieldError::new(
            "valid_from",
            format!(
                "is {valid_from}, and there are versions already: cases registered since then follow them, which is not \
                 changed afterwards; give today, {today}, or a later day"
            ),
        )]));
    }
    let version = store::add_version(&mut *transaction, content, valid_from, approved_by, now)
        .await
        .map_err(away)?;
    transaction.commit().await.map_err(away)?;
    Ok((StatusCode::CREATED, version))
}

impl VersionView {
    fn of(version: &Version, all: &[Version], on: Date) -> Self {
        Self {
            version: version.version,
            valid_from: version.valid_from,
            approved_by: version.approved_by.clone(),
            applied_at: version.applied_at,
            in_force: versions::in_force(all, on).is_some_and(|v| v.version == version.version),
        }
    }
}

/// Every version there is.
pub(super) async fn all_versions(desk: &Desk) -> Result<std::sync::Arc<Vec<Version>>, Problem> {
    let away = |error: sqlx::Error| Problem::of_database(&error);
    let mut connection = desk.pool.acquire().await.map_err(away)?;
    desk.versions.all(&mut connection).await.map_err(away)
}

pub(super) fn today(desk: &Desk) -> Date {
    local_day(desk.clock.now())
}

pub(super) fn day(field: &str, text: &str) -> Result<Date, FieldError> {
    text.parse()
        .map_err(|_| FieldError::new(field, "must be a day such as 2027-01-01"))
}

impl NewVersion {
    /// From when, and by whose decision.
    fn decision(&self) -> Result<(Date, String), FieldError> {
        let valid_from = day("valid_from", &self.valid_from)?;
        let approved_by = self.approved_by.trim();
        let length = approved_by.chars().count();
        if !(1..=200).contains(&length) || approved_by.chars().any(char::is_control) {
            return Err(FieldError::new(
                "approved_by",
                "must be a line of 1 to 200 characters, such as a board and its paragraph",
            ));
        }
        Ok((valid_from, approved_by.to_owned()))
    }
}
