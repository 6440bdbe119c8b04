//! A case to test the rules with, and what is told of it.

use domain::{
    Bounce, CaseEvent, CaseId, CaseOutcome, CaseWhat, ClosedBy, Closing, FollowUpStep, Forwarding,
    PauseReason, Promise, ReminderSteps, WorkingTime,
};
use jiff::{SignedDuration, Timestamp};

use super::{Plan, Taking, Terms, local};

/// Five days a week, eight hours a day.
pub(super) const OFFICE: &str = r#"{"hours": {
    "monday": ["08:00-16:00"],
    "tuesday": ["08:00-16:00"],
    "wednesday": ["08:00-16:00"],
    "thursday": ["08:00-16:00"],
    "friday": ["08:00-16:00"]
}}"#;

/// A time on a Swedish clock, such as `2026-11-23 16:30`.
pub(crate) fn at(text: &str) -> Timestamp {
    format!("{}[Europe/Stockholm]", text.replace(' ', "T"))
        .parse::<jiff::Zoned>()
        .unwrap()
        .timestamp()
}

pub(super) fn terms(working_time: &str) -> Terms {
    Terms {
        working_time: serde_json::from_str::<WorkingTime>(working_time).unwrap(),
        by_day: Vec::new(),
        steps: ReminderSteps::default(),
        department: "Byggnadsförvaltningen".to_owned(),
        group: "Handläggare".to_owned(),
    }
}

pub(crate) fn event(at: Timestamp, what: CaseWhat) -> CaseEvent {
    CaseEvent {
        case: CaseId(uuid::Uuid::from_u128(4711)),
        at,
        department: "bygg".parse().unwrap(),
        what,
    }
}

pub(crate) fn forwarding(due: Option<Timestamp>) -> Forwarding {
    Forwarding {
        case_type: "bygglov".parse().unwrap(),
        group: "handlaggare".parse().unwrap(),
        agreement: Some(1),
        rule: "bygg/bygglov".to_owned(),
        registered_at: Timestamp::UNIX_EPOCH,
        due,
        centre_working_s: None,
        guide: Some("v07".parse().unwrap()),
        imported: false,
        historical: None,
    }
}

/// A case at the building department, its clock as routing sees it, and its plan.
#[derive(Debug, Clone)]
pub(super) struct Story {
    pub(super) plan: Plan,
    pub(super) terms: Terms,
    pub(super) due: Timestamp,
    /// What has been told of it, the plan's steps too.
    pub(super) told: Vec<CaseEvent>,
    paused_at: Option<Timestamp>,
    /// How far [`Story::until`] has come.
    reached: Timestamp,
}

impl Story {
    /// A case that was forwarded at a time, with a limit in working hours.
    pub(super) fn of(terms: Terms, forwarded: &str, hours: i64) -> Self {
        Self::from(terms, at(forwarded), hours)
    }

    pub(super) fn from(terms: Terms, from: Timestamp, hours: i64) -> Self {
        let limit = SignedDuration::from_hours(hours);
        let due = terms.working_time.add(from, limit).unwrap();
        let forwarding = forwarding(Some(due));
        let event = event(from, CaseWhat::Forwarded(forwarding.clone()));
        Self {
            plan: Plan::forwarded(&event, &forwarding, &terms),
            terms,
            due,
            told: vec![event],
            paused_at: None,
            reached: from,
        }
    }

    pub(super) fn office(forwarded: &str, hours: i64) -> Self {
        Self::of(terms(OFFICE), forwarded, hours)
    }

    pub(super) fn tell(&mut self, time: Timestamp, what: CaseWhat) -> bool {
        self.reached = self.reached.max(time);
        let event = event(time, what);
        self.told.push(event.clone());
        self.plan.apply(&event, &self.terms)
    }

    pub(super) fn pause(&mut self, time: Timestamp, until: Timestamp) -> bool {
        self.paused_at = Some(time);
        let reason = PauseReason::Citizen;
        self.tell(time, CaseWhat::Paused { reason, until })
    }

    /// As routing does it: the limit is later by the working time of the pause, unless it had passed before.
    pub(super) fn resume(&mut self, time: Timestamp) -> bool {
        let working_time = &self.terms.working_time;
        if let Some(paused) = self.paused_at.take().filter(|paused| self.due > *paused) {
            let left = working_time.between(paused, self.due);
            self.due = working_time.add(time, left).unwrap();
        }
        let due = Some(self.due);
        self.tell(time, CaseWhat::Resumed { due })
    }

    pub(super) fn promise(&mut self, time: Timestamp, promised: Timestamp) -> bool {
        let due = Some(self.due);
        self.tell(time, CaseWhat::Promised(Promise { promised, due }))
    }

    pub(super) fn bounce(&mut self, time: Timestamp) -> bool {
        let bounce = Bounce {
            case_type: self.plan.case_type().clone(),
            rule: "bygg/bygglov".to_owned(),
            belongs_to: None,
        };
        self.tell(time, CaseWhat::Bounced(bounce))
    }

    pub(super) fn close(&mut self, time: Timestamp) -> bool {
        let closing = Closing {
            outcome: CaseOutcome::Done,
            by: ClosedBy::Page,
            working_s: None,
        };
        self.tell(time, CaseWhat::Closed(closing))
    }

    /// Looks at the plan at a time.
    pub(super) fn look(&mut self, time: Timestamp) -> Option<Taking> {
        self.reached = self.reached.max(time);
        let taking = self.plan.take(&self.terms, time)?;
        self.told.extend(taking.overdue.clone());
        self.told.push(taking.event.clone());
        Some(taking)
    }

    /// When the step that was dealt with last should have been.
    pub(super) fn planned(&self) -> Timestamp {
        self.plan.done.last().unwrap().planned
    }

    /// Looks at the plan whenever it says, until a time: what was taken, each with its time.
    pub(super) fn until(&mut self, time: &str) -> Vec<(FollowUpStep, String)> {
        let mut taken = Vec::new();
        let until = at(time);
        while let Some(next) = self
            .plan
            .next(&self.terms, self.reached)
            .filter(|next| *next <= until)
        {
            let taking = self.look(next).unwrap();
            assert_eq!(self.planned().max(self.reached), next);
            taken.push((taking.step, local(next)));
        }
        self.reached = until;
        taken
    }

    /// The outline in Swedish, then in English.
    pub(super) fn outline(&self, now: &str) -> (Vec<String>, Vec<String>) {
        let lines = self.plan.outline(&self.terms, at(now));
        let words = lines
            .into_iter()
            .map(|l| (l.words.swedish, l.words.english));
        words.unzip()
    }
}

/// Steps with their times, as [`Story::until`] answers them.
pub(super) fn steps(expected: &[(FollowUpStep, &str)]) -> Vec<(FollowUpStep, String)> {
    let owned = |(step, time): &(FollowUpStep, &str)| (*step, (*time).to_owned());
    expected.iter().map(owned).collect()
}
