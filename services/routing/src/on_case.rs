//! `case.*.*`: what intake and reminder tell of cases. What routing itself tells comes by here too, and is known.

use std::collections::BTreeSet;

use domain::{CaseEvent, CaseId, CaseToRoute, CaseWhat, NewsOf, StepTaken, Words};
use platform::consumer::{Apply, Failure};
use sqlx::PgConnection;

use crate::{
    Desk,
    case::{Case, State},
    forward::{To, forward},
    versions,
    work::Work,
};

pub(crate) struct Cases(pub(crate) Desk);

impl Apply for Cases {
    type Event = CaseEvent;

    async fn apply(
        &self,
        connection: &mut PgConnection,
        events: &[&CaseEvent],
    ) -> Result<(), Failure> {
        let ids: BTreeSet<CaseId> = events.iter().map(|e| e.case).collect();
        let ids: Vec<CaseId> = ids.into_iter().collect();
        let mut work = Work::begin(&self.0, connection, &ids).await?;
        for event in events {
            on_event(&mut work, event);
        }
        work.save(connection).await?;
        Ok(())
    }

    fn applied(&self) {
        self.0.wake();
    }
}

fn on_event(work: &mut Work<'_>, event: &CaseEvent) {
    let known = work.cases.get(&event.case).cloned().map(|mut case| {
        // What routing does next comes after what intake did, also where their clocks differ.
        case.changed_at = case.changed_at.max(event.at);
        case
    });
    match (&event.what, known) {
        (
            CaseWhat::Registered {
                case_type,
                rosa_group,
                opinion,
                urgent,
                zone,
                forward: asked,
                guide,
                contact: _,
            },
            None,
        ) => {
            let route = CaseToRoute {
                department: event.department.clone(),
                case_type: case_type.clone(),
                rosa_group: *rosa_group,
                urgent: *urgent,
                opinion: *opinion,
                zone: zone.clone(),
            };
            let bound = versions::bound(&work.versions, event.at);
            let kept = bound.is_some_and(|v| v.content.route(&route).must_forward);
            let bound = bound.map(|v| v.version);
            let mut case = Case::new(event.case, event.at, route);
            // Bound now: what is applied later the same day is not for it.
            case.agreement = bound;
            case.guide = guide.clone();
            match (*asked, kept) {
                (true, _) => asked_for(work, case),
                (false, true) => keep_from_centre(work, case),
                (false, false) => {
                    // Whether the centre may have it, agreements will say that are applied later.
                    case.undecided = bound.is_none();
                    work.put(case);
                }
            }
        }
        (CaseWhat::ForwardRequested { guide }, Some(mut case)) if case.state == State::Centre => {
            case.guide = guide.clone().or(case.guide);
            asked_for(work, case);
        }
        (CaseWhat::Resolved, Some(mut case)) if case.undecided => {
            case.undecided = false;
            work.put(case);
        }
        (CaseWhat::RepeatContact, Some(mut case))
            if case.state == State::Centre && case.agreement.is_none() =>
        {
            case.undecided = true;
            work.put(case);
        }
        (CaseWhat::RepeatContact, Some(mut case)) if case.state == State::Closed => {
            case.bounces = 0;
            // The clock of the group it is at now applies, not that of an earlier one.
            forward(work, case, To::Same, vec![reopened()]);
        }
        (
            CaseWhat::Reminded(step) | CaseWhat::Overdue(step) | CaseWhat::Escalated(step),
            Some(case),
        ) if case.is_at(&event.department) => reminded(work, &case, event, step),
        _ => {}
    }
}

/// Reminder tells its steps to all; the department's own system hears of them here, and the case page shows them.
fn reminded(work: &mut Work<'_>, case: &Case, event: &CaseEvent, step: &StepTaken) {
    let news = NewsOf::Reminded {
        case: case.id,
        group: step.group.clone(),
        due: step.due,
        step: step.step,
        to: step.to.clone(),
    };
    work.tell_department(&event.department, event.at, news);
    let what = match event.what {
        CaseWhat::Reminded(_) => "reminded",
        CaseWhat::Overdue(_) => "overdue",
        _ => "escalated",
    };
    work.note(case, what, "reminder".to_owned(), None);
}

/// Forwards a case that the centre may not finish.
pub(crate) fn keep_from_centre(work: &mut Work<'_>, case: Case) {
    let to = To::Department(case.about.clone());
    forward(work, case, to, vec![kept_from_the_centre()]);
}

fn asked_for(work: &mut Work<'_>, case: Case) {
    let to = To::Department(case.about.clone());
    let why = Words {
        swedish: "vägledaren bad om det".to_owned(),
        english: "the guide asked for it".to_owned(),
    };
    forward(work, case, to, vec![why]);
}

fn kept_from_the_centre() -> Words {
    Words {
        swedish: "kontaktcenter får inte avsluta ärenden av det här slaget".to_owned(),
        english: "the centre may not finish cases of this kind".to_owned(),
    }
}

fn reopened() -> Words {
    Words {
        swedish: "öppnat igen: den enskilde återkom i samma ärende".to_owned(),
        english: "opened anew: the citizen came back about the same matter".to_owned(),
    }
}
