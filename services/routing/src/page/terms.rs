//! What the agreements say of the case at hand, and how its clock stands. Pure: the time is handed in.

use domain::{
    Department, DepartmentAgreement, GroupId, Words, WorkingHours, WorkingTime, local_day,
    start_of_day,
};
use jiff::{SignedDuration, Timestamp, civil::Date};

use crate::{ask::Place, case::Case, forward::is_at_registrator, store::Version, versions};

/// The agreements as they hold for one case. An imported case may have none.
pub(crate) struct Terms<'a> {
    pub(crate) case: &'a Case,
    version: Option<&'a Version>,
    working_time: Option<WorkingTime>,
}

/// A place that a case may belong to instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    /// As a form says it: `gata`, or `kansli/ekonomi`.
    pub(crate) value: String,
    pub(crate) name: String,
    pub(crate) place: Place,
}

impl Elsewhere {
    fn new(place: Place, name: String) -> Self {
        let value = place.label();
        Self { value, name, place }
    }
}

/// How a case's clock stands. Lengths are working time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// There is no limit.
    NoLimit,
    /// So much is left; `None` where no agreement says what working time is.
    Left(Option<SignedDuration>),
    /// It is paused, with so much left.
    Stands(Option<SignedDuration>),
    /// The limit has passed, by so much.
    Late(Option<SignedDuration>),
}

impl<'a> Terms<'a> {
    /// What holds for `case`.
    pub(crate) fn of(case: &'a Case, versions: &'a [Version]) -> Self {
        let version = case
            .agreement
            .and_then(|number| versions::numbered(versions, number));
        let working_time = version
            .zip(case.department.as_ref())
            .map(|(version, department)| version.content.working_time(department));
        Self {
            case,
            version,
            working_time,
        }
    }

    /// The municipality's name.
    pub(crate) fn municipality(&self) -> Option<&'a str> {
        self.version.map(|v| v.content.municipality.as_str())
    }

    fn department(&self, department: &Department) -> Option<&'a DepartmentAgreement> {
        self.version?.content.departments.get(department)
    }

    fn own(&self) -> Option<&'a DepartmentAgreement> {
        self.department(self.case.department.as_ref()?)
    }

    /// What a department is called.
    pub(crate) fn name_of(&self, department: &Department) -> String {
        self.department(department)
            .map_or_else(|| department.to_string(), |d| d.name.clone())
    }

    /// What a group of a department is called, with its department.
    pub(crate) fn name_of_group(&self, department: &Department, group: &GroupId) -> String {
        let name = self
            .department(department)
            .and_then(|d| d.groups.get(group))
            .map_or_else(|| group.to_string(), |g| g.name.clone());
        format!("{}, {name}", self.name_of(department))
    }

    /// Who did something: `bygg/handlaggare` by its names, all else as it is.
    pub(crate) fn name_of_doer(&self, who: &str) -> String {
        let names = who
            .split_once('/')
            .and_then(|(department, group)| Some((department.parse().ok()?, group.parse().ok()?)));
        names.map_or_else(
            || who.to_owned(),
            |(department, group)| self.name_of_group(&department, &group),
        )
    }

    /// What the case's secrecy zone is called.
    pub(crate) fn zone(&self) -> Option<String> {
        let zone = self.case.zone.as_ref()?;
        let name = self.version.and_then(|v| v.content.zones.get(zone));
        Some(name.map_or_else(|| zone.to_string(), |zone| zone.name.clone()))
    }

    /// The questions that the guide had to ask: of the department that has it or, where it knows no such type, of the one
    /// that it was registered for.
    pub(crate) fn checklist(&self) -> Vec<&'a str> {
        let of = |department: &'a DepartmentAgreement| {
            department
                .case_types
                .get(&self.case.case_type)?
                .checklist
                .as_deref()
        };
        let own = self.own().and_then(of);
        own.or_else(|| of(self.department(&self.case.about)?))
            .map(|text| text.lines().map(str::trim).filter(|l| !l.is_empty()))
            .map_or_else(Vec::new, Iterator::collect)
    }

    /// Whether the group that has it may see its content: of a secrecy zone, only its own groups may.
    pub(crate) fn may_see(&self) -> bool {
        let group = self
            .case
            .department
            .as_ref()
            .zip(self.case.group_id.as_ref());
        let zone = self.case.zone.as_ref();
        zone.is_none()
            || self
                .version
                .zip(group)
                .is_some_and(|(v, (department, group))| v.content.may_see(zone, department, group))
    }

    /// Whether the group that has it is the registrator, who gets what nobody else knows where to send.
    pub(crate) fn is_at_registrator(&self) -> bool {
        self.version
            .is_some_and(|version| is_at_registrator(&version.content, self.case))
    }

    /// Where it may belong instead: other groups of the department, then other departments, by name.
    pub(crate) fn elsewhere(&self) -> Vec<Elsewhere> {
        let Some(version) = self.version else {
            return Vec::new();
        };
        let mut others = Vec::new();
        for (label, department) in &version.content.departments {
            let own = Some(label) == self.case.department.as_ref();
            if !own {
                let place = Place {
                    department: label.clone(),
                    group: None,
                };
                others.push((own, Elsewhere::new(place, department.name.clone())));
                continue;
            }
            let groups = department.groups.iter();
            let others_groups =
                groups.filter(|(group, _)| Some(*group) != self.case.group_id.as_ref());
            others.extend(others_groups.map(|(group, named)| {
                let place = Place {
                    department: label.clone(),
                    group: Some(group.clone()),
                };
                let name = format!("{}, {}", department.name, named.name);
                (own, Elsewhere::new(place, name))
            }));
        }
        others.sort_by_key(|(own, other)| (!own, other.name.to_lowercase()));
        others.into_iter().map(|(_, other)| other).collect()
    }

    /// How the clock stands at `now`.
    pub(crate) fn clock(&self, now: Timestamp) -> Clock {
        let between = |from, until| Some(self.working_time.as_ref()?.between(from, until));
        match (self.case.due, self.case.paused_at) {
            (None, _) => Clock::NoLimit,
            (Some(due), Some(paused_at)) if due > paused_at => {
                Clock::Stands(between(paused_at, due))
            }
            (Some(due), _) if now > due => Clock::Late(between(due, now)),
            (Some(due), _) => Clock::Left(between(now, due)),
        }
    }

    /// How long it may still be paused, in working time, and until when that is if it is paused at `now`. `None` where no
    /// agreement says so; zero is never.
    pub(crate) fn pause_left(&self, now: Timestamp) -> Option<(SignedDuration, Timestamp)> {
        let cap = self.own()?.pause_cap_working_hours.duration();
        let left = cap - SignedDuration::from_secs(self.case.paused_s);
        let until = self.working_time.as_ref()?.add(now, left)?;
        (left > SignedDuration::ZERO).then_some((left, until))
    }

    /// The last day that may be promised at `now`, and the hours ahead that are agreed; no day where the hours end before
    /// the work of today does. `None` where no agreement says so.
    pub(crate) fn promise_by(&self, now: Timestamp) -> Option<(WorkingHours, Option<Date>)> {
        let cap = self.own()?.promise_cap_working_hours;
        let working_time = self.working_time.as_ref()?;
        let furthest = working_time.add(now, cap.duration())?;
        let today = local_day(now);
        let mut day = local_day(furthest);
        let by = loop {
            let end = self.work_ends(day);
            if day < today || end.is_some_and(|end| end > now && end <= furthest) {
                break day;
            }
            day = day.yesterday().ok()?;
        };
        Some((cap, (by >= today).then_some(by)))
    }

    /// When work ends on a day; `None` where nobody works on it, or no agreement says so.
    pub(crate) fn work_ends(&self, day: Date) -> Option<Timestamp> {
        let spans = self.working_time.as_ref()?.spans_of(day);
        spans.last().map(|(_, end)| *end)
    }

    /// When work ends on a day; the day's own end where nobody works on it.
    pub(crate) fn end_of(&self, day: Date) -> Option<Timestamp> {
        self.work_ends(day)
            .or_else(|| start_of_day(day.tomorrow().ok()?).ok())
    }
}

/// A length of working time in words, to the minute: `12 tim 30 min`.
pub(crate) fn length(length: SignedDuration) -> Words {
    let (hours, minutes) = (length.as_hours(), length.as_mins() % 60);
    let words = |hour: &str| match (hours, minutes) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} {hour}"),
        (hours, minutes) => format!("{hours} {hour} {minutes} min"),
    };
    Words {
        swedish: words("tim"),
        english: words("h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::example;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_clock_runs_in_working_time_stands_while_paused_and_is_late_after_the_limit() {
        let versions = example::versions();
        let mut case = example::case();
        // Monday to Thursday the department works 7.5 hours or more.
        case.due = Some(at("2026-11-24T09:00:00Z"));
        let clock = |case: &Case, now: &str| Terms::of(case, &versions).clock(at(now));
        let hours = |h| Some(SignedDuration::from_hours(h));
        assert_eq!(
            clock(&case, "2026-11-23T13:30:00Z"),
            Clock::Left(hours(4)),
            "two hours until 16.30 and two after 8.00"
        );
        assert_eq!(clock(&case, "2026-11-24T09:00:00Z"), Clock::Left(hours(0)));
        assert_eq!(clock(&case, "2026-11-24T10:00:00Z"), Clock::Late(hours(1)));
        case.paused_at = Some(at("2026-11-24T08:00:00Z"));
        assert_eq!(
            clock(&case, "2026-11-30T08:00:00Z"),
            Clock::Stands(hours(1))
        );
        case.paused_at = Some(at("2026-11-24T10:00:00Z"));
        assert_eq!(
            clock(&case, "2026-11-24T11:00:00Z"),
            Clock::Late(hours(2)),
            "what was late before the pause stays late"
        );
        case.due = None;
        assert_eq!(clock(&case, "2026-11-24T11:00:00Z"), Clock::NoLimit);
        (case.due, case.paused_at, case.agreement) = (Some(Timestamp::UNIX_EPOCH), None, None);
        assert_eq!(
            clock(&case, "2026-11-24T11:00:00Z"),
            Clock::Late(None),
            "of an import nobody knows by how much"
        );
    }

    #[test]
    fn a_pause_may_last_until_the_cap_and_a_day_ends_when_work_does() {
        let versions = example::versions();
        let mut case = example::case();
        let now = at("2026-11-23T07:00:00Z");
        let left = |case: &Case| Terms::of(case, &versions).pause_left(now);
        let (whole, until) = left(&case).unwrap();
        assert_eq!(whole, SignedDuration::from_hours(80));
        assert!(until > now);
        case.paused_s = 79 * 3600;
        assert_eq!(
            left(&case),
            Some((SignedDuration::from_hours(1), at("2026-11-23T08:00:00Z")))
        );
        case.paused_s = 80 * 3600;
        assert_eq!(left(&case), None);

        let terms = Terms::of(&case, &versions);
        let end = |day: &str| terms.end_of(day.parse().unwrap()).unwrap();
        assert_eq!(end("2026-11-26"), at("2026-11-26T17:00:00Z"), "Thursday");
        assert_eq!(end("2026-11-28"), at("2026-11-28T23:00:00Z"), "Saturday");
    }

    #[test]
    fn a_day_may_be_promised_whose_work_ends_within_the_cap() {
        let (versions, case) = (example::versions(), example::case());
        let terms = Terms::of(&case, &versions);
        let last = |now: &str| terms.promise_by(at(now)).unwrap();
        let (cap, day) = last("2026-11-23T07:00:00Z");
        assert_eq!(u32::from(cap), 40);
        // The department works 7.5 hours, on Thursdays 9 and on Fridays 6: 37.5 a week from Monday at 8, and 2.5 are left.
        assert_eq!(day, Some("2026-11-27".parse().unwrap()));
        // An hour before noon on a Friday there are 3 that day and 31.5 until Thursday evening; Friday's 6 would be too many.
        let (_, day) = last("2026-11-27T10:00:00Z");
        assert_eq!(day, Some("2026-12-03".parse().unwrap()));
        assert_eq!(terms.work_ends("2026-11-28".parse().unwrap()), None);
    }

    #[test]
    fn a_short_cap_may_leave_no_day_to_promise() {
        let (mut versions, case) = (example::versions(), example::case());
        let bygg = versions[0]
            .content
            .departments
            .get_mut(&"bygg".parse().unwrap());
        bygg.unwrap().promise_cap_working_hours = 2.try_into().unwrap();
        let terms = Terms::of(&case, &versions);
        let day = |now: &str| terms.promise_by(at(now)).unwrap().1;
        assert_eq!(day("2026-11-23T07:00:00Z"), None);
        assert_eq!(
            day("2026-11-23T14:00:00Z"),
            Some("2026-11-23".parse().unwrap())
        );
    }

    #[test]
    fn the_checklist_is_that_of_who_has_it_or_of_whom_it_was_for() {
        let versions = example::versions();
        let mut case = example::case();
        let first = "Vilken fastighet gäller det?";
        assert_eq!(Terms::of(&case, &versions).checklist()[0], first);
        case.department = Some("skola".parse().unwrap());
        assert_eq!(Terms::of(&case, &versions).checklist()[0], first);
        case.case_type = "okand".parse().unwrap();
        assert!(Terms::of(&case, &versions).checklist().is_empty());
    }

    #[test]
    fn lengths_are_told_to_the_minute() {
        let told = |seconds| length(SignedDuration::from_secs(seconds)).swedish;
        assert_eq!(told(0), "0 min");
        assert_eq!(told(59 * 60 + 59), "59 min");
        assert_eq!(told(3600), "1 tim");
        assert_eq!(told(45 * 3600 + 5 * 60), "45 tim 5 min");
    }
}
