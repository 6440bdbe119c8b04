//! Plans against the obvious way to follow a case up: a clerk who looks at the case's clock minute by minute.

mod clerk;
mod history;

use std::sync::LazyLock;

use domain::{CaseWhat, FollowUpStep, local_day, start_of_day};
use jiff::{SignedDuration, Timestamp, civil::Date};
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
    minute: i64,
    story: Option<Story>,
    clerk: Clerk,
    /// What happened while the service is down, each with its minute: the clerk saw it, the plan is told later.
    held: Vec<(i64, Act)>,
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
            prop_assert!(story.terms.works(story.planned()) && story.terms.works(now));
            let silent = taking.missed.contains(&FollowUpStep::Limit);
            prop_assert_eq!(taking.overdue.is_some(), silent);
            prop_assert_eq!(taking.event.at, now);
        }
        prop_assert_eq!(taking.map(|t| (t.step, t.missed)), slow);
        Ok(())
    }

    /// Something happens now, and the plan is told of it at once, or when the service is there again.
    fn act(&mut self, act: Act, down: bool) -> Result<(), TestCaseError> {
        let minute = self.minute;
        let happens = match act {
            Act::Forward {
                hours,
                limit,
                steps,
            } => {
                self.clerk.forward(hours, limit * 60, &steps);
                true
            }
            Act::Agree { hours, tomorrow } => {
                let from = self.day(minute, tomorrow);
                let from = start_of_day(from).unwrap().duration_since(self.begin);
                self.clerk.agree(from.as_mins(), hours)
            }
            Act::Pause(_) => self.clerk.pause(),
            Act::Resume => self.clerk.resume(),
            Act::Promise(minutes) => self.clerk.promise(minute + minutes),
            Act::Close | Act::Bounce => self.clerk.end(),
            Act::Officer | Act::Restart | Act::ToldAgain => true,
            Act::ClockBack(_) => !down,
        };
        match happens {
            true if down => self.held.push((minute, act)),
            true => self.tell(minute, act)?,
            false => {}
        }
        Ok(())
    }

    /// The service is there again, and hears what it has missed before it looks.
    fn up(&mut self) -> Result<(), TestCaseError> {
        for (minute, act) in std::mem::take(&mut self.held) {
            self.tell(minute, act)?;
        }
        Ok(())
    }

    fn day(&self, minute: i64, tomorrow: bool) -> Date {
        let today = local_day(self.at(minute));
        if tomorrow {
            today.tomorrow().unwrap()
        } else {
            today
        }
    }

    /// Tells the plan of what happened at a minute, as the clerk saw it.
    fn tell(&mut self, minute: i64, act: Act) -> Result<(), TestCaseError> {
        let now = self.at(minute);
        if let Act::Forward {
            hours,
            limit,
            steps,
        } = act
        {
            let mut terms = terms(HOURS[hours]);
            terms.steps = steps;
            let today = self.day(minute, false);
            terms.by_day = vec![(today, terms.working_time.clone())];
            let mut story = Story::from(terms, now, limit);
            if let Some(old) = self.story.take() {
                story.plan = story.plan.after(&old.plan, &old.terms);
                story.told.splice(0..0, old.told);
            }
            self.story = Some(story);
            return Ok(());
        }
        let from = match act {
            Act::Agree { tomorrow, .. } => self.day(minute, tomorrow),
            _ => Date::MIN,
        };
        let Some(story) = &mut self.story else {
            return Ok(());
        };
        let later = |minutes| now + SignedDuration::from_mins(minutes);
        match act {
            Act::Forward { .. } => {}
            Act::Pause(minutes) => prop_assert!(story.pause(now, later(minutes))),
            Act::Resume => prop_assert!(story.resume(now)),
            Act::Promise(minutes) => prop_assert!(story.promise(now, later(minutes))),
            Act::Close => prop_assert!(story.close(now)),
            Act::Bounce => prop_assert!(story.bounce(now)),
            Act::Officer => {
                story.tell(now, CaseWhat::Taken);
            }
            Act::Restart => {
                let text = serde_json::to_string(&story.plan).unwrap();
                story.plan = serde_json::from_str(&text).unwrap();
            }
            Act::Agree { hours, .. } => {
                let terms = &mut story.terms;
                "Någon annan".clone_into(&mut terms.group);
                let at = terms.by_day.partition_point(|(begun, _)| *begun <= from);
                let other = super::example::terms(HOURS[hours]).working_time;
                terms.by_day.insert(at, (from, other));
            }
            Act::ToldAgain => {
                let last = story.told.last().cloned().unwrap();
                let changed = story.plan.apply(&last, &story.terms);
                prop_assert!(!changed, "{:?}", last);
            }
            Act::ClockBack(minutes) => {
                let back = (minute - minutes).max(0);
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
        minute: 0,
        story: None,
        clerk: Clerk::new(&OPEN[history.begin]),
        held: Vec::new(),
    };
    let when_it_says = matches!(history.looks, Looks::WhenThePlanSays);
    for (minutes, down, act) in history.acts {
        if both.minute + minutes >= MINUTES - 1 {
            break;
        }
        if !down {
            both.up()?;
            // What came due while it was down, or with what was told.
            if when_it_says {
                both.look(both.minute)?;
            }
        }
        both.walk(minutes, (!down).then_some(history.looks))?;
        both.act(act, down)?;
        if when_it_says && !down {
            both.look(both.minute)?;
        }
    }
    both.up()?;
    if when_it_says {
        both.look(both.minute)?;
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
    clerk.forward(0, 60, &domain::ReminderSteps::default());
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
