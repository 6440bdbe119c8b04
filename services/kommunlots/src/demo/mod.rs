//! A simulated municipality that lives on the product's clock and talks to the public API like any client: citizens who
//! call, come and write; 17 guides in passes; eight departments; and some days that go badly.
//!
//! - `departments`, `rota`: the data. `matter`, `arrival`, `plan`: chance, all of it drawn from the seed and the date.
//! - `centre`, `contact`: queues and guides, a pure state machine that turns a plan into actions as time passes.
//! - `api`, `cases`: post the actions. This file: waits for the clock, and goes from day to day.
//!
//! - `agreements`: what the municipality has agreed on. `offices`: the departments' systems, which close most of what is
//!   forwarded to them over the bus. `officers`: those who open the link in a mail. `rhythm`: when either gets it done. Some is
//!   forgotten: the product is there to chase it.

mod agreements;
mod api;
mod arrival;
mod cases;
mod centre;
mod contact;
mod departments;
mod event;
mod hours;
mod matter;
mod officers;
mod offices;
mod plan;
mod random;
mod rhythm;
mod rota;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, time::Duration};

use domain::local_day;
use jiff::SignedDuration;
use platform::clock::Clock;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;

pub(crate) use api::Api;
pub(crate) use hours::opening_morning;
pub(crate) use offices::BusOfDepartments;

use api::Client;
use cases::Cases;
use centre::Centre;
use event::{Action, CaseWork};
use hours::{EVENING, MORNING};
use plan::Plan;
use rota::PASSES;

/// Real time from one post to the next: at high speed, many events go in one batch.
const PAUSE: Duration = Duration::from_millis(100);

/// Runs the municipality day after day until `stop`. The same seed on the same dates gives the same citizens.
///
/// # Errors
/// When the HTTP client cannot be built, or the product answers with something else than it documents.
pub(crate) async fn run(
    api: Api,
    bus: BusOfDepartments,
    post: PathBuf,
    clock: Clock,
    seed: u64,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let client = Client::new(api.clone())?;
    agreements::apply(&client, local_day(clock.now())).await?;
    tokio::select! {
        biased;
        () = stop.cancelled() => Ok(()),
        done = live(api, clock.clone(), seed) => done,
        () = offices::run(bus, departments::with_systems(), clock.clone(), stop.clone()) => Ok(()),
        () = officers::run(post, departments::by_mail(), clock) => Ok(()),
    }
}

async fn live(api: Api, clock: Clock, seed: u64) -> anyhow::Result<()> {
    let client = Client::new(api)?;
    let mut cases = Cases::default();
    // References and idempotency keys must not meet those of an earlier run on the same database.
    let prefix = format!("demo-{seed:x}-{:x}", clock.now().as_millisecond());
    let mut centre = Centre::new(prefix);
    loop {
        let (date, since) = hours::day_at(clock.now());
        let morning = hours::at(date, MORNING);
        if clock.now() < morning {
            clock.jump_to(morning);
        }
        let plan = Plan::of(seed, date);
        tracing::info!(
            demo.date = %date,
            demo.kind = ?plan.kind,
            demo.calls = plan.calls(),
            demo.guides = PASSES.len() - plan.away.len(),
            "a simulated day begins"
        );
        centre.begin(plan, since);
        let evening = hours::at(date, EVENING);
        // Cases are posted beside the contacts, so that the queues on the wallboard never wait for them; the day ends
        // when both are done, since a case belongs to the day it came in.
        let (to_post, work) = mpsc::unbounded_channel();
        tokio::try_join!(
            post_contacts(&mut centre, &client, &clock, evening, to_post),
            post_cases(&mut cases, &client, work),
        )?;
    }
}

/// One day, to the evening and until the last guide is done.
async fn post_contacts(
    centre: &mut Centre,
    client: &Client,
    clock: &Clock,
    evening: jiff::Timestamp,
    to_post: UnboundedSender<CaseWork>,
) -> anyhow::Result<()> {
    while let Some(next) = centre.next() {
        if next >= evening && !centre.is_busy() {
            break;
        }
        let pause = SignedDuration::try_from_secs_f64(PAUSE.as_secs_f64() * clock.speed())?;
        clock.sleep_until(next.max(clock.now() + pause)).await;
        let mut events = Vec::new();
        let mut cases = Vec::new();
        for action in centre.advance(clock.now()) {
            match action {
                Action::Contact(event) => events.push(event),
                Action::Case(work) => cases.push(work),
            }
        }
        client.contacts(&events).await?;
        // Only now: a case names a contact that the product must know.
        for work in cases {
            to_post.send(work)?;
        }
    }
    clock.sleep_until(evening).await;
    Ok(())
}

/// Until the other side has ended its day.
async fn post_cases(
    cases: &mut Cases,
    client: &Client,
    mut work: UnboundedReceiver<CaseWork>,
) -> anyhow::Result<()> {
    while let Some(work) = work.recv().await {
        cases.post(client, work).await?;
    }
    Ok(())
}
