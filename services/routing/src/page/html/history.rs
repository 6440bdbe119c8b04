//! What has happened to a case, and who has looked at it.

use maud::{Markup, html};

use super::document::{both, time};
use crate::{
    page::terms::Terms,
    store::{Happened, History},
};

/// What has happened, oldest first.
pub(super) fn history(terms: &Terms<'_>, history: &History) -> Markup {
    html! {
        section.card aria-labelledby="history" {
            h2 #history { (both("Det som har hänt", "What has happened")) }
            @if history.more {
                p { (both("Det äldsta visas inte här.", "The oldest is not shown here.")) }
            }
            ol.history {
                @for line in &history.lines {
                    li {
                        p { b { (what(line)) } }
                        p.by { (time(line.at)) " · " (terms.name_of_doer(&line.who)) }
                        @if let Some(note) = line.note.as_deref().filter(|_| may_read(terms, line)) {
                            p.note dir="auto" { (note) }
                        }
                    }
                }
            }
            @if !history.views.is_empty() {
                details {
                    summary { (both("Senaste visningar", "Latest views")) }
                    ul.plain.views { @for view in &history.views { li { (time(*view)) } } }
                    p.by { (both("Varje visning loggas.", "Every view is logged.")) }
                }
            }
        }
    }
}

fn what(line: &Happened) -> Markup {
    let (swedish, english) = match line.what.as_str() {
        "forwarded" => ("Vidareskickat till gruppen", "forwarded to the group"),
        "taken" => ("Taget", "taken"),
        "noted" => ("Anteckning", "note"),
        "paused" => ("Pausat", "paused"),
        "resumed" => ("Klockan går igen", "the clock goes on"),
        "promised" => ("En dag lovad", "a day promised"),
        "bounced" => (
            "Tillbakaskickat som felskickat",
            "sent back as sent to the wrong place",
        ),
        "closed" => ("Avslutat", "closed"),
        "reopened" => ("Öppnat igen", "opened anew"),
        "refused" => ("Nekat", "refused"),
        "reminded" => ("Gruppen påmind", "the group reminded"),
        "overdue" => ("Försenat, gruppen påmind", "overdue, the group reminded"),
        "escalated" => (
            "Ansvariga över gruppen underrättade",
            "those above the group told",
        ),
        other => (other, ""),
    };
    both(swedish, english)
}

/// Secrecy holds between departments: what a group noted is for that group, but what it wrote when it sent the case on is
/// for who has it now, unless that is outside the case's secrecy zone.
fn may_read(terms: &Terms<'_>, line: &Happened) -> bool {
    let own = terms
        .case
        .department
        .as_ref()
        .zip(terms.case.group_id.as_ref());
    (line.what == "bounced" && terms.may_see())
        || own.is_some_and(|(department, group)| line.who == format!("{department}/{group}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{case::Case, page::example};

    #[test]
    fn a_group_reads_its_own_notes_and_those_that_came_with_the_case() {
        let (mut case, versions) = (example::case(), example::versions());
        let mut lines = example::history();
        lines.lines.push(Happened {
            id: 9,
            what: "bounced".to_owned(),
            who: "gata/drift".to_owned(),
            note: Some("hör till bygg".to_owned()),
            ..lines.lines[0].clone()
        });
        let page = |case: &Case| history(&Terms::of(case, &versions), &lines).into_string();
        assert!(page(&case).contains("Ringt, inget svar"));
        assert!(page(&case).contains("hör till bygg"));
        for (department, group) in [("skola", "handlaggare"), ("bygg", "tillsyn")] {
            case.department = Some(department.parse().unwrap());
            case.group_id = Some(group.parse().unwrap());
            assert!(!page(&case).contains("Ringt, inget svar"));
            assert!(page(&case).contains("hör till bygg"));
        }
        case.zone = Some("social".parse().unwrap());
        assert!(!page(&case).contains("hör till bygg"));
        case.department = Some("social".parse().unwrap());
        case.group_id = Some("mottagning".parse().unwrap());
        assert!(page(&case).contains("hör till bygg"));
    }
}
