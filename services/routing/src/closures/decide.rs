//! What becomes of a closure that can be read. Pure.

use domain::{CaseClosure, CaseOutcome, ClosureAnswer, Department, Words};

use crate::{
    case::{Case, State},
    store::Answered,
};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// It came before: the same answer once more.
    Again(ClosureAnswer),
    /// The id was used for another closure. The answer is not remembered, since the first one holds.
    IdUsedBefore(Words),
    /// The case is not the department's, now.
    NotTheirs(Words),
    /// The case is closed already.
    AlreadyClosed(Words),
    /// The case is to be closed.
    Close,
}

/// Decides on `closure` of `department`; `before` is what came with the same id, `case` the case it names.
pub(super) fn decide(
    closure: &CaseClosure,
    department: &Department,
    before: Option<&Answered>,
    case: Option<&Case>,
) -> Decision {
    if let Some(before) = before {
        return if before.closure == *closure {
            Decision::Again(before.answer.clone())
        } else {
            Decision::IdUsedBefore(id_used_before())
        };
    }
    match case.filter(|case| case.is_at(department)) {
        Some(case) => match case.state {
            State::Open | State::Paused => Decision::Close,
            State::Closed => Decision::AlreadyClosed(already_closed(case.outcome)),
            State::Centre => Decision::NotTheirs(not_theirs()),
        },
        None => Decision::NotTheirs(not_theirs()),
    }
}

/// Said of a closure that has closed its case.
pub(super) fn accepted(outcome: CaseOutcome) -> Words {
    Words {
        swedish: format!("ärendet är avslutat: {}", outcome.swedish().to_lowercase()),
        english: format!("the case is closed: {}", outcome.english()),
    }
}

/// The same for a case that does not exist, one at another department, and one that was sent back: a department does not
/// learn of others' cases by trying.
fn not_theirs() -> Words {
    Words {
        swedish: "förvaltningen har inget sådant ärende nu; jämför `data.case` med det som kom på out.<förvaltning>.forwarded. \
                  Samma id får alltid samma svar: blir ärendet förvaltningens, skicka avslutningen med ett nytt id"
            .to_owned(),
        english: "the department has no such case now; compare `data.case` with what came on out.<department>.forwarded. \
                  The same id is always answered the same: should the case become the department's, send the closure with a \
                  new id"
            .to_owned(),
    }
}

fn already_closed(outcome: Option<CaseOutcome>) -> Words {
    let (swedish, english) = outcome.map_or((String::new(), String::new()), |outcome| {
        (
            format!(" ({})", outcome.swedish().to_lowercase()),
            format!(" ({})", outcome.english()),
        )
    });
    Words {
        swedish: format!("ärendet är redan avslutat{swedish}; inget har ändrats"),
        english: format!("the case is closed already{english}; nothing has changed"),
    }
}

fn id_used_before() -> Words {
    Words {
        swedish: "id:t har använts förut, för ett annat ärende eller utfall; ge varje avslutning ett eget id"
            .to_owned(),
        english: "the id was used before, for another case or outcome; give each closure an id of its own"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use domain::{CaseId, CaseToRoute, ClosureResult};
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn closure(case: u128, outcome: CaseOutcome) -> CaseClosure {
        CaseClosure {
            case: CaseId(Uuid::from_u128(case)),
            outcome,
        }
    }

    fn bygg() -> Department {
        "bygg".parse().unwrap()
    }

    fn case(state: State, department: Option<&str>) -> Case {
        let route = CaseToRoute {
            department: bygg(),
            case_type: "bygglov".parse().unwrap(),
            rosa_group: 4.try_into().unwrap(),
            urgent: false,
            opinion: None,
            zone: None,
        };
        Case {
            state,
            department: department.map(|d| d.parse().unwrap()),
            outcome: (state == State::Closed).then_some(CaseOutcome::Declined),
            ..Case::new(CaseId(Uuid::from_u128(1)), Timestamp::UNIX_EPOCH, route)
        }
    }

    fn on(case: Option<&Case>) -> Decision {
        decide(&closure(1, CaseOutcome::Done), &bygg(), None, case)
    }

    #[test]
    fn a_department_closes_what_it_has() {
        for state in [State::Open, State::Paused] {
            assert_eq!(on(Some(&case(state, Some("bygg")))), Decision::Close);
        }
        let Decision::AlreadyClosed(why) = on(Some(&case(State::Closed, Some("bygg")))) else {
            panic!("closed already");
        };
        assert!(why.swedish.contains("avslag"), "{why:?}");
        assert!(why.english.contains("declined"), "{why:?}");
    }

    #[test]
    fn of_others_cases_it_learns_nothing() {
        let unknown = on(None);
        assert!(matches!(unknown, Decision::NotTheirs(_)));
        for state in [State::Open, State::Paused, State::Closed] {
            assert_eq!(on(Some(&case(state, Some("skola")))), unknown);
        }
        assert_eq!(on(Some(&case(State::Centre, None))), unknown);
    }

    #[test]
    fn an_id_has_one_effect_whatever_the_case_is_now() {
        let before = Answered {
            closure: closure(1, CaseOutcome::Done),
            answer: ClosureAnswer {
                closure: Some("a".to_owned()),
                case: Some(CaseId(Uuid::from_u128(1))),
                message: None,
                result: ClosureResult::Accepted,
                why: accepted(CaseOutcome::Done),
            },
        };
        let again = |closure: CaseClosure, case: Option<&Case>| {
            decide(&closure, &bygg(), Some(&before), case)
        };
        let open = case(State::Open, Some("bygg"));
        for case in [None, Some(&open)] {
            let decision = again(closure(1, CaseOutcome::Done), case);
            assert_eq!(decision, Decision::Again(before.answer.clone()));
        }
        for other in [
            closure(2, CaseOutcome::Done),
            closure(1, CaseOutcome::Withdrawn),
        ] {
            let decision = again(other, Some(&open));
            assert!(matches!(decision, Decision::IdUsedBefore(_)));
        }
    }
}
