//! What other agreements would have sent.

use std::collections::BTreeMap;

use domain::{
    Agreements, CaseEvent, CaseWhat, FollowUpStep,
    FollowUpStep::{ContactPerson, Heads, Limit, Share},
};

use super::super::{
    Terms,
    example::{Story, at},
    local, simulate,
    simulate::{SimulatedDigest, Simulation},
};

/// A limit in working hours for building permits, and for urgent ones.
fn agreements(limit: u32, urgent: u32) -> Agreements {
    let person = serde_json::json!({"name": "Ordförande", "email": "a@example.org"});
    let reminders = serde_json::json!({});
    let value = serde_json::json!({
        "municipality": "Exempel",
        "unit_head": person,
        "registrator": {"department": "bygg", "group": "handlaggare", "limit_working_hours": 80},
        "hours": {},
        "closures": [],
        "zones": {},
        "departments": {"bygg": {
            "name": "Byggnadsförvaltningen",
            "hours": {
                "monday": ["08:00-16:00"],
                "tuesday": ["08:00-16:00"],
                "wednesday": ["08:00-16:00"],
                "thursday": ["08:00-16:00"],
                "friday": ["08:00-16:00"],
            },
            "closures": [],
            "groups": {"handlaggare": {"name": "Handläggare", "email": "h@example.org"}},
            "contact_person": person,
            "head": person,
            "targets": {},
            "pause_cap_working_hours": 80,
            "default_group": "handlaggare",
            "default_limit_working_hours": 400,
            "default_reminders": {"first_at_share": 0.25},
            "case_types": {"bygglov": {
                "rosa_group": 4,
                "depth": "centre",
                "group": "handlaggare",
                "rules": [{"urgent": true, "group": "handlaggare", "limit_working_hours": urgent}],
                "limit_working_hours": limit,
                "reminders": reminders,
            }},
        }},
    });
    serde_json::from_value(value).unwrap()
}

fn run(histories: &[&[CaseEvent]], agreements: &Agreements, from: &str, until: &str) -> Simulation {
    let histories = histories.iter().map(|history| history.to_vec());
    let (mut simulation, lists) = simulate(histories, agreements, at(from)..at(until), 10);
    simulation.digests = lists.beside(&BTreeMap::new());
    simulation
}

fn counts(simulation: &Simulation) -> Vec<(FollowUpStep, u64, u64)> {
    let counts = simulation.counts.iter();
    counts.map(|c| (c.step, c.sent, c.would)).collect()
}

/// Forwarded on Monday 2 November with five days' time, paused for two days, closed as it became overdue.
fn history() -> Story {
    let mut story = Story::office("2026-11-02 08:00", 40);
    story.until("2026-11-05 10:00");
    story.pause(at("2026-11-05 10:00"), at("2026-11-20 08:00"));
    story.resume(at("2026-11-09 10:00"));
    story.until("2026-11-11 09:00");
    story.close(at("2026-11-11 09:00"));
    story
}

#[test]
fn the_same_agreements_would_have_sent_the_same() {
    let story = history();
    let same = run(
        &[&story.told],
        &agreements(40, 8),
        "2026-11-01 00:00",
        "2026-12-01 00:00",
    );
    assert_eq!(counts(&same), [(Share, 1, 1), (Limit, 1, 1)]);
    assert_eq!((same.cases, same.differ, same.differing.len()), (1, 0, 0));
}

#[test]
fn a_shorter_limit_sends_more_and_a_longer_one_less() {
    let story = history();
    let shorter = run(
        &[&story.told],
        &agreements(16, 8),
        "2026-11-01 00:00",
        "2026-12-01 00:00",
    );
    assert_eq!(
        counts(&shorter),
        [
            (Share, 1, 1),
            (Limit, 1, 1),
            (ContactPerson, 0, 1),
            (Heads, 0, 1)
        ]
    );
    assert_eq!((shorter.cases, shorter.differ), (1, 1));
    let would: Vec<_> = shorter.differing[0]
        .would
        .iter()
        .map(|s| (s.step, local(s.at)))
        .collect();
    let would: Vec<_> = would
        .iter()
        .map(|(step, at)| (*step, at.as_str()))
        .collect();
    assert_eq!(
        would,
        [
            (Share, "2026-11-03 08:00"),
            (Limit, "2026-11-04 08:00"),
            (ContactPerson, "2026-11-05 08:00"),
            // Two of its last eight hours had gone before the pause, and the other six end as the office closes.
            (Heads, "2026-11-10 08:00"),
        ]
    );
    let longer = run(
        &[&story.told],
        &agreements(200, 8),
        "2026-11-01 00:00",
        "2026-12-01 00:00",
    );
    assert_eq!(counts(&longer), [(Share, 1, 0), (Limit, 1, 0)]);
}

#[test]
fn only_what_falls_within_the_period_is_counted() {
    let story = history();
    let later = run(
        &[&story.told],
        &agreements(16, 8),
        "2026-11-05 08:00",
        "2026-11-10 08:00",
    );
    assert_eq!(counts(&later), [(ContactPerson, 0, 1)]);
    // Nothing that came after the period is looked at: the case is open as it ends.
    let open = Story::office("2026-11-02 08:00", 40);
    let open = run(
        &[&open.told],
        &agreements(8, 8),
        "2026-11-02 00:00",
        "2026-11-04 09:00",
    );
    assert_eq!(
        counts(&open),
        [(Share, 0, 1), (Limit, 0, 1), (ContactPerson, 0, 1)]
    );
}

/// The same, with guides who work on Friday mornings only.
fn with_guides(limit: u32) -> Agreements {
    let hours = serde_json::json!({"friday": ["09:00-12:00"]});
    Agreements {
        hours: serde_json::from_value(hours).unwrap(),
        ..agreements(limit, 8)
    }
}

#[test]
fn lists_are_simulated_too() {
    let story = history();
    let lists = |limit, from, until| {
        let simulation = run(&[&story.told], &with_guides(limit), from, until);
        let digests = simulation.digests.into_iter();
        let list = |d: SimulatedDigest| (d.department.map(String::from), d.would, d.would_cases);
        digests.map(list).collect::<Vec<_>>()
    };
    let bygg = |lists, cases| (Some("bygg".to_owned()), lists, cases);
    let (from, until) = ("2026-11-01 00:00", "2026-12-01 00:00");
    // Late on a Tuesday evening and closed on Wednesday, before the guides' next list; at the department on two Mondays.
    assert_eq!(lists(40, from, until), [bygg(2, 2)]);
    // Late on Tuesday the third: told of on Friday, though it is paused then, and not again.
    assert_eq!(lists(16, from, until), [(None, 1, 1), bygg(2, 2)]);
    assert_eq!(lists(16, "2026-11-07 00:00", until), [bygg(1, 1)]);
    assert_eq!(lists(400, "2026-11-10 00:00", until), []);

    // Two cases are in the same lists.
    let one = || {
        let period = at(from)..at(until);
        simulate([story.told.clone()], &with_guides(16), period, 10).1
    };
    let mut lists = one();
    lists.merge(one());
    let sent = BTreeMap::from([(None, (3, 7)), (Some("skola".parse().unwrap()), (1, 1))]);
    let digests = lists.beside(&sent).into_iter();
    let digests: Vec<_> = digests
        .map(|d| (d.sent, d.sent_cases, d.would, d.would_cases))
        .collect();
    assert_eq!(digests, [(3, 7, 1, 2), (0, 0, 2, 4), (1, 1, 0, 0)]);
}

#[test]
fn the_rule_that_decided_gives_the_limit() {
    let mut story = history();
    for event in &mut story.told {
        if let CaseWhat::Forwarded(forwarding) = &mut event.what {
            forwarding.rule = "bygg/bygglov: urgent".to_owned();
        }
    }
    let urgent = run(
        &[&story.told],
        &agreements(40, 8),
        "2026-11-01 00:00",
        "2026-12-01 00:00",
    );
    assert_eq!(urgent.differ, 1);
    assert_eq!(urgent.differing[0].would.len(), 4);
    // A department that the agreements do not know has the registrator's limit, and the municipality's hours: never open.
    let mut none = agreements(40, 8);
    none.departments.clear();
    let none = run(
        &[&story.told],
        &none,
        "2026-11-01 00:00",
        "2026-12-01 00:00",
    );
    assert_eq!(counts(&none), [(Share, 1, 0), (Limit, 1, 0)]);
}

#[test]
fn what_is_told_to_nobody_is_not_counted_as_sent() {
    let mut story = Story::office("2026-11-02 08:00", 40);
    story.look(at("2026-11-10 08:00"));
    let run = run(
        &[&story.told, &[]],
        &agreements(40, 8),
        "2026-11-01 00:00",
        "2026-11-10 09:00",
    );
    assert_eq!(
        counts(&run),
        [(Share, 0, 1), (Limit, 0, 1), (ContactPerson, 1, 1)]
    );
    assert_eq!(run.cases, 1);
}

#[test]
fn terms_are_the_case_types_the_departments_or_those_of_everybody() {
    let agreements = agreements(40, 8);
    let of = |department: &str, case_type: &str| {
        let (department, group) = (department.parse().unwrap(), "handlaggare".parse().unwrap());
        Terms::of(
            &agreements,
            &department,
            &case_type.parse().unwrap(),
            &group,
        )
    };
    let agreed = of("bygg", "bygglov");
    assert_eq!(agreed.steps.first_at_share, 0.5);
    assert_eq!(
        (agreed.department.as_str(), agreed.group.as_str()),
        ("Byggnadsförvaltningen", "Handläggare")
    );
    assert_eq!(of("bygg", "okand").steps.first_at_share, 0.25);
    let unknown = of("skola", "bygglov");
    assert_eq!(unknown.steps, Default::default());
    assert_eq!(
        (unknown.department.as_str(), unknown.group.as_str()),
        ("skola", "handlaggare")
    );
    assert!(
        unknown
            .working_time
            .next_working(at("2026-11-23 10:00"))
            .is_none()
    );
}
