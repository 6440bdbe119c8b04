//! A case to test the page with, of the made-up municipality.

use domain::{CaseId, CaseToRoute, Content, Words};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    agreements,
    case::{Case, State},
    store::{Happened, History, Version},
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// One version of the agreements.
pub(crate) fn versions() -> Vec<Version> {
    vec![Version {
        version: 1,
        valid_from: "2026-01-01".parse().unwrap(),
        approved_by: "Kommunstyrelsen § 12".to_owned(),
        applied_at: at("2025-12-01T09:00:00Z"),
        content: agreements::example(),
    }]
}

/// A building permit at the building department.
pub(crate) fn case() -> Case {
    let route = CaseToRoute {
        department: "bygg".parse().unwrap(),
        case_type: "bygglov".parse().unwrap(),
        rosa_group: 4.try_into().unwrap(),
        urgent: false,
        opinion: None,
        zone: None,
    };
    let mut case = Case::new(
        CaseId(Uuid::from_u128(4711)),
        at("2026-11-20T08:12:00Z"),
        route,
    );
    case.state = State::Open;
    case.department = Some("bygg".parse().unwrap());
    case.group_id = Some("handlaggare".parse().unwrap());
    case.agreement = Some(1);
    case.rule = Some("bygg/bygglov".to_owned());
    case.why = Some(vec![
        Words {
            swedish: "vägledaren bad om det".to_owned(),
            english: "the guide asked for it".to_owned(),
        },
        Words {
            swedish: "version 1 av överenskommelserna, från 2026-01-01".to_owned(),
            english: "version 1 of the agreements, from 2026-01-01".to_owned(),
        },
    ]);
    case.turn = 1;
    case.forwarded_at = Some(at("2026-11-20T08:12:01Z"));
    case.due = Some(at("2026-11-27T08:12:00Z"));
    case.changed_at = at("2026-11-20T08:12:01Z");
    case
}

/// What was said, with what HTML must not take for its own.
pub(crate) fn content() -> Content {
    Content {
        number: 1_234,
        text: Some(
            "Vill bygga ut köket <script>alert(1)</script> mot trädgården, 12 m².\n\nUndrar om det krävs bygglov & vad det kostar."
                .to_owned(),
        ),
        name: Some("Exempel \"Person\"".to_owned()),
        email: Some("exempel@example.org".to_owned()),
        phone: Some("070-174 06 05".to_owned()),
    }
}

/// What has happened to it.
pub(crate) fn history() -> History {
    let happened = |id, time, what: &str, note: Option<&str>| Happened {
        id,
        at: at(time),
        what: what.to_owned(),
        who: "bygg/handlaggare".to_owned(),
        note: note.map(str::to_owned),
        reason: None,
    };
    History {
        lines: vec![
            happened(1, "2026-11-20T08:12:01Z", "forwarded", None),
            happened(3, "2026-11-20T10:30:00Z", "taken", None),
            happened(
                4,
                "2026-11-20T10:41:00Z",
                "noted",
                Some("Ringt, inget svar.\nFörsöker igen på måndag."),
            ),
        ],
        views: vec![at("2026-11-20T10:29:00Z")],
        more: false,
    }
}
