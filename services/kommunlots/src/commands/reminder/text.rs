//! What is known of forwarded cases' follow-up as texts for people.

use domain::{FollowUpStep, Role};
use reminder::{CaseOf, Cases, OutlineLine, OutlineState, PlanOf, SimulatedDigest, Simulation};

use crate::commands::local;

/// A case's plan, sentence by sentence.
pub(super) fn plan(plan: &PlanOf) -> String {
    let mut text = format!(
        "Ärende (case) {}\n{} hos {}, {} [{}/{}]\n",
        plan.case.case,
        plan.case.case_type,
        plan.department_name,
        plan.group_name,
        plan.case.department,
        plan.case.group
    );
    let part = |title: &str, states: &[OutlineState]| {
        let lines: Vec<&OutlineLine> = plan
            .outline
            .iter()
            .filter(|line| states.contains(&line.state))
            .collect();
        if lines.is_empty() {
            return String::new();
        }
        let mut part = format!("\n{title}:\n");
        for line in lines {
            part += &format!("  {}\n    ({})\n", line.words.swedish, line.words.english);
        }
        part
    };
    text += &part(
        "Det här har hänt (what has happened)",
        &[OutlineState::Happened, OutlineState::Missed],
    );
    text += &part("Så är det nu (how it is now)", &[OutlineState::Holds]);
    text + &part(
        "Det här kommer, om ärendet inte avslutas innan (what comes next, unless the case is closed before)",
        &[OutlineState::Planned],
    )
}

/// A list of cases, one a line.
pub(super) fn cases(cases: &Cases) -> String {
    if cases.cases.is_empty() {
        return "Inga sådana ärenden. (No such cases.)\n".to_owned();
    }
    let mut text = format!(
        "{:<16}  {:<16}  {:<36}  {:<28}  {}\n",
        "tidsgräns", "nästa steg", "ärende", "hos", "läge"
    );
    text += &format!(
        "{:<16}  {:<16}  {:<36}  {:<28}  {}\n",
        "(limit)", "(next step)", "(case)", "(at)", "(state)"
    );
    for case in &cases.cases {
        text += &line(case);
    }
    if cases.more {
        text += "... och fler; se --limit (and more, see --limit)\n";
    }
    text
}

fn line(case: &CaseOf) -> String {
    let time = |at: Option<jiff::Timestamp>| at.map_or_else(|| "-".to_owned(), local);
    let state = match (case.state.as_str(), case.late) {
        ("paused", true) => "pausat, försenat (paused, overdue)".to_owned(),
        ("paused", false) => "pausat (paused)".to_owned(),
        (_, true) => "försenat (overdue)".to_owned(),
        _ => "öppet (open)".to_owned(),
    };
    let promised = case
        .promised
        .map(|at| format!(", utlovat (promised) {}", local(at)));
    format!(
        "{:<16}  {:<16}  {:<36}  {:<28}  {state}{}\n",
        time(case.due),
        time(case.next_at),
        case.case,
        format!("{}/{} {}", case.department, case.group, case.case_type),
        promised.unwrap_or_default(),
    )
}

/// What other agreements would have sent.
pub(super) fn simulation(result: &Simulation, days: u16) -> String {
    let mut text = format!(
        "De senaste {days} dagarna (the last days): {} ärenden (cases), {} hade påmints annorlunda (would have been reminded \
         otherwise)\n",
        result.cases, result.differ
    );
    if result.cases == 0 {
        return text + "Det finns inget att pröva på. (There is nothing to try it on.)\n";
    }
    text += &format!(
        "\n{:<12}  {:<32}  {:>16}  {:>16}\n",
        "förvaltning", "steg (step)", "skickat (sent)", "hade (would)"
    );
    for count in &result.counts {
        text += &format!(
            "{:<12}  {:<32}  {:>16}  {:>16}\n",
            count.department,
            step(count.step),
            count.sent,
            count.would
        );
    }
    text += &digests(&result.digests);
    if !result.differing.is_empty() {
        text += "\nÄrenden som skiljer sig (cases that differ):\n";
    }
    for case in &result.differing {
        text += &format!("  {}\n", case.case);
        for (what, steps) in [
            ("skickat (sent)", &case.sent),
            ("hade skickats (would have been)", &case.would),
        ] {
            for taken in steps {
                text += &format!(
                    "    {what}: {}  {} → {}\n",
                    local(taken.at),
                    step(taken.step),
                    to(&taken.to)
                );
            }
        }
    }
    let named = result.differing.len() as u64;
    if named < result.differ {
        text += &format!("  ... och {0} till (and {0} more)\n", result.differ - named);
    }
    text
}

/// The lists that would have been sent.
fn digests(digests: &[SimulatedDigest]) -> String {
    if digests.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\n{:<46}  {:>16}  {:>16}\n",
        "listor, med ärenden (lists, with cases)", "skickat (sent)", "hade (would)"
    );
    for digest in digests {
        let whose = digest.department.as_ref().map_or_else(
            || "vägledarna (the guides)".to_owned(),
            |of| format!("{of:<12}  kontaktpersonen (contact person)"),
        );
        text += &format!(
            "{whose:<46}  {:>16}  {:>16}\n",
            format!("{}, {}", digest.sent, digest.sent_cases),
            format!("{}, {}", digest.would, digest.would_cases)
        );
    }
    text
}

fn step(step: FollowUpStep) -> &'static str {
    match step {
        FollowUpStep::Share => "påminnelse (reminder)",
        FollowUpStep::Limit => "försenat (overdue)",
        FollowUpStep::Promised => "utlovad dag (promised day)",
        FollowUpStep::ContactPerson => "kontaktperson (contact person)",
        FollowUpStep::Heads => "chefer (heads)",
    }
}

fn to(roles: &[Role]) -> String {
    let role = |role: &Role| match role {
        Role::Group => "gruppen (the group)",
        Role::ContactPerson => "kontaktpersonen (the contact person)",
        Role::DepartmentHead => "förvaltningschefen (the department's head)",
        Role::UnitHead => "enhetschefen (the unit head)",
    };
    let roles: Vec<&str> = roles.iter().map(role).collect();
    roles.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn case() -> serde_json::Value {
        json!({
            "case": "0198a0de-7c1e-7000-8000-000000000001", "case_type": "bygglov", "department": "bygg",
            "group": "bygglov", "guide": null, "state": "open", "forwarded_at": "2026-05-04T07:12:00Z",
            "due": "2026-05-11T07:12:00Z", "late": false, "steps": 0, "promised": null, "next_at": "2026-05-07T09:12:00Z"
        })
    }

    #[test]
    fn a_plan_tells_what_has_been_and_what_is_to_come() {
        let line = |state: &str, swedish: &str| json!({ "at": null, "state": state, "step": null, "words": { "swedish": swedish, "english": "in English" } });
        let of = json!({
            "case": case(), "department_name": "Byggförvaltningen", "group_name": "Bygglovshandläggare",
            "outline": [line("happened", "Det vidareskickades."), line("planned", "Gruppen påminns.")]
        });
        let text = plan(&serde_json::from_value(of).unwrap());
        for part in [
            "bygglov hos Byggförvaltningen, Bygglovshandläggare [bygg/bygglov]",
            "har hänt (what has happened):\n  Det vidareskickades.\n    (in English)\n",
            "closed before):\n  Gruppen påminns.",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(!text.contains("Så är det nu"), "{text}");
    }

    #[test]
    fn a_list_tells_the_limit_the_next_step_and_the_state() {
        let list = |change: &str, value: serde_json::Value| {
            let mut case = case();
            case[change] = value;
            let list = json!({ "cases": [case], "more": false, "as_of": "2026-05-04T08:00:00Z" });
            cases(&serde_json::from_value(list).unwrap())
        };
        assert!(
            list("late", json!(false)).contains("2026-05-11 09:12  2026-05-07 11:12  0198a0de")
        );
        assert!(list("late", json!(true)).contains("försenat (overdue)"));
        assert!(list("state", json!("paused")).contains("pausat (paused)"));
        assert!(list("next_at", json!(null)).contains("2026-05-11 09:12  -  "));
    }

    #[test]
    fn a_simulation_counts_and_names() {
        let result = json!({
            "cases": 3, "differ": 2,
            "counts": [{ "department": "bygg", "step": "share", "sent": 3, "would": 5 }],
            "digests": [
                { "department": null, "sent": 2, "sent_cases": 4, "would": 0, "would_cases": 0 },
                { "department": "bygg", "sent": 1, "sent_cases": 9, "would": 4, "would_cases": 31 },
            ],
            "differing": [{ "case": "0198a0de-7c1e-7000-8000-000000000001", "sent": [], "would": [{
                "at": "2026-05-07T09:12:00Z", "department": "bygg", "group": "bygglov", "step": "share", "to": ["group"]
            }] }]
        });
        let text = simulation(&serde_json::from_value(result).unwrap(), 30);
        for part in [
            "3 ärenden (cases), 2 hade påmints",
            "hade skickats (would have been): 2026-05-07 11:12  påminnelse (reminder) → gruppen (the group)",
            "... och 1 till (and 1 more)",
            "vägledarna (the guides)                                     2, 4              0, 0\n",
            "bygg          kontaktpersonen (contact person)              1, 9             4, 31\n",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        // A table's lines are as wide as its title.
        for table in ["\nförvaltning", "\nlistor"] {
            let from = text.find(table).unwrap() + 1;
            let lines = text[from..].lines().take_while(|line| !line.is_empty());
            let widths: Vec<usize> = lines.map(|line| line.chars().count()).collect();
            assert!(
                widths.len() > 1 && widths.iter().all(|w| *w == widths[0]),
                "{text}"
            );
        }
    }
}
