//! One transaction of the sweep.

use std::collections::HashMap;

use domain::{AgreementsVersion, CaseEvent, CaseId, CaseWhat, FollowUpStep, Role};
use jiff::{SignedDuration, Timestamp};
use platform::{
    event_log::{self, NewEvent},
    lease::Leading,
    mail::{self, Mail},
};
use sqlx::PgConnection;

use crate::{
    Desk, level, mails, meters, people,
    people::terms_of,
    rules::{Plan, Taking},
    store::{self, HeadsLate},
};

/// Plans in one transaction at the most.
const MOST: i64 = 50;
/// The heads' step taken later than this, in working time, is not a mail of its own to the unit head: after days in which
/// nothing ran it would be a storm.
const LATE: SignedDuration = SignedDuration::from_hours(1);

/// What a turn came to.
pub(super) enum Turn {
    /// Nothing is due.
    Idle,
    /// Something was, and there may be more.
    Done,
    /// What is due is being changed by somebody else.
    Busy,
}

/// Takes the steps of plans that have been due longest.
pub(super) async fn turn(
    desk: &Desk,
    leading: &Leading,
    connection: &mut PgConnection,
) -> anyhow::Result<Turn> {
    let now = desk.clock.now();
    let due = store::due_plans(&mut *connection, now, MOST).await?;
    if due.is_empty() {
        return Ok(Turn::Idle);
    }
    let versions = desk.versions.all(connection).await?;
    let links = links(desk, connection, &versions, (&due, now)).await?;
    let ids: Vec<CaseId> = due.iter().map(Plan::case).collect();

    // What was told of them meanwhile has been applied, so that those that have ended, stand, or have gone elsewhere are due
    // no more.
    let mut transaction = event_log::begin(connection, &desk.source).await?;
    leading.check(&mut transaction).await?;
    let mut plans = store::due_plans_for_update(&mut transaction, now, &ids).await?;
    if plans.is_empty() {
        transaction.rollback().await?;
        return Ok(Turn::Busy);
    }
    let mut work = Work::default();
    let mut saved = Vec::new();
    for plan in &mut plans {
        let terms = terms_of(&versions, plan);
        if let Some(taking) = plan.take(&terms, now) {
            work.add(plan, &taking, &versions, links.get(&plan.case()), now);
        }
        let next = plan.next(&terms, now);
        // What cannot be taken now is not looked at again at once.
        saved.push(next.map(|at| at.max(now + SignedDuration::from_secs(1))));
    }
    let saved: Vec<(&Plan, Option<Timestamp>)> = plans.iter().zip(saved).collect();
    store::save_plans(&mut transaction, &saved).await?;
    store::add_heads_late(&mut transaction, &work.heads_late).await?;
    let events: Vec<&CaseEvent> = work.events.iter().collect();
    store::add_happened(&mut transaction, &events).await?;
    let new: Result<Vec<NewEvent>, _> = events.iter().map(|e| NewEvent::new(*e, None)).collect();
    event_log::append_unknown(&mut transaction, &desk.source, &new?).await?;
    mail::enqueue(&mut transaction, &work.mails, now).await?;
    transaction.commit().await?;
    for (step, missed) in &work.steps {
        meters::taken(*step);
        missed.iter().copied().for_each(meters::missed);
    }
    Ok(Turn::Done)
}

/// Links for the mails to groups that the plans `due` are about to send, once everything that routing had told by now is
/// applied. Asked before the transaction, which waits for nobody.
async fn links(
    desk: &Desk,
    connection: &mut PgConnection,
    versions: &[AgreementsVersion],
    (due, now): (&[Plan], Timestamp),
) -> anyhow::Result<HashMap<CaseId, String>> {
    let to_group = |plan: &&Plan| {
        let taking = (*plan).clone().take(&terms_of(versions, plan), now);
        taking.is_some_and(|taking| taking.step.to().contains(&Role::Group))
    };
    let cases: Vec<CaseId> = due.iter().filter(to_group).map(Plan::case).collect();
    level::with_routing(desk, connection, cases).await
}

/// What a transaction tells.
#[derive(Default)]
struct Work {
    events: Vec<CaseEvent>,
    mails: Vec<Mail>,
    heads_late: Vec<HeadsLate>,
    steps: Vec<(FollowUpStep, Vec<FollowUpStep>)>,
}

impl Work {
    fn add(
        &mut self,
        plan: &Plan,
        taking: &Taking,
        versions: &[AgreementsVersion],
        link: Option<&String>,
        now: Timestamp,
    ) {
        self.events.extend(taking.overdue.clone());
        self.events.push(taking.event.clone());
        self.steps.push((taking.step, taking.missed.clone()));
        let told = match &taking.event.what {
            CaseWhat::Reminded(told) | CaseWhat::Overdue(told) | CaseWhat::Escalated(told) => told,
            _ => return,
        };
        let mut to: Vec<(Role, mail::Address)> = Vec::new();
        for &role in &told.to {
            if role == Role::UnitHead && taking.late_by_working > LATE {
                self.heads_late.push(HeadsLate {
                    case: plan.case(),
                    department: plan.department().clone(),
                    case_type: plan.case_type().clone(),
                    due: told.due,
                });
                continue;
            }
            match people::address(versions, plan, role, now) {
                // One who has two roles is told once.
                Some(address) if to.iter().any(|(_, a)| a.address() == address.address()) => {}
                Some(address) => to.push((role, address)),
                None => tracing::error!(
                    case = %plan.case(),
                    department = %plan.department(),
                    ?role,
                    "nobody in this role has an address that mail can be sent to; the step is taken without one"
                ),
            }
        }
        let terms = terms_of(versions, plan);
        self.mails.extend(
            to.into_iter()
                .map(|(role, to)| mails::of_step(plan, &terms, told, role, to, link, now)),
        );
    }
}
