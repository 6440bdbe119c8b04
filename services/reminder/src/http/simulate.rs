//! `POST /reminder/simulate`: what other agreements would have sent.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Request, State},
};
use domain::{Agreements, local_day, start_of_day};
use jiff::{Timestamp, ToSpan};
use platform::{
    Problem,
    auth::Scope,
    http::{FieldError, NeedsKey, read_body, read_json},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Reminder, not_done};
use crate::{
    Desk,
    rules::{Lists, Simulation, simulate},
    store,
};

/// Days looked at where none are named, and at the most.
const DAYS: u16 = 30;
const MOST_DAYS: u16 = 366;
/// Cases read at a time: so much is in memory, however many there are.
const CHUNK: i64 = 500;
/// Cases looked at in one simulation: a year of a large municipality.
const MOST_CASES: u64 = 500_000;
/// Cases that differ and are named.
const MOST_NAMED: usize = 100;

/// What to try, and on which days.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulateInput {
    /// The agreements to try, as `GET /routing/agreements/{version}` answers them.
    #[schema(value_type = Object)]
    content: Agreements,
    /// The last so many days, today included: 1-366; 30 without it.
    days: Option<u16>,
}

/// Try other agreements on the forwarded cases of the last days.
///
/// What was told of each case is run through the agreements sent: its limit and its steps are theirs, its group stays. The
/// answer counts the steps and the lists that would have been sent, beside those that were, and names some of the cases that
/// differ. Nothing is stored, nobody is told. At most 500,000 cases are looked at. Needs the scope `cases:read`.
#[utoipa::path(
    post,
    path = "/reminder/simulate",
    tag = "reminder",
    security(("key" = [])),
    request_body = SimulateInput,
    responses(
        (status = 200, body = Simulation),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn post(
    State(reminder): State<Reminder>,
    request: Request,
) -> Result<Json<Simulation>, Problem> {
    let headers = request.headers().clone();
    reminder.keys.require(&headers, Scope::CasesRead).await?;
    let input: SimulateInput = read_json(&read_body(request).await?)?;
    let days = input.days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        let error = FieldError::new("days", format!("is {days}; it must be from 1 to 366"));
        return Err(Problem::invalid(vec![error]));
    }
    let now = reminder.desk.clock.now();
    let since = local_day(now)
        .checked_sub(i32::from(days - 1).days())
        .and_then(start_of_day)
        .map_err(|e| Problem::internal(&e))?;
    let done = run(&reminder.desk, input.content, since..now).await;
    Ok(Json(done.map_err(|e| not_done(&e))?))
}

async fn run(
    desk: &Desk,
    agreements: Agreements,
    period: std::ops::Range<Timestamp>,
) -> Result<Simulation, sqlx::Error> {
    let agreements = std::sync::Arc::new(agreements);
    let (mut all, mut lists, mut after) = (Simulation::default(), Lists::default(), None);
    let whole = (period.start, period.end);
    while all.cases < MOST_CASES {
        let histories = store::histories(&desk.pool, period.start, after, CHUNK).await?;
        let last = histories.iter().filter_map(|h| h.first()).map(|e| e.case);
        let Some(last) = last.max() else { break };
        after = Some(last);
        let (agreements, period) = (agreements.clone(), period.clone());
        // Counting working time takes its while; requests beside this one must not wait for it.
        let part = tokio::task::spawn_blocking(move || {
            simulate(histories, &agreements, period, MOST_NAMED)
        });
        let (part, in_lists) = part.await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        add(&mut all, part);
        lists.merge(in_lists);
    }
    all.digests = lists.beside(&store::digests_sent(&desk.pool, whole).await?);
    Ok(all)
}

fn add(all: &mut Simulation, part: Simulation) {
    all.cases += part.cases;
    all.differ += part.differ;
    let free = MOST_NAMED.saturating_sub(all.differing.len());
    all.differing.extend(part.differing.into_iter().take(free));
    let mut counts: BTreeMap<_, _> = std::mem::take(&mut all.counts)
        .into_iter()
        .map(|count| ((count.department.clone(), count.step), count))
        .collect();
    for count in part.counts {
        let known = counts.entry((count.department.clone(), count.step));
        known
            .and_modify(|known| {
                known.sent += count.sent;
                known.would += count.would;
            })
            .or_insert(count);
    }
    all.counts = counts.into_values().collect();
}
