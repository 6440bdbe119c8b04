//! Where cases go, and why.

use super::*;

fn agreements() -> Agreements {
    let person = r#"{"name": "Rollen", "email": "roll@bygg.example"}"#;
    let steps = r#"{"first_at_share": 0.25}"#;
    let text = format!(
        r#"{{
        "municipality": "Exempelköping",
        "unit_head": {person},
        "registrator": {{"department": "kansli", "group": "registrator", "limit_working_hours": 8}},
        "hours": {{"monday": ["08:00-12:00"]}},
        "closures": [{{"from": "2021-02-01", "until": "2021-02-01", "why": "flytt"}}],
        "zones": {{
            "social": {{"name": "Socialtjänstens sekretess", "groups": {{"bygg": ["handlaggare", "jour", "ledning"]}}}},
            "hemlig": {{"name": "Hemligt", "groups": {{"bygg": ["hemlig"]}}}}
        }},
        "departments": {{"bygg": {{
            "name": "Byggförvaltningen",
            "hours": {{"tuesday": ["08:00-12:00"]}},
            "closures": [{{"from": "2021-03-01", "until": "2021-03-01", "why": "planering"}}],
            "groups": {{"tillsyn": {{"name": "Tillsyn", "email": "tillsyn@bygg.example"}}}},
            "contact_person": {person},
            "head": {person},
            "targets": {{}},
            "pause_cap_working_hours": 80,
            "default_group": "handlaggare",
            "default_limit_working_hours": 30,
            "default_reminders": {{}},
            "case_types": {{
                "bygglov": {{
                    "rosa_group": 4, "depth": "centre", "group": "handlaggare",
                    "limit_working_hours": 40, "reminders": {steps}, "zone": "social",
                    "rules": [
                        {{"urgent": true, "opinion": "complaint", "group": "ledning"}},
                        {{"urgent": true, "group": "jour", "limit_working_hours": 4}},
                        {{"zone": "hemlig", "group": "hemlig"}}
                    ]
                }},
                "tillsyn": {{
                    "rosa_group": 5, "depth": "department", "group": "tillsyn",
                    "limit_working_hours": 60, "reminders": {steps}
                }}
            }}
        }}}}
    }}"#
    );
    serde_json::from_str(&text).unwrap()
}

fn case(department: &str, case_type: &str, rosa_group: u8) -> CaseToRoute {
    CaseToRoute {
        department: department.parse().unwrap(),
        case_type: case_type.parse().unwrap(),
        rosa_group: rosa_group.try_into().unwrap(),
        urgent: false,
        opinion: None,
        zone: None,
    }
}

/// Group, limit, rule, and whether it is forwarded at once.
fn route(case: &CaseToRoute) -> (String, u32, String, bool) {
    let to = agreements().route(case);
    let group = format!("{}/{}", to.department, to.group);
    let limit = to.limit_working_hours.into();
    (group, limit, to.rule, to.must_forward)
}

fn expected(
    group: &str,
    limit: u32,
    rule: &str,
    must_forward: bool,
) -> (String, u32, String, bool) {
    (group.to_owned(), limit, rule.to_owned(), must_forward)
}

#[test]
fn the_first_rule_that_fits_decides() {
    let plain = case("bygg", "bygglov", 4);
    let to = expected("bygg/handlaggare", 40, "bygg/bygglov", false);
    assert_eq!(route(&plain), to);
    let praise = CaseToRoute {
        opinion: Some(Opinion::Praise),
        ..plain.clone()
    };
    assert_eq!(route(&praise), to);
    let urgent = CaseToRoute {
        urgent: true,
        ..plain.clone()
    };
    let to = expected("bygg/jour", 4, "bygg/bygglov: urgent", false);
    assert_eq!(route(&urgent), to);
    // A rule without a limit has the case type's.
    let complaint = CaseToRoute {
        opinion: Some(Opinion::Complaint),
        ..urgent
    };
    let to = expected("bygg/ledning", 40, "bygg/bygglov: urgent complaint", false);
    assert_eq!(route(&complaint), to);
    let secret = CaseToRoute {
        zone: Some("hemlig".parse().unwrap()),
        ..plain
    };
    let to = expected("bygg/hemlig", 40, "bygg/bygglov: zone hemlig", false);
    assert_eq!(route(&secret), to);
}

#[test]
fn what_is_the_departments_is_forwarded_at_once() {
    let tillsyn = expected("bygg/tillsyn", 60, "bygg/tillsyn", true);
    assert_eq!(route(&case("bygg", "tillsyn", 5)), tillsyn);
    // The agreement's depth holds whatever the guide chose, and so does the guide's judgement.
    assert_eq!(route(&case("bygg", "tillsyn", 2)), tillsyn);
    assert!(route(&case("bygg", "bygglov", 6)).3);
}

#[test]
fn there_is_always_somewhere_to_go() {
    let to = expected("bygg/handlaggare", 30, "bygg: default", false);
    assert_eq!(route(&case("bygg", "okand", 4)), to);
    assert!(route(&case("bygg", "okand", 5)).3);
    let to = expected("kansli/registrator", 8, "default", true);
    assert_eq!(route(&case("okand", "okand", 5)), to);
}

#[test]
fn the_zone_is_the_cases_or_the_agreements() {
    let zone = |case: &CaseToRoute| agreements().route(case).zone.map(String::from);
    let mut case = case("bygg", "bygglov", 4);
    assert_eq!(zone(&case).as_deref(), Some("social"));
    case.zone = Some("hemlig".parse().unwrap());
    assert_eq!(zone(&case).as_deref(), Some("hemlig"));
    case.department = "okand".parse().unwrap();
    assert_eq!(zone(&case).as_deref(), Some("hemlig"));
}

#[test]
fn a_case_of_a_zone_stays_within_its_groups_where_the_department_has_any() {
    let mut case = case("bygg", "tillsyn", 5);
    case.zone = Some("social".parse().unwrap());
    let to = expected("bygg/handlaggare", 60, "bygg: zone social", true);
    assert_eq!(route(&case), to);
    let agreements = agreements();
    let sees = |to: &Routed| agreements.may_see(to.zone.as_ref(), &to.department, &to.group);
    assert!(sees(&agreements.route(&case)));
    // Elsewhere it is nobody's to see: by name, at the registrator, in a zone that nobody has heard of.
    let said = "not shown the content";
    let by_name = agreements.route_to_group(&case, &"tillsyn".parse().unwrap());
    let registrator = agreements.route_to_registrator(&case);
    case.zone = Some("okand".parse().unwrap());
    for to in [by_name, registrator, agreements.route(&case)] {
        assert!(!sees(&to), "{to:?}");
        assert!(to.why.last().unwrap().english.contains(said), "{to:?}");
    }
    case.zone = None;
    assert!(sees(&agreements.route(&case)));
}

#[test]
fn the_registrator_and_a_group_by_name_have_rules_of_their_own() {
    let agreements = agreements();
    let case = case("bygg", "tillsyn", 5);
    let told = |to: Routed| {
        let group = format!("{}/{}", to.department, to.group);
        (group, u32::from(to.limit_working_hours), to.rule)
    };
    // Its own limit, whatever its department has agreed on for the type.
    let to = agreements.route_to_registrator(&case);
    assert_eq!(
        told(to),
        ("kansli/registrator".to_owned(), 8, "registrator".to_owned())
    );
    let other = CaseToRoute {
        case_type: "bygglov".parse().unwrap(),
        ..case.clone()
    };
    let to = agreements.route_to_group(&other, &"tillsyn".parse().unwrap());
    assert_eq!(
        told(to),
        (
            "bygg/tillsyn".to_owned(),
            40,
            "bygg: group tillsyn".to_owned()
        )
    );
    // A group that is gone leaves what the agreements say.
    let to = agreements.route_to_group(&other, &"borta".parse().unwrap());
    assert_eq!(to, agreements.route(&other));
}

#[test]
fn a_decision_is_explained_in_both_languages() {
    let why = |case| {
        let why = agreements().route(&case).why.into_iter();
        let (swedish, english): (Vec<_>, Vec<_>) =
            why.map(|step| (step.swedish, step.english)).unzip();
        (swedish.join("; "), english.join("; "))
    };
    let urgent = CaseToRoute {
        urgent: true,
        ..case("bygg", "bygglov", 4)
    };
    let (swedish, english) = why(urgent);
    assert_eq!(
        swedish,
        "förvaltning bygg (Byggförvaltningen); överenskommelsen: kontaktcenter får avsluta; \
         regeln för brådskande: grupp jour; tidsgräns 4 arbetstimmar; sekretessområde social"
    );
    assert_eq!(
        english,
        "department bygg (Byggförvaltningen); the agreement: the centre may finish it; \
         the rule for urgent: group jour; time limit 4 working hours; secrecy zone social"
    );
    let (_, english) = why(case("okand", "bygglov", 5));
    assert_eq!(
        english,
        "department okand is not in the agreements: registrator kansli/registrator; \
         ROSA group 5 is the department's: forwarded at once; time limit 8 working hours"
    );
}

#[test]
fn limits_are_counted_in_the_departments_working_time() {
    let agreements = agreements();
    let closed = |department: &str, day: &str| {
        let working = agreements.working_time(&department.parse().unwrap());
        working.why_closed(day.parse().unwrap())
    };
    // A Tuesday, which the department works and the municipality does not.
    assert_eq!(closed("bygg", "2021-02-02"), None);
    assert_eq!(closed("okand", "2021-02-02").as_deref(), Some("tisdag"));
    // Mondays: the municipality's closures hold for all, the department's for itself.
    assert_eq!(closed("okand", "2021-02-01").as_deref(), Some("flytt"));
    assert_eq!(closed("okand", "2021-03-01"), None);
    let working = agreements.working_time(&"bygg".parse().unwrap());
    let reasons: Vec<&str> = working.closures.iter().map(|c| c.why()).collect();
    assert_eq!(reasons, ["flytt", "planering"]);
}

#[test]
fn what_is_stored_is_read_again() {
    let agreements = agreements();
    let text = serde_json::to_string(&agreements).unwrap();
    assert_eq!(
        serde_json::from_str::<Agreements>(&text).unwrap(),
        agreements
    );
    let routed = agreements.route(&case("bygg", "bygglov", 4));
    let text = serde_json::to_string(&routed).unwrap();
    assert_eq!(serde_json::from_str::<Routed>(&text).unwrap(), routed);
}
