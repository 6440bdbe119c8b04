//! Opening hours as a municipality writes them: for each weekday, spans of local time.

use std::{fmt, str::FromStr};

use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};

/// Why something about working time is not valid, in words for the one who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidHours(pub(super) &'static str);

/// A span of local time within a day, in whole minutes, written `08:00-12:00`; its end, at most 24:00, is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CivilSpan {
    /// Minutes from local midnight by the clock on the wall, below `end`.
    pub(super) start: u16,
    /// As `start`, at most 1440.
    pub(super) end: u16,
}

impl FromStr for CivilSpan {
    type Err = InvalidHours;
    fn from_str(text: &str) -> Result<Self, InvalidHours> {
        let (start, end) = text
            .split_once('-')
            .and_then(|(start, end)| Some((minute_of_day(start)?, minute_of_day(end)?)))
            .ok_or(InvalidHours(
                "must be hours and minutes from 00:00 to 24:00 with a hyphen between, such as `08:00-12:00`",
            ))?;
        if start < end {
            Ok(Self { start, end })
        } else {
            Err(InvalidHours(
                "must end after it starts; split hours that pass midnight, such as `22:00-24:00` on the first day and \
                 `00:00-06:00` on the next",
            ))
        }
    }
}

fn minute_of_day(text: &str) -> Option<u16> {
    let &[h1, h2, b':', m1, m2] = text.as_bytes() else {
        return None;
    };
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
    let hour = digit(h1)? * 10 + digit(h2)?;
    let minute = digit(m1)? * 10 + digit(m2)?;
    let of_day = hour * 60 + minute;
    (minute < 60 && of_day <= 24 * 60).then_some(of_day)
}

impl TryFrom<String> for CivilSpan {
    type Error = InvalidHours;
    fn try_from(text: String) -> Result<Self, InvalidHours> {
        text.parse()
    }
}

impl From<CivilSpan> for String {
    fn from(span: CivilSpan) -> String {
        span.to_string()
    }
}

impl fmt::Display for CivilSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, end } = self;
        let (start_hour, start_minute) = (start / 60, start % 60);
        let (end_hour, end_minute) = (end / 60, end % 60);
        write!(
            f,
            "{start_hour:02}:{start_minute:02}-{end_hour:02}:{end_minute:02}"
        )
    }
}

/// The hours of one day: spans in ascending order that do not overlap. A closed lunch hour is a gap; none is a closed day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<CivilSpan>", into = "Vec<CivilSpan>")]
pub struct DayHours(Vec<CivilSpan>);

impl DayHours {
    /// The spans, ascending.
    pub fn spans(&self) -> &[CivilSpan] {
        &self.0
    }

    /// Whether it is a closed day.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The time that lies in both.
    pub(super) fn within(&self, other: &Self) -> Self {
        let pairs = self
            .0
            .iter()
            .flat_map(|a| other.0.iter().map(move |b| (a, b)));
        let common = pairs.map(|(a, b)| CivilSpan {
            start: a.start.max(b.start),
            end: a.end.min(b.end),
        });
        Self(common.filter(|span| span.start < span.end).collect())
    }
}

impl TryFrom<Vec<CivilSpan>> for DayHours {
    type Error = InvalidHours;
    fn try_from(spans: Vec<CivilSpan>) -> Result<Self, InvalidHours> {
        if spans.is_sorted_by(|a, b| a.end <= b.start) {
            Ok(Self(spans))
        } else {
            Err(InvalidHours(
                "must be in order without overlaps, such as `08:00-12:00`, `13:00-16:30`",
            ))
        }
    }
}

impl From<DayHours> for Vec<CivilSpan> {
    fn from(hours: DayHours) -> Vec<CivilSpan> {
        hours.0
    }
}

impl fmt::Display for DayHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, span) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{span}")?;
        }
        Ok(())
    }
}

/// When a department works in an ordinary week, in local time; a weekday that is not given is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpeningHours {
    /// Mondays.
    #[serde(skip_serializing_if = "DayHours::is_empty")]
    pub monday: DayHours,
    /// Tuesdays.
    #[serde(skip_serializing_if = "DayHours::is_empty")]
    pub tuesday: DayHours,
    /// Wednesdays.
    #[serde(skip_serializing_if = "DayHours::is_empty")]
    pub wednesday: DayHours,
    /// Thursdays.
    #[serde(skip_serializing_if = "DayHours::is_empty")]
    pub thursday: DayHours,
    /// Fridays.
    #[serde(skip_serializing_if = "DayHours::is_empty")]
    pub friday: DayHours,
    /// Saturdays.
    #[serde(skip_serializing_if = "DayHours::is_empty")]
    pub saturday: DayHours,
    /// Sundays.
    #[serde(skip_serializing_if = "DayHours::is_empty")]
    pub sunday: DayHours,
    /// Hours on half days (see [`crate::DayKind::HalfDay`]) instead of those of a weekday that is open: empty where
    /// half days are closed. Where not given, the weekday's hours end at 12:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_day: Option<DayHours>,
}

/// The part of a half day that is worked where the municipality says nothing else.
const MORNING: CivilSpan = CivilSpan {
    start: 0,
    end: 12 * 60,
};

impl OpeningHours {
    /// The hours of an ordinary day.
    pub fn on(&self, weekday: Weekday) -> &DayHours {
        match weekday {
            Weekday::Monday => &self.monday,
            Weekday::Tuesday => &self.tuesday,
            Weekday::Wednesday => &self.wednesday,
            Weekday::Thursday => &self.thursday,
            Weekday::Friday => &self.friday,
            Weekday::Saturday => &self.saturday,
            Weekday::Sunday => &self.sunday,
        }
    }

    /// The hours of a half day. It shortens a working day, so it opens no weekday that is closed.
    pub fn on_half_day(&self, weekday: Weekday) -> DayHours {
        let ordinary = self.on(weekday);
        match &self.half_day {
            Some(hours) if !ordinary.is_empty() => hours.clone(),
            _ => ordinary.within(&DayHours(vec![MORNING])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(text: &str) -> Result<DayHours, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn spans_are_read_and_written_alike() {
        for good in ["08:00-12:00", "00:00-24:00", "23:59-24:00", "00:00-00:01"] {
            assert_eq!(good.parse::<CivilSpan>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "-",
            "8:00-12:00",
            "08:00",
            "08:00-12:60",
            "08:00-24:01",
            "08:00–12:00",
            "08.00-12.00",
            "08:00-12:00 ",
            "0٨:00-12:00",
            "25:00-26:00",
        ] {
            let error = bad.parse::<CivilSpan>().unwrap_err().to_string();
            assert!(error.contains("such as `08:00-12:00`"), "{bad}: {error}");
        }
        for bad in ["12:00-12:00", "22:00-06:00", "24:00-24:00"] {
            let error = bad.parse::<CivilSpan>().unwrap_err().to_string();
            assert!(
                error.starts_with("must end after it starts"),
                "{bad}: {error}"
            );
        }
    }

    #[test]
    fn a_days_spans_are_in_order() {
        assert!(hours(r#"["08:00-12:00", "13:00-16:30"]"#).is_ok());
        assert!(hours(r#"["08:00-12:00", "12:00-16:30"]"#).is_ok());
        assert!(hours("[]").unwrap().is_empty());
        for bad in [
            r#"["13:00-16:30", "08:00-12:00"]"#,
            r#"["08:00-12:01", "12:00-16:30"]"#,
            r#"["08:00-12:00", "08:00-12:00"]"#,
        ] {
            let error = hours(bad).unwrap_err();
            assert!(error.starts_with("must be in order"), "{error}");
        }
    }

    #[test]
    fn a_half_day_opens_nothing_that_is_closed() {
        let text = r#"{"monday": ["09:00-11:00", "11:30-15:00"], "half_day": ["08:00-13:00"]}"#;
        let given: OpeningHours = serde_json::from_str(text).unwrap();
        assert_eq!(
            given.on_half_day(Weekday::Monday).to_string(),
            "08:00-13:00"
        );
        assert!(given.on_half_day(Weekday::Tuesday).is_empty());
        let absent = OpeningHours {
            half_day: None,
            ..given.clone()
        };
        assert_eq!(
            absent.on_half_day(Weekday::Monday).to_string(),
            "09:00-11:00, 11:30-12:00"
        );
        let closed = OpeningHours {
            half_day: Some(DayHours::default()),
            ..given
        };
        assert!(closed.on_half_day(Weekday::Monday).is_empty());
    }

    #[test]
    fn a_misspelt_weekday_is_no_closed_day() {
        assert!(serde_json::from_str::<OpeningHours>(r#"{"mondag": ["08:00-12:00"]}"#).is_err());
    }
}
