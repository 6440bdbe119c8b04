//! The simulated municipality, without a clock and without the product.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};

use super::centre::Centre;
use super::contact::State;
use super::event::{Action, CaseWork, Channel, ContactEvent, Event, Reason};
use super::hours::{self, CLOSING, EVENING, MORNING, OPENING};
use super::plan::{Kind, Plan};

/// A Monday.
const FIRST: Date = date(2026, 11, 23);

/// A day's phone figures, as the product would count them.
#[derive(Debug, Default)]
struct Figures {
    offered: u32,
    answered: u32,
    short: u32,
    waited: f64,
    longest_queue: i32,
}

impl Figures {
    fn rate(&self) -> f64 {
        f64::from(self.answered) / f64::from(self.offered - self.short)
    }
}

/// Runs a day as the runner would: in uneven steps, to the evening.
fn run_day(centre: &mut Centre, seed: u64, date: Date) -> (Kind, Vec<Action>) {
    let plan = Plan::of(seed, date);
    let kind = plan.kind;
    centre.begin(plan, None);
    let mut now = hours::at(date, MORNING);
    let evening = hours::at(date, EVENING);
    let mut actions = Vec::new();
    while now < evening || centre.is_busy() {
        let step = now + SignedDuration::from_secs(7);
        let next = centre.next().map_or(step, |next| next.max(step));
        // What comes next may be a repeat contact, tomorrow.
        now = if centre.is_busy() {
            next
        } else {
            next.min(evening)
        };
        actions.extend(centre.advance(now));
    }
    (kind, actions)
}

fn contacts(actions: &[Action]) -> impl Iterator<Item = &ContactEvent> {
    actions.iter().filter_map(|action| match action {
        Action::Contact(event) => Some(event),
        _ => None,
    })
}

fn figures(actions: &[Action]) -> Figures {
    let mut figures = Figures::default();
    let mut queued: BTreeMap<&str, Timestamp> = BTreeMap::new();
    let mut waiting = 0;
    for event in contacts(actions).filter(|event| event.channel == Channel::Phone) {
        let waited = queued
            .get(event.contact.as_str())
            .map(|from| event.at.duration_since(*from));
        match event.event {
            Event::Queued => {
                figures.offered += 1;
                waiting += 1;
                queued.insert(&event.contact, event.at);
            }
            Event::Answered => {
                figures.answered += 1;
                waiting -= 1;
                figures.waited += waited.unwrap_or_default().as_secs_f64();
            }
            Event::Abandoned => {
                waiting -= 1;
                let short = waited.is_some_and(|waited| waited <= SignedDuration::from_secs(10));
                figures.short += u32::from(short);
            }
            Event::TurnedAway(_) if waited.is_some() => waiting -= 1,
            // A closed line was not offered.
            Event::TurnedAway(reason) => figures.offered += u32::from(reason != Reason::Closed),
            Event::Ended => {}
        }
        figures.longest_queue = figures.longest_queue.max(waiting);
    }
    figures
}

/// Ten weeks of one seed.
fn weeks(seed: u64) -> Vec<(Date, Kind, Vec<Action>)> {
    let mut centre = Centre::new("test".to_owned());
    let mut date = FIRST;
    let mut days = Vec::new();
    for _ in 0..50 {
        let (kind, actions) = run_day(&mut centre, seed, date);
        days.push((date, kind, actions));
        date = hours::weekday_after(date);
    }
    days
}

#[test]
fn same_seed_same_days() {
    assert_eq!(Plan::of(7, FIRST), Plan::of(7, FIRST));
    assert_ne!(Plan::of(7, FIRST), Plan::of(8, FIRST));
    assert!(weeks(7) == weeks(7));
}

#[test]
fn the_steps_of_the_clock_make_no_difference() {
    let evening = hours::at(FIRST, EVENING);
    let mut at_once = Centre::new("test".to_owned());
    at_once.begin(Plan::of(7, FIRST), None);
    let (_, stepwise) = run_day(&mut Centre::new("test".to_owned()), 7, FIRST);
    assert!(at_once.advance(evening) == stepwise);
}

#[test]
fn normal_days_are_near_the_target_and_bad_days_are_not() {
    for seed in [1, 2, 3] {
        let mut rates: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (date, kind, actions) in weeks(seed) {
            let figures = figures(&actions);
            let (rate, kind) = (figures.rate(), format!("{kind:?}"));
            println!("seed {seed}, {date} {kind}: {rate:.3}, {figures:?}");
            rates.entry(kind).or_default().push(rate);
        }
        let mean = |kind: &str| rates[kind].iter().sum::<f64>() / rates[kind].len() as f64;
        let normal = mean("Normal");
        assert!((0.94..0.97).contains(&normal), "seed {seed}: {normal}");
        // A centre this small has its share of chance, as the real one.
        let inside = rates["Normal"]
            .iter()
            .filter(|rate| (0.90..0.99).contains(*rate))
            .count();
        assert!(
            inside * 10 >= rates["Normal"].len() * 9,
            "seed {seed}: {rates:?}"
        );
        assert!(mean("SickGuides") < normal - 0.04, "seed {seed}: {rates:?}");
        assert!(mean("WaterLeak") < normal - 0.04, "seed {seed}: {rates:?}");
    }
}

#[test]
fn queues_are_short_but_there() {
    let days = weeks(1);
    let normal = days.iter().filter(|(_, kind, _)| *kind == Kind::Normal);
    for (date, _, actions) in normal {
        let longest = figures(actions).longest_queue;
        assert!(
            (2..=15).contains(&longest),
            "{date}: {longest} waited at the worst"
        );
    }
}

#[test]
fn about_two_thirds_are_resolved_at_once() {
    let days = weeks(1);
    let mut resolved = Vec::new();
    for action in days.iter().flat_map(|(_, _, actions)| actions) {
        if let Action::Case(CaseWork::Register(case)) = action {
            resolved.push(case.resolved);
        }
    }
    let share =
        resolved.iter().filter(|resolved| **resolved).count() as f64 / resolved.len() as f64;
    assert!((0.60..0.70).contains(&share), "{share}");
}

#[test]
fn no_guide_serves_two_at_once() {
    let mut centre = Centre::new("test".to_owned());
    let plan = (0..)
        .map(|seed| Plan::of(seed, FIRST))
        .find(|plan| plan.kind == Kind::WaterLeak);
    centre.begin(plan.expect("some seed has a leak"), None);
    while let Some(next) = centre.next() {
        centre.advance(next);
        let mut taken = BTreeSet::new();
        for contact in centre.contacts.values() {
            if let State::Ringing(guide) | State::Serving(guide) = contact.state {
                assert!(taken.insert(guide), "guide {guide} has two at {next}");
                assert!(centre.guides[guide].busy);
                assert!(
                    !centre.guides[guide].passes.is_empty(),
                    "guide {guide} is away"
                );
            }
        }
    }
}

#[test]
fn every_contact_ends_exactly_once() {
    let mut centre = Centre::new("test".to_owned());
    let mut seen: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    let (_, monday) = run_day(&mut centre, 3, FIRST);
    let (_, tuesday) = run_day(&mut centre, 3, hours::weekday_after(FIRST));
    for event in contacts(&monday).chain(contacts(&tuesday)) {
        seen.entry(event.contact.clone())
            .or_default()
            .push(event.event);
    }
    let mut waiting = 0;
    for (contact, events) in seen {
        match events.as_slice() {
            [Event::Queued, Event::Answered, Event::Ended]
            | [Event::Queued, Event::Abandoned | Event::TurnedAway(_)]
            | [Event::TurnedAway(Reason::Closed | Reason::QueueFull)] => {}
            // Written too late for today.
            [Event::Queued] => waiting += 1,
            other => panic!("{contact}: {other:?}"),
        }
    }
    assert_eq!(waiting, centre.contacts.len());
}

#[test]
fn nothing_is_answered_outside_opening_hours() {
    for (date, _, actions) in weeks(2) {
        let open = hours::at(date, OPENING)..=hours::at(date, CLOSING);
        for event in contacts(&actions) {
            // A centre this small has its share of chance, as the real one.
            let inside = open.contains(&event.at);
            let calls = event.event == Event::Queued && event.channel.is_live();
            assert!(inside || !calls, "{event:?} queued on a closed line");
            assert!(inside || event.event != Event::Answered, "{event:?}");
        }
    }
}

#[test]
fn a_late_start_begins_where_the_clock_stands() {
    let noon = hours::at(FIRST, 12 * 60);
    let mut centre = Centre::new("test".to_owned());
    centre.begin(Plan::of(1, FIRST), Some(noon));
    let actions = centre.advance(hours::at(FIRST, EVENING));
    assert!(contacts(&actions).count() > 100);
    assert!(contacts(&actions).all(|event| event.at >= noon));
}

#[test]
fn mornings_are_on_weekdays_five_to_eight() {
    let instant = |text: &str| text.parse::<Timestamp>().expect("an instant");
    for (after, morning) in [
        // A Saturday, a Monday before and at and after, and a Friday evening in summer time.
        ("2026-11-21T20:25:00Z", "2026-11-23T06:55:00Z"),
        ("2026-11-22T23:30:00Z", "2026-11-23T06:55:00Z"),
        ("2026-11-23T06:55:00Z", "2026-11-23T06:55:00Z"),
        ("2026-11-23T06:55:01Z", "2026-11-24T06:55:00Z"),
        ("2026-06-26T17:00:00Z", "2026-06-29T05:55:00Z"),
    ] {
        assert_eq!(
            hours::opening_morning(instant(after)),
            instant(morning),
            "{after}"
        );
    }
    let monday = instant("2026-11-23T07:20:00Z");
    assert_eq!(hours::day_at(monday), (FIRST, None));
    let later = instant("2026-11-23T07:40:00Z");
    assert_eq!(hours::day_at(later), (FIRST, Some(later)));
    let evening = instant("2026-11-23T16:30:00Z");
    assert_eq!(hours::day_at(evening), (hours::weekday_after(FIRST), None));
}

#[test]
fn events_are_written_as_the_api_reads_them() {
    let event = |event| ContactEvent {
        contact: "demo-1".to_owned(),
        event,
        at: hours::at(FIRST, OPENING),
        channel: Channel::WebForm,
        queue: "webb",
        department: Some("bygg"),
    };
    let json = |event| serde_json::to_value(event).expect("plain data");
    let rest = r#""contact":"demo-1","channel":"web_form","queue":"webb","department":"bygg""#;
    let turned_away = Event::TurnedAway(Reason::PressedKey);
    for (kind, text) in [
        (Event::Queued, r#""event":"queued""#),
        (
            turned_away,
            r#""event":"turned_away","reason":"pressed_key""#,
        ),
    ] {
        let line = format!(r#"{{{text},"at":"2026-11-23T07:00:00Z",{rest}}}"#);
        let expected: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(json(event(kind)), expected);
    }
}
