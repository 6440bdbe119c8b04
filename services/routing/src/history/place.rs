//! Where an older system's case is here: at a department of the agreements, or at a historical one.

use domain::{Department, GroupId, Historical, HistoricalName, RosaGroup};
use platform::http::FieldError;

use super::{Past, names};
use crate::store::Version;

/// What was forwarded was the department's to prepare, as far as nobody says other.
const PREPARATION: u8 = 5;

/// Where a case is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) department: Department,
    pub(crate) group: GroupId,
    pub(crate) rosa_group: RosaGroup,
    /// What the agreements do not know of it.
    pub(crate) historical: Option<Historical>,
}

/// Looks in every version: a department that had an agreement once is known by its name.
pub(crate) fn place(past: &Past, versions: &[Version]) -> Result<Place, FieldError> {
    let known = |label: &Department| {
        let mut contents = versions.iter().map(|v| &v.content);
        contents.any(|c| c.departments.contains_key(label))
    };
    let department = match &past.department {
        Some(department) if known(department) => Some(department.clone()),
        Some(_) => {
            return Err(FieldError::new(
                "department",
                "is in no version of the agreements; apply agreements that have it, or leave it out to keep the department as a historical one",
            ));
        }
        None => past.department_code.as_str().parse().ok().filter(known),
    };
    let Some(department) = department else {
        return Ok(Place {
            department: historical_department(),
            group: names::group(&past.queue),
            rosa_group: preparation(),
            historical: Some(Historical {
                department: Some(past.department_code.clone()),
                queue: Some(past.queue.clone()),
            }),
        });
    };
    let agreed = || {
        let versions = versions.iter().rev();
        versions.filter_map(|v| v.content.departments.get(&department))
    };
    let same = |queue: &HistoricalName| {
        let group: GroupId = queue.as_str().parse().ok()?;
        agreed()
            .any(|d| d.groups.contains_key(&group))
            .then_some(group)
    };
    let (group, historical) = match same(&past.queue) {
        Some(group) => (group, None),
        None => {
            let historical = Historical {
                department: None,
                queue: Some(past.queue.clone()),
            };
            (names::group(&past.queue), Some(historical))
        }
    };
    let rosa_group = agreed()
        .find_map(|d| d.case_types.get(&past.case_type))
        .map_or_else(preparation, |agreed| agreed.rosa_group);
    Ok(Place {
        department,
        group,
        rosa_group,
        historical,
    })
}

fn historical_department() -> Department {
    let label = Historical::DEPARTMENT.parse();
    label.expect("a constant that is a label, and a test says so")
}

fn preparation() -> RosaGroup {
    PREPARATION.try_into().expect("5 is a ROSA group")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{super::input::example, *};
    use crate::history::HistoryInput;

    fn versions() -> Vec<Version> {
        vec![Version {
            version: 1,
            valid_from: "2026-01-01".parse().unwrap(),
            approved_by: "nämnden".to_owned(),
            applied_at: Timestamp::UNIX_EPOCH,
            content: crate::agreements::example(),
        }]
    }

    fn placed(change: impl FnOnce(&mut HistoryInput)) -> Result<Place, FieldError> {
        let mut input = example();
        change(&mut input);
        let now = "2026-11-23T08:00:00Z".parse().unwrap();
        place(&input.parse(now).unwrap(), &versions())
    }

    #[test]
    fn a_department_that_the_agreements_do_not_know_keeps_its_code() {
        let place = placed(|i| i.queue = Some("PARK_Tree in Park".parse().unwrap())).unwrap();
        assert_eq!(place.department.as_str(), "historical");
        assert_eq!(place.group.as_str(), "park-tree-in-park");
        let historical = place.historical.unwrap();
        assert_eq!(historical.department.unwrap().as_str(), "PARK");
        assert_eq!(historical.queue.unwrap().as_str(), "PARK_Tree in Park");
    }

    #[test]
    fn one_that_they_know_is_that_department() {
        let agreements = crate::agreements::example();
        let group = agreements.departments[&"bygg".parse().unwrap()]
            .groups
            .keys()
            .next()
            .unwrap()
            .clone();
        let by_code = placed(|i| {
            i.department_code = "bygg".parse().unwrap();
            i.queue = Some(group.as_str().parse().unwrap());
        })
        .unwrap();
        assert_eq!(by_code.department.as_str(), "bygg");
        assert_eq!((by_code.group, by_code.historical), (group, None));
        // The code is another's, and so is the queue's name.
        let mapped = placed(|i| i.department = Some("bygg".parse().unwrap())).unwrap();
        assert_eq!(mapped.department.as_str(), "bygg");
        let historical = mapped.historical.unwrap();
        assert_eq!(
            (historical.department, historical.queue.unwrap().as_str()),
            (None, "PARK")
        );
    }

    #[test]
    fn a_department_that_is_said_to_be_in_the_agreements_must_be_there() {
        let error = placed(|i| i.department = Some("vatten".parse().unwrap())).unwrap_err();
        assert_eq!(error.field, "department");
        assert!(
            error.reason.contains("apply agreements"),
            "{}",
            error.reason
        );
    }
}
