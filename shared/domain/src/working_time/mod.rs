//! Working time: which instants a department works, and reckoning in them. Time limits of forwarded cases are counted in
//! it, and reminders wait for it (the audit's recommendation).

mod closure;
mod holidays;
mod instants;
mod opening_hours;
#[cfg(test)]
mod slow_version;
#[cfg(test)]
mod tests;

pub use closure::Closure;
pub use holidays::{DayKind, day_kind};
pub use opening_hours::{CivilSpan, DayHours, InvalidHours, OpeningHours};

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, Weekday},
};
use serde::{Deserialize, Serialize};

use crate::local_day;

/// How many years ahead [`WorkingTime::add`] and [`WorkingTime::next_working`] look: further than any time limit, and
/// near enough that hours which never open are found out in milliseconds.
const HORIZON_YEARS: i16 = 10;

/// When a department works: its hours in an ordinary week, less Swedish holidays, eves and the municipality's own
/// closures. Local time is that of Europe/Stockholm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkingTime {
    /// The hours of an ordinary week, and of half days.
    pub hours: OpeningHours,
    /// The municipality's own closed and shortened days, in any order; they may overlap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closures: Vec<Closure>,
}

impl WorkingTime {
    /// The hours of one day by the clock on the wall: those of its weekday, none on holidays and eves, those of half
    /// days, and of these what closures leave.
    pub fn hours_on(&self, day: Date) -> DayHours {
        let hours = match day_kind(day) {
            DayKind::Ordinary => self.hours.on(day.weekday()).clone(),
            DayKind::HalfDay(_) => self.hours.on_half_day(day.weekday()),
            DayKind::Holiday(_) | DayKind::Eve(_) => DayHours::default(),
        };
        self.closures_on(day)
            .fold(hours, |left, closure| closure.leaves_of(&left))
    }

    /// The instants of the local `day` that are worked: ascending ranges with gaps between them, each without its end.
    ///
    /// Worked is when the clock on the wall shows a time within the day's hours. So an hour that the clocks skip is
    /// not worked, one that they repeat is worked twice, and a span that ends within a repeated hour is two ranges.
    /// A day at the edge of the calendar (year -9999 or 9999) has no instants.
    pub fn spans_of(&self, day: Date) -> Vec<(Timestamp, Timestamp)> {
        let hours = self.hours_on(day);
        if hours.is_empty() {
            return Vec::new();
        }
        instants::instants(day, hours.spans()).unwrap_or_default()
    }

    /// Whether `at` is worked. The instant at which the hours end is not.
    pub fn is_working(&self, at: Timestamp) -> bool {
        self.spans_of(local_day(at))
            .iter()
            .any(|(start, end)| (*start..*end).contains(&at))
    }

    /// The first worked instant from `at` on, `at` itself included; `None` when there is none within ten years.
    pub fn next_working(&self, at: Timestamp) -> Option<Timestamp> {
        self.spans_from(at, horizon(at))
            .next()
            .map(|(start, _)| start)
    }

    /// The earliest instant, `at` or later, by which `working` has been worked since `at`: when a time limit passes.
    ///
    /// A limit that is used up as the hours end has passed then, not when they begin again; a limit of zero (or less)
    /// has passed at `at`, worked or not. Use [`Self::next_working`] on the answer for an act that needs working hours.
    /// `None` when so much is not worked within ten years: the hours never open, or it is no time limit.
    pub fn add(&self, at: Timestamp, working: SignedDuration) -> Option<Timestamp> {
        let mut left = working;
        if left <= SignedDuration::ZERO {
            return Some(at);
        }
        for (start, end) in self.spans_from(at, horizon(at)) {
            let length = end.duration_since(start);
            if left <= length {
                return start.checked_add(left).ok();
            }
            left -= length;
        }
        None
    }

    /// How much is worked from `from` until just before `until`; zero when `until` is not after `from`. Takes time in
    /// proportion to the days between: some milliseconds for ten years.
    ///
    /// Whatever [`Self::add`] answers is right by it: `between(at, add(at, limit)) == limit` for limits from zero.
    pub fn between(&self, from: Timestamp, until: Timestamp) -> SignedDuration {
        self.spans_from(from, local_day(until))
            .take_while(|(start, _)| *start < until)
            .map(|(start, end)| end.min(until).duration_since(start))
            .sum()
    }

    /// Why a day has other hours than its weekday, or none, in Swedish: `midsommarafton`, `lördag`, a closure's reason,
    /// `skärtorsdagen, öppet 08:00-12:00`. `None` on a day with its weekday's hours.
    ///
    /// Where there are several reasons it is the one that holds for every municipality, then the one that holds every
    /// week; closures are told only where they make a difference.
    pub fn why_closed(&self, day: Date) -> Option<String> {
        let ordinary = self.hours.on(day.weekday());
        let (mut hours, half_day) = match day_kind(day) {
            DayKind::Holiday(name) | DayKind::Eve(name) => return Some(name.to_owned()),
            _ if ordinary.is_empty() => return Some(swedish(day.weekday()).to_owned()),
            DayKind::HalfDay(name) => (self.hours.on_half_day(day.weekday()), Some(name)),
            DayKind::Ordinary => (ordinary.clone(), None),
        };
        let mut reasons: Vec<&str> = half_day
            .filter(|_| hours != *ordinary)
            .into_iter()
            .collect();
        for closure in self.closures_on(day) {
            let left = closure.leaves_of(&hours);
            if closure.hours().is_none() {
                return Some(closure.why().to_owned());
            }
            if left != hours {
                reasons.push(closure.why());
            }
            hours = left;
        }
        match (reasons.join(", "), hours.is_empty()) {
            (reasons, _) if reasons.is_empty() => None,
            (reasons, true) => Some(reasons),
            (reasons, false) => Some(format!("{reasons}, öppet {hours}")),
        }
    }

    fn closures_on(&self, day: Date) -> impl Iterator<Item = &Closure> {
        self.closures
            .iter()
            .filter(move |closure| closure.covers(day))
    }

    /// What is worked from `from` until the end of the local day `last`, ascending.
    fn spans_from(
        &self,
        from: Timestamp,
        last: Date,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        std::iter::successors(Some(local_day(from)), |day| day.tomorrow().ok())
            .take_while(move |day| *day <= last)
            .flat_map(|day| self.spans_of(day))
            .filter(move |(_, end)| *end > from)
            .map(move |(start, end)| (start.max(from), end))
    }
}

fn horizon(at: Timestamp) -> Date {
    local_day(at).saturating_add(HORIZON_YEARS.years())
}

fn swedish(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "måndag",
        Weekday::Tuesday => "tisdag",
        Weekday::Wednesday => "onsdag",
        Weekday::Thursday => "torsdag",
        Weekday::Friday => "fredag",
        Weekday::Saturday => "lördag",
        Weekday::Sunday => "söndag",
    }
}
