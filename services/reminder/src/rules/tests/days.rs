//! Days that are not as others.

use domain::FollowUpStep::{ContactPerson, Heads, Limit, Share};

use super::super::example::{OFFICE, Story, at, steps, terms};

/// Six hours each night, in which the clocks change.
const NIGHTS: &str = r#"{"hours": {
    "monday": ["00:00-06:00"],
    "tuesday": ["00:00-06:00"],
    "saturday": ["00:00-06:00"],
    "sunday": ["00:00-06:00"]
}}"#;

#[test]
fn the_hour_that_summer_time_skips_is_not_counted() {
    // Sunday 29 March 2026 has 5 of the 6 hours: two before the change, three after it.
    let mut story = Story::of(terms(NIGHTS), "2026-03-28 00:00", 8);
    assert_eq!(
        story.until("2026-04-30 00:00"),
        steps(&[
            (Share, "2026-03-28 04:00"),
            (Limit, "2026-03-29 03:00"),
            (ContactPerson, "2026-03-30 05:00"),
            // Påskafton and annandag påsk are closed.
            (Heads, "2026-04-07 01:00"),
        ])
    );
}

#[test]
fn the_hour_that_winter_time_repeats_is_counted_twice() {
    // Sunday 25 October 2026 has 7 hours: after the limit there are still 5 of them.
    let mut story = Story::of(terms(NIGHTS), "2026-10-24 00:00", 8);
    assert_eq!(
        story.until("2026-11-30 00:00"),
        steps(&[
            (Share, "2026-10-24 04:00"),
            (Limit, "2026-10-25 02:00"),
            (ContactPerson, "2026-10-26 03:00"),
            (Heads, "2026-10-27 05:00"),
        ])
    );
}

#[test]
fn a_closure_that_later_agreements_bring_is_waited_out_and_the_limit_stays() {
    let mut story = Story::office("2026-11-20 08:00", 16);
    let closed =
        r#"}, "closures": [{"from": "2026-11-23", "until": "2026-11-24", "why": "flytt"}]}"#;
    let other = terms(&format!("{}{closed}", OFFICE.strip_suffix("}}").unwrap()));
    story.terms.by_day = vec![
        (
            "2026-11-01".parse().unwrap(),
            story.terms.working_time.clone(),
        ),
        ("2026-11-21".parse().unwrap(), other.working_time),
    ];
    let limit = story.due;
    // The clock goes as was agreed, and all that has come waits for the same morning: the present step is taken.
    let next = story.plan.next(&story.terms, limit).unwrap();
    let taking = story.look(next).unwrap();
    assert_eq!(taking.event.at, at("2026-11-25 08:00"));
    assert_eq!(
        (taking.step, taking.missed),
        (ContactPerson, vec![Share, Limit])
    );
    assert_eq!(story.due, at("2026-11-23 16:00"));
    assert_eq!(
        story.until("2026-12-31 00:00"),
        steps(&[(Heads, "2026-11-26 08:00")])
    );
}

#[test]
fn christmas_week_is_waited_out() {
    let closed =
        r#"}, "closures": [{"from": "2026-12-24", "until": "2027-01-01", "why": "julstängt"}]}"#;
    let hours = OFFICE.strip_suffix("}}").unwrap();
    let mut story = Story::of(terms(&format!("{hours}{closed}")), "2026-12-22 08:00", 16);
    assert_eq!(
        story.until("2027-02-01 00:00"),
        steps(&[
            (Share, "2026-12-23 08:00"),
            // Used up as the office closes for Christmas.
            (Limit, "2027-01-04 08:00"),
            (ContactPerson, "2027-01-05 08:00"),
            // Trettondagsafton ends at noon, and trettondedag jul is closed.
            (Heads, "2027-01-07 12:00"),
        ])
    );
}
