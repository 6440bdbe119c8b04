//! `GET /routing/cases/{id}`: where a case is, and why.

use axum::{Json, extract::State, http::HeaderMap};
use domain::{
    CaseId, CaseOutcome, CaseType, Department, GroupId, Opinion, PauseReason, RosaGroup, Words,
    Zone,
};
use jiff::Timestamp;
use platform::{
    Problem,
    auth::Scope,
    http::{CaseInPath, NeedsKey},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Routing, agreements::all_versions};
use crate::{
    case::{Case, State as Stands},
    store::{self, Version},
    versions::numbered,
};

/// Where a case is, and why. Nothing of what a citizen or a department wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// The case.
    pub case: CaseId,
    /// Where it stands.
    pub state: Stands,
    /// Its type, as registered.
    pub case_type: CaseType,
    /// Its ROSA group, as registered.
    pub rosa_group: RosaGroup,
    /// The department it is about, as registered.
    pub about: Department,
    /// Whether it cannot wait.
    pub urgent: bool,
    /// Complaint or praise, where it is one.
    pub opinion: Option<Opinion>,
    /// Its secrecy zone, where it has one.
    pub zone: Option<Zone>,
    /// Who has it; null at the centre.
    pub at: Option<At>,
    /// The version of the agreements it is bound to; null at the centre, and where it came with an import.
    pub agreement: Option<i64>,
    /// The rule that decided.
    pub rule: Option<String>,
    /// How it was decided, step by step; empty at the centre.
    pub why: Vec<Words>,
    /// Whether it is to be forwarded, and waits for agreements that say where.
    pub waits_for_agreements: bool,
    /// Whether it came with an import of an older system's cases.
    pub imported: bool,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    pub registered_at: Timestamp,
    /// When it was handed to the group that has it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub forwarded_at: Option<Timestamp>,
    /// The limit.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due: Option<Timestamp>,
    /// Whether it is open after the limit.
    pub overdue: bool,
    /// When an officer took it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub taken_at: Option<Timestamp>,
    /// When the group has promised to be done.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub promised: Option<Timestamp>,
    /// When the pause under way began.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub paused_at: Option<Timestamp>,
    /// When it ends at the latest.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub paused_until: Option<Timestamp>,
    /// What is waited for.
    pub pause_reason: Option<PauseReason>,
    /// When it was closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<CaseOutcome>,
    /// What has happened, oldest first; notes' words are on the case page only.
    pub log: Vec<LogLine>,
    /// Whether more has happened, before that.
    pub log_goes_further_back: bool,
    /// When its page was last looked at.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub viewed_at: Option<Timestamp>,
}

/// A group at a department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct At {
    /// The department.
    pub department: Department,
    /// What the agreements call it; for an imported case, what the older system did.
    pub department_name: Option<String>,
    /// The group.
    pub group: Option<GroupId>,
    /// What the agreements call it; for an imported case, what the older system did.
    pub group_name: Option<String>,
}

/// Something that happened to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What: `forwarded`, `taken`, `noted`, `paused`, `resumed`, `bounced`, `closed` and so on.
    pub what: String,
    /// The department and group, or the way, it was done by.
    pub who: String,
    /// Of what was forwarded, the rule that decided then.
    pub rule: Option<String>,
    /// Of what was forwarded, how it was decided then, step by step.
    pub why: Vec<Words>,
}

/// Where a case is, and why.
///
/// Needs the scope `cases:read`.
#[utoipa::path(
    get,
    path = "/routing/cases/{id}",
    tag = "routing",
    security(("key" = [])),
    params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, body = Explanation),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn get(
    State(routing): State<Routing>,
    id: Result<CaseInPath, Problem>,
    headers: HeaderMap,
) -> Result<Json<Explanation>, Problem> {
    routing.keys.require(&headers, Scope::CasesRead).await?;
    let CaseInPath(id) = id?;
    let away = |error: sqlx::Error| Problem::of_database(&error);
    let versions = all_versions(&routing.desk).await?;
    let mut connection = routing.desk.pool.acquire().await.map_err(away)?;
    let mut known = store::cases(&mut *connection, &[id]).await.map_err(away)?;
    let case = known.remove(&id).ok_or_else(Problem::unknown_case)?;
    let history = store::history(&mut connection, id).await.map_err(away)?;
    let bound = case.agreement.and_then(|v| numbered(&versions, v));
    let now = routing.desk.clock.now();
    Ok(Json(explain(case, bound, history, now)))
}

fn explain(
    case: Case,
    bound: Option<&Version>,
    history: store::History,
    now: Timestamp,
) -> Explanation {
    let line = |line: store::Happened| {
        let (rule, why) = line.reason.map(|r| (r.rule, r.why)).unzip();
        LogLine {
            at: line.at,
            what: line.what,
            who: line.who,
            rule,
            why: why.unwrap_or_default(),
        }
    };
    // A limit stands while the case is paused.
    let clock = match case.state {
        Stands::Open => Some(now),
        Stands::Paused => case.paused_at,
        Stands::Centre | Stands::Closed => None,
    };
    Explanation {
        case: case.id,
        at: at(&case, bound),
        overdue: case.due.is_some_and(|due| Some(due) < clock),
        state: case.state,
        case_type: case.case_type,
        rosa_group: case.rosa_group,
        about: case.about,
        urgent: case.urgent,
        opinion: case.opinion,
        zone: case.zone,
        agreement: case.agreement,
        rule: case.rule,
        why: case.why.unwrap_or_default(),
        waits_for_agreements: case.wanted,
        imported: case.imported,
        registered_at: case.registered_at,
        forwarded_at: case.forwarded_at,
        due: case.due,
        taken_at: case.taken_at,
        promised: case.promised,
        paused_at: case.paused_at,
        paused_until: case.paused_until,
        pause_reason: case.pause_reason,
        closed_at: case.closed_at,
        outcome: case.outcome,
        log: history.lines.into_iter().map(line).collect(),
        log_goes_further_back: history.more,
        viewed_at: history.views.first().copied(),
    }
}

fn at(case: &Case, bound: Option<&Version>) -> Option<At> {
    let (department, group) = (case.department.clone()?, case.group_id.clone());
    let agreed = bound.and_then(|v| v.content.departments.get(&department));
    let agreed_group = agreed
        .zip(group.as_ref())
        .and_then(|(agreed, group)| agreed.groups.get(group));
    let before = case.historical.as_ref();
    let older_department = before.and_then(|h| h.department.as_ref());
    let older_queue = before.and_then(|h| h.queue.as_ref());
    Some(At {
        department_name: agreed
            .map(|agreed| agreed.name.clone())
            .or_else(|| older_department.map(ToString::to_string)),
        group_name: agreed_group
            .map(|group| group.name.clone())
            .or_else(|| older_queue.map(ToString::to_string)),
        department,
        group,
    })
}
