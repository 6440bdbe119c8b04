//! The fold of forwarded cases: the same in any order, without gaps, and true of every instant.

use domain::{
    Bounce, CaseEvent, CaseId, CaseOutcome, CaseWhat, ClosedBy, Closing, FollowUpStep,
    ForwardedFacts, ForwardedSpan, ForwardedState, Forwarding, PauseReason, Promise,
};
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

use crate::{figures_fold::retold, forwarded_told::followed_up};

/// The last second of a Monday in Sweden, and a minute more.
pub(crate) const START: i64 = 1_612_220_399;

fn instant() -> impl Strategy<Value = Timestamp> {
    (0..60i64).prop_map(|s| Timestamp::from_second(START + s).expect("an instant"))
}

fn what() -> impl Strategy<Value = CaseWhat> {
    let forwarded = (
        option::of(instant()),
        prop::bool::weighted(0.2),
        option::of(0..900i64),
    )
        .prop_map(|(due, imported, centre_working_s)| {
            CaseWhat::Forwarded(Forwarding {
                case_type: "bygglov".parse().expect("a label"),
                group: "handlaggare".parse().expect("a label"),
                agreement: (!imported).then_some(1),
                rule: "bygg/bygglov".to_owned(),
                registered_at: Timestamp::from_second(START - 3_600).expect("an instant"),
                centre_working_s,
                due,
                guide: None,
                imported,
                historical: None,
            })
        });
    let closed = option::of(0..900i64).prop_map(|working_s| {
        CaseWhat::Closed(Closing {
            outcome: CaseOutcome::Done,
            by: ClosedBy::Bus,
            working_s,
        })
    });
    let bounced = CaseWhat::Bounced(Bounce {
        case_type: "bygglov".parse().expect("a label"),
        rule: "bygg/bygglov".to_owned(),
        belongs_to: None,
    });
    let step = (select(FollowUpStep::ALL.to_vec()), instant())
        .prop_map(|(step, due)| followed_up(step, due).expect("an event"));
    let promise = instant().prop_map(|promised| {
        CaseWhat::Promised(Promise {
            promised,
            due: None,
        })
    });
    prop_oneof![
        4 => forwarded,
        5 => step,
        1 => promise,
        2 => instant().prop_map(|until| CaseWhat::Paused { reason: PauseReason::Citizen, until }),
        2 => option::of(instant()).prop_map(|due| CaseWhat::Resumed { due }),
        3 => closed,
        1 => Just(bounced),
        1 => Just(CaseWhat::Taken),
        1 => Just(CaseWhat::RepeatContact),
    ]
}

/// An event of the case with this number.
fn event(of: u128) -> impl Strategy<Value = CaseEvent> {
    let department = select(vec!["bygg", "skola", "miljo"]);
    (instant(), department, what()).prop_map(move |(at, department, what)| CaseEvent {
        case: CaseId(Uuid::from_u128(of)),
        at,
        department: department.parse().expect("a label"),
        what,
    })
}

pub(crate) fn facts<'a>(events: impl IntoIterator<Item = &'a CaseEvent>) -> ForwardedFacts {
    let mut facts = ForwardedFacts::default();
    for event in events {
        facts.apply(event);
    }
    facts
}

/// The same, but of no import: those may be closed before they came in.
fn of_no_import(mut event: CaseEvent) -> CaseEvent {
    if let CaseWhat::Forwarded(forwarding) = &mut event.what {
        forwarding.imported = false;
    }
    event
}

/// How the case stood at `at`.
pub(crate) fn at(spans: &[ForwardedSpan], at: Timestamp) -> Option<&ForwardedSpan> {
    spans
        .iter()
        .find(|s| s.since <= at && s.until.is_none_or(|until| until > at))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn facts_do_not_depend_on_order_or_repetition(
        (events, told) in vec(event(1), 1..9).prop_flat_map(retold),
    ) {
        let (once, again) = (facts(&events), facts(&told));
        prop_assert_eq!(&once, &again);
        prop_assert_eq!(once.spans(), again.spans());
        prop_assert!(once.followed_up().eq(again.followed_up()));
        let stored: ForwardedFacts = serde_json::from_str(&serde_json::to_string(&once)?)?;
        prop_assert_eq!(stored, once);
    }

    #[test]
    fn spans_have_no_gaps_and_the_last_holds_now(events in vec(event(1), 0..12)) {
        let spans = facts(&events).spans();
        prop_assert_eq!(spans.is_empty(), !events.iter().any(|e| matches!(e.what, CaseWhat::Forwarded(_))));
        for pair in spans.windows(2) {
            prop_assert!(pair[0].since < pair[1].since);
            prop_assert_eq!(pair[0].until, Some(pair[1].since));
        }
        for span in &spans {
            prop_assert_eq!(span.until.is_none(), span == &spans[spans.len() - 1]);
            prop_assert!(span.first_forwarded_at <= span.forwarded_at && span.forwarded_at <= span.since);
            prop_assert!(span.late_from.is_none_or(|late| span.due == Some(late)));
            prop_assert!(span.state == ForwardedState::Closed || span.working_s.is_none());
        }
    }

    /// Follow-up begins anew with each forwarding, never takes a step twice, and ends when the case is closed.
    #[test]
    fn steps_are_those_since_it_was_forwarded(events in vec(event(1), 0..12)) {
        let spans = facts(&events).spans();
        for span in &spans {
            let told = |step: &FollowUpStep| events.iter().any(|e| {
                let of_it = matches!(&e.what, CaseWhat::Reminded(s) | CaseWhat::Overdue(s) | CaseWhat::Escalated(s) if s.step == *step);
                of_it && e.department.as_str() == span.department && e.at >= span.forwarded_at && e.at <= span.since
            });
            prop_assert!(span.steps.iter().all(told), "{:?}", span);
            let mut once = span.steps.clone();
            once.sort();
            once.dedup();
            prop_assert_eq!(once.len(), span.steps.len());
        }
        for pair in spans.windows(2).filter(|p| p[0].forwarded_at == p[1].forwarded_at) {
            prop_assert!(pair[1].steps.starts_with(&pair[0].steps));
            prop_assert!(pair[0].promised.is_none() || pair[1].promised.is_some());
            prop_assert_ne!(pair[0].state, ForwardedState::Closed);
        }
    }

    /// What happened later has no part in how a case stood.
    #[test]
    fn how_it_stood_is_what_was_told_by_then(
        events in vec(event(1).prop_map(of_no_import), 0..12),
        then in instant(),
    ) {
        let by_then = facts(events.iter().filter(|e| e.at <= then)).spans();
        let stood = facts(&events).spans();
        prop_assert_eq!(
            at(&stood, then).map(|s| ForwardedSpan { until: None, ..s.clone() }),
            by_then.last().cloned()
        );
    }
}

/// Events of one case, by hand.
fn story(steps: &[(&str, CaseWhat)]) -> anyhow::Result<Vec<CaseEvent>> {
    let event = |(at, what): &(&str, CaseWhat)| {
        Ok(CaseEvent {
            case: CaseId(Uuid::from_u128(1)),
            at: at.parse()?,
            department: "bygg".parse()?,
            what: what.clone(),
        })
    };
    steps.iter().map(event).collect()
}

pub(crate) fn forwarded(due: Option<&str>, imported: bool) -> anyhow::Result<CaseWhat> {
    Ok(CaseWhat::Forwarded(Forwarding {
        case_type: "bygglov".parse()?,
        group: "handlaggare".parse()?,
        agreement: (!imported).then_some(1),
        rule: "bygg/bygglov".to_owned(),
        registered_at: "2021-02-01T08:00:00Z".parse()?,
        centre_working_s: Some(7_200),
        due: due.map(str::parse).transpose()?,
        guide: None,
        imported,
        historical: None,
    }))
}

pub(crate) fn paused() -> anyhow::Result<CaseWhat> {
    Ok(CaseWhat::Paused {
        reason: PauseReason::Citizen,
        until: "2021-03-01T00:00:00Z".parse()?,
    })
}

pub(crate) fn closed(working_s: Option<i64>) -> CaseWhat {
    CaseWhat::Closed(Closing {
        outcome: CaseOutcome::Done,
        by: ClosedBy::Page,
        working_s,
    })
}

#[test]
fn the_clock_stands_while_a_case_is_paused() -> anyhow::Result<()> {
    let due = Some("2021-02-03T12:00:00Z");
    // Paused before its limit and closed from the pause: in time, however long it took.
    let spans = facts(&story(&[
        ("2021-02-01T09:00:00Z", forwarded(due, false)?),
        ("2021-02-02T09:00:00Z", paused()?),
        ("2021-02-10T09:00:00Z", closed(Some(60))),
    ])?)
    .spans();
    assert_eq!(spans[1].late_from, None);
    assert_eq!((spans[2].late_from, spans[2].working_s), (None, Some(60)));
    // Late before the pause stays late.
    let spans = facts(&story(&[
        ("2021-02-01T09:00:00Z", forwarded(due, false)?),
        ("2021-02-04T09:00:00Z", paused()?),
        ("2021-02-10T09:00:00Z", closed(None)),
    ])?)
    .spans();
    assert_eq!(spans[1].late_from, spans[0].due);
    assert_eq!(
        (spans[2].late_from, spans[2].working_s),
        (spans[0].due, None)
    );
    // The limit itself is in time.
    let spans = facts(&story(&[
        ("2021-02-01T09:00:00Z", forwarded(due, false)?),
        ("2021-02-03T12:00:00Z", closed(Some(1))),
    ])?)
    .spans();
    assert_eq!(spans[1].late_from, None);
    Ok(())
}

#[test]
fn working_time_is_known_only_where_each_department_closed_it() -> anyhow::Result<()> {
    let due = Some("2021-02-09T12:00:00Z");
    let again = [
        ("2021-02-01T09:00:00Z", forwarded(due, false)?),
        ("2021-02-02T09:00:00Z", closed(Some(60))),
        ("2021-02-03T09:00:00Z", forwarded(due, false)?),
        ("2021-02-04T09:00:00Z", closed(Some(30))),
    ];
    let spans = facts(&story(&again)?).spans();
    assert_eq!(spans.len(), 4);
    assert_eq!(spans[3].working_s, Some(90));
    assert_eq!(spans[3].first_forwarded_at, spans[0].since);
    // The centre's time is what the first forwarding tells, whatever later ones do.
    assert!(spans.iter().all(|s| s.centre_working_s == Some(7_200)));
    let bounced = [again[0].clone(), again[2].clone(), again[3].clone()];
    let spans = facts(&story(&bounced)?).spans();
    assert_eq!(spans[2].working_s, None, "the first did not say");
    Ok(())
}

#[test]
fn a_case_that_an_export_closes_before_it_came_in_is_closed() -> anyhow::Result<()> {
    let spans = facts(&story(&[
        ("2021-02-01T09:00:00Z", forwarded(None, true)?),
        ("2021-01-31T09:00:00Z", closed(None)),
    ])?)
    .spans();
    assert_eq!(spans.len(), 1);
    assert_eq!(spans[0].state, ForwardedState::Closed);
    assert_eq!(spans[0].since, "2021-02-01T09:00:00Z".parse()?);
    Ok(())
}

#[test]
fn what_a_department_is_told_counts_for_that_department_until_it_closes_the_case()
-> anyhow::Result<()> {
    let due = Some("2021-02-03T12:00:00Z");
    let step = |step| followed_up(step, "2021-02-03T12:00:00Z".parse()?);
    let mut events = story(&[
        ("2021-02-01T09:00:00Z", forwarded(due, false)?),
        ("2021-02-02T09:00:00Z", step(FollowUpStep::Share)?),
        ("2021-02-03T13:00:00Z", step(FollowUpStep::Limit)?),
        // Both at once, after days down: the fact first.
        ("2021-02-05T09:00:00Z", forwarded(due, false)?),
        ("2021-02-06T09:00:00Z", step(FollowUpStep::Heads)?),
        ("2021-02-06T09:00:00Z", step(FollowUpStep::Limit)?),
        ("2021-02-07T09:00:00Z", closed(None)),
        ("2021-02-07T10:00:00Z", step(FollowUpStep::ContactPerson)?),
    ])?;
    // Not yet known there: the case has gone to another department.
    let other = ("2021-02-05T10:00:00Z", step(FollowUpStep::Share)?);
    events.extend(story(&[other])?.into_iter().map(|e| CaseEvent {
        department: "skola".parse().expect("a label"),
        ..e
    }));
    let facts = facts(&events);
    let spans = facts.spans();
    let steps: Vec<&[FollowUpStep]> = spans.iter().map(|s| &*s.steps).collect();
    assert_eq!(
        steps,
        [
            &[][..],
            &[FollowUpStep::Share],
            &[FollowUpStep::Share, FollowUpStep::Limit],
            &[],
            &[FollowUpStep::Limit, FollowUpStep::Heads],
            &[FollowUpStep::Limit, FollowUpStep::Heads],
        ]
    );
    assert_eq!(
        facts.followed_up().count(),
        6,
        "told is told, whether or not it still concerned the case"
    );
    Ok(())
}
