//! Cases whose group has promised a day.

use domain::FollowUpStep::{ContactPerson, Heads, Limit, Promised, Share};

use super::super::example::{Story, at, steps};

#[test]
fn a_promise_before_the_limit_is_reminded_of_instead_of_the_first_share() {
    let mut story = Story::office("2026-11-20 08:00", 16);
    story.promise(at("2026-11-20 10:00"), at("2026-11-23 12:00"));
    let mut late = story.clone();
    assert_eq!(
        story.until("2026-12-31 00:00"),
        steps(&[
            (Promised, "2026-11-23 12:00"),
            (Limit, "2026-11-24 08:00"),
            (ContactPerson, "2026-11-25 08:00"),
            (Heads, "2026-11-26 08:00"),
        ])
    );
    // Looked at only when both have passed: the limit is the present step.
    let taking = late.look(at("2026-11-24 09:00")).unwrap();
    assert_eq!((taking.step, taking.missed), (Limit, vec![Promised]));
    // As late as the limit, on a day when nobody works: the limit is told of alone.
    let mut story = Story::office("2026-11-20 08:00", 8);
    story.promise(at("2026-11-20 10:00"), at("2026-11-22 12:00"));
    assert_eq!(
        story.until("2026-11-23 12:00"),
        steps(&[(Limit, "2026-11-23 08:00")])
    );
}

#[test]
fn a_promise_of_tomorrow_that_is_broken_is_reminded_of_and_so_is_half_of_the_limit() {
    let mut story = Story::office("2026-11-20 08:00", 40);
    story.promise(at("2026-11-20 10:00"), at("2026-11-23 16:00"));
    let (swedish, english) = story.outline("2026-11-20 11:00");
    for lines in [swedish, english] {
        assert!(
            !lines
                .iter()
                .any(|l| l.contains("utgår") || l.contains("left out")),
            "{lines:?}"
        );
    }
    let first = story.until("2026-11-24 08:00");
    assert_eq!(first, steps(&[(Promised, "2026-11-24 08:00")]));
    let (swedish, _) = story.outline("2026-11-24 08:00");
    assert!(
        swedish.iter().any(|l| l.contains(
            "påmindes gruppen Handläggare: tiden som gruppen lovade (måndag 2026-11-23 16:00) har passerat"
        )),
        "{swedish:?}"
    );
    assert_eq!(
        story.until("2026-12-31 00:00"),
        steps(&[
            (Share, "2026-11-24 12:00"),
            (Limit, "2026-11-27 08:00"),
            (ContactPerson, "2026-11-30 08:00"),
            (Heads, "2026-12-01 08:00"),
        ])
    );
}

#[test]
fn a_promise_after_the_limit_moves_what_comes_after_it() {
    let mut story = Story::office("2026-11-20 08:00", 16);
    story.until("2026-11-23 10:00");
    story.promise(at("2026-11-23 10:00"), at("2026-12-04 16:00"));
    assert_eq!(
        story.until("2026-12-31 00:00"),
        steps(&[
            (Limit, "2026-11-24 08:00"),
            (Promised, "2026-12-07 08:00"),
            (ContactPerson, "2026-12-08 08:00"),
            (Heads, "2026-12-09 08:00"),
        ])
    );
    assert_eq!(story.due, at("2026-11-23 16:00"), "the limit stays");
}

#[test]
fn a_promise_made_when_the_case_is_overdue_moves_what_is_left() {
    let mut story = Story::office("2026-11-20 08:00", 8);
    let before = story.until("2026-11-24 10:00");
    assert_eq!(
        before.last(),
        steps(&[(ContactPerson, "2026-11-24 08:00")]).last()
    );
    story.promise(at("2026-11-24 10:00"), at("2026-11-30 12:00"));
    assert_eq!(
        story.until("2026-12-31 00:00"),
        steps(&[(Promised, "2026-11-30 12:00"), (Heads, "2026-12-02 12:00")])
    );
}

#[test]
fn a_promised_day_that_passes_in_a_pause_is_told_as_the_case_goes_on() {
    let mut story = Story::office("2026-11-20 08:00", 8);
    story.until("2026-11-23 10:00");
    story.promise(at("2026-11-23 10:00"), at("2026-11-25 12:00"));
    story.pause(at("2026-11-24 10:00"), at("2026-12-11 10:00"));
    assert!(story.until("2026-11-30 10:00").is_empty());
    story.resume(at("2026-11-30 10:00"));
    // The clock stood as the day passed, so that what follows is counted from where it goes on.
    assert_eq!(
        story.until("2026-12-31 00:00"),
        steps(&[
            (Promised, "2026-11-30 10:00"),
            (ContactPerson, "2026-12-01 10:00"),
            (Heads, "2026-12-02 10:00"),
        ])
    );
}

#[test]
fn a_limit_missed_before_the_promised_day_is_told_all_the_same() {
    let mut story = Story::office("2026-11-20 08:00", 8);
    story.promise(at("2026-11-20 10:00"), at("2026-11-25 12:00"));
    let taking = story.look(at("2026-11-26 10:00")).unwrap();
    assert_eq!((taking.step, taking.missed), (Promised, vec![Limit]));
    assert_eq!(taking.overdue.map(|e| e.at), Some(at("2026-11-23 08:00")));
    assert_eq!(taking.event.what.kind(), "case.reminded");
}

#[test]
fn a_promise_told_twice_or_anew_holds_once() {
    let mut story = Story::office("2026-11-20 08:00", 8);
    let (made, first, second) = (
        at("2026-11-20 10:00"),
        at("2026-11-25 12:00"),
        at("2026-11-27 12:00"),
    );
    assert!(story.promise(made, first));
    assert!(!story.promise(made, first));
    assert!(story.promise(at("2026-11-23 09:00"), second));
    assert_eq!(story.plan.promised(), Some(second));
    assert_eq!(
        story.until("2026-12-31 00:00")[..2],
        steps(&[(Limit, "2026-11-23 09:00"), (Promised, "2026-11-27 12:00")])[..]
    );
}
