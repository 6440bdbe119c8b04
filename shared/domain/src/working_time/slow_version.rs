//! Working time against the obvious way to reckon it: look at the clock on the wall, minute by minute.

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use proptest::{collection, option, prelude::*, sample::select};

use super::{DayKind, WorkingTime, day_kind};

/// Spans in minutes of the day, each with the minutes `start..end`.
type Spans = Vec<(u16, u16)>;

/// A department's hours, told without the product's types.
#[derive(Debug, Clone)]
struct Plan {
    /// From Monday on.
    week: [Spans; 7],
    half_day: Option<Spans>,
    /// First day, last day, hours.
    closures: Vec<(Date, Date, Option<Spans>)>,
}

fn shows(spans: &Spans, minute: u16) -> bool {
    spans
        .iter()
        .any(|(start, end)| (*start..*end).contains(&minute))
}

impl Plan {
    fn is_open(&self, zone: &TimeZone, at: Timestamp) -> bool {
        let local = zone.to_datetime(at);
        let day = local.date();
        let minute =
            u16::try_from(i16::from(local.hour()) * 60 + i16::from(local.minute())).unwrap();
        let weekday = &self.week[usize::try_from(day.weekday().to_monday_zero_offset()).unwrap()];
        let by_calendar = match (day_kind(day), &self.half_day) {
            (DayKind::Ordinary, _) => shows(weekday, minute),
            (DayKind::Holiday(_) | DayKind::Eve(_), _) => false,
            (DayKind::HalfDay(_), Some(hours)) => !weekday.is_empty() && shows(hours, minute),
            (DayKind::HalfDay(_), None) => minute < 720 && shows(weekday, minute),
        };
        by_calendar
            && self.closures.iter().all(|(from, until, hours)| {
                day < *from
                    || *until < day
                    || hours.as_ref().is_some_and(|hours| shows(hours, minute))
            })
    }

    /// The same as the product reads it.
    fn product(&self) -> WorkingTime {
        fn list(spans: &Spans) -> serde_json::Value {
            let text = |(start, end): &(u16, u16)| {
                let (h1, m1, h2, m2) = (start / 60, start % 60, end / 60, end % 60);
                format!("{h1:02}:{m1:02}-{h2:02}:{m2:02}")
            };
            spans.iter().map(text).collect()
        }
        let names = [
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ];
        let week = names.into_iter().zip(&self.week);
        let mut hours: serde_json::Map<_, _> = week
            .map(|(name, spans)| (name.to_owned(), list(spans)))
            .collect();
        if let Some(spans) = &self.half_day {
            hours.insert("half_day".to_owned(), list(spans));
        }
        let closures = self.closures.iter().map(|(from, until, hours)| {
            let hours = hours.as_ref().map(list);
            serde_json::json!({"from": from, "until": until, "why": "stängt", "hours": hours})
        });
        let closures: Vec<_> = closures.collect();
        serde_json::from_value(serde_json::json!({"hours": hours, "closures": closures})).unwrap()
    }
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Walks at most `walk` minutes.
fn slow_add(plan: &Plan, at: Timestamp, minutes: i64, walk: i64) -> Option<Timestamp> {
    let zone = stockholm();
    let (mut now, mut left) = (at, minutes);
    for _ in 0..walk {
        if left == 0 {
            return Some(now);
        }
        left -= i64::from(plan.is_open(&zone, now));
        now += MINUTE;
    }
    None
}

fn slow_between(plan: &Plan, from: Timestamp, until: Timestamp) -> SignedDuration {
    let zone = stockholm();
    let (mut now, mut open) = (from, 0);
    while now < until {
        open += i64::from(plan.is_open(&zone, now));
        now += MINUTE;
    }
    SignedDuration::from_mins(open)
}

fn stockholm() -> TimeZone {
    TimeZone::get("Europe/Stockholm").unwrap()
}

fn spans() -> impl Strategy<Value = Spans> {
    // Also whole half hours, as people write, and the hours of the night in which the clocks change.
    let minute = prop_oneof![
        0..=1440u16,
        (0..=48u16).prop_map(|half| half * 30),
        0..=240u16
    ];
    collection::btree_set(minute, 0..=6).prop_map(|bounds| {
        let bounds: Vec<u16> = bounds.into_iter().collect();
        bounds
            .chunks_exact(2)
            .map(|pair| (pair[0], pair[1]))
            .collect()
    })
}

/// A minute in 2000-2039: any, or near a change of the clocks or a crowd of holidays.
fn minute() -> impl Strategy<Value = Timestamp> {
    let near = select(
        &[
            (3, 28),
            (10, 28),
            (12, 25),
            (1, 5),
            (4, 10),
            (5, 1),
            (6, 23),
            (11, 2),
        ][..],
    );
    let anywhere = (1..=12i8, 1..=28i8);
    let day = prop_oneof![3 => near, 1 => anywhere];
    (2000..2040i16, day, -10_000..10_000i64).prop_map(|(year, (month, day), minutes)| {
        let noon = jiff::civil::date(year, month, day).at(12, 0, 0, 0);
        let noon = noon.to_zoned(TimeZone::UTC).unwrap().timestamp();
        noon + SignedDuration::from_mins(minutes)
    })
}

/// Hours and closures around a minute, and that minute.
fn plan() -> impl Strategy<Value = (Plan, Timestamp)> {
    let closure = (-5..25i64, 0..10i64, option::of(spans()));
    let parts = (
        proptest::array::uniform7(spans()),
        option::of(spans()),
        collection::vec(closure, 0..4),
        minute(),
    );
    parts.prop_map(|(week, half_day, closures, at)| {
        let today = stockholm().to_datetime(at).date();
        let closures = closures.into_iter().map(|(after, length, hours)| {
            let from = today + after.days();
            (from, from + length.days(), hours)
        });
        let closures = closures.collect();
        (
            Plan {
                week,
                half_day,
                closures,
            },
            at,
        )
    })
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

const TWENTY_DAYS: i64 = 20 * 24 * 60;

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn add_is_what_walking_finds((plan, at) in plan(), limit in 0..5_000i64) {
        let fast = plan.product().add(at, SignedDuration::from_mins(limit));
        match slow_add(&plan, at, limit, TWENTY_DAYS) {
            Some(slow) => prop_assert_eq!(fast, Some(slow)),
            None => {
                let walked_to = at + SignedDuration::from_mins(TWENTY_DAYS);
                prop_assert!(fast.is_none_or(|fast| fast >= walked_to), "{:?}", fast);
            }
        }
    }

    #[test]
    fn between_is_what_walking_counts((plan, from) in plan(), length in 0..TWENTY_DAYS) {
        let until = from + SignedDuration::from_mins(length);
        prop_assert_eq!(plan.product().between(from, until), slow_between(&plan, from, until));
    }

    #[test]
    fn working_is_what_the_clock_shows((plan, from) in plan()) {
        let (product, zone) = (plan.product(), stockholm());
        let mut next_working = product.next_working(from);
        for minute in 0..3_000 {
            let at = from + SignedDuration::from_mins(minute);
            let open = plan.is_open(&zone, at);
            prop_assert_eq!(product.is_working(at), open, "{}", at);
            if open {
                prop_assert!(next_working.take().is_none_or(|next| next == at), "{}", at);
            }
        }
    }
}

proptest! {
    #![proptest_config(config(1_000))]

    /// Also for limits of months, and between whole minutes.
    #[test]
    fn add_and_between_undo_each_other(
        (plan, at) in plan(),
        limit in prop_oneof![0..400_000_000_000i64, 0..8_000_000_000_000_000i64],
        nanoseconds in 0..60_000_000_000i64,
    ) {
        let product = plan.product();
        let at = at + SignedDuration::from_nanos(nanoseconds);
        let limit = SignedDuration::from_nanos(limit);
        if let Some(passes) = product.add(at, limit) {
            prop_assert!(passes >= at);
            prop_assert_eq!(product.between(at, passes), limit);
            if passes > at {
                let just_before = passes - SignedDuration::from_nanos(1);
                prop_assert!(product.between(at, just_before) < limit);
            }
            let midway = at + passes.duration_since(at) / 2;
            let halves = product.between(at, midway) + product.between(midway, passes);
            prop_assert_eq!(halves, limit);
        }
    }

    #[test]
    fn a_day_says_why_when_its_hours_are_not_its_weekdays((plan, at) in plan(), after in 0..30i64) {
        let product = plan.product();
        let day = stockholm().to_datetime(at).date() + after.days();
        let hours = product.hours_on(day);
        let as_always = !hours.is_empty() && hours == *product.hours.on(day.weekday());
        let why = product.why_closed(day);
        prop_assert!(why.is_none() == as_always, "{:?}", why);
        prop_assert!(why.is_none_or(|why| why.contains("öppet") != hours.is_empty()));
    }
}

proptest! {
    #![proptest_config(config(3))]

    #[test]
    fn years_are_what_walking_counts((plan, from) in plan(), days in 700..1_100i64) {
        let until = from + SignedDuration::from_hours(24 * days);
        let (product, worked) = (plan.product(), slow_between(&plan, from, until));
        prop_assert_eq!(product.between(from, until), worked);
        let passes = product.add(from, worked);
        prop_assert!(passes.is_some_and(|passes| passes <= until));
        prop_assert_eq!(slow_between(&plan, from, passes.unwrap_or(from)), worked);
    }
}
