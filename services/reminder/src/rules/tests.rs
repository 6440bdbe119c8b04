//! What is known of certain cases.

mod days;
mod pauses;
mod promises;
mod simulated;
mod told;
mod year;

use domain::FollowUpStep::{ContactPerson, Heads, Limit, Share};
use domain::{CaseWhat, Role};
use jiff::SignedDuration;

use super::{
    Plan, PlanState,
    example::{Story, at, event, forwarding, steps, terms},
};
use crate::rules::example::OFFICE;

#[test]
fn a_case_gets_its_steps_in_working_time() {
    let mut story = Story::office("2026-11-20 09:12", 40);
    let taken = story.until("2027-01-31 00:00");
    let expected = steps(&[
        (Share, "2026-11-24 13:12"),
        (Limit, "2026-11-27 09:12"),
        (ContactPerson, "2026-11-30 09:12"),
        (Heads, "2026-12-01 09:12"),
    ]);
    assert_eq!(taken, expected);
    assert_eq!(story.plan.steps_taken(), 4);
    let kinds: Vec<_> = story.told.iter().map(|e| e.what.kind()).collect();
    assert_eq!(
        kinds[1..],
        [
            "case.reminded",
            "case.overdue",
            "case.escalated",
            "case.escalated"
        ]
    );
}

#[test]
fn a_limit_used_up_as_the_office_closes_is_told_when_it_opens() {
    // Friday, so the limit passes as the office closes on Friday a week later.
    let mut story = Story::office("2026-11-20 16:00", 40);
    assert_eq!(story.due, at("2026-11-27 16:00"));
    assert_eq!(
        story.until("2026-11-25 00:00"),
        steps(&[(Share, "2026-11-25 12:00")])[..0]
    );
    assert_eq!(
        story.until("2026-12-31 00:00"),
        steps(&[
            (Share, "2026-11-25 12:00"),
            (Limit, "2026-11-30 08:00"),
            // Counted from the limit, not from when that was told.
            (ContactPerson, "2026-12-01 08:00"),
            (Heads, "2026-12-02 08:00"),
        ])
    );
}

#[test]
fn nothing_is_taken_outside_working_time_or_twice_or_when_the_clock_moves_backwards() {
    let mut story = Story::office("2026-11-20 09:12", 40);
    let share = at("2026-11-24 13:12");
    assert!(story.look(share - SignedDuration::from_nanos(1)).is_none());
    assert!(
        story.look(at("2026-11-24 16:00")).is_none(),
        "the office has closed"
    );
    assert!(story.look(at("2026-11-24 23:00")).is_none());
    assert_eq!(
        story.plan.next(&story.terms, at("2026-11-24 23:00")),
        Some(at("2026-11-25 08:00"))
    );
    let taking = story.look(at("2026-11-25 08:00")).unwrap();
    assert_eq!((taking.step, story.planned()), (Share, share));
    assert_eq!(
        taking.late_by_working,
        SignedDuration::from_mins(2 * 60 + 48)
    );
    assert!(story.look(at("2026-11-25 08:00")).is_none());
    assert!(story.look(share).is_none());
    assert!(story.look(at("2026-11-20 08:00")).is_none());
    assert_eq!(story.plan.next(&story.terms, share), Some(story.due));
}

#[test]
fn after_days_down_a_case_gets_its_present_step_and_is_told_to_be_overdue_first() {
    let mut story = Story::office("2026-11-20 09:12", 40);
    let taking = story.look(at("2026-12-01 15:00")).unwrap();
    assert_eq!(taking.step, Heads);
    assert_eq!(taking.missed, [Share, Limit, ContactPerson]);
    assert_eq!(
        taking.late_by_working,
        SignedDuration::from_mins(5 * 60 + 48)
    );
    let CaseWhat::Escalated(escalated) = &taking.event.what else {
        panic!("{:?}", taking.event);
    };
    assert_eq!(escalated.to, [Role::DepartmentHead, Role::UnitHead]);
    let overdue = taking.overdue.unwrap();
    let CaseWhat::Overdue(limit) = &overdue.what else {
        panic!("{overdue:?}");
    };
    assert_eq!(overdue.at, story.due);
    assert_eq!((limit.step, limit.to.len()), (Limit, 0));
    assert!(story.until("2027-12-31 00:00").is_empty());
    assert_eq!(story.plan.steps_taken(), 1);
}

#[test]
fn a_closing_that_crosses_the_due_second_wins_or_comes_after_the_step() {
    let due = at("2026-11-27 09:12");
    let mut first = Story::office("2026-11-20 09:12", 40);
    first.look(at("2026-11-24 13:12"));
    let mut second = first.clone();

    assert!(first.close(due));
    assert!(first.look(due).is_none());
    assert!(first.look(at("2026-11-27 09:13")).is_none());
    assert_eq!(first.plan.next(&first.terms, due), None);

    assert_eq!(second.look(due).map(|t| t.step), Some(Limit));
    assert!(second.close(due));
    assert!(second.look(at("2026-12-24 09:12")).is_none());
    assert_eq!(second.plan.state(), PlanState::Ended);
    assert!(!second.close(due), "told twice, closed once");
}

#[test]
fn a_reopened_case_gets_its_whole_time_by_the_clock_of_who_has_it() {
    let mut story = Story::office("2026-11-20 09:12", 40);
    story.until("2026-12-01 12:00");
    story.close(at("2026-12-01 13:00"));
    let old = story.plan.clone();

    // Another department, that works mornings.
    let mornings = terms(&OFFICE.replace("16:00", "12:00"));
    let opened = at("2026-12-03 10:00");
    let mut again = Story::of(mornings, "2026-12-03 10:00", 8);
    again.plan = again.plan.after(&old, &story.terms);
    assert!(again.look(opened).is_none());
    assert_eq!(
        again.plan.next(&again.terms, opened),
        Some(at("2026-12-04 10:00"))
    );
    let first = at("2026-12-04 10:00");
    assert_eq!(again.look(first).map(|t| t.step), Some(Share));
    let (swedish, english) = again.outline("2026-12-04 10:30");
    assert_eq!(
        swedish[0],
        "Från fredag 2026-11-20 09:12 var ärendet hos Handläggare på Byggnadsförvaltningen; tisdag 2026-12-01 13:00 \
         avslutades det (åtgärdat), efter 4 steg."
    );
    assert!(
        english[1].contains("the case was opened anew and forwarded"),
        "{english:?}"
    );
}

#[test]
fn nobody_is_told_of_imports_and_of_cases_without_a_limit() {
    let terms = terms(OFFICE);
    let import = domain::Forwarding {
        imported: true,
        ..forwarding(Some(at("2026-11-20 09:12")))
    };
    for (forwarding, why) in [(import, "import"), (forwarding(None), "tidsgräns")] {
        let told = event(
            at("2026-11-02 09:00"),
            CaseWhat::Forwarded(forwarding.clone()),
        );
        let mut plan = Plan::forwarded(&told, &forwarding, &terms);
        assert_eq!(plan.next(&terms, told.at), None);
        assert!(plan.take(&terms, at("2026-12-02 09:00")).is_none());
        let lines = plan.outline(&terms, told.at);
        assert!(
            lines.last().unwrap().words.swedish.contains(why),
            "{lines:?}"
        );
    }
}

#[test]
fn a_plan_is_the_same_read_back() {
    let mut story = Story::office("2026-11-20 09:12", 40);
    story.pause(at("2026-11-23 09:00"), at("2026-11-24 09:00"));
    story.resume(at("2026-11-24 09:00"));
    story.promise(at("2026-11-24 10:00"), at("2026-12-04 16:00"));
    story.look(at("2026-12-03 10:00"));
    let text = serde_json::to_string(&story.plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), story.plan);
}
