//! Taking cases in, many in one transaction.

use domain::{CaseOutcome, CaseToRoute, CaseWhat, ClosedBy, Closing, Forwarding, NewsOf, Words};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Past, Place};
use crate::{
    case::{Case, State},
    work::Work,
};

/// What became of the cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub(crate) struct Counts {
    /// New, and durable now.
    pub(crate) taken: usize,
    /// Known, and closed only since then.
    pub(crate) closed: usize,
    /// Known; nothing changed.
    pub(crate) known: usize,
}

/// Takes a case in. Of one that is known, only that it has been closed, or closed again, since then is new: what an export
/// first said of a case is told already, and figures have counted it.
pub(crate) fn take(work: &mut Work<'_>, past: Past, place: Place, counts: &mut Counts) {
    match work.cases.get(&past.id).cloned() {
        None => {
            counts.taken += 1;
            let mut case = begin(work, &past, place);
            if let Some((at, outcome)) = past.closed {
                close(work, &mut case, at, outcome, &past.system);
            }
            work.put(case);
        }
        Some(mut case) => match past.closed {
            Some((at, outcome)) if case.state != State::Closed || case.closed_at < Some(at) => {
                counts.closed += 1;
                close(work, &mut case, at, outcome, &past.system);
                work.put(case);
            }
            _ => counts.known += 1,
        },
    }
}

/// The case as it was when it was forwarded, which an older system does not tell from its registration.
fn begin(work: &mut Work<'_>, past: &Past, place: Place) -> Case {
    let tick = SignedDuration::from_micros(1);
    // Of a case that was closed in the second it was registered in, events tell their order all the same. The closing is
    // never moved for that: whether it is overdue hangs on it.
    let at = match past.closed {
        Some((closed_at, _)) if closed_at <= past.registered_at => closed_at - tick,
        _ => past.registered_at,
    };
    let route = CaseToRoute {
        department: place.department.clone(),
        case_type: past.case_type.clone(),
        rosa_group: place.rosa_group,
        urgent: false,
        opinion: None,
        zone: None,
    };
    let rule = format!("import {}", past.system);
    let mut case = Case::new(past.id, past.registered_at, route);
    case.state = State::Open;
    case.department = Some(place.department);
    case.group_id = Some(place.group.clone());
    case.rule = Some(rule.clone());
    case.why = Some(vec![Words {
        swedish: format!("kom med en import från {}", past.system),
        english: format!("came with an import from {}", past.system),
    }]);
    case.turn = 1;
    case.forwarded_at = Some(at);
    case.due = past.due;
    case.imported = true;
    case.historical = place.historical.clone();
    case.changed_at = at;
    let forwarding = Forwarding {
        case_type: past.case_type.clone(),
        group: place.group,
        agreement: None,
        rule,
        registered_at: past.registered_at,
        // An older system does not tell when it was forwarded.
        centre_working_s: None,
        due: past.due,
        guide: None,
        imported: true,
        historical: place.historical,
    };
    work.tell(&case, CaseWhat::Forwarded(forwarding));
    work.note(&case, "forwarded", who(&past.system), None);
    case
}

/// At the time the older system says, or after what is known of the case already.
fn close(work: &mut Work<'_>, case: &mut Case, at: Timestamp, outcome: CaseOutcome, system: &str) {
    let at = at.max(case.changed_at + SignedDuration::from_micros(1));
    case.state = State::Closed;
    (case.closed_at, case.outcome) = (Some(at), Some(outcome));
    (case.paused_at, case.paused_until, case.pause_reason) = (None, None, None);
    case.changed_at = at;
    let closing = Closing {
        outcome,
        by: ClosedBy::Import,
        working_s: None,
    };
    work.tell(case, CaseWhat::Closed(closing));
    work.note(case, "closed", who(system), None);
    // Of an import's case its department has heard only if it has been forwarded here since.
    if let Some(department) = case
        .department
        .as_ref()
        .filter(|_| case.agreement.is_some())
    {
        let case = case.id;
        work.tell_department(department, at, NewsOf::Closed { case, outcome });
    }
}

fn who(system: &str) -> String {
    format!("import {system}")
}
