//! What differs between two versions, in the words people use.

use std::{collections::BTreeMap, fmt};

use domain::{Agreements, Department, Words};

use super::facts::{Label, Topic, Value, facts};

/// A difference between two versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Of which department; none for the municipality.
    pub department: Option<Department>,
    /// Where, such as `bygg: bygglov`.
    pub place: String,
    /// What, such as `tidsgräns 40 → 24 arbetstimmar`.
    pub what: Words,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Words { swedish, english } = &self.what;
        write!(f, "{}: {swedish} ({english})", self.place)
    }
}

/// Where facts are: a department, or none for the municipality, and what in it.
type Place = (Option<Department>, Topic);
type Said = BTreeMap<Label, Value>;

/// What differs, by department and then by what in it.
pub fn diff(old: &Agreements, new: &Agreements) -> Vec<Change> {
    let (old, new) = (by_place(old), by_place(new));
    let mut changes = Vec::new();
    let places: BTreeMap<&Place, ()> = old.keys().chain(new.keys()).map(|p| (p, ())).collect();
    for place in places.into_keys() {
        let itself = (place.0.clone(), Topic::Itself);
        let change = |what| Change {
            department: place.0.clone(),
            place: name(place),
            what,
        };
        match (old.get(place), new.get(place)) {
            (Some(before), Some(after)) => changes.extend(differences(before, after).map(change)),
            (None, Some(said)) if place.1 == Topic::Itself || old.contains_key(&itself) => {
                changes.push(change(whole(&place.1, ("tillkommer", "added"), said)));
            }
            (Some(said), None) if place.1 == Topic::Itself || new.contains_key(&itself) => {
                changes.push(change(whole(&place.1, ("utgår", "removed"), said)));
            }
            // What is in a department that comes or goes, comes or goes with it.
            _ => {}
        }
    }
    changes
}

fn by_place(agreements: &Agreements) -> BTreeMap<Place, Said> {
    let mut places: BTreeMap<Place, Said> = BTreeMap::new();
    for fact in facts(agreements) {
        let place = places.entry((fact.department, fact.topic)).or_default();
        place.insert(fact.label, fact.value);
    }
    places
}

fn name((department, topic): &Place) -> String {
    let department = department.as_ref().map_or("kommunen", Department::as_str);
    match topic {
        Topic::Itself => department.to_owned(),
        Topic::Group(group) => format!("{department}: {group}"),
        Topic::CaseType(case_type) => format!("{department}: {case_type}"),
    }
}

/// A department, group or case type that comes or goes, with what is said of it in one thing.
fn whole(topic: &Topic, happens: Label, said: &Said) -> Words {
    let (swedish, english) = match topic {
        Topic::Itself => ("förvaltningen", "department"),
        Topic::Group(_) => ("gruppen", "group"),
        Topic::CaseType(_) => ("ärendetypen", "case type"),
    };
    let mut what = Words {
        swedish: format!("{swedish} {}", happens.0),
        english: format!("{english} {}", happens.1),
    };
    for ((swedish, english), value) in said {
        if let Value::One(words, unit) = value {
            let value = with_unit(words, *unit);
            what.swedish += &format!("; {swedish} {}", value.swedish);
            what.english += &format!("; {english} {}", value.english);
        }
    }
    what
}

fn differences(before: &Said, after: &Said) -> impl Iterator<Item = Words> {
    let labels: BTreeMap<Label, ()> = before
        .keys()
        .chain(after.keys())
        .map(|label| (*label, ()))
        .collect();
    labels
        .into_keys()
        .flat_map(|label| match (before.get(&label), after.get(&label)) {
            (before, after) if before == after => Vec::new(),
            (Some(Value::One(before, _)), Some(Value::One(after, unit))) => {
                vec![from_to(label, before, &with_unit(after, *unit))]
            }
            (Some(Value::One(before, unit)), None) => {
                vec![from_to(label, &with_unit(before, *unit), &none())]
            }
            (None, Some(Value::One(after, unit))) => {
                vec![from_to(label, &none(), &with_unit(after, *unit))]
            }
            (before, after) => changed_lines(label, lines(before), lines(after)),
        })
}

fn none() -> Words {
    Words {
        swedish: "saknas".to_owned(),
        english: "none".to_owned(),
    }
}

fn from_to((swedish, english): Label, before: &Words, after: &Words) -> Words {
    Words {
        swedish: format!("{swedish} {} → {}", before.swedish, after.swedish),
        english: format!("{english} {} → {}", before.english, after.english),
    }
}

fn with_unit(words: &Words, (swedish, english): Label) -> Words {
    let join = |value: &str, unit: &str| format!("{value} {unit}").trim_end().to_owned();
    Words {
        swedish: join(&words.swedish, swedish),
        english: join(&words.english, english),
    }
}

fn lines(value: Option<&Value>) -> &[Words] {
    match value {
        Some(Value::Lines(lines)) => lines,
        _ => &[],
    }
}

fn changed_lines(label: Label, before: &[Words], after: &[Words]) -> Vec<Words> {
    let gone = before.iter().filter(|line| !after.contains(line));
    let new = after.iter().filter(|line| !before.contains(line));
    let mut changes: Vec<Words> = gone
        .map(|line| one_line(label, ("bort", "removed"), line))
        .chain(new.map(|line| one_line(label, ("nytt", "new"), line)))
        .collect();
    if changes.is_empty() {
        changes.push(Words {
            swedish: format!("{}: samma rader i annan ordning", label.0),
            english: format!("{}: the same lines in another order", label.1),
        });
    }
    changes
}

fn one_line((swedish, english): Label, happens: Label, line: &Words) -> Words {
    let mut what = Words {
        swedish: format!("{swedish}, {}: {}", happens.0, line.swedish),
        english: format!("{english}, {}", happens.1),
    };
    // Free text is Swedish only, and need not be read twice.
    if line.swedish != line.english {
        what.english += &format!(": {}", line.english);
    }
    what
}
