//! What a department asks of a case it has: take it, note, pause, go on, promise a day, send it back, close it.

mod bounce;

use domain::{
    CaseId, CaseOutcome, CaseWhat, ClosedBy, Closing, DepartmentAgreement, NewsOf, PauseReason,
    Promise, Words,
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    case::{Case, State},
    versions,
    work::Work,
};

pub(crate) use bounce::Place;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// An officer takes it.
    Take,
    /// A note, in the department's own words.
    Note(String),
    /// The clock is to stand, at the most until a time.
    Pause {
        reason: PauseReason,
        until: Timestamp,
    },
    /// The clock is to go on.
    Resume,
    /// They work on it, and promise to be done by a time.
    Promise { until: Timestamp },
    /// It was sent to the wrong place.
    Bounce {
        belongs_to: Option<Place>,
        note: Option<String>,
    },
    /// It is ended.
    Close { outcome: CaseOutcome, by: ClosedBy },
}

/// Why it is not done, and what to do instead.
pub(crate) type Refused = Words;

fn refused(swedish: &str, english: &str) -> Refused {
    Words {
        swedish: swedish.to_owned(),
        english: english.to_owned(),
    }
}

/// Does what `who` asks of a case that their department has.
pub(crate) fn ask(work: &mut Work<'_>, id: CaseId, who: &str, ask: Ask) -> Result<(), Refused> {
    let Some(mut case) = work.cases.get(&id).cloned() else {
        return Err(refused("ärendet finns inte", "there is no such case"));
    };
    match case.state {
        State::Open | State::Paused => {}
        State::Closed => {
            return Err(refused(
                "ärendet är redan avslutat",
                "the case is closed already",
            ));
        }
        State::Centre => {
            return Err(refused(
                "ärendet är inte vidareskickat",
                "the case has not been forwarded",
            ));
        }
    }
    let at = work.next(&case);
    case.changed_at = at;
    match ask {
        Ask::Take => {
            if case.taken_at.is_some() {
                return Err(refused(
                    "ärendet är redan taget",
                    "the case is taken already",
                ));
            }
            case.taken_at = Some(at);
            work.tell(&case, CaseWhat::Taken);
            work.note(&case, "taken", who.to_owned(), None);
        }
        Ask::Note(text) => work.note(&case, "noted", who.to_owned(), Some(text)),
        Ask::Pause { reason, until } => {
            if case.state == State::Paused {
                return Err(refused(
                    "ärendet är redan pausat",
                    "the case is paused already",
                ));
            }
            let until = pause_until(work, &case, at, until)?;
            case.state = State::Paused;
            (case.paused_at, case.paused_until) = (Some(at), Some(until));
            case.pause_reason = Some(reason);
            work.tell(&case, CaseWhat::Paused { reason, until });
            work.note(&case, "paused", who.to_owned(), None);
        }
        Ask::Resume => {
            if case.state != State::Paused {
                return Err(refused("ärendet är inte pausat", "the case is not paused"));
            }
            go_on(work, &mut case);
            let due = case.due;
            work.tell(&case, CaseWhat::Resumed { due });
            work.note(&case, "resumed", who.to_owned(), None);
        }
        Ask::Promise { until } => {
            may_promise(work, &case, at, until)?;
            case.promised = Some(until);
            let promise = Promise {
                promised: until,
                due: case.due,
            };
            work.tell(&case, CaseWhat::Promised(promise));
            work.note(&case, "promised", who.to_owned(), None);
        }
        Ask::Bounce { belongs_to, note } => {
            return bounce::bounce(work, case, who, belongs_to, note);
        }
        Ask::Close { outcome, by } => {
            go_on(work, &mut case);
            case.state = State::Closed;
            (case.closed_at, case.outcome) = (Some(at), Some(outcome));
            let working_s = worked(work, &case, at);
            let closing = Closing {
                outcome,
                by,
                working_s,
            };
            work.tell(&case, CaseWhat::Closed(closing));
            work.note(&case, "closed", who.to_owned(), None);
            // Over the bus it has its answer; a system that hears of each twice cannot tell whether one of them is missing.
            if let Some(department) = case.department.as_ref().filter(|_| by != ClosedBy::Bus) {
                work.tell_department(department, at, NewsOf::Closed { case: id, outcome });
            }
        }
    }
    work.put(case);
    Ok(())
}

/// What the case's department has agreed on in the version it is bound to; `None` for an import's.
fn own_agreement<'w>(work: &'w Work<'_>, case: &Case) -> Option<&'w DepartmentAgreement> {
    let version = versions::numbered(&work.versions, case.agreement?)?;
    version.content.departments.get(case.department.as_ref()?)
}

/// Whether the group may promise to be done by `until`: once, while its clock goes, and no further ahead than is agreed.
fn may_promise(
    work: &Work<'_>,
    case: &Case,
    at: Timestamp,
    until: Timestamp,
) -> Result<(), Refused> {
    if case.promised.is_some() {
        return Err(refused(
            "en dag är redan lovad, och den kan inte ändras",
            "a day has been promised already, and cannot be changed",
        ));
    }
    if case.state == State::Paused {
        return Err(refused(
            "ärendet är pausat; låt klockan gå igen innan ni lovar en dag",
            "the case is paused; let the clock go on before you promise a day",
        ));
    }
    if until <= at {
        return Err(refused(
            "dagens arbetstid är redan slut; lova en senare dag",
            "that day's work is over already; promise a later day",
        ));
    }
    let cap = own_agreement(work, case).map(|own| own.promise_cap_working_hours);
    let (Some(cap), Some(working_time)) = (cap, work.working_time(case)) else {
        return Err(refused(
            "ingen överenskommelse säger hur långt fram ni får lova",
            "no agreement says how far ahead you may promise",
        ));
    };
    if working_time.between(at, until) > cap.duration() {
        return Err(refused(
            &format!("ni får lova högst {cap} arbetstimmar framåt; välj en tidigare dag"),
            &format!("you may promise at most {cap} working hours ahead; choose an earlier day"),
        ));
    }
    Ok(())
}

/// How long a pause may last: as long as asked, but no longer than what is left of the agreement's cap.
fn pause_until(
    work: &Work<'_>,
    case: &Case,
    at: Timestamp,
    asked: Timestamp,
) -> Result<Timestamp, Refused> {
    if asked <= at {
        return Err(refused(
            "pausen måste sluta senare än nu",
            "the pause must end later than now",
        ));
    }
    let cap = own_agreement(work, case).map(|own| own.pause_cap_working_hours.duration());
    let (Some(cap), Some(working_time)) = (cap, work.working_time(case)) else {
        return Err(refused(
            "ingen överenskommelse säger hur länge ärendet får vara pausat",
            "no agreement says for how long the case may be paused",
        ));
    };
    let left = cap - SignedDuration::from_secs(case.paused_s);
    if left <= SignedDuration::ZERO {
        return Err(refused(
            "ärendet har varit pausat så länge som överenskommelsen tillåter",
            "the case has been paused for as long as the agreement allows",
        ));
    }
    Ok(working_time
        .add(at, left)
        .map_or(asked, |cap| asked.min(cap)))
}

/// Lets the clock go on, if it stands: the limit is later by the working time of the pause.
fn go_on(work: &Work<'_>, case: &mut Case) {
    let Some(paused_at) = case.paused_at.take() else {
        return;
    };
    case.state = State::Open;
    (case.paused_until, case.pause_reason) = (None, None);
    let Some(working_time) = work.working_time(case) else {
        return;
    };
    let paused = working_time.between(paused_at, case.changed_at);
    case.paused_s += paused.as_secs();
    // What was late already does not become less late.
    if let Some(due) = case.due.filter(|due| *due > paused_at) {
        let left = working_time.between(paused_at, due);
        case.due = working_time.add(case.changed_at, left).or(Some(due));
    }
}

/// Working seconds at the department, pauses not counted.
fn worked(work: &Work<'_>, case: &Case, until: Timestamp) -> Option<i64> {
    let working_time = work.working_time(case)?;
    let all = working_time.between(case.forwarded_at?, until).as_secs();
    Some((all - case.paused_s).max(0))
}
