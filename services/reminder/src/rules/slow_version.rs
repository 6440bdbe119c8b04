//! Plans against the obvious way to follow a case up: a clerk who looks at the case's clock minute by minute.

mod clerk;
mod history;

use std::sync::LazyLock;

use domain::{CaseWhat, FollowUpStep, ReminderSteps};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::example::{Story, at, terms};
use clerk::Clerk;
use history::{Act, History, Looks, history};

/// So many days are walked.
const DAYS: i64 = 80;
const MINUTES: i64 = DAYS * 24 * 60;

/// Hours that have lunches, nights with changes of the clocks, short weeks, holidays and closures.
const HOURS: [&str; 3] = [
    r#"{"hours": {"monday": ["08:00-12:00", "13:00-16:30"], "tuesday": ["08:00-12:00", "13:00-16:30"],
        "wednesday": ["08:00-12:00", "13:00-16:30"], "thursday": ["08:00-12:00", "13:00-16:30"],
        "friday": ["08:00-12:00", "13:00-15:00"]},
        "closures": [{"from": "2026-12-23", "until": "2027-01-01", "why": "julstängt"}]}"#,
    r#"{"hours": {"monday": ["22:00-24:00"], "tuesday": ["00:00-06:00"], "saturday": ["00:30-05:30"],
        "sunday": ["00:00-05:00", "09:00-10:00"]}}"#,
    r#"{"hours": {"tuesday": ["09:00-11:45"], "thursday": ["07:00-19:00"]}}"#,
];

/// The autumn has a change of the clocks and Christmas, the spring has the other change and Easter.
const BEGIN: [&str; 2] = ["2026-10-20 00:00", "2027-03-10 00:00"];

/// Whether each minute is worked, by beginning and hours.
static OPEN: LazyLock<Vec<Vec<Vec<bool>>>> = LazyLock::new(|| {
    let walk = |begin: &str, hours: &str| {
        let working_time = terms(hours).working_time;
        let begin = at(begin);
        let minutes = (0..MINUTES).map(|m| begin + SignedDuration::from_mins(m));
        minutes.map(|at| working_time.is_working(at)).collect()
    };
    BEGIN
        .map(|begin| HOURS.map(|hours| walk(begin, hours)).to_vec())
        .to_vec()
});

/// The plan and the clerk side by side.
struct Both {
    begin: Timestamp,
    steps: ReminderSteps,
    minute: i64,
    story: Option<Story>,
    clerk: Clerk,
}

impl Both {
    fn at(&self, minute: i64) -> Timestamp {
        self.begin + SignedDuration::from_mins(minute)
    }

    /// Walks on, and looks at the case as it is told to; not at all where the service is down.
    fn walk(&mut self, minutes: i64, looks: Option<Looks>) -> Result<(), TestCaseError> {
        for _ in 0..minutes {
            self.minute += 1;
            self.clerk.walk(self.minute);
            match looks {
                Some(Looks::Each(each)) if self.minute % each == 0 => self.look(self.minute)?,
                Some(Looks::WhenThePlanSays) => self.look_when_the_plan_says()?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The clerk looks each minute, the plan when it has said.
    fn look_when_the_plan_says(&mut self) -> Result<(), TestCaseError> {
        let (now, before) = (self.at(self.minute), self.at(self.minute - 1));
        let slow = self.clerk.look(self.minute);
        let Some(story) = &mut self.story else {
            return Ok(());
        };
        // Asked seldom, since nothing has changed in between: it says the same until then.
        let due = slow.is_some() || self.minute % 97 == 0;
        let says = if due {
            story.plan.next(&story.terms, before)
        } else {
            None
        };
        match slow {
            Some((step, _)) => {
                prop_assert_eq!(says, Some(now), "{:?}", step);
                let fast = story.look(now).map(|t| (t.step, t.missed));
                prop_assert_eq!(fast, slow);
            }
            None => prop_assert!(says.is_none_or(|at| at > now), "{:?}", says),
        }
        Ok(())
    }

    fn look(&mut self, minute: i64) -> Result<(), TestCaseError> {
        let now = self.at(minute);
        let slow = self.clerk.look(minute);
        let Some(story) = &mut self.story else {
            return Ok(());
        };
        if self.clerk.open(minute) || minute % 7 == 0 {
            let due = story
                .plan
                .next(&story.terms, now)
                .is_some_and(|at| at <= now);
            prop_assert_eq!(due, slow.is_some(), "{}", now);
        }
        let taking = story.look(now);
        if let Some(taking) = &taking {
            prop_assert!(story.planned() <= now);
            prop_assert!(story.terms.working_time.is_working(story.planned()));
            let silent = taking.missed.contains(&FollowUpStep::Limit);
            prop_assert_eq!(taking.overdue.is_some(), silent);
            prop_assert_eq!(taking.event.at, now);
        }
        prop_assert_eq!(taking.map(|t| (t.step, t.missed)), slow);
        Ok(())
    }

    fn act(&mut self, act: Act) -> Result<(), TestCaseError> {
        let now = self.at(self.minute);
        if let Act::Forward { hours, limit } = act {
            self.clerk.forward(hours, limit * 60, &self.steps);
            let mut terms = terms(HOURS[hours]);
            terms.steps = self.steps;
            let mut story = Story::from(terms, now, limit);
            if let Some(old) = self.story.take() {
                story.plan = story.plan.after(&old.plan, &old.terms);
                story.told.splice(0..0, old.told);
            }
            self.story = Some(story);
            return Ok(());
        }
        let Some(story) = &mut self.story else {
            return Ok(());
        };
        let later = |minutes| now + SignedDuration::from_mins(minutes);
        match act {
            Act::Forward { .. } => {}
            Act::Pause(minutes) => {
                if self.clerk.pause() {
                    prop_assert!(story.pause(now, later(minutes)));
                }
            }
            Act::Resume => {
                if self.clerk.resume() {
                    prop_assert!(story.resume(now));
                }
            }
            Act::Promise(minutes) => {
                if self.clerk.promise(self.minute + minutes) {
                    prop_assert!(story.promise(now, later(minutes)));
                }
            }
            Act::Close | Act::Bounce => {
                if self.clerk.end() {
                    let told = match act {
                        Act::Close => story.close(now),
                        _ => story.bounce(now),
                    };
                    prop_assert!(told);
                }
            }
            Act::Officer => {
                story.tell(now, CaseWhat::Taken);
            }
            Act::Restart => {
                let text = serde_json::to_string(&story.plan).unwrap();
                story.plan = serde_json::from_str(&text).unwrap();
            }
            Act::OtherRecipients => "Någon annan".clone_into(&mut story.terms.group),
            Act::ToldAgain => {
                let last = story.told.last().cloned().unwrap();
                let changed = story.plan.apply(&last, &story.terms);
                prop_assert!(!changed, "{:?}", last);
            }
            Act::ClockBack(minutes) => {
                let back = (self.minute - minutes).max(0);
                self.look(back)?;
            }
        }
        Ok(())
    }

    /// What holds however it went.
    fn told_well(&self) -> Result<(), TestCaseError> {
        let (mut told, mut overdue) = (Vec::new(), false);
        for event in self.story.iter().flat_map(|story| &story.told) {
            let step = match &event.what {
                CaseWhat::Forwarded(_) => {
                    (told, overdue) = (Vec::new(), false);
                    continue;
                }
                CaseWhat::Reminded(step) => step,
                CaseWhat::Overdue(step) => {
                    overdue = true;
                    step
                }
                CaseWhat::Escalated(step) => {
                    prop_assert!(overdue, "told to be overdue before it is escalated");
                    step
                }
                _ => continue,
            };
            prop_assert!(!told.contains(&step.step), "{:?} twice", step.step);
            told.push(step.step);
        }
        Ok(())
    }
}

fn run(history: History) -> Result<(), TestCaseError> {
    let mut both = Both {
        begin: at(BEGIN[history.begin]),
        steps: history.steps,
        minute: 0,
        story: None,
        clerk: Clerk::new(&OPEN[history.begin]),
    };
    for (minutes, down, act) in history.acts {
        if both.minute + minutes >= MINUTES - 1 {
            break;
        }
        both.walk(minutes, (!down).then_some(history.looks))?;
        both.act(act)?;
        if matches!(history.looks, Looks::WhenThePlanSays) {
            // What came due while it was down, or with what was told.
            both.look(both.minute)?;
        }
    }
    let rest = MINUTES - 1 - both.minute;
    both.walk(rest, Some(history.looks))?;
    both.told_well()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_plan_does_what_a_clerk_would_do(history in history()) {
        run(history)?;
    }
}

/// That the histories reach what is to be tested: each step, missed ones, and promised days.
#[test]
fn the_clerk_takes_every_step() {
    let mut clerk = Clerk::new(&OPEN[0]);
    clerk.walk(9 * 60);
    clerk.forward(0, 60, &ReminderSteps::default());
    assert!(clerk.promise(24 * 60) && clerk.pause() && !clerk.pause() && clerk.resume());
    let mut taken = Vec::new();
    for minute in 9 * 60 + 1..20 * 24 * 60 {
        clerk.walk(minute);
        taken.extend(clerk.look(minute).map(|(step, _)| step));
    }
    assert_eq!(
        taken,
        FollowUpStep::ALL[1..],
        "all but the first, since a day is promised"
    );
}
