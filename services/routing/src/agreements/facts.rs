//! One version as a list of facts in the words people use. [`super::show`] prints them and [`super::diff`] compares
//! them, so that neither can leave out what the other tells.

use std::iter;

use domain::{
    Agreements, CaseType, CaseTypeAgreement, Closure, Department, DepartmentAgreement, Depth,
    Group, GroupId, OpeningHours, Person, ReminderSteps, Rule, Targets, Words, WorkingHours,
};
use jiff::civil::Weekday;

/// Something a version says.
#[derive(Debug, Clone)]
pub(super) struct Fact {
    /// Of which department; none for the municipality.
    pub(super) department: Option<Department>,
    /// About what in it.
    pub(super) topic: Topic,
    /// What is said.
    pub(super) label: Label,
    pub(super) value: Value,
}

/// What in a department a fact is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    Itself,
    Group(GroupId),
    CaseType(CaseType),
}

/// A few words in Swedish and in English.
pub(super) type Label = (&'static str, &'static str);

/// What a fact says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// One thing, and its unit where it has one.
    One(Words, Label),
    /// Several, in order.
    Lines(Vec<Words>),
}

/// All of a version, in reading order.
pub(super) fn facts(agreements: &Agreements) -> Vec<Fact> {
    let mut all: Vec<Fact> = of_municipality(agreements)
        .into_iter()
        .map(|(label, value)| Fact {
            department: None,
            topic: Topic::Itself,
            label,
            value,
        })
        .collect();
    for (label, department) in &agreements.departments {
        let itself = (Topic::Itself, of_department(department));
        let groups = department.groups.iter();
        let groups = groups.map(|(id, group)| (Topic::Group(id.clone()), of_group(group)));
        let case_types = department.case_types.iter();
        let case_types =
            case_types.map(|(id, agreed)| (Topic::CaseType(id.clone()), of_case_type(agreed)));
        for (topic, said) in iter::once(itself).chain(groups).chain(case_types) {
            all.extend(said.into_iter().map(|(said, value)| Fact {
                department: Some(label.clone()),
                topic: topic.clone(),
                label: said,
                value,
            }));
        }
    }
    all
}

type Said = Vec<(Label, Value)>;

fn of_municipality(agreements: &Agreements) -> Said {
    let to = &agreements.registrator;
    let mut said = vec![
        (("namn", "name"), same(&agreements.municipality)),
        (("enhetschef", "unit head"), person(&agreements.unit_head)),
    ];
    let guides = agreements.guides.iter();
    said.extend(guides.map(|guides| (("vägledarna", "guides"), person(guides))));
    said.extend([
        (
            ("registrator", "registrator"),
            same(format!("{}/{}", to.department, to.group)),
        ),
        (
            ("registratorns tidsgräns", "registrator's limit"),
            hours(to.limit_working_hours),
        ),
    ]);
    said.extend(opening_hours(&agreements.hours));
    said.extend(closures(&agreements.closures));
    let zones = agreements.zones.iter();
    said.extend(lines(
        ("sekretessområden", "secrecy zones"),
        zones.map(|(label, zone)| {
            let groups = zone.groups.iter().flat_map(|(department, groups)| {
                groups
                    .iter()
                    .map(move |group| format!("{department}/{group}"))
            });
            let groups: Vec<String> = groups.collect();
            both(format!("{label}: {} ({})", zone.name, groups.join(", ")))
        }),
    ));
    said
}

fn of_department(department: &DepartmentAgreement) -> Said {
    let mut said = vec![
        (("namn", "name"), same(&department.name)),
        (
            ("kontaktperson", "contact person"),
            person(&department.contact_person),
        ),
        (("förvaltningschef", "head"), person(&department.head)),
    ];
    said.extend(opening_hours(&department.hours));
    said.extend(closures(&department.closures));
    said.extend(targets(&department.targets));
    said.push((
        ("längsta paus", "longest pause"),
        hours(department.pause_cap_working_hours),
    ));
    said.push((
        ("löfte högst framåt", "promise at most ahead"),
        hours(department.promise_cap_working_hours),
    ));
    said.push((
        ("avstämning", "meeting"),
        Value::One(weekday(department.meeting), NO_UNIT),
    ));
    said.push((
        ("ordinarie mottagare", "default group"),
        same(&department.default_group),
    ));
    said.push((
        ("ordinarie tidsgräns", "default limit"),
        hours(department.default_limit_working_hours),
    ));
    said.extend(reminders(&department.default_reminders));
    let nkey = department.public_nkey.iter();
    said.extend(nkey.map(|key| (("nyckel på bussen", "key on the bus"), same(key))));
    said
}

fn of_group(group: &Group) -> Said {
    vec![
        (("namn", "name"), same(&group.name)),
        (("adress", "address"), same(&group.email)),
    ]
}

fn of_case_type(agreed: &CaseTypeAgreement) -> Said {
    let depth = match agreed.depth {
        Depth::Centre => words("kontaktcenter får avsluta", "the centre may finish it"),
        Depth::Department => words("vidare till förvaltningen", "to the department at once"),
    };
    let mut said = vec![
        (
            ("ROSA-grupp", "ROSA group"),
            same(u8::from(agreed.rosa_group)),
        ),
        (("djup", "depth"), Value::One(depth, NO_UNIT)),
        (("grupp", "group"), same(&agreed.group)),
        (("tidsgräns", "limit"), hours(agreed.limit_working_hours)),
    ];
    said.extend(lines(("regler", "rules"), agreed.rules.iter().map(rule)));
    said.extend(reminders(&agreed.reminders));
    let zone = agreed.zone.iter();
    said.extend(zone.map(|zone| (("sekretessområde", "secrecy zone"), same(zone))));
    let checklist = agreed.checklist.iter().flat_map(|text| text.lines());
    said.extend(lines(("checklista", "checklist"), checklist.map(both)));
    said
}

fn rule(rule: &Rule) -> Words {
    let (mut swedish, mut english) = (
        format!("{} → grupp {}", rule.conditions_swedish(), rule.group),
        format!("{} → group {}", rule.conditions(), rule.group),
    );
    if let Some(limit) = rule.limit_working_hours {
        swedish += &format!(", {limit} {}", HOURS.0);
        english += &format!(", {limit} {}", HOURS.1);
    }
    Words { swedish, english }
}

fn targets(targets: &Targets) -> Said {
    vec![
        (
            ("tillgänglighet", "answer rate"),
            share(targets.answer_rate, NO_UNIT),
        ),
        (
            ("lösningsgrad", "resolution rate"),
            share(targets.resolution, NO_UNIT),
        ),
        (
            ("servicegrad", "service grade"),
            share(targets.service, NO_UNIT),
        ),
        (
            ("återkontakt inom", "repeat contact within"),
            Value::One(both(targets.repeat_contact_days), ("dagar", "days")),
        ),
    ]
}

fn reminders(steps: &ReminderSteps) -> Said {
    vec![
        (
            ("första påminnelse", "first reminder"),
            share(steps.first_at_share, ("av tidsgränsen", "of the limit")),
        ),
        (
            (
                "kontaktperson när försenat",
                "contact person when overdue by",
            ),
            hours(steps.contact_person_after_working_hours),
        ),
        (
            ("chefer när försenat", "heads when overdue by"),
            hours(steps.heads_after_working_hours),
        ),
    ]
}

fn opening_hours(hours: &OpeningHours) -> Said {
    let week = WEEK.map(|(label, day)| (label, Some(hours.on(day))));
    let half_day = (("halvdag", "half day"), hours.half_day.as_ref());
    week.into_iter()
        .chain([half_day])
        .filter_map(|(label, hours)| {
            let hours = hours?;
            let value = if hours.is_empty() {
                Value::One(words("stängt", "closed"), NO_UNIT)
            } else {
                same(hours)
            };
            Some((label, value))
        })
        .collect()
}

fn closures(closures: &[Closure]) -> Option<(Label, Value)> {
    let closed = closures.iter().map(|closure| {
        let (from, until, why) = (closure.from(), closure.until(), closure.why());
        let open = closure.hours().map(ToString::to_string);
        let (open_swedish, open_english) = match open {
            Some(hours) => (format!(", öppet {hours}"), format!(", open {hours}")),
            None => Default::default(),
        };
        if from == until {
            words(
                &format!("{from} {why}{open_swedish}"),
                &format!("{from} {why}{open_english}"),
            )
        } else {
            words(
                &format!("{from} till {until} {why}{open_swedish}"),
                &format!("{from} to {until} {why}{open_english}"),
            )
        }
    });
    lines(("stängda dagar", "closures"), closed)
}

const WEEK: [(Label, Weekday); 7] = [
    (("måndag", "Monday"), Weekday::Monday),
    (("tisdag", "Tuesday"), Weekday::Tuesday),
    (("onsdag", "Wednesday"), Weekday::Wednesday),
    (("torsdag", "Thursday"), Weekday::Thursday),
    (("fredag", "Friday"), Weekday::Friday),
    (("lördag", "Saturday"), Weekday::Saturday),
    (("söndag", "Sunday"), Weekday::Sunday),
];

fn weekday(day: Weekday) -> Words {
    let named = WEEK.iter().find(|(_, other)| *other == day);
    named.map_or_else(
        || both(format!("{day:?}")),
        |((swedish, english), _)| words(swedish, english),
    )
}

const NO_UNIT: Label = ("", "");
const HOURS: Label = ("arbetstimmar", "working hours");

fn words(swedish: &str, english: &str) -> Words {
    Words {
        swedish: swedish.to_owned(),
        english: english.to_owned(),
    }
}

fn both(text: impl ToString) -> Words {
    words(&text.to_string(), &text.to_string())
}

fn same(text: impl ToString) -> Value {
    Value::One(both(text), NO_UNIT)
}

fn hours(hours: WorkingHours) -> Value {
    Value::One(both(hours), HOURS)
}

fn person(person: &Person) -> Value {
    same(format!("{}, {}", person.name, person.email))
}

/// A share of 0-1 in percent, without the noise of binary fractions.
fn share(share: f64, unit: Label) -> Value {
    let percent = ((share * 1e8).round() / 1e6).to_string();
    let swedish = format!("{}\u{a0}%", percent.replace('.', ","));
    Value::One(words(&swedish, &format!("{percent}%")), unit)
}

fn lines(label: Label, lines: impl Iterator<Item = Words>) -> Option<(Label, Value)> {
    let lines: Vec<Words> = lines.collect();
    (!lines.is_empty()).then_some((label, Value::Lines(lines)))
}
