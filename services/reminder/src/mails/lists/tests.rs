//! What lists say.

use domain::{
    CaseEvent, CaseId, CaseWhat, Forwarding, PauseReason, Promise, ReminderSteps, WorkingTime,
};

use super::*;
use crate::rules::Terms;

fn at(text: &str) -> Timestamp {
    let local: jiff::civil::DateTime = text.parse().unwrap();
    local.to_zoned(domain::stockholm()).unwrap().timestamp()
}

fn to() -> Address {
    Address::new("Någon", "nagon@bygg.example").unwrap()
}

/// A municipality whose department `bygg` has a name.
fn agreements() -> Agreements {
    let person = serde_json::json!({"name": "Ordförande", "email": "a@example.org"});
    let bygg = serde_json::json!({
        "name": "Byggförvaltningen", "hours": {}, "closures": [], "groups": {}, "contact_person": person, "head": person,
        "targets": {}, "pause_cap_working_hours": 80, "default_group": "g", "default_limit_working_hours": 40,
        "default_reminders": {}, "case_types": {},
    });
    let agreements = serde_json::json!({
        "municipality": "Exempel", "unit_head": person,
        "registrator": {"department": "bygg", "group": "g", "limit_working_hours": 80},
        "hours": {}, "closures": [], "zones": {}, "departments": {"bygg": bygg},
    });
    serde_json::from_value(agreements).unwrap()
}

/// A case with this number that was to be closed on Monday 23 November at nine, or without a limit, and what came then.
fn case(number: u128, guide: Option<&str>, limit: bool, then: &[CaseWhat]) -> Listed {
    let forwarding = Forwarding {
        case_type: "bygglov".parse().unwrap(),
        group: "g".parse().unwrap(),
        agreement: Some(1),
        rule: "bygg/bygglov".to_owned(),
        registered_at: at("2026-11-16 09:00"),
        due: limit.then(|| at("2026-11-23 09:00")),
        centre_working_s: None,
        guide: guide.map(|guide| guide.parse().unwrap()),
        imported: false,
        historical: None,
    };
    let terms = Terms {
        working_time: serde_json::from_str::<WorkingTime>(r#"{"hours": {}}"#).unwrap(),
        by_day: Vec::new(),
        steps: ReminderSteps::default(),
        department: "Byggförvaltningen".to_owned(),
        group: "g".to_owned(),
    };
    let told = |time, what| CaseEvent {
        case: CaseId(Uuid::from_u128(number)),
        at: at(time),
        department: "bygg".parse().unwrap(),
        what,
    };
    let first = told("2026-11-16 09:00", CaseWhat::Forwarded(forwarding.clone()));
    let mut plan = Plan::forwarded(&first, &forwarding, &terms);
    for what in then {
        plan.apply(&told("2026-11-23 10:00", what.clone()), &terms);
    }
    Listed {
        plan,
        next_at: None,
    }
}

fn paused() -> CaseWhat {
    CaseWhat::Paused {
        reason: PauseReason::Citizen,
        until: at("2026-11-27 16:00"),
    }
}

fn promised(day: &str) -> CaseWhat {
    CaseWhat::Promised(Promise {
        promised: at(day),
        due: None,
    })
}

#[test]
fn the_guides_see_by_guide_what_became_late_and_where() {
    let late = Listing {
        cases: vec![
            case(1, Some("v07"), true, &[]),
            case(2, None, true, &[]),
            case(3, Some("v07"), true, &[paused()]),
        ],
        more: false,
    };
    let day: Date = "2026-11-24".parse().unwrap();
    let mail = of_guides(&agreements(), day, &late, to());
    assert_eq!(
        mail.subject,
        "Vidareskickade ärenden som blivit försenade, 2026-11-24 (Cases that became late)"
    );
    let line = |number: u128, more: &str| {
        let id = Uuid::from_u128(number);
        format!("  2026-11-23 09:00  bygglov, Byggförvaltningen{more}  [{id}]\n")
    };
    let list = format!(
        "\n\nUtan vägledare (no guide named)\n{}\nVägledare (guide) v07\n{}{}",
        line(2, ""),
        line(1, ""),
        line(3, ", pausat (paused)")
    );
    assert!(mail.body.ends_with(&list), "{}", mail.body);
    assert!(mail.body.starts_with("De här vidareskickade ärendena"));
    // The same day's is the same mail; what does not fit in comes the next day.
    assert_eq!(of_guides(&agreements(), day, &late, to()).id, mail.id);
    let more = Listing { more: true, ..late };
    let other = of_guides(&agreements(), day.tomorrow().unwrap(), &more, to());
    assert_ne!(other.id, mail.id);
    assert!(other.body.contains("... och fler, som står i nästa lista"));
}

#[test]
fn the_contact_person_sees_what_is_open_by_how_it_stands() {
    let open = Listing {
        cases: vec![
            case(1, None, true, &[]),
            case(2, None, true, &[promised("2026-11-26 16:00")]),
            case(3, None, true, &[promised("2026-11-23 16:00")]),
            case(4, None, true, &[paused()]),
            case(5, None, false, &[]),
        ],
        more: true,
    };
    let bygg: Department = "bygg".parse().unwrap();
    let day: Date = "2026-11-24".parse().unwrap();
    let of = (&bygg, "Byggförvaltningen");
    let mail = of_contact_person(of, day, &open, at("2026-11-24 08:00"), to());
    assert_eq!(
        mail.subject,
        "Öppna ärenden hos Byggförvaltningen, 2026-11-24 (Open cases)"
    );
    let id = |number: u128| Uuid::from_u128(number);
    let list = format!(
        "\n\nFörsenade (overdue): 2\n  2026-11-23 09:00  bygglov  [{}]\n  2026-11-23 09:00  bygglov, lovat till (promised for) \
         2026-11-23 16:00  [{}]\n\nUtlovade (promised): 1\n  2026-11-23 09:00  bygglov, lovat till (promised for) \
         2026-11-26 16:00  [{}]\n\nPausade (paused): 1\n  2026-11-23 09:00  bygglov  [{}]\n\nÖppna (open): 1\n  \
         utan tidsgräns (no limit)  bygglov  [{}]\n\n... och fler (and more)\n",
        id(1),
        id(3),
        id(2),
        id(4),
        id(5)
    );
    assert!(mail.body.ends_with(&list), "{}", mail.body);
    assert!(mail.body.starts_with("Inför mötet med kontaktcenter"));
}

#[test]
fn the_unit_head_sees_by_department_what_came_late() {
    let late = |number, department: &str| HeadsLate {
        case: CaseId(Uuid::from_u128(number)),
        department: department.parse().unwrap(),
        case_type: "bygglov".parse().unwrap(),
        due: at("2026-11-23 09:00"),
    };
    let cases = [late(1, "skola"), late(2, "bygg"), late(3, "skola")];
    let mail = of_heads_late(&agreements(), &cases, to());
    assert_eq!(mail.subject, "3 försenade ärenden (Overdue cases)");
    let places: Vec<usize> = ["\nByggförvaltningen\n", "\nskola\n"]
        .map(|part| mail.body.find(part).unwrap())
        .to_vec();
    assert!(places.is_sorted(), "{}", mail.body);
    assert_eq!(mail.body.matches("bygglov  [").count(), 3);
}
