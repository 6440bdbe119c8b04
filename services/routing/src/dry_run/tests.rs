use domain::Depth;
use jiff::Timestamp;

use super::*;
use crate::agreements::example;

fn version(version: i64, valid_from: &str, content: Agreements) -> Version {
    Version {
        version,
        valid_from: valid_from.parse().unwrap(),
        approved_by: "nämnden".to_owned(),
        applied_at: Timestamp::UNIX_EPOCH,
        content,
    }
}

fn alike(case_type: &str, rosa_group: u8, cases: i64) -> Alike {
    Alike {
        about: "bygg".parse().unwrap(),
        case_type: case_type.parse().unwrap(),
        rosa_group: rosa_group.try_into().unwrap(),
        urgent: false,
        opinion: None,
        zone: None,
        agreement: Some(1),
        begun: 1,
        forwarded: true,
        cases,
    }
}

fn run(alike: &[Alike], versions: &[Version], new: &Agreements) -> DryRun {
    let day = "2026-05-04".parse().unwrap();
    dry_run((day, day), alike, false, versions, new)
}

fn place(place: &GroupOf) -> String {
    format!("{}/{}", place.department, place.group)
}

/// The example, changed in the agreement on `bygg/bygglov`.
fn changed(change: impl FnOnce(&mut domain::CaseTypeAgreement)) -> Agreements {
    let mut agreements = example();
    let bygg: Department = "bygg".parse().unwrap();
    let bygglov: CaseType = "bygglov".parse().unwrap();
    let department = agreements.departments.get_mut(&bygg).unwrap();
    change(department.case_types.get_mut(&bygglov).unwrap());
    agreements
}

#[test]
fn the_same_agreements_change_nothing() {
    let versions = [version(1, "2026-01-01", example())];
    let cases = [alike("bygglov", 4, 3), alike("tillsyn-bygg", 5, 2)];
    let result = run(&cases, &versions, &example());
    assert_eq!(
        (result.cases, result.forwarded, result.unchanged),
        (5, 5, 5)
    );
    assert!(result.elsewhere.is_empty() && result.limits.is_empty());
    assert!(result.kept_from_the_centre.is_empty() && result.left_to_the_centre.is_empty());
}

#[test]
fn another_group_and_another_limit_are_counted_apart_from_what_stays() {
    let versions = [version(1, "2026-01-01", example())];
    let new = changed(|agreed| {
        agreed.group = "karta".parse().unwrap();
        agreed.limit_working_hours = 24.try_into().unwrap();
    });
    let at_the_centre = Alike {
        agreement: None,
        forwarded: false,
        ..alike("bygglov", 4, 7)
    };
    // The rule for urgent ones has a group and a limit of its own.
    let urgent = Alike {
        urgent: true,
        ..alike("bygglov", 4, 1)
    };
    let cases = [alike("bygglov", 4, 3), at_the_centre, urgent];
    let result = run(&cases, &versions, &new);
    assert_eq!(
        (result.cases, result.forwarded, result.unchanged),
        (11, 4, 8)
    );
    let [moved] = &result.elsewhere[..] else {
        panic!("{result:?}")
    };
    assert_eq!(place(moved.from.as_ref().unwrap()), "bygg/handlaggare");
    assert_eq!(place(&moved.to), "bygg/karta");
    assert_eq!(moved.count.cases, 3);
    assert_eq!(moved.count.case_types["bygg/bygglov"], 3);
    let [limit] = &result.limits[..] else {
        panic!("{result:?}")
    };
    assert_eq!((limit.from_working_hours, limit.to_working_hours), (40, 24));
    assert_eq!(limit.count.cases, 3);
}

#[test]
fn what_is_kept_from_the_centre_and_left_to_it_goes_both_ways() {
    let kept = changed(|agreed| agreed.depth = Depth::Department);
    let old = [version(1, "2026-01-01", example())];
    let at_the_centre = Alike {
        agreement: None,
        forwarded: false,
        ..alike("bygglov", 4, 7)
    };
    let result = run(&[at_the_centre], &old, &kept);
    let [group] = &result.kept_from_the_centre[..] else {
        panic!("{result:?}")
    };
    assert_eq!(
        (place(&group.group).as_str(), group.count.cases),
        ("bygg/handlaggare", 7)
    );
    assert_eq!(result.unchanged, 0);

    let old = [version(1, "2026-01-01", kept)];
    let result = run(&[alike("bygglov", 4, 2)], &old, &example());
    assert_eq!(result.left_to_the_centre[0].count.cases, 2);
    assert!(result.kept_from_the_centre.is_empty());
    // It would still go to the same group, were it forwarded.
    assert!(result.elsewhere.is_empty());
}

#[test]
fn each_case_is_compared_with_the_version_it_is_bound_to() {
    let new = changed(|agreed| agreed.group = "karta".parse().unwrap());
    let versions = [
        version(1, "2026-01-01", example()),
        version(2, "2026-06-01", new.clone()),
    ];
    assert_eq!(beginnings(&versions).len(), 2);
    let unforwarded = |begun| Alike {
        agreement: None,
        begun,
        // Asked for, and on its way.
        ..alike("bygglov", 4, 1)
    };
    // Forwarded by the first, though registered when the second had begun; then by the day; before the first, the first.
    let cases = [
        alike("bygglov", 4, 10),
        unforwarded(2),
        unforwarded(1),
        unforwarded(0),
    ];
    let result = run(&cases, &versions, &new);
    assert_eq!(result.elsewhere[0].count.cases, 12);
    assert_eq!(result.unchanged, 1);
}

#[test]
fn without_any_version_everything_comes_from_nowhere() {
    let wanted = Alike {
        agreement: None,
        begun: 0,
        ..alike("bygglov", 4, 1)
    };
    let result = run(&[wanted], &[], &example());
    assert_eq!(result.elsewhere[0].from, None);
    assert_eq!(place(&result.elsewhere[0].to), "bygg/handlaggare");
    assert!(result.limits.is_empty());
}

#[test]
fn the_zone_that_the_old_agreement_gave_decides_nothing_in_the_new() {
    let zone: Zone = "social".parse().unwrap();
    let zoned = changed(|agreed| agreed.zone = Some(zone.clone()));
    let new = changed(|agreed| {
        agreed.rules = vec![domain::Rule {
            urgent: false,
            opinion: None,
            zone: Some(zone.clone()),
            group: "tillsyn".parse().unwrap(),
            limit_working_hours: None,
        }];
    });
    let case = Alike {
        zone: Some(zone.clone()),
        ..alike("bygglov", 4, 1)
    };
    let of_the_agreement = [version(1, "2026-01-01", zoned)];
    assert!(
        run(std::slice::from_ref(&case), &of_the_agreement, &new)
            .elsewhere
            .is_empty()
    );
    let of_the_guide = [version(1, "2026-01-01", example())];
    assert_eq!(run(&[case], &of_the_guide, &new).elsewhere.len(), 1);
}
