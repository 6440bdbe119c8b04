//! Months in which the clocks change: the figures of made-up calls, against a slow and obvious count of the same calls.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::harness::Product;

/// How a call went. Seconds are counted from when it came.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Answered(i64),
    HungUp(i64),
    TimedOut(i64),
    PressedKey(i64),
    NobodyThere,
    Full,
    /// Timed out, came back to the same queue within the same second, and was answered in the end.
    CameBackAndAnswered(i64, i64),
    /// The same, and hung up in the end.
    CameBackAndHungUp(i64, i64),
    /// Timed out, and came back within the same second to a queue that nobody staffed any more.
    CameBackToNobody(i64),
    /// It never ends: the PBX restarted, or the file ended.
    Nothing,
}

#[derive(Debug, Clone)]
struct Call {
    id: String,
    queue: &'static str,
    came: i64,
    fate: Fate,
}

/// What is counted of a call: whether answered, whether hung up, and how long it waited.
fn counted(call: &Call) -> Option<(bool, bool, i64)> {
    match call.fate {
        Fate::Answered(wait) | Fate::CameBackAndAnswered(_, wait) => Some((true, false, wait)),
        Fate::HungUp(wait) | Fate::CameBackAndHungUp(_, wait) => Some((false, true, wait)),
        Fate::TimedOut(wait) | Fate::PressedKey(wait) | Fate::CameBackToNobody(wait) => {
            Some((false, false, wait))
        }
        Fate::NobodyThere | Fate::Full => Some((false, false, 0)),
        Fate::Nothing => None,
    }
}

fn lines_of(call: &Call) -> Vec<String> {
    let line = |after: i64, who: &str, what: String| {
        format!(
            "{}|{}|{}|{who}|{what}",
            call.came + after,
            call.id,
            call.queue
        )
    };
    let enter = |after| line(after, "NONE", "ENTERQUEUE||0701740605|1".to_owned());
    let connect = |wait, hold| {
        vec![
            line(wait, "PJSIP/101", format!("CONNECT|{hold}|x.1|1")),
            line(wait + 90, "PJSIP/101", format!("COMPLETEAGENT|{hold}|90|1")),
        ]
    };
    let hang_up = |wait, hold| vec![line(wait, "NONE", format!("ABANDON|1|1|{hold}"))];
    let time_out = |wait| vec![line(wait, "NONE", format!("EXITWITHTIMEOUT|1|1|{wait}"))];
    match call.fate {
        Fate::Answered(wait) => [vec![enter(0)], connect(wait, wait)].concat(),
        Fate::HungUp(wait) => [vec![enter(0)], hang_up(wait, wait)].concat(),
        Fate::TimedOut(wait) => [vec![enter(0)], time_out(wait)].concat(),
        Fate::PressedKey(wait) => vec![
            enter(0),
            line(wait, "NONE", format!("EXITWITHKEY|9|1|1|{wait}")),
        ],
        Fate::NobodyThere => vec![line(0, "NONE", "JOINEMPTY|".to_owned())],
        Fate::Full => vec![line(0, "NONE", "FULL|".to_owned())],
        Fate::CameBackAndAnswered(first, wait) => [
            vec![enter(0), enter(first)],
            time_out(first),
            connect(wait, wait - first),
        ]
        .concat(),
        Fate::CameBackAndHungUp(first, wait) => [
            vec![enter(0), enter(first)],
            time_out(first),
            hang_up(wait, wait - first),
        ]
        .concat(),
        Fate::CameBackToNobody(first) => [
            vec![enter(0), enter(first)],
            time_out(first),
            vec![line(first, "NONE", "EXITEMPTY|1|1|0".to_owned())],
        ]
        .concat(),
        Fate::Nothing => vec![enter(0)],
    }
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn fate(&mut self) -> Fate {
        let mut s = |most| i64::try_from(self.below(most)).unwrap_or(0);
        match s(22) {
            0..9 => Fate::Answered(s(130)),
            // Exactly 10 s is short, 11 s is not.
            9 | 10 => Fate::HungUp(8 + s(5)),
            11 => Fate::HungUp(s(400)),
            12 => Fate::TimedOut(60 + s(300)),
            13 => Fate::PressedKey(s(100)),
            14 => Fate::NobodyThere,
            15 => Fate::Full,
            16 => {
                let first = 1 + s(60);
                Fate::CameBackAndAnswered(first, first + s(100))
            }
            17 => {
                let first = 1 + s(60);
                Fate::CameBackAndHungUp(first, first + s(100))
            }
            18 => Fate::Answered(59 + s(3)),
            19 | 20 => Fate::CameBackToNobody(1 + s(60)),
            _ => Fate::Nothing,
        }
    }
}

/// Calls of a month: some every day, and many around each local midnight and around the change of the clocks.
fn calls(first: &str, days: i64, change: &str, dice: &mut Dice) -> anyhow::Result<Vec<Call>> {
    let stockholm = TimeZone::get("Europe/Stockholm")?;
    let first: jiff::civil::Date = first.parse()?;
    let mut instants = Vec::new();
    for day in 0..=days {
        let date = first.checked_add(jiff::Span::new().days(day))?;
        let midnight = date.to_zoned(stockholm.clone())?.timestamp().as_second();
        for near in [-400, -61, -10, -1, 0, 1, 30, 3_600] {
            instants.push(midnight + near);
        }
        for _ in 0..6 {
            instants.push(midnight + 28_800 + i64::try_from(dice.below(30_000))?);
        }
    }
    let change: Timestamp = change.parse()?;
    for near in -30..30 {
        instants.push(change.as_second() + near * 123);
    }
    let mut calls = Vec::new();
    for (n, came) in instants.into_iter().enumerate() {
        let queue = ["vaxel", "skola", "bygg"][usize::try_from(dice.below(3))?];
        let id = format!("{came}.{n}");
        let fate = dice.fate();
        // Who times out in the switchboard may be sent on to another queue, and is offered there too.
        if let (Fate::TimedOut(wait), "vaxel") = (fate, queue) {
            calls.push(Call {
                id: id.clone(),
                queue: "overflow",
                came: came + wait,
                fate: dice.fate(),
            });
        }
        calls.push(Call {
            id,
            queue,
            came,
            fate,
        });
    }
    Ok(calls)
}

/// Every line of the calls and what else a PBX writes, in no order at all.
fn shuffled(calls: &[Call], dice: &mut Dice) -> anyhow::Result<String> {
    let mut lines: Vec<String> = calls.iter().flat_map(lines_of).collect();
    for call in calls.iter().step_by(7) {
        let at = call.came;
        lines.push(format!(
            "{at}|{}|{}|PJSIP/102|RINGNOANSWER|5000",
            call.id, call.queue
        ));
        lines.push(format!("{at}|NONE|NONE|PJSIP/102|PAUSE|lunch"));
    }
    let last = calls.iter().map(|c| c.came).max().context("calls")?;
    for restart in [calls[0].came - 60, last - 1_000_000, last + 100_000] {
        lines.push(format!("{restart}|NONE|NONE|NONE|QUEUESTART|"));
    }
    for n in (1..lines.len()).rev() {
        lines.swap(n, usize::try_from(dice.below(n as u64 + 1))?);
    }
    Ok(lines.join("\n") + "\n")
}

/// The figures of some calls, counted one by one.
fn assert_counts(what: &str, found: &Value, calls: &[&Call]) {
    let (mut offered, mut answered, mut abandoned, mut short, mut within) = (0, 0, 0, 0, 0);
    let (mut waits, mut longest) = (0, 0);
    for call in calls {
        let Some((took, left, wait)) = counted(call) else {
            continue;
        };
        offered += 1;
        longest = longest.max(wait);
        if took {
            answered += 1;
            waits += wait;
            within += i64::from(wait <= 60);
        }
        if left {
            abandoned += 1;
            short += i64::from(wait <= 10);
        }
    }
    let names = [
        "offered",
        "answered",
        "abandoned",
        "short_abandoned",
        "answered_within_60s",
        "longest_wait_s",
    ];
    let expected = [offered, answered, abandoned, short, within, longest];
    assert_eq!(
        names.map(|n| found[n].as_i64()),
        expected.map(Some),
        "{what}: {names:?} in {found}"
    );
    let near = |name: &str, parts: i64, of: i64, rounding: f64| {
        let found = found[name].as_f64();
        if of == 0 {
            assert_eq!(found, None, "{what}: {name}");
        } else {
            let expected = parts as f64 / of as f64;
            let off = (found.expect("a number") - expected).abs();
            assert!(
                off <= rounding,
                "{what}: {name}: {found:?} instead of {expected}"
            );
        }
    };
    near("answer_rate", answered, offered - short, 0.500_001e-6);
    near("mean_wait_of_answered_s", waits, answered, 0.500_001e-3);
}

#[tokio::test]
async fn months_with_a_change_of_the_clocks_are_counted_right() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let stockholm = TimeZone::get("Europe/Stockholm")?;
    let day_of = |call: &Call| -> anyhow::Result<String> {
        let came = Timestamp::from_second(call.came)?;
        Ok(came.to_zoned(stockholm.clone()).date().to_string())
    };
    let months = [
        ("2021-03-01", "2021-03-31", "2021-03-28T01:00:00Z"),
        ("2021-10-01", "2021-10-31", "2021-10-31T01:00:00Z"),
    ];
    for (n, (from, to, change)) in months.into_iter().enumerate() {
        let mut dice = Dice(2021 + n as u64);
        let calls = calls(from, 31, change, &mut dice)?;
        let file = product.data().join(format!("{from}.queue_log"));
        std::fs::write(&file, shuffled(&calls, &mut dice)?)?;
        let printed =
            product.command(&["import", "queue-log", file.to_str().context("a path")?])?;
        assert!(printed.contains("refused                 0"), "{printed}");

        let mut days: BTreeMap<String, Vec<&Call>> = BTreeMap::new();
        let mut queues: BTreeMap<String, Vec<&Call>> = BTreeMap::new();
        let mut all = Vec::new();
        for call in &calls {
            let day = day_of(call)?;
            // Calls of the days beside the month are in the file too, as in any rotated log.
            if counted(call).is_some() && day.as_str() >= from && day.as_str() <= to {
                days.entry(day).or_default().push(call);
                queues.entry(call.queue.to_owned()).or_default().push(call);
                all.push(call);
            }
        }
        let period = format!("from={from}&to={to}");
        let found = api.figures(&period).await?;
        assert_counts(&period, &found[0], &all);
        for (by, groups) in [("day", &days), ("queue", &queues)] {
            let found = api.figures(&format!("{period}&by={by}")).await?;
            let keys: BTreeSet<&str> = found.iter().filter_map(|r| r["key"].as_str()).collect();
            let expected: BTreeSet<&str> = groups.keys().map(String::as_str).collect();
            assert_eq!(keys, expected, "{period}");
            for row in &found {
                let key = row["key"].as_str().context("a key")?;
                assert_counts(&format!("{by} {key}"), row, &groups[key]);
            }
        }
    }
    Ok(())
}
