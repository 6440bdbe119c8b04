//! One case's history under other agreements.

use std::ops::Range;

use domain::{
    Agreements, CaseEvent, CaseWhat, Department, DepartmentAgreement, Forwarding, WorkingHours,
};
use jiff::Timestamp;

use crate::rules::{
    plan::{Follow, Plan},
    terms::Terms,
};

/// The steps that would have been taken before `until`, as events. `stands` is told how the case stood, from when until before
/// when; steps that it took meanwhile are no change.
pub(super) fn replay(
    history: &[CaseEvent],
    agreements: &Agreements,
    until: Timestamp,
    mut stands: impl FnMut(&Plan, Range<Timestamp>),
) -> Vec<CaseEvent> {
    let mut taken = Vec::new();
    let mut current: Option<(Plan, Terms)> = None;
    let mut known = Timestamp::MIN;
    for event in history.iter().take_while(|event| event.at < until) {
        if let Some((plan, terms)) = &mut current {
            run(plan, terms, known..event.at, &mut taken);
            stands(plan, known..event.at);
        }
        known = event.at;
        match (&event.what, &mut current) {
            (CaseWhat::Forwarded(forwarding), current) => {
                let Forwarding {
                    case_type, group, ..
                } = forwarding;
                let terms = Terms::of(agreements, &event.department, case_type, group);
                let forwarding = by(agreements, event, forwarding, &terms);
                let plan = Plan::forwarded(event, &forwarding, &terms);
                *current = Some((plan, terms));
            }
            (CaseWhat::Resumed { .. }, Some((plan, terms))) => {
                let due = due_after_pause(plan, terms, event.at);
                let event = CaseEvent {
                    what: CaseWhat::Resumed { due },
                    ..event.clone()
                };
                plan.apply(&event, terms);
            }
            (_, Some((plan, terms))) => {
                plan.apply(event, terms);
            }
            (_, None) => {}
        }
    }
    if let Some((plan, terms)) = &mut current {
        run(plan, terms, known..until, &mut taken);
        stands(plan, known..until);
    }
    taken
}

/// Takes what comes within a time, each step at its instant.
fn run(plan: &mut Plan, terms: &Terms, within: Range<Timestamp>, taken: &mut Vec<CaseEvent>) {
    let mut now = within.start;
    while let Some(next) = plan.next(terms, now).filter(|next| *next < within.end) {
        let Some(taking) = plan.take(terms, next) else {
            return;
        };
        taken.extend(taking.overdue);
        taken.push(taking.event);
        now = next;
    }
}

/// The forwarding with the limit that `agreements` give it.
fn by(
    agreements: &Agreements,
    event: &CaseEvent,
    forwarding: &Forwarding,
    terms: &Terms,
) -> Forwarding {
    let limit = limit(agreements, &event.department, forwarding);
    // What has no limit because nobody is to be told of it keeps to that.
    let due = forwarding
        .due
        .and_then(|_| terms.working_time.add(event.at, limit.duration()));
    Forwarding {
        due,
        ..forwarding.clone()
    }
}

/// The limit of a case that was sent to `department` by the rule that its forwarding names.
fn limit(
    agreements: &Agreements,
    department: &Department,
    forwarding: &Forwarding,
) -> WorkingHours {
    let registrator = &agreements.registrator;
    match agreements.departments.get(department) {
        // What no agreement sends anywhere goes to the registrator, by the rule of this name.
        Some(_) if forwarding.rule == "default" && *department == registrator.department => {
            registrator.limit_working_hours
        }
        Some(own) => own_limit(own, forwarding),
        None => registrator.limit_working_hours,
    }
}

fn own_limit(own: &DepartmentAgreement, forwarding: &Forwarding) -> WorkingHours {
    let Some(agreed) = own.case_types.get(&forwarding.case_type) else {
        return own.default_limit_working_hours;
    };
    // `bygg/bygglov: urgent`: what comes after the colon are the conditions that the case fitted.
    let conditions = forwarding.rule.split_once(": ").map(|(_, rule)| rule);
    let rule = agreed
        .rules
        .iter()
        .find(|rule| Some(rule.conditions().as_str()) == conditions);
    rule.and_then(|rule| rule.limit_working_hours)
        .unwrap_or(agreed.limit_working_hours)
}

/// The limit after a pause that ends at `at`: as much later as the pause has lasted, unless it had passed before.
fn due_after_pause(plan: &Plan, terms: &Terms, at: Timestamp) -> Option<Timestamp> {
    let Follow::Limit { length, due } = plan.follow else {
        return None;
    };
    let pause = plan.clock.standing()?;
    if due <= pause.at {
        return Some(due);
    }
    let left = length - pause.reading;
    terms.working_time.add(at.max(pause.at), left).or(Some(due))
}
