//! SQL of plans. A plan travels whole, as JSON; the columns beside it are for finding it.

use std::collections::HashMap;

use domain::{CaseId, CaseType, Department, GroupId, Guide};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Serialize, Serializer};
use sqlx::{PgConnection, PgExecutor};

use super::{impossible, unwritable};
use crate::rules::Plan;

/// The columns of `plan`, by name.
#[derive(Serialize)]
struct Row<'a> {
    case_id: CaseId,
    department: &'a Department,
    group_id: &'a GroupId,
    guide: Option<&'a Guide>,
    case_type: &'a CaseType,
    state: &'static str,
    forwarded_at: Timestamp,
    due: Option<Timestamp>,
    promised: Option<Timestamp>,
    #[serde(serialize_with = "or_infinity")]
    late_from: Option<Timestamp>,
    listed: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    next_at: Option<Timestamp>,
    plan: &'a Plan,
}

fn or_infinity<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => at.serialize(to),
        None => "infinity".serialize(to),
    }
}

/// Which plans are listed. All that is given must hold; ended ones never are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Which {
    pub(crate) department: Option<Department>,
    pub(crate) guide: Option<Guide>,
    /// Those that are late at this instant, as [`Plan::is_late`] says.
    pub(crate) late_at: Option<Timestamp>,
    /// All the others.
    pub(crate) in_time_at: Option<Timestamp>,
    /// Those whose being late the guides' list has not told of.
    pub(crate) to_list: bool,
}

/// A plan, and when it is looked at again.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) plan: Plan,
    pub(crate) next_at: Option<Timestamp>,
}

fn read(rows: Vec<String>) -> Result<Vec<Plan>, sqlx::Error> {
    rows.iter()
        .map(|row| serde_json::from_str(row).map_err(impossible))
        .collect()
}

fn uuids(ids: &[CaseId]) -> Vec<uuid::Uuid> {
    ids.iter().map(|id| id.0).collect()
}

/// Those of `ids` that are known; nobody else changes them until the transaction ends.
pub(crate) async fn plans_for_update(
    connection: &mut PgConnection,
    ids: &[CaseId],
) -> Result<HashMap<CaseId, Plan>, sqlx::Error> {
    let rows = sqlx::query_scalar(
        "SELECT plan::text FROM plan WHERE case_id = ANY($1) ORDER BY case_id FOR UPDATE",
    )
    .bind(uuids(ids))
    .fetch_all(connection)
    .await?;
    let plans = read(rows)?.into_iter();
    Ok(plans.map(|plan| (plan.case(), plan)).collect())
}

/// Plans to look at, the longest due first.
pub(crate) async fn due_plans(
    executor: impl PgExecutor<'_>,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Plan>, sqlx::Error> {
    let rows = sqlx::query_scalar(
        "SELECT plan::text FROM plan WHERE next_at <= $1 ORDER BY next_at LIMIT $2",
    )
    .bind(now.to_sqlx())
    .bind(most)
    .fetch_all(executor)
    .await?;
    read(rows)
}

/// Those of `ids` that are still to be looked at. Ones that somebody else is changing are left out.
pub(crate) async fn due_plans_for_update(
    connection: &mut PgConnection,
    now: Timestamp,
    ids: &[CaseId],
) -> Result<Vec<Plan>, sqlx::Error> {
    let rows = sqlx::query_scalar(
        "SELECT plan::text FROM plan WHERE case_id = ANY($1) AND next_at <= $2 ORDER BY case_id FOR UPDATE SKIP LOCKED",
    )
    .bind(uuids(ids))
    .bind(now.to_sqlx())
    .fetch_all(connection)
    .await?;
    read(rows)
}

/// The next plans that are open, by case, after that of `after`; nobody else changes them until the transaction ends.
pub(crate) async fn open_plans_for_update(
    connection: &mut PgConnection,
    after: Option<CaseId>,
    most: i64,
) -> Result<Vec<Listed>, sqlx::Error> {
    let rows: Vec<(String, Option<jiff_sqlx::Timestamp>)> = sqlx::query_as(
        "SELECT plan::text, next_at FROM plan WHERE state = 'open' AND ($1::uuid IS NULL OR case_id > $1)
         ORDER BY case_id LIMIT $2 FOR UPDATE",
    )
    .bind(after.map(|case| case.0))
    .bind(most)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(listed).collect()
}

/// When a plan is to be looked at next.
pub(crate) async fn next_look(
    executor: impl PgExecutor<'_>,
) -> Result<Option<Timestamp>, sqlx::Error> {
    let next: Option<jiff_sqlx::Timestamp> = sqlx::query_scalar(
        "SELECT next_at FROM plan WHERE next_at IS NOT NULL ORDER BY next_at LIMIT 1",
    )
    .fetch_optional(executor)
    .await?;
    Ok(next.map(jiff_sqlx::Timestamp::to_jiff))
}

/// Writes plans, new ones and known ones, each with when to look at it again.
pub(crate) async fn save_plans(
    connection: &mut PgConnection,
    plans: &[(&Plan, Option<Timestamp>)],
) -> Result<(), sqlx::Error> {
    if plans.is_empty() {
        return Ok(());
    }
    let row = |(plan, next_at): &(&'_ Plan, Option<Timestamp>)| -> serde_json::Result<String> {
        serde_json::to_string(&Row {
            case_id: plan.case(),
            department: plan.department(),
            group_id: plan.group(),
            guide: plan.guide(),
            case_type: plan.case_type(),
            state: plan.state().as_str(),
            forwarded_at: plan.forwarded_at(),
            due: plan.due(),
            promised: plan.promised(),
            late_from: plan.late_from(),
            listed: plan.is_imported().then(|| plan.forwarded_at()),
            ended_at: plan.ended_at(),
            next_at: *next_at,
            plan,
        })
    };
    let rows: Result<Vec<String>, _> = plans.iter().map(row).collect();
    let rows = format!("[{}]", rows.map_err(unwritable)?.join(","));
    sqlx::query(
        "INSERT INTO plan SELECT * FROM json_populate_recordset(NULL::plan, $1::json)
         ON CONFLICT (case_id) DO UPDATE SET
             department = excluded.department, group_id = excluded.group_id, guide = excluded.guide,
             case_type = excluded.case_type, state = excluded.state, forwarded_at = excluded.forwarded_at,
             due = excluded.due, promised = excluded.promised, late_from = excluded.late_from,
             listed = coalesce(excluded.listed, plan.listed), ended_at = excluded.ended_at, next_at = excluded.next_at,
             plan = excluded.plan",
    )
    .bind(rows)
    .execute(connection)
    .await?;
    Ok(())
}

/// The plan of a case.
pub(crate) async fn plan(
    executor: impl PgExecutor<'_>,
    case: CaseId,
) -> Result<Option<Listed>, sqlx::Error> {
    let row: Option<(String, Option<jiff_sqlx::Timestamp>)> =
        sqlx::query_as("SELECT plan::text, next_at FROM plan WHERE case_id = $1")
            .bind(case.0)
            .fetch_optional(executor)
            .await?;
    row.map(listed).transpose()
}

fn listed((plan, next_at): (String, Option<jiff_sqlx::Timestamp>)) -> Result<Listed, sqlx::Error> {
    Ok(Listed {
        plan: serde_json::from_str(&plan).map_err(impossible)?,
        next_at: next_at.map(jiff_sqlx::Timestamp::to_jiff),
    })
}

/// Open and paused cases of `which`, the earliest limit first; those without one, and those that were paused before it, last.
pub(crate) async fn list(
    executor: impl PgExecutor<'_>,
    which: &Which,
    most: i64,
) -> Result<Vec<Listed>, sqlx::Error> {
    // A condition that is not given is left out rather than made to hold always, and the state is written out: each shape
    // has an index, which a plan made for any parameters finds only so.
    let mut sql = "SELECT plan::text, next_at FROM plan WHERE state <> 'ended'".to_owned();
    let given = [
        (which.department.is_some(), " AND department = $2"),
        (which.guide.is_some(), " AND guide = $3"),
        (which.late_at.is_some(), " AND late_from < $4"),
        (which.in_time_at.is_some(), " AND late_from >= $5"),
        (which.to_list, " AND listed IS DISTINCT FROM forwarded_at"),
    ];
    for (_, condition) in given.iter().filter(|(given, _)| *given) {
        sql += condition;
    }
    // Names all parameters, so that each has a type.
    sql += " AND ($2::text, $3::text, $4::timestamptz, $5::timestamptz) IS NOT DISTINCT FROM ($2, $3, $4, $5)
             ORDER BY late_from, due, case_id LIMIT $1";
    let rows: Vec<(String, Option<jiff_sqlx::Timestamp>)> =
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(most)
            .bind(which.department.as_ref().map(Department::as_str))
            .bind(which.guide.as_ref().map(Guide::as_str))
            .bind(which.late_at.map(ToSqlx::to_sqlx))
            .bind(which.in_time_at.map(ToSqlx::to_sqlx))
            .fetch_all(executor)
            .await?;
    rows.into_iter().map(listed).collect()
}

/// Marks that the guides' list has told of these being late, as they stood when it was made.
pub(crate) async fn mark_listed(
    connection: &mut PgConnection,
    listed: &[Listed],
) -> Result<(), sqlx::Error> {
    let cases: Vec<CaseId> = listed.iter().map(|l| l.plan.case()).collect();
    let forwarded: Vec<jiff_sqlx::Timestamp> = listed
        .iter()
        .map(|l| l.plan.forwarded_at().to_sqlx())
        .collect();
    // Locked in the order in which everybody locks plans.
    sqlx::query(
        "WITH told AS (
             SELECT p.case_id, t.forwarded_at
             FROM unnest($1::uuid[], $2::timestamptz[]) AS t (case_id, forwarded_at) JOIN plan p USING (case_id)
             ORDER BY p.case_id FOR UPDATE OF p
         )
         UPDATE plan SET listed = told.forwarded_at FROM told WHERE plan.case_id = told.case_id",
    )
    .bind(uuids(&cases))
    .bind(forwarded)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets at most `most` cases that ended before an instant, and what happened to them; says how many they were.
pub(crate) async fn weed_plans(
    executor: impl PgExecutor<'_>,
    before: Timestamp,
    most: i64,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "WITH gone AS (
             DELETE FROM plan WHERE case_id IN (
                 SELECT case_id FROM plan WHERE state = 'ended' AND ended_at < $1
                 ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED)
             RETURNING case_id
         ), told AS (
             DELETE FROM happened WHERE case_id IN (SELECT case_id FROM gone)
         )
         SELECT count(*) FROM gone",
    )
    .bind(before.to_sqlx())
    .bind(most)
    .fetch_one(executor)
    .await
}
