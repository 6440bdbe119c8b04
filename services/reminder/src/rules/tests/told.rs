//! What an outline and reasons say.

use domain::{CaseWhat, Words};

use super::super::example::{Story, at};

fn reason(story: &mut Story, time: &str) -> Words {
    let taking = story.look(at(time)).unwrap();
    let (CaseWhat::Reminded(step) | CaseWhat::Overdue(step) | CaseWhat::Escalated(step)) =
        taking.event.what
    else {
        panic!("{:?}", taking.event.what);
    };
    step.reason
}

#[test]
fn reasons_read_within_a_sentence() {
    let mut story = Story::office("2026-11-20 08:00", 40);
    let share = reason(&mut story, "2026-11-24 12:00");
    assert_eq!(
        share.swedish,
        "halva tidsgränsen (20 av 40 arbetstimmar) har gått"
    );
    assert_eq!(
        share.english,
        "half of the time limit (20 of 40 working hours) has passed"
    );
    let limit = reason(&mut story, "2026-11-27 08:00");
    assert_eq!(limit.swedish, "tidsgränsen (40 arbetstimmar) har gått ut");
    let contact_person = reason(&mut story, "2026-11-30 09:30");
    assert_eq!(
        contact_person.swedish,
        "tidsgränsen gick ut för 9,5 arbetstimmar sedan, och ärendet är inte avslutat"
    );
    assert_eq!(
        contact_person.english,
        "the time limit passed 9.5 working hours ago, and the case is not closed"
    );
    story.promise(at("2026-11-30 10:00"), at("2026-12-04 16:00"));
    let promised = reason(&mut story, "2026-12-07 08:00");
    assert_eq!(
        promised.swedish,
        "tiden som gruppen lovade (fredag 2026-12-04 16:00) har passerat, och ärendet är inte avslutat"
    );
    let heads = reason(&mut story, "2026-12-09 08:00");
    assert_eq!(
        heads.english,
        "the time that the group promised (Friday 2026-12-04 16:00) passed 16 working hours ago, and the case is not closed"
    );
}

#[test]
fn a_first_reminder_says_its_share_and_that_it_is_late() {
    let mut story = Story::office("2026-11-20 08:00", 1);
    story.terms.steps.first_at_share = 0.6;
    let early = reason(&mut story.clone(), "2026-11-20 08:36");
    assert_eq!(
        early.swedish,
        "60 % av tidsgränsen (0,6 av 1 arbetstimme) har gått"
    );
    let late = reason(&mut story, "2026-11-20 08:48");
    assert_eq!(
        late.english,
        "more than 60 % of the time limit (0.8 of 1 working hour) has passed"
    );
}

#[test]
fn an_outline_tells_what_happened_and_what_comes() {
    let mut story = Story::office("2026-11-20 08:00", 16);
    story.tell(at("2026-11-20 08:30"), CaseWhat::Taken);
    story.look(at("2026-11-20 17:00"));
    story.look(at("2026-11-23 08:00"));
    story.pause(at("2026-11-23 10:00"), at("2026-11-25 10:00"));
    story.resume(at("2026-11-24 10:00"));
    story.promise(at("2026-11-24 11:00"), at("2026-11-27 12:00"));
    let (swedish, english) = story.outline("2026-11-24 12:00");
    assert_eq!(
        swedish,
        [
            "Fredag 2026-11-20 08:00 vidareskickades ärendet till gruppen Handläggare på Byggnadsförvaltningen, med \
             tidsgränsen 16 arbetstimmar, alltså till måndag 2026-11-23 16:00.",
            "Fredag 2026-11-20 08:30 tog en handläggare ärendet.",
            "Måndag 2026-11-23 08:00 påmindes gruppen Handläggare: halva tidsgränsen (8 av 16 arbetstimmar) har gått.",
            "Måndag 2026-11-23 10:00 pausades ärendet (väntar på den enskilde), som längst till onsdag 2026-11-25 10:00; \
             klockan stannade.",
            "Tisdag 2026-11-24 10:00 gick klockan vidare; den hade stått i 8 arbetstimmar.",
            "Tisdag 2026-11-24 11:00 lovade gruppen att vara klar fredag 2026-11-27 12:00. Tidsgränsen står kvar, men det \
             som följer efter den räknas från den lovade tiden.",
            "Tidsgränsen går ut tisdag 2026-11-24 16:00; 12 av 16 arbetstimmar har gått.",
            "Om ärendet inte avslutas eller pausas innan dess kommer detta härnäst:",
            "Onsdag 2026-11-25 08:00 påminns gruppen Handläggare när tidsgränsen (16 arbetstimmar) har gått ut.",
            "Fredag 2026-11-27 12:00 påminns gruppen Handläggare när tiden som gruppen har lovat är inne.",
            "Måndag 2026-11-30 12:00 underrättas kontaktpersonen på Byggnadsförvaltningen, 8 arbetstimmar efter tiden som \
             gruppen har lovat.",
            "Tisdag 2026-12-01 12:00 underrättas förvaltningschefen på Byggnadsförvaltningen och kontaktcenters \
             enhetschef, 16 arbetstimmar efter tiden som gruppen har lovat.",
        ]
    );
    assert_eq!(
        english,
        [
            "On Friday 2026-11-20 08:00 the case was forwarded to the group Handläggare of Byggnadsförvaltningen, with a \
             time limit of 16 working hours, that is until Monday 2026-11-23 16:00.",
            "On Friday 2026-11-20 08:30 an officer took the case.",
            "On Monday 2026-11-23 08:00 the group Handläggare was reminded: half of the time limit (8 of 16 working \
             hours) has passed.",
            "On Monday 2026-11-23 10:00 the case was paused (waiting for the citizen), until Wednesday 2026-11-25 10:00 \
             at the longest; its clock stopped.",
            "On Tuesday 2026-11-24 10:00 the clock went on; it had stood for 8 working hours.",
            "On Tuesday 2026-11-24 11:00 the group promised to be done by Friday 2026-11-27 12:00. The time limit stays, \
             but what comes after it is counted from the promised time.",
            "The time limit passes on Tuesday 2026-11-24 16:00; 12 of 16 working hours have passed.",
            "Unless the case is closed or paused before, this comes next:",
            "On Wednesday 2026-11-25 08:00 the group Handläggare is reminded when the time limit (16 working hours) has \
             passed.",
            "On Friday 2026-11-27 12:00 the group Handläggare is reminded when the time that the group has promised has \
             come.",
            "On Monday 2026-11-30 12:00 the contact person of Byggnadsförvaltningen is told, 8 working hours after the \
             time that the group has promised.",
            "On Tuesday 2026-12-01 12:00 the head of Byggnadsförvaltningen and the centre's unit head are told, 16 working \
             hours after the time that the group has promised.",
        ]
    );
}

#[test]
fn an_outline_tells_what_was_left_out_and_that_it_has_ended() {
    let mut story = Story::office("2026-11-20 08:00", 8);
    story.look(at("2026-11-24 10:00"));
    story.close(at("2026-11-24 11:00"));
    let (swedish, _) = story.outline("2026-11-24 12:00");
    assert_eq!(
        swedish[1..],
        [
            "Den första påminnelsen till gruppen, som skulle ha kommit fredag 2026-11-20 12:00, hoppades över, eftersom \
             ett senare steg redan var aktuellt.",
            "Påminnelsen till gruppen när tidsgränsen gick ut, som skulle ha kommit måndag 2026-11-23 08:00, hoppades \
             över, eftersom ett senare steg redan var aktuellt.",
            "Tisdag 2026-11-24 10:00 underrättades kontaktpersonen på Byggnadsförvaltningen: tidsgränsen gick ut för 10 \
             arbetstimmar sedan, och ärendet är inte avslutat. Det skulle ha skett tisdag 2026-11-24 08:00.",
            "Tisdag 2026-11-24 11:00 avslutades ärendet (åtgärdat). Uppföljningen slutar där.",
        ]
    );
}

#[test]
fn an_outline_of_a_paused_case_tells_what_comes_when_the_pause_ends() {
    let mut story = Story::office("2026-11-20 08:00", 8);
    story.until("2026-11-23 09:00");
    story.pause(at("2026-11-23 09:00"), at("2026-11-27 09:00"));
    let (swedish, english) = story.outline("2026-11-24 12:00");
    assert_eq!(
        swedish[4..],
        [
            "Tidsgränsen på 8 arbetstimmar gick ut fredag 2026-11-20 16:00, så ärendet är försenat med 1 arbetstimme.",
            "Medan ärendet är pausat tas inget steg. Går det vidare först när pausen slutar, fredag 2026-11-27 09:00, \
             kommer detta härnäst:",
            "Måndag 2026-11-30 08:00 underrättas kontaktpersonen på Byggnadsförvaltningen, 8 arbetstimmar efter \
             tidsgränsen.",
            "Tisdag 2026-12-01 08:00 underrättas förvaltningschefen på Byggnadsförvaltningen och kontaktcenters \
             enhetschef, 16 arbetstimmar efter tidsgränsen.",
        ]
    );
    assert!(english[5].starts_with("No step is taken while the case is paused."));
}

#[test]
fn an_outline_after_days_down_tells_which_step_is_taken_next() {
    let story = Story::office("2026-11-20 08:00", 8);
    let (swedish, _) = story.outline("2026-11-24 18:00");
    assert_eq!(
        swedish[3..6],
        [
            "Den första påminnelsen till gruppen, som skulle ha kommit fredag 2026-11-20 12:00, hoppas över, eftersom \
             ett senare steg redan är aktuellt.",
            "Påminnelsen till gruppen när tidsgränsen gick ut, som skulle ha kommit måndag 2026-11-23 08:00, hoppas \
             över, eftersom ett senare steg redan är aktuellt.",
            "Onsdag 2026-11-25 08:00 underrättas kontaktpersonen på Byggnadsförvaltningen, 8 arbetstimmar efter \
             tidsgränsen.",
        ]
    );
}

#[test]
fn an_outline_does_not_tell_of_lateness_that_nobody_would_count_and_says_when_all_is_done() {
    let mut story = Story::office("2026-11-20 08:00", 8);
    let line = |story: &Story, now: &str, back: usize| {
        let (swedish, _) = story.outline(now);
        swedish[swedish.len() - back].clone()
    };
    story.until("2026-11-23 08:01");
    assert_eq!(
        line(&story, "2026-11-23 08:01", 4),
        "Tidsgränsen på 8 arbetstimmar gick ut fredag 2026-11-20 16:00, så ärendet är försenat."
    );
    story.until("2026-12-31 08:00");
    assert_eq!(
        line(&story, "2026-12-31 08:00", 1),
        "Alla steg är tagna; ingen mer påminns."
    );
}
