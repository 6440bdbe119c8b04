//! When departments get their cases done: in working time, most of them within the limit. What is late they go through every
//! afternoon, and close. On bad days nothing is closed. Drawn from the case, so that the same case is always dealt with the same.

use domain::FollowUpStep;
use jiff::{SignedDuration, Timestamp, civil::Date};
use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

use super::{
    hours::{self, Minute},
    random::chance,
};

/// Of the cases a department gets, so many are forgotten there: the product is there to chase them.
const FORGOTTEN: f64 = 0.06;
/// So many are late.
const LATE: f64 = 0.15;
/// Departments work from then until then.
const FROM: Minute = 8 * 60;
const UNTIL: Minute = 16 * 60 + 15;
/// In the afternoon, what is late is gone through.
const CLEARING: Minute = 13 * 60;

/// The chance that belongs to a case; another one for each `what`.
pub(super) fn dice(case: &str, what: &str) -> StdRng {
    let seed = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{case} {what}").as_bytes());
    StdRng::seed_from_u64(seed.as_u64_pair().0)
}

/// A time from `least` to `most` minutes long.
pub(super) fn minutes(rng: &mut StdRng, least: i64, most: i64) -> SignedDuration {
    SignedDuration::from_secs(rng.random_range(least * 60..most * 60))
}

/// Whether nothing is closed at a department on a day: about every sixth day is bad at most of them, as when the network is
/// down, and any day may be so at one of them.
pub(super) fn is_bad(department: &str, date: Date) -> bool {
    let (city, own) = (
        dice("", &date.to_string()).random_range(0..6),
        dice(department, &date.to_string()).random_range(0..20),
    );
    if city == 0 { own < 15 } else { own == 0 }
}

/// When a case is closed that a department got at `from` with the limit `due`; `None` where it is forgotten.
pub(super) fn done(
    rng: &mut StdRng,
    department: &str,
    from: Timestamp,
    due: Timestamp,
) -> Option<Timestamp> {
    if chance(rng, FORGOTTEN) {
        return None;
    }
    if chance(rng, LATE) {
        return Some(cleared(rng, department, due));
    }
    let share = due.duration_since(from).as_secs_f64() * rng.random_range(0.05..0.85);
    let after = SignedDuration::try_from_secs_f64(share.max(0.0)).unwrap_or_default();
    Some(at_work(rng, department, from + after))
}

/// When a case is closed that is late since `due`: at the next time that late ones are gone through.
pub(super) fn cleared(rng: &mut StdRng, department: &str, due: Timestamp) -> Timestamp {
    let mut date = hours::local(due).date();
    while !works(department, date) || hours::at(date, CLEARING) <= due {
        date = hours::weekday_after(date);
    }
    hours::at(date, CLEARING) + minutes(rng, 0, 120)
}

/// When a forgotten case is closed after somebody was told of it at `at`, if that finds it: the more often the higher up. What
/// comes to the heads is always found.
pub(super) fn found(
    rng: &mut StdRng,
    department: &str,
    step: FollowUpStep,
    at: Timestamp,
) -> Option<Timestamp> {
    let found = match step {
        FollowUpStep::Share => 0.2,
        FollowUpStep::Limit | FollowUpStep::Promised => 0.4,
        FollowUpStep::ContactPerson => 0.6,
        FollowUpStep::Heads => 1.0,
    };
    if !chance(rng, found) {
        return None;
    }
    let after = minutes(rng, 20, 300);
    Some(at_work(rng, department, at + after))
}

/// The same time or, when nobody works or nothing works, some time in the next morning of which that is not so.
pub(super) fn at_work(rng: &mut StdRng, department: &str, at: Timestamp) -> Timestamp {
    let local = hours::local(at);
    let (date, minute) = (local.date(), hours::minute_of(local));
    if works(department, date) && (FROM..UNTIL).contains(&minute) {
        return at;
    }
    let mut morning = date;
    while !works(department, morning) || hours::at(morning, FROM) <= at {
        morning = hours::weekday_after(morning);
    }
    hours::at(morning, FROM) + minutes(rng, 5, 120)
}

fn works(department: &str, date: Date) -> bool {
    hours::is_weekday(date) && !is_bad(department, date)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;

    use super::*;

    const DEPARTMENTS: [&str; 4] = ["bygg", "skola", "social", "kansli"];

    /// How many cases are overdue at each hour of some weeks' working days, when so many are forwarded in each.
    fn overdue(weeks: usize) -> BTreeMap<Timestamp, usize> {
        let hour = SignedDuration::from_hours(1);
        let (mut at, mut hours_of, mut cases) = (
            date(2027, 1, 11),
            Vec::new(),
            Vec::<(Timestamp, Timestamp)>::new(),
        );
        for day in 0..weeks * 5 {
            for nth in 8..17 {
                let from = hours::at(at, nth * 60);
                hours_of.push(from);
                for case in 0..20 {
                    let department = DEPARTMENTS[case % 4];
                    let mut rng = dice(&format!("{day} {nth} {case}"), "close");
                    // From a day to a week, as agreements have it.
                    let due = from + hour * 24 * rng.random_range(1..8);
                    let done = done(&mut rng, department, from, due);
                    // Who forgets it is told of it a day after the limit, by the heads.
                    let done = done.or_else(|| {
                        found(&mut rng, department, FollowUpStep::Heads, due + hour * 24)
                    });
                    cases.push((due, done.unwrap()));
                }
            }
            at = hours::weekday_after(at);
        }
        let late = |now: Timestamp| {
            let late = |(due, done): &&(Timestamp, Timestamp)| *due < now && now < *done;
            cases.iter().filter(late).count()
        };
        hours_of.into_iter().map(|now| (now, late(now))).collect()
    }

    #[test]
    fn the_overdue_number_rises_and_falls_and_does_not_grow() {
        let overdue = overdue(10);
        let mean = |of: &[usize]| of.iter().sum::<usize>() as f64 / of.len() as f64;
        let all: Vec<usize> = overdue.values().copied().collect();
        let of_week = all.len() / 10;
        let (early, late) = (
            mean(&all[2 * of_week..6 * of_week]),
            mean(&all[6 * of_week..]),
        );
        assert!((0.6..1.6).contains(&(late / early)), "{early}, then {late}");
        // The days after the first two weeks: what it is before late ones are gone through, and when they have been.
        let days: Vec<(bool, usize, usize)> = overdue
            .keys()
            .map(|at| hours::local(*at).date())
            .collect::<std::collections::BTreeSet<Date>>()
            .into_iter()
            .skip(10)
            .map(|date| {
                let at = |hour: Minute| overdue[&hours::at(date, hour * 60)];
                let bad = DEPARTMENTS.iter().filter(|d| is_bad(d, date)).count();
                (bad > 1, at(13), at(16))
            })
            .collect();
        let falls = days.iter().filter(|(bad, noon, late)| !bad && late < noon);
        let good = days.iter().filter(|(bad, ..)| !bad).count();
        assert!(falls.count() * 10 >= good * 9, "{days:?}");
        let of = |bad: bool| -> Vec<usize> {
            let days = days.iter().filter(|day| day.0 == bad);
            days.map(|day| day.2).collect()
        };
        assert!(mean(&of(true)) > 1.5 * mean(&of(false)), "{days:?}");
    }

    #[test]
    fn nothing_is_done_when_nobody_works() {
        let mut late = 0;
        for case in 0..2_000 {
            let mut rng = dice(&case.to_string(), "close");
            let department = DEPARTMENTS[case % 4];
            let from = hours::at(date(2026, 11, 23), 0) + minutes(&mut rng, 0, 14 * 24 * 60);
            let due = from + SignedDuration::from_hours(rng.random_range(1..200));
            let Some(done) = done(&mut rng, department, from, due) else {
                continue;
            };
            let local = hours::local(done);
            assert!(hours::is_weekday(local.date()) && !is_bad(department, local.date()));
            assert!(
                (FROM..17 * 60).contains(&hours::minute_of(local)),
                "{local}"
            );
            assert!(done > from);
            late += usize::from(done > due);
        }
        assert!((200..900).contains(&late), "{late} of 2000 are late");
    }
}
