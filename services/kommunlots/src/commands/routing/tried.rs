//! The result of a dry run as a text.

use std::cmp::Reverse;

use routing::{Count, DryRun, GroupOf};

/// Case types named in a line; the rest is counted.
const NAMED: usize = 4;

/// What other agreements would have changed, line by line.
pub(super) fn text(run: &DryRun) -> String {
    let mut text = format!(
        "Ärenden registrerade {} till {} (cases registered): {}, varav vidareskickade (of them forwarded): {}\n",
        run.from, run.to, run.cases, run.forwarded
    );
    if run.truncated {
        text += "Det är de första i perioden; det kan finnas fler. Välj en kortare period. (These are the first of the period; \
                 there may be more. Choose a shorter period.)\n";
    }
    if run.cases == 0 {
        return text + "Det finns inget att pröva på. (There is nothing to try it on.)\n";
    }
    if run.unchanged == run.cases {
        return text + "Inget hade blivit annorlunda. (Nothing would have been different.)\n";
    }
    text += &format!(
        "Oförändrade (would have been the same): {}\n",
        run.unchanged
    );
    let elsewhere = run.elsewhere.iter().map(|e| {
        let from = e.from.as_ref().map_or_else(|| "-".to_owned(), group);
        (format!("{from} → {}", group(&e.to)), &e.count)
    });
    text += &part(
        "Hade gått någon annanstans",
        "would have gone elsewhere",
        elsewhere,
    );
    let limits = run.limits.iter().map(|l| {
        let change = format!(
            "{} → {} arbetstimmar",
            l.from_working_hours, l.to_working_hours
        );
        (change, &l.count)
    });
    text += &part(
        "Hade fått en annan tidsgräns",
        "another time limit, in working hours",
        limits,
    );
    let kept = run.kept_from_the_centre.iter();
    text += &part(
        "Hade kontaktcenter inte fått avsluta",
        "now kept from the centre",
        kept.map(|k| (format!("→ {}", group(&k.group)), &k.count)),
    );
    let left = run.left_to_the_centre.iter();
    text + &part(
        "Hade kontaktcenter fått avsluta",
        "now left to the centre",
        left.map(|l| (format!("{} →", group(&l.group)), &l.count)),
    )
}

fn group(of: &GroupOf) -> String {
    format!("{}/{}", of.department, of.group)
}

fn part<'c>(
    swedish: &str,
    english: &str,
    lines: impl Iterator<Item = (String, &'c Count)>,
) -> String {
    let lines: Vec<(String, &Count)> = lines.collect();
    if lines.is_empty() {
        return String::new();
    }
    let total: i64 = lines.iter().map(|(_, count)| count.cases).sum();
    let width = lines
        .iter()
        .map(|(what, _)| what.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = format!("\n{swedish} ({english}): {total}\n");
    for (what, count) in lines {
        text += &format!(
            "  {what:width$}  {:>6}  {}\n",
            count.cases,
            case_types(count)
        );
    }
    text
}

fn case_types(count: &Count) -> String {
    let mut types: Vec<(&String, i64)> = count.case_types.iter().map(|(t, n)| (t, *n)).collect();
    types.sort_by_key(|(_, n)| Reverse(*n));
    let mut named: Vec<String> = types
        .iter()
        .take(NAMED)
        .map(|(t, n)| format!("{t} {n}"))
        .collect();
    let rest: i64 = types.iter().skip(NAMED).map(|(_, n)| n).sum();
    if rest > 0 {
        named.push(format!("övriga (other) {rest}"));
    }
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn shown(change: impl FnOnce(&mut Value)) -> String {
        let mut run = json!({
            "from": "2026-04-05", "to": "2026-05-04", "cases": 40, "forwarded": 30, "unchanged": 9, "truncated": false,
            "elsewhere": [{
                "from": { "department": "bygg", "group": "handlaggare" }, "to": { "department": "bygg", "group": "karta" },
                "cases": 28, "case_types": { "bygg/a": 1, "bygg/b": 2, "bygg/c": 3, "bygg/d": 4, "bygg/e": 18 }
            }],
            "limits": [{ "from_working_hours": 40, "to_working_hours": 24, "cases": 3, "case_types": { "bygg/a": 3 } }],
            "kept_from_the_centre": [], "left_to_the_centre": []
        });
        change(&mut run);
        text(&serde_json::from_value(run).unwrap())
    }

    #[test]
    fn what_would_be_different_is_counted_most_first() {
        let text = shown(|_| {});
        for line in [
            "Ärenden registrerade 2026-04-05 till 2026-05-04 (cases registered): 40, varav vidareskickade (of them forwarded): 30",
            "Hade gått någon annanstans (would have gone elsewhere): 28",
            "  bygg/handlaggare → bygg/karta      28  bygg/e 18, bygg/d 4, bygg/c 3, bygg/b 2, övriga (other) 1",
            "  40 → 24 arbetstimmar       3  bygg/a 3",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(
            !text.contains("kontaktcenter") && !text.contains("kortare"),
            "{text}"
        );
    }

    #[test]
    fn what_is_not_known_is_said() {
        assert!(shown(|run| run["truncated"] = json!(true)).contains("Choose a shorter period"));
        assert!(shown(|run| run["cases"] = json!(0)).contains("nothing to try it on"));
        assert!(
            shown(|run| run["unchanged"] = json!(40)).contains("Nothing would have been different")
        );
    }
}
