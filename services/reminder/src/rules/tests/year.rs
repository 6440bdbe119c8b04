//! A year of a municipality, in seconds: some thousand cases at two departments, whose officers do all that officers do.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

use domain::{FollowUpStep, stockholm};
use jiff::{SignedDuration, Timestamp, civil::Weekday};

use super::super::{
    PlanState, Terms,
    example::{OFFICE, Story, at, terms},
};

const CASES: usize = 4_000;

/// What is free in 2026 beside Saturdays and Sundays, by the almanac, and Christmas week, when the municipality is closed.
const FREE: [&str; 18] = [
    "2026-01-01",
    "2026-01-06",
    "2026-04-03",
    "2026-04-06",
    "2026-05-01",
    "2026-05-14",
    "2026-06-19",
    "2026-12-21",
    "2026-12-22",
    "2026-12-23",
    "2026-12-24",
    "2026-12-25",
    "2026-12-28",
    "2026-12-29",
    "2026-12-30",
    "2026-12-31",
    // Nationaldagen and alla helgons dag are Saturdays.
    "2026-06-06",
    "2026-10-31",
];
/// Their hours before 1 July, and from then on.
const HOURS: [[(i8, i8); 2]; 2] = [[(8, 16), (8, 16)], [(8, 16), (10, 15)]];
/// On these days offices end at noon.
const HALF: [&str; 4] = ["2026-01-05", "2026-04-02", "2026-04-30", "2026-10-30"];

/// Numbers that look random and are the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 % sides).unwrap()
    }

    fn minutes(&mut self, most: u64) -> SignedDuration {
        SignedDuration::from_mins(1 + self.throw(most))
    }
}

/// What comes, by time and case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Comes {
    Officer,
    Look,
}

struct Case {
    department: usize,
    story: Story,
    /// Its officer lets it lie.
    forgotten: bool,
    taken: BTreeSet<FollowUpStep>,
}

fn terms_of(department: usize) -> Terms {
    let closed =
        r#"}, "closures": [{"from": "2026-12-21", "until": "2026-12-31", "why": "julstängt"}]}"#;
    let with = |(opens, closes): (i8, i8)| {
        let hours = OFFICE
            .replace("08:00-16:00", &format!("{opens:02}:00-{closes:02}:00"))
            .strip_suffix("}}")
            .unwrap()
            .to_owned();
        terms(&format!("{hours}{closed}"))
    };
    let [before, after] = HOURS[department].map(with);
    let day = |text: &str| text.parse().unwrap();
    Terms {
        by_day: vec![
            (day("2026-01-01"), before.working_time.clone()),
            (day("2026-07-01"), after.working_time),
        ],
        ..before
    }
}

/// Whether somebody is there, by the almanac and the clock on the wall.
fn there(department: usize, at: Timestamp) -> bool {
    let local = at.to_zoned(stockholm());
    let (day, hour) = (local.date().to_string(), local.hour());
    let [before, after] = HOURS[department];
    let (opens, closes) = if local.month() < 7 { before } else { after };
    let closes = if HALF.contains(&day.as_str()) {
        12
    } else {
        closes
    };
    let weekend = matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday);
    !weekend && !FREE.contains(&day.as_str()) && (opens..closes).contains(&hour)
}

/// What an officer does with a case that is open or paused.
fn officer(case: &mut Case, dice: &mut Dice, now: Timestamp) {
    let later = now + dice.minutes(20_000);
    if case.story.plan.state() == PlanState::Paused {
        case.story.resume(now);
        return;
    }
    match dice.throw(10) {
        0..=3 => {
            case.story.close(now);
        }
        4..=6 => {
            case.story.pause(now, later);
        }
        7 => {
            case.story.promise(now, later);
        }
        8 => {
            case.story.bounce(now);
            case.department = 1 - case.department;
            let from = now + SignedDuration::from_micros(1);
            let mut story = Story::from(terms_of(case.department), from, 1 + dice.throw(60));
            story.plan = story.plan.after(&case.story.plan, &case.story.terms);
            case.story = story;
            case.taken.clear();
        }
        // Closed, and opened anew as the citizen comes back.
        _ => {
            case.story.close(now);
            let mut story = Story::from(terms_of(case.department), later, 1 + dice.throw(60));
            story.plan = story.plan.after(&case.story.plan, &case.story.terms);
            case.story = story;
            case.taken.clear();
        }
    }
}

#[test]
fn a_year_of_a_municipality_passes_in_seconds_and_nobody_is_told_wrongly() {
    let mut dice = Dice(4711);
    let (begin, end) = (at("2026-01-01 00:00"), at("2027-01-01 00:00"));
    let mut cases = Vec::new();
    let mut queue = BinaryHeap::new();
    for number in 0..CASES {
        let department = number % 2;
        let from = begin + dice.minutes(340 * 24 * 60);
        let story = Story::from(terms_of(department), from, 1 + dice.throw(60));
        let forgotten = number % 5 == 0;
        if !forgotten {
            queue.push(Reverse((
                from + dice.minutes(30_000),
                number,
                Comes::Officer,
            )));
        }
        let next = story.plan.next(&story.terms, from).unwrap();
        queue.push(Reverse((next, number, Comes::Look)));
        cases.push(Case {
            department,
            story,
            forgotten,
            taken: BTreeSet::new(),
        });
    }
    let mut taken = 0;
    while let Some(Reverse((now, number, comes))) = queue.pop() {
        if now >= end {
            break;
        }
        let case = &mut cases[number];
        let from = case.story.plan.forwarded_at();
        match comes {
            // Whoever did something does not act before that.
            Comes::Officer if now <= from => {
                queue.push(Reverse((
                    from + dice.minutes(3_000),
                    number,
                    Comes::Officer,
                )));
            }
            Comes::Officer => {
                if case.story.plan.state() != PlanState::Ended {
                    officer(case, &mut dice, now);
                    queue.push(Reverse((
                        now + dice.minutes(15_000),
                        number,
                        Comes::Officer,
                    )));
                }
            }
            Comes::Look => {
                let state = case.story.plan.state();
                if let Some(taking) = case.story.look(now) {
                    taken += 1;
                    let step = taking.step;
                    assert_eq!(state, PlanState::Open, "{step:?} {now}");
                    assert!(now >= from, "{step:?} {now}");
                    assert!(there(case.department, now), "{step:?} {now}");
                    assert!(case.taken.insert(step), "{step:?} twice");
                    assert!(
                        taking
                            .missed
                            .iter()
                            .all(|missed| case.taken.insert(*missed))
                    );
                }
            }
        }
        if let Some(next) = case.story.plan.next(&case.story.terms, now)
            && next > now
        {
            queue.push(Reverse((next, number, Comes::Look)));
        }
    }
    assert!(taken > 5_000, "{taken}");
    let mut forgotten = 0;
    for case in cases.iter().filter(|case| case.forgotten) {
        // Sixty hours and all steps after them are over by then.
        if case.story.plan.forwarded_at() < at("2026-11-01 00:00") {
            forgotten += 1;
            let expected = FollowUpStep::ALL
                .into_iter()
                .filter(|s| *s != FollowUpStep::Promised);
            assert_eq!(case.taken, expected.collect());
        }
    }
    assert!(forgotten > 500, "{forgotten}");
}
