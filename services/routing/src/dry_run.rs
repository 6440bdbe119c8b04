//! What a new set of agreements would have changed for cases that are there already. Pure.

use std::{cmp::Reverse, collections::BTreeMap};

use domain::{
    Agreements, CaseToRoute, CaseType, Department, GroupId, Opinion, RosaGroup, Routed, Zone,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    store::Version,
    versions::{in_force, numbered},
};

/// Cases that no agreements can tell apart, and how many they are.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Alike {
    /// What the guide registered.
    pub(crate) about: Department,
    pub(crate) case_type: CaseType,
    pub(crate) rosa_group: RosaGroup,
    pub(crate) urgent: bool,
    pub(crate) opinion: Option<Opinion>,
    /// The zone; from the forwarding on, that of the agreement where none was registered.
    pub(crate) zone: Option<Zone>,
    /// The version they are bound to since their forwarding.
    pub(crate) agreement: Option<i64>,
    /// How many of the [`beginnings`] had come when they were registered.
    pub(crate) begun: usize,
    /// Whether they have been forwarded, or wait for it.
    pub(crate) forwarded: bool,
    pub(crate) cases: i64,
}

/// What would have been different. A case can be counted in several of the lists, and in none more than once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DryRun {
    /// The first local day of the period.
    #[schema(value_type = String, format = Date)]
    pub from: Date,
    /// The last.
    #[schema(value_type = String, format = Date)]
    pub to: Date,
    /// Cases registered in the period that were looked at. Imported ones are not.
    pub cases: i64,
    /// Of those, cases that have been forwarded or wait for it.
    pub forwarded: i64,
    /// Cases for which nothing would have been different.
    pub unchanged: i64,
    /// Whether as many cases were looked at as may be, so that later ones in the period may be left out.
    pub truncated: bool,
    /// Forwarded cases, and those the centre may not finish, that would have gone to another group. Most first.
    pub elsewhere: Vec<Elsewhere>,
    /// The same cases, where the time limit would have been another. Most first.
    pub limits: Vec<OtherLimit>,
    /// Cases that the centre might finish, and might not any longer. Most first.
    pub kept_from_the_centre: Vec<AtCentre>,
    /// Cases that the centre might not finish, and now might. Most first.
    pub left_to_the_centre: Vec<AtCentre>,
}

/// A group at a department.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
pub struct GroupOf {
    /// The department.
    pub department: Department,
    /// The group.
    pub group: GroupId,
}

/// Some cases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Count {
    /// How many.
    pub cases: i64,
    /// How many of each type, such as `bygg/bygglov`.
    pub case_types: BTreeMap<String, i64>,
}

/// Cases that would have gone to another group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Elsewhere {
    /// Where the version they are bound to sends them; null where there is none.
    pub from: Option<GroupOf>,
    /// Where the new set does.
    pub to: GroupOf,
    /// How many.
    #[serde(flatten)]
    pub count: Count,
}

/// Cases that would have had another time limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OtherLimit {
    /// Working hours by the version they are bound to.
    pub from_working_hours: u32,
    /// Working hours by the new set.
    pub to_working_hours: u32,
    /// How many.
    #[serde(flatten)]
    pub count: Count,
}

/// Cases of which the centre may finish more, or less.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AtCentre {
    /// The group that gets them, or does not any longer.
    pub group: GroupOf,
    /// How many.
    #[serde(flatten)]
    pub count: Count,
}

/// The days on which versions begin, ascending.
pub(crate) fn beginnings(versions: &[Version]) -> Vec<Date> {
    let mut days: Vec<Date> = versions.iter().map(|v| v.valid_from).collect();
    days.sort_unstable();
    days.dedup();
    days
}

/// Routes cases by the version each is bound to and by `new`.
pub(crate) fn dry_run(
    (from, to): (Date, Date),
    alike: &[Alike],
    truncated: bool,
    versions: &[Version],
    new: &Agreements,
) -> DryRun {
    let beginnings = beginnings(versions);
    let mut result = DryRun {
        from,
        to,
        cases: 0,
        forwarded: 0,
        unchanged: 0,
        truncated,
        elsewhere: Vec::new(),
        limits: Vec::new(),
        kept_from_the_centre: Vec::new(),
        left_to_the_centre: Vec::new(),
    };
    let (mut elsewhere, mut limits) = (Tally::default(), Tally::default());
    let (mut kept, mut left) = (Tally::default(), Tally::default());
    for alike in alike {
        let bound = alike.bound(versions, &beginnings).map(|v| &v.content);
        let case = alike.to_route(bound);
        let before = bound.map(|agreements| agreements.route(&case));
        let after = new.route(&case);
        let kept_before = before.as_ref().is_some_and(|routed| routed.must_forward);
        let (was, is) = (before.as_ref().map(GroupOf::of), GroupOf::of(&after));
        let mut same = true;
        if alike.forwarded || kept_before || after.must_forward {
            if was.as_ref() != Some(&is) {
                elsewhere.add((was.clone(), is.clone()), alike);
                same = false;
            }
            let limit = before.map(|routed| routed.limit_working_hours);
            if let Some(limit) = limit.filter(|limit| *limit != after.limit_working_hours) {
                limits.add((limit, after.limit_working_hours), alike);
                same = false;
            }
        }
        match (kept_before, after.must_forward, was) {
            (false, true, _) => kept.add(is, alike),
            (true, false, Some(was)) => left.add(was, alike),
            _ if same => result.unchanged += alike.cases,
            _ => {}
        }
        result.cases += alike.cases;
        result.forwarded += if alike.forwarded { alike.cases } else { 0 };
    }
    result.elsewhere = elsewhere.most_first(|(from, to), count| Elsewhere { from, to, count });
    result.limits = limits.most_first(|(from, to), count| OtherLimit {
        from_working_hours: from.into(),
        to_working_hours: to.into(),
        count,
    });
    result.kept_from_the_centre = kept.most_first(|group, count| AtCentre { group, count });
    result.left_to_the_centre = left.most_first(|group, count| AtCentre { group, count });
    result
}

impl Alike {
    fn bound<'v>(&self, versions: &'v [Version], beginnings: &[Date]) -> Option<&'v Version> {
        match self.agreement {
            Some(version) => numbered(versions, version),
            None => {
                let begun = self.begun.checked_sub(1).and_then(|i| beginnings.get(i));
                in_force(versions, begun.copied().unwrap_or(Date::MIN))
            }
        }
    }

    fn to_route(&self, bound: Option<&Agreements>) -> CaseToRoute {
        let of_agreement = bound
            .filter(|_| self.forwarded)
            .and_then(|agreements| agreements.departments.get(&self.about))
            .and_then(|department| department.case_types.get(&self.case_type))
            .and_then(|agreed| agreed.zone.as_ref());
        CaseToRoute {
            department: self.about.clone(),
            case_type: self.case_type.clone(),
            rosa_group: self.rosa_group,
            urgent: self.urgent,
            opinion: self.opinion,
            // The zone that the old agreement gave it is not one that the new agreement would find.
            zone: self.zone.clone().filter(|zone| Some(zone) != of_agreement),
        }
    }
}

impl GroupOf {
    fn of(routed: &Routed) -> Self {
        Self {
            department: routed.department.clone(),
            group: routed.group.clone(),
        }
    }
}

/// Counts by what is different.
struct Tally<K>(BTreeMap<K, Count>);

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> Tally<K> {
    fn add(&mut self, what: K, alike: &Alike) {
        let count = self.0.entry(what).or_default();
        count.cases += alike.cases;
        let case_type = format!("{}/{}", alike.about, alike.case_type);
        *count.case_types.entry(case_type).or_default() += alike.cases;
    }

    fn most_first<T>(self, make: impl Fn(K, Count) -> T) -> Vec<T> {
        let mut counts: Vec<(K, Count)> = self.0.into_iter().collect();
        counts.sort_by_key(|(_, count)| Reverse(count.cases));
        counts
            .into_iter()
            .map(|(k, count)| make(k, count))
            .collect()
    }
}

#[cfg(test)]
mod tests;
