//! What several sections have: texts, addresses, people, hours, closures, reminder steps, groups and zones.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Closure, DayHours, GroupId, OpeningHours, Person, ReminderSteps, SecrecyZone, Zone};
use jiff::civil::{Date, Weekday};

use super::{problem::suggestion, section::Section};

pub(super) const HOURS: &str = r#"hours = { monday = ["08:00-12:00", "13:00-16:30"] }"#;
const CLOSURES: &str =
    r#"closures = [{ from = 2026-06-19, until = 2026-06-19, why = "Midsommarafton" }]"#;
const REMINDERS: &str = "reminders = { first_at_share = 0.5 }";

/// A line of text.
pub(super) fn text(section: &Section, key: &'static str, example: &str) -> Option<String> {
    let text: String = section.required(key, example)?;
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        section.wrong(
            key,
            format!("must be a line of text; write for example `{example}`"),
        );
        return None;
    }
    Some(text)
}

/// An e-mail address that could be one. Whether it reaches anybody, only sending tells.
pub(super) fn email(section: &Section) -> Option<String> {
    const EXAMPLE: &str = r#"email = "kontaktperson@bygg.example""#;
    let address: String = section.required("email", EXAMPLE)?;
    let plausible = address.split_once('@').is_some_and(|(local, host)| {
        let allowed = |c: char| c.is_alphanumeric() || ".-_+'@".contains(c);
        let names: Vec<&str> = host.split('.').collect();
        !local.is_empty()
            && names.len() >= 2
            && names.iter().all(|name| !name.is_empty())
            && !host.contains('@')
            && address.chars().all(allowed)
    });
    if !plausible {
        section.wrong(
            "email",
            format!("is not an address; write for example `{EXAMPLE}`"),
        );
        return None;
    }
    Some(address)
}

/// Somebody who is told.
pub(super) fn person(section: &Section, key: &'static str, example: &str) -> Option<Person> {
    person_in(&section.required_section(key, example)?)
}

/// Somebody who is told, and may be left out.
pub(super) fn optional_person(
    section: &Section,
    key: &'static str,
    example: &str,
) -> Option<Person> {
    person_in(&section.optional_section(key, example)?)
}

fn person_in(section: &Section) -> Option<Person> {
    let name = text(section, "name", r#"name = "Kontaktperson Bygg""#);
    let email = email(section);
    Some(Person {
        name: name?,
        email: email?,
    })
}

/// Opening hours, where there are any.
pub(super) fn hours(section: &Section) -> Option<OpeningHours> {
    let hours: OpeningHours = section.optional("hours", HOURS)?;
    let mut week = Weekday::Monday.cycle_forward().take(7);
    if week.all(|day| hours.on(day).is_empty()) {
        section.wrong(
            "hours",
            format!(
                "are never open, so no time limit would ever pass; write for example `{HOURS}`"
            ),
        );
    }
    Some(hours)
}

/// Closures, none where there are none.
pub(super) fn closures(section: &Section) -> Vec<Closure> {
    let mut closures: Vec<Closure> = Vec::new();
    for item in section.list("closures", CLOSURES) {
        let from: Option<Date> = item.required("from", "from = 2026-06-19");
        let until: Option<Date> = item.required("until", "until = 2026-06-19");
        let why = text(&item, "why", r#"why = "Planeringsdag""#);
        let hours: Option<DayHours> = item.optional("hours", r#"hours = ["08:00-12:00"]"#);
        let (Some(from), Some(until), Some(why)) = (from, until, why) else {
            continue;
        };
        match Closure::new(from, until, why, hours) {
            Ok(closure) => {
                overlap(&item, &closure, &closures);
                closures.push(closure);
            }
            Err(error) => item.wrong("until", format!("is not right: {error}")),
        }
    }
    closures
}

/// Shortened days may well have closed days among them; that a day is closed twice is a slip of the pen.
fn overlap(item: &Section, closure: &Closure, earlier: &[Closure]) {
    let overlaps = |other: &&Closure| {
        let both_closed = closure.hours().is_none() && other.hours().is_none();
        both_closed && closure.from() <= other.until() && other.from() <= closure.until()
    };
    if let Some(other) = earlier.iter().find(overlaps) {
        item.wrong(
            "from",
            format!(
                "overlaps `{}`, {} to {}; write days that are not closed already",
                other.why(),
                other.from(),
                other.until()
            ),
        );
    }
}

/// Reminder steps; what is left out is as in `default`.
pub(super) fn reminders(section: &Section, default: ReminderSteps) -> ReminderSteps {
    let Some(section) = section.optional_section("reminders", REMINDERS) else {
        return default;
    };
    let first = section.optional("first_at_share", "first_at_share = 0.5");
    let contact_person = section.optional(
        "contact_person_after_working_hours",
        "contact_person_after_working_hours = 8",
    );
    let heads = section.optional(
        "heads_after_working_hours",
        "heads_after_working_hours = 16",
    );
    let steps = ReminderSteps {
        first_at_share: first.unwrap_or(default.first_at_share),
        contact_person_after_working_hours: contact_person
            .unwrap_or(default.contact_person_after_working_hours),
        heads_after_working_hours: heads.unwrap_or(default.heads_after_working_hours),
    };
    if !(steps.first_at_share > 0.0 && steps.first_at_share < 1.0) {
        section.wrong(
            "first_at_share",
            "must be above 0 and below 1, as a share of the time limit; write for example \
             `first_at_share = 0.5`",
        );
    }
    if steps.contact_person_after_working_hours >= steps.heads_after_working_hours {
        section.wrong(
            "heads_after_working_hours",
            format!(
                "must be more than the contact person's {}; write a larger number",
                steps.contact_person_after_working_hours
            ),
        );
    }
    steps
}

/// A group, which must be one of the department's.
pub(super) fn group(
    section: &Section,
    key: &'static str,
    groups: &BTreeSet<GroupId>,
) -> Option<GroupId> {
    let group: GroupId = section.required(key, &format!(r#"{key} = "handlaggare""#))?;
    if !groups.contains(&group) {
        let instead = suggestion(group.as_str(), groups.iter().map(GroupId::as_str));
        section.wrong(
            key,
            format!("is `{group}`, which is none of the department's groups; {instead}"),
        );
    }
    Some(group)
}

/// A secrecy zone, which must be one of the municipality's. Where those cannot be read, any will do.
pub(super) fn zone(section: &Section, zones: Option<&BTreeMap<Zone, SecrecyZone>>) -> Option<Zone> {
    let zone: Zone = section.optional("zone", r#"zone = "social""#)?;
    if let Some(zones) = zones.filter(|zones| !zones.contains_key(&zone)) {
        let instead = suggestion(zone.as_str(), zones.keys().map(Zone::as_str));
        section.wrong(
            "zone",
            format!(
                "is `{zone}`, which is none of the zones in municipality.toml; {instead}, or add it there"
            ),
        );
    }
    Some(zone)
}
