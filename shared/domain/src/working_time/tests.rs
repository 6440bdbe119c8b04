//! What is known of certain days.

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::*;

const OFFICE: &str = r#"{
    "hours": {
        "monday": ["08:00-12:00", "13:00-16:30"],
        "tuesday": ["08:00-12:00", "13:00-16:30"],
        "wednesday": ["08:00-12:00", "13:00-16:30"],
        "thursday": ["08:00-12:00", "13:00-16:30"],
        "friday": ["08:00-12:00", "13:00-15:00"]
    },
    "closures": [
        {"from": "2021-06-21", "until": "2021-08-08", "why": "sommartid", "hours": ["09:00-15:00"]},
        {"from": "2021-09-14", "until": "2021-09-14", "why": "planeringsdag"}
    ]
}"#;

fn office() -> WorkingTime {
    serde_json::from_str(OFFICE).unwrap()
}

/// The same hours every Sunday, which is when the clocks change, and no others.
fn sundays(hours: &str) -> WorkingTime {
    serde_json::from_str(&format!(r#"{{"hours": {{"sunday": {hours}}}}}"#)).unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A time on a Swedish clock, such as `2021-12-23T15:00`.
fn at(text: &str) -> Timestamp {
    format!("{text}[Europe/Stockholm]")
        .parse::<jiff::Zoned>()
        .unwrap()
        .timestamp()
}

fn utc(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().unwrap()
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn worked(working: &WorkingTime, text: &str) -> SignedDuration {
    let spans = working.spans_of(day(text));
    spans
        .iter()
        .map(|(start, end)| end.duration_since(*start))
        .sum()
}

#[test]
fn a_limit_passes_over_lunch_night_and_weekend() {
    let office = office();
    // Thursday 16 September 2021.
    for (from, limit, passes) in [
        ("2021-09-16T11:30", 60, "2021-09-16T13:30"),
        ("2021-09-16T16:00", 60, "2021-09-17T08:30"),
        ("2021-09-17T14:30", 60, "2021-09-20T08:30"),
        ("2021-09-18T12:00", 60, "2021-09-20T09:00"),
        // Used up as the hours end: passed then, not when they begin again.
        ("2021-09-16T11:00", 60, "2021-09-16T12:00"),
        ("2021-09-17T14:00", 60, "2021-09-17T15:00"),
        // Nothing to wait for.
        ("2021-09-18T12:00", 0, "2021-09-18T12:00"),
        ("2021-09-18T12:00", -5, "2021-09-18T12:00"),
    ] {
        let added = office.add(at(from), minutes(limit));
        assert_eq!(added, Some(at(passes)), "{from} + {limit}");
    }
}

#[test]
fn working_begins_with_the_hours_and_has_ended_when_they_end() {
    let office = office();
    for (text, working, next) in [
        ("2021-09-16T07:59", false, "2021-09-16T08:00"),
        ("2021-09-16T08:00", true, "2021-09-16T08:00"),
        ("2021-09-16T11:59", true, "2021-09-16T11:59"),
        ("2021-09-16T12:00", false, "2021-09-16T13:00"),
        ("2021-09-17T15:00", false, "2021-09-20T08:00"),
        ("2021-09-13T16:30", false, "2021-09-15T08:00"),
    ] {
        assert_eq!(office.is_working(at(text)), working, "{text}");
        assert_eq!(office.next_working(at(text)), Some(at(next)), "{text}");
    }
}

#[test]
fn christmas_week_has_its_holes() {
    let office = office();
    // Thursday 23 December 2021 is an ordinary day; the 24th is a Friday, as is the 31st.
    assert_eq!(
        office.add(at("2021-12-23T16:00"), minutes(60)),
        Some(at("2021-12-27T08:30"))
    );
    assert_eq!(
        office.between(at("2021-12-20T00:00"), at("2022-01-03T00:00")),
        minutes(8 * 450)
    );
    // Trettondagsafton (Wednesday) ends at noon, and trettondedag jul is Thursday.
    assert_eq!(
        office.add(at("2022-01-05T11:30"), minutes(60)),
        Some(at("2022-01-07T08:30"))
    );
}

#[test]
fn between_takes_what_lies_within() {
    let office = office();
    let between = |from, until| office.between(at(from), at(until));
    assert_eq!(between("2021-09-16T11:30", "2021-09-16T13:15"), minutes(45));
    assert_eq!(between("2021-09-16T12:10", "2021-09-16T12:50"), minutes(0));
    assert_eq!(between("2021-09-16T09:00", "2021-09-16T09:00"), minutes(0));
    assert_eq!(between("2021-09-17T09:00", "2021-09-16T09:00"), minutes(0));
    assert_eq!(
        between("2021-09-13T00:00", "2021-09-20T00:00"),
        minutes(3 * 450 + 360)
    );
}

#[test]
fn closures_only_close() {
    let office = office();
    let hours = |text| office.hours_on(day(text)).to_string();
    assert_eq!(hours("2021-06-21"), "09:00-12:00, 13:00-15:00");
    assert_eq!(hours("2021-06-25"), "");
    assert_eq!(hours("2021-07-03"), "");
    assert_eq!(hours("2021-08-09"), "08:00-12:00, 13:00-16:30");
    assert_eq!(hours("2021-09-14"), "");
}

#[test]
fn a_day_says_why_it_differs() {
    let office = office();
    let why = |text| office.why_closed(day(text));
    let told = |text| why(text).unwrap();
    assert_eq!(why("2021-09-16"), None);
    assert_eq!(told("2021-06-25"), "midsommarafton");
    assert_eq!(told("2021-11-06"), "alla helgons dag");
    assert_eq!(told("2021-07-03"), "lördag");
    assert_eq!(told("2021-09-14"), "planeringsdag");
    assert_eq!(told("2021-04-01"), "skärtorsdagen, öppet 08:00-12:00");
    assert_eq!(
        told("2021-07-01"),
        "sommartid, öppet 09:00-12:00, 13:00-15:00"
    );
    let mut early = office.clone();
    early.hours.half_day = Some(DayHours::default());
    assert_eq!(
        early.why_closed(day("2021-04-01")).unwrap(),
        "skärtorsdagen"
    );
    // A closure that takes nothing away is not told.
    early.closures = vec![
        Closure::new(
            day("2021-09-16"),
            day("2021-09-16"),
            "x".to_owned(),
            Some(serde_json::from_str(r#"["06:00-20:00"]"#).unwrap()),
        )
        .unwrap(),
    ];
    assert_eq!(early.why_closed(day("2021-09-16")), None);
}

#[test]
fn summer_time_takes_an_hour() {
    // On Sunday 28 March 2021 the clocks went from 02:00 to 03:00, at 01:00Z.
    let change = day("2021-03-28");
    assert_eq!(
        worked(&sundays(r#"["00:00-24:00"]"#), "2021-03-28"),
        minutes(23 * 60)
    );
    assert_eq!(sundays(r#"["02:00-03:00"]"#).spans_of(change), []);
    assert_eq!(
        sundays(r#"["01:00-04:00"]"#).spans_of(change),
        [(utc("2021-03-28T00:00"), utc("2021-03-28T02:00"))]
    );
    assert_eq!(
        sundays(r#"["01:00-02:30"]"#).spans_of(change),
        [(utc("2021-03-28T00:00"), utc("2021-03-28T01:00"))]
    );
    assert_eq!(
        sundays(r#"["02:30-04:00"]"#).spans_of(change),
        [(utc("2021-03-28T01:00"), utc("2021-03-28T02:00"))]
    );
    assert_eq!(
        sundays(r#"["01:00-04:00"]"#).add(at("2021-03-28T01:30"), minutes(60)),
        Some(at("2021-03-28T03:30"))
    );
}

#[test]
fn winter_time_gives_an_hour() {
    // On Sunday 31 October 2021 the clocks went from 03:00 to 02:00, at 01:00Z.
    let change = day("2021-10-31");
    assert_eq!(
        worked(&sundays(r#"["00:00-24:00"]"#), "2021-10-31"),
        minutes(25 * 60)
    );
    assert_eq!(
        sundays(r#"["02:00-03:00"]"#).spans_of(change),
        [(utc("2021-10-31T00:00"), utc("2021-10-31T02:00"))]
    );
    assert_eq!(
        sundays(r#"["01:00-02:30"]"#).spans_of(change),
        [
            (utc("2021-10-30T23:00"), utc("2021-10-31T00:30")),
            (utc("2021-10-31T01:00"), utc("2021-10-31T01:30"))
        ]
    );
    assert_eq!(
        sundays(r#"["01:00-04:00"]"#).add(utc("2021-10-30T23:30"), minutes(120)),
        Some(utc("2021-10-31T01:30"))
    );
}

#[test]
fn what_never_opens_ends_no_limit() {
    let never = WorkingTime {
        hours: OpeningHours::default(),
        closures: Vec::new(),
    };
    let now = at("2021-09-16T09:00");
    assert_eq!(never.add(now, minutes(1)), None);
    assert_eq!(never.add(now, minutes(0)), Some(now));
    assert_eq!(never.next_working(now), None);
    assert_eq!(never.between(now, at("2031-09-16T09:00")), minutes(0));
    // Some 1,800 hours a year: this is no time limit.
    assert_eq!(office().add(now, SignedDuration::from_hours(30_000)), None);
}

#[test]
fn the_calendars_ends_are_survived() {
    let always = sundays(r#"["00:00-24:00"]"#);
    for end in [Timestamp::MIN, Timestamp::MAX] {
        always.is_working(end);
        always.next_working(end);
        always.add(end, minutes(10_000_000));
        always.between(end, end);
    }
    assert_eq!(always.add(Timestamp::MAX, minutes(1)), None);
    assert_eq!(always.spans_of(Date::MAX), []);
    assert_eq!(always.spans_of(Date::MIN), []);
}

#[test]
fn working_time_is_written_as_it_was_read() {
    let office = office();
    let written: serde_json::Value = serde_json::to_value(&office).unwrap();
    assert_eq!(
        written,
        serde_json::from_str::<serde_json::Value>(OFFICE).unwrap()
    );
    let mut full = office;
    full.hours.half_day = Some(DayHours::default());
    let text = serde_json::to_string(&full).unwrap();
    assert_eq!(serde_json::from_str::<WorkingTime>(&text).unwrap(), full);
}
