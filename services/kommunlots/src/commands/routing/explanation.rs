//! An explanation as a text for whoever asks why a case came to them.

use jiff::Timestamp;
use routing::{At, Explanation, LogLine, State};

use crate::commands::local;

/// Why a case is where it is, line by line.
pub(super) fn text(case: &Explanation) -> String {
    let mut text = format!("Ärende (case) {}\n{}\n", case.case, standing(case));
    text += &format!("Registrerat som (registered as): {}\n", registered_as(case));
    if !case.why.is_empty() {
        text += "\nDärför hamnade det där (why it went there):\n";
        for (step, n) in case.why.iter().zip(1..) {
            text += &format!("  {n}. {} ({})\n", step.swedish, step.english);
        }
    }
    if let Some(rule) = &case.rule {
        text += &format!("  Regeln (the rule): {rule}\n");
    }
    text += "\nTider (times):\n";
    for (at, swedish, english) in times(case) {
        text += &format!("  {}  {swedish} ({english})\n", local(at));
    }
    if !case.log.is_empty() {
        text += "\nDet här har hänt (what has happened):\n";
        if case.log_goes_further_back {
            text += "  ... och mer före det (and more before that)\n";
        }
        let last = case.log.iter().rposition(|line| line.rule.is_some());
        for (n, line) in case.log.iter().enumerate() {
            text += &format!("  {}  {}\n", local(line.at), happened(line));
            // Why it is where it is stands above; here, why it went elsewhere before.
            if Some(n) != last {
                text += &earlier(line);
            }
        }
    }
    text
}

/// By which rule, and why, a case was forwarded before.
fn earlier(line: &LogLine) -> String {
    let rule = line.rule.iter();
    let rule = rule.map(|rule| format!("      regeln (the rule): {rule}\n"));
    let steps = line.why.iter();
    rule.chain(steps.map(|step| format!("      - {} ({})\n", step.swedish, step.english)))
        .collect()
}

fn standing(case: &Explanation) -> String {
    let at = case.at.as_ref().map(place).unwrap_or_default();
    match case.state {
        State::Centre if case.waits_for_agreements => {
            "Det väntar på att vidareskickas: det finns inga överenskommelser än. (It waits to be forwarded: there are no \
             agreements yet.)"
                .to_owned()
        }
        State::Centre => {
            "Det är hos kontaktcenter, och inte vidareskickat. (It is at the centre, not forwarded.)".to_owned()
        }
        State::Open if case.overdue => format!("Det är öppet och försenat (it is open, overdue): {at}"),
        State::Open => format!("Det är öppet (it is open): {at}"),
        State::Paused => {
            let why = case.pause_reason.map(|r| (r.swedish(), r.english()));
            let (swedish, english) = why.unwrap_or(("pausat", "paused"));
            let late = if case.overdue { " Försenat (overdue)." } else { "" };
            format!("Det är pausat (it is paused): {at}. {swedish} ({english}).{late}")
        }
        State::Closed => {
            let how = case.outcome.map(|o| (o.swedish(), o.english()));
            let how = how.map(|(swedish, english)| format!(". {swedish} ({english})."));
            format!("Det är avslutat (it is closed): {at}{}", how.unwrap_or_default())
        }
    }
}

/// The department and group in words, and their labels.
fn place(at: &At) -> String {
    let words: Vec<&str> = [&at.department_name, &at.group_name]
        .into_iter()
        .filter_map(|name| name.as_deref())
        .collect();
    let label = match &at.group {
        Some(group) => format!("{}/{group}", at.department),
        None => at.department.to_string(),
    };
    if words.is_empty() {
        label
    } else {
        format!("{} [{label}]", words.join(", "))
    }
}

fn registered_as(case: &Explanation) -> String {
    let mut said = vec![
        format!("{}/{}", case.about, case.case_type),
        format!("ROSA-grupp (ROSA group) {}", u8::from(case.rosa_group)),
    ];
    if case.urgent {
        said.push("brådskande (urgent)".to_owned());
    }
    said.extend(case.opinion.map(|opinion| {
        match opinion {
            domain::Opinion::Complaint => "klagomål (complaint)",
            domain::Opinion::Praise => "beröm (praise)",
        }
        .to_owned()
    }));
    let zone = case.zone.iter();
    said.extend(zone.map(|zone| format!("sekretessområde (secrecy zone) {zone}")));
    if case.imported {
        said.push("från ett äldre system (from an older system)".to_owned());
    }
    said.join(", ")
}

/// What is known of when, in order of time.
fn times(case: &Explanation) -> Vec<(Timestamp, &'static str, &'static str)> {
    let times = [
        ("registrerat", "registered", Some(case.registered_at)),
        ("vidareskickat", "forwarded", case.forwarded_at),
        (
            "ärendets sida visad senast",
            "its page was last looked at",
            case.viewed_at,
        ),
        (
            "taget av en handläggare",
            "taken by an officer",
            case.taken_at,
        ),
        (
            "gruppen har lovat att det är klart",
            "the group has promised to be done",
            case.promised,
        ),
        ("pausat", "paused", case.paused_at),
        (
            "pausen slutar senast",
            "the pause ends by",
            case.paused_until,
        ),
        ("ska vara avslutat senast", "to be closed by", case.due),
        ("avslutat", "closed", case.closed_at),
    ];
    let known = times
        .into_iter()
        .filter_map(|(swedish, english, at)| Some((at?, swedish, english)));
    let mut known: Vec<_> = known.collect();
    known.sort_by_key(|(at, ..)| *at);
    known
}

fn happened(line: &LogLine) -> String {
    let (swedish, english) = match line.what.as_str() {
        "forwarded" => {
            return format!("vidareskickat till {0} (forwarded to {0})", line.who);
        }
        "taken" => ("taget", "taken"),
        "noted" => ("anteckning på ärendets sida", "a note on its page"),
        "paused" => ("pausat", "paused"),
        "resumed" => ("återupptaget", "resumed"),
        "promised" => ("en dag lovad", "a day promised"),
        "reminded" => ("gruppen påmind", "the group reminded"),
        "overdue" => ("försenat, gruppen påmind", "overdue, the group reminded"),
        "escalated" => (
            "ansvariga över gruppen underrättade",
            "those above the group told",
        ),
        "bounced" => (
            "skickat tillbaka som felskickat",
            "sent back as sent to the wrong place",
        ),
        "closed" => ("avslutat", "closed"),
        "reopened" => ("öppnat igen", "opened anew"),
        "refused" => ("en avslutning togs inte emot", "a closure was refused"),
        other => (other, other),
    };
    format!("{swedish}, {} ({english})", line.who)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn forwarded() -> Value {
        json!({
            "case": "0198a0de-7c1e-7000-8000-000000000001", "state": "open", "case_type": "bygglov", "rosa_group": 4,
            "about": "bygg", "urgent": true, "opinion": null, "zone": null,
            "at": { "department": "bygg", "department_name": "Byggförvaltningen", "group": "tillsyn", "group_name": "Tillsyn" },
            "agreement": 2, "rule": "bygg/bygglov: urgent",
            "why": [{ "swedish": "vägledaren bad om det", "english": "the guide asked for it" }],
            "waits_for_agreements": false, "imported": false, "registered_at": "2026-05-04T07:12:00Z",
            "forwarded_at": "2026-05-04T07:12:01Z", "due": "2026-05-04T12:00:00Z", "overdue": true, "taken_at": null, "promised": null,
            "paused_at": null, "paused_until": null, "pause_reason": null, "closed_at": null, "outcome": null,
            "log": [{
                "at": "2026-05-04T07:12:01Z", "what": "forwarded", "who": "bygg/tillsyn", "rule": "bygg/bygglov: urgent",
                "why": [{ "swedish": "vägledaren bad om det", "english": "the guide asked for it" }]
            }],
            "log_goes_further_back": false, "viewed_at": null
        })
    }

    fn shown(case: Value) -> String {
        text(&serde_json::from_value(case).unwrap())
    }

    #[test]
    fn a_department_reads_where_it_is_and_why() {
        let text = shown(forwarded());
        for line in [
            "Det är öppet och försenat (it is open, overdue): Byggförvaltningen, Tillsyn [bygg/tillsyn]",
            "bygg/bygglov, ROSA-grupp (ROSA group) 4, brådskande (urgent)",
            "  1. vägledaren bad om det (the guide asked for it)",
            "  Regeln (the rule): bygg/bygglov: urgent",
            "  2026-05-04 09:12  registrerat (registered)",
            "  2026-05-04 14:00  ska vara avslutat senast (to be closed by)",
            "  2026-05-04 09:12  vidareskickat till bygg/tillsyn (forwarded to bygg/tillsyn)",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("taget"), "{text}");
        assert_eq!(text.matches("the guide asked for it").count(), 1, "{text}");
    }

    #[test]
    fn why_it_went_elsewhere_before_stands_at_that_line() {
        let mut case = forwarded();
        let log = case["log"].as_array_mut().unwrap();
        log.push(json!({ "at": "2026-05-04T08:00:00Z", "what": "bounced", "who": "bygg/tillsyn", "rule": null, "why": [] }));
        log.push(json!({
            "at": "2026-05-04T08:00:01Z", "what": "forwarded", "who": "kansli/registrator", "rule": "registrator",
            "why": [{ "swedish": "vart det hör sades inte", "english": "where it belongs was not said" }]
        }));
        let text = shown(case);
        let first = "vidareskickat till bygg/tillsyn (forwarded to bygg/tillsyn)\n      regeln (the rule): bygg/bygglov: \
                     urgent\n      - vägledaren bad om det (the guide asked for it)\n";
        assert!(text.contains(first), "{first} is not in\n{text}");
        assert!(
            !text.contains("where it belongs was not said"),
            "that is said above, with its rule:\n{text}"
        );
    }

    #[test]
    fn what_it_waits_for_and_how_it_ended_are_said() {
        let mut case = forwarded();
        case["state"] = json!("paused");
        case["pause_reason"] = json!("citizen");
        assert!(shown(case).contains(
            "[bygg/tillsyn]. Väntar på den enskilde (waiting for the citizen). Försenat"
        ));
        let mut case = forwarded();
        case["state"] = json!("closed");
        case["outcome"] = json!("declined");
        assert!(shown(case).contains("[bygg/tillsyn]. Avslag (declined)."));
        let mut case = forwarded();
        case["state"] = json!("centre");
        case["at"] = Value::Null;
        assert!(shown(case.clone()).contains("(It is at the centre, not forwarded.)"));
        case["waits_for_agreements"] = json!(true);
        assert!(shown(case).contains("no agreements yet"));
    }
}
