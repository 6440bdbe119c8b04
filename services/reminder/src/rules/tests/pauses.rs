//! Cases whose clock has stood.

use domain::FollowUpStep::{ContactPerson, Heads, Limit, Share};
use domain::{CaseWhat, PauseReason};

use super::super::{
    PlanState,
    example::{Story, at, steps},
};

#[test]
fn no_step_comes_while_the_clock_stands_and_all_are_later_by_the_pause() {
    let mut story = Story::office("2026-11-20 08:00", 16);
    story.pause(at("2026-11-20 10:00"), at("2026-12-11 10:00"));
    assert_eq!(story.plan.state(), PlanState::Paused);
    assert!(story.until("2026-12-08 12:00").is_empty());
    assert!(story.look(at("2026-12-08 12:00")).is_none());
    story.resume(at("2026-12-08 12:00"));
    // Two of sixteen hours had gone.
    assert_eq!(
        story.until("2026-12-31 00:00"),
        steps(&[
            (Share, "2026-12-09 10:00"),
            (Limit, "2026-12-10 10:00"),
            (ContactPerson, "2026-12-11 10:00"),
            (Heads, "2026-12-14 10:00"),
        ])
    );
    assert_eq!(story.due, at("2026-12-10 10:00"));
    assert_eq!(story.plan.due(), Some(story.due));
}

#[test]
fn a_case_that_is_overdue_when_it_is_paused_stays_so_and_waits_with_what_follows() {
    let mut story = Story::office("2026-11-20 08:00", 8);
    assert_eq!(
        story.until("2026-11-23 10:00"),
        steps(&[(Share, "2026-11-20 12:00"), (Limit, "2026-11-23 08:00")])
    );
    story.pause(at("2026-11-23 10:00"), at("2026-12-11 10:00"));
    assert!(story.plan.is_late(at("2026-11-24 10:00")));
    assert!(story.until("2026-11-30 09:00").is_empty());
    story.resume(at("2026-11-30 09:00"));
    assert_eq!(
        story.due,
        at("2026-11-20 16:00"),
        "what was late does not become less late"
    );
    // Two of the eight hours until the contact person is told had gone when it was paused.
    assert_eq!(
        story.until("2026-12-31 00:00"),
        steps(&[
            (ContactPerson, "2026-11-30 15:00"),
            (Heads, "2026-12-01 15:00")
        ])
    );
}

#[test]
fn a_step_that_was_due_when_the_case_was_paused_comes_as_it_goes_on() {
    let mut story = Story::office("2026-11-20 08:00", 8);
    story.pause(at("2026-11-23 09:00"), at("2026-12-11 10:00"));
    assert!(story.look(at("2026-11-23 09:00")).is_none());
    story.resume(at("2026-11-28 12:00"));
    let monday = at("2026-11-30 08:00");
    assert_eq!(
        story.plan.next(&story.terms, at("2026-11-28 12:00")),
        Some(monday)
    );
    let taking = story.look(monday).unwrap();
    assert_eq!(
        (taking.step, taking.missed, story.planned()),
        (Limit, vec![Share], monday)
    );
}

#[test]
fn a_pause_told_twice_stands_once() {
    let mut story = Story::office("2026-11-20 08:00", 8);
    let (reason, until) = (PauseReason::Date, at("2026-11-25 08:00"));
    let pause = || CaseWhat::Paused { reason, until };
    let (from, again) = (at("2026-11-20 09:00"), at("2026-11-20 10:00"));
    assert!(story.tell(from, pause()));
    assert!(!story.tell(from, pause()));
    assert!(story.resume(again));
    assert!(!story.tell(from, pause()));
    assert!(!story.resume(again));
    assert_eq!(story.plan.state(), PlanState::Open);
    // Routing has the last word of what is left.
    story.tell(at("2026-11-20 11:00"), pause());
    let due = Some(at("2026-11-26 08:00"));
    story.tell(at("2026-11-25 08:00"), CaseWhat::Resumed { due });
    assert_eq!(story.plan.due(), due);
    assert_eq!(
        story.until("2026-11-26 08:00").last(),
        steps(&[(Limit, "2026-11-26 08:00")]).last()
    );
}
