//! Local times as an export writes them.

use anyhow::{Context, ensure};
use jiff::{
    SignedDuration, Timestamp,
    civil::{DateTime, date},
    fmt::strtime::BrokenDownTime,
    tz::{AmbiguousOffset, TimeZone},
};

/// How an export writes its times.
#[derive(Debug)]
pub(super) struct Times {
    zone: TimeZone,
    /// Tried in order.
    formats: Vec<String>,
}

/// A time that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// The time; of a day without a time of day, its beginning.
    pub(super) at: Timestamp,
    /// The last microsecond of a day without a time of day.
    pub(super) end: Option<Timestamp>,
}

impl Moment {
    /// As a limit: a day without a time of day is a limit that holds to its end.
    pub(super) fn as_limit(self) -> Timestamp {
        self.end.unwrap_or(self.at)
    }

    /// As a closing of what was registered at `registered`: on the same day, it came after that.
    pub(super) fn as_closing(self, registered: Timestamp) -> Timestamp {
        match self.end {
            Some(end) if self.at < registered && registered <= end => registered,
            _ => self.at,
        }
    }
}

impl Times {
    /// Times of a zone, such as `Europe/Stockholm`, in formats as `strftime` has them.
    ///
    /// # Errors
    /// When there is no such zone, or a format that no time can be read with.
    pub(super) fn new(zone: &str, formats: Vec<String>) -> anyhow::Result<Self> {
        let zone = TimeZone::get(zone).with_context(|| {
            format!("time_zone: there is no zone `{zone}`; write one such as `Europe/Stockholm`")
        })?;
        ensure!(
            !formats.is_empty(),
            "time_formats: name at least one, such as `%Y-%m-%d %H:%M:%S`"
        );
        let times = Self { zone, formats };
        for format in &times.formats {
            times.check(format).with_context(|| {
                format!(
                    "time_formats: `{format}` cannot be used; write one such as `%Y-%m-%d %H:%M:%S`"
                )
            })?;
        }
        Ok(times)
    }

    /// Whether the format reads what it writes, to the day at least.
    fn check(&self, format: &str) -> anyhow::Result<()> {
        let sample = date(2015, 12, 31).at(21, 43, 58, 0);
        let zoned = self.zone.to_zoned(sample)?;
        let written = jiff::fmt::strtime::format(format, &zoned)?;
        let day = BrokenDownTime::parse(format, &written)?
            .to_datetime()?
            .date();
        ensure!(day == sample.date(), "it does not tell the day");
        Ok(())
    }

    /// The time that `text` says; `None` where it is none in these formats.
    pub(super) fn read(&self, text: &str) -> Option<Moment> {
        let mut formats = self.formats.iter();
        let read = formats.find_map(|format| BrokenDownTime::parse(format, text).ok())?;
        if read.offset().is_some() || read.timestamp().is_some() {
            let at = read.to_timestamp().ok()?;
            return Some(Moment { at, end: None });
        }
        let local = read.to_datetime().ok()?;
        let at = self.instant(local)?;
        let end = match read.hour() {
            Some(_) => None,
            None => {
                let next = local
                    .date()
                    .tomorrow()
                    .ok()?
                    .to_datetime(jiff::civil::Time::midnight());
                Some(self.instant(next)? - SignedDuration::from_micros(1))
            }
        };
        Some(Moment { at, end })
    }

    /// The instant of a local time. Of one that was twice, when clocks were set back, the first. One that never was, when
    /// they were set forward, is the moment of the change. So what is later in the export is never earlier here, and what it
    /// closed in time stays closed in time.
    fn instant(&self, local: DateTime) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_zoned(local);
        let skipped = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        let instant = ambiguous.compatible().ok()?.timestamp();
        if !skipped {
            return Some(instant);
        }
        let change = self
            .zone
            .preceding(instant + SignedDuration::from_secs(1))
            .next()?;
        Some(change.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(zone: &str, formats: &[&str]) -> anyhow::Result<Times> {
        Times::new(zone, formats.iter().map(|f| (*f).to_owned()).collect())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn local_times_become_instants() {
        let boston = times("America/New_York", &["%m/%d/%Y %I:%M:%S %p"]).unwrap();
        let read = |text| boston.read(text).map(|m| m.at);
        assert_eq!(
            read("01/01/2015 07:27:13 AM"),
            Some(at("2015-01-01T12:27:13Z"))
        );
        assert_eq!(
            read("07/01/2015 12:00:00 AM"),
            Some(at("2015-07-01T04:00:00Z"))
        );
        assert_eq!(
            read("07/01/2015 12:00:00 PM"),
            Some(at("2015-07-01T16:00:00Z"))
        );
        for wrong in [
            "",
            "13/01/2015 07:27:13 AM",
            "02/30/2015 07:27:13 AM",
            "2015-01-01",
            "01/01/2015 07:27:13 AM x",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_order_of_local_times_holds_when_clocks_change() {
        let boston = times("America/New_York", &["%Y-%m-%d %H:%M"]).unwrap();
        let read = |text| boston.read(text).unwrap().at;
        // Forward at 02:00: 02:30 never was.
        assert_eq!(read("2015-03-08 02:00"), at("2015-03-08T07:00:00Z"));
        assert_eq!(read("2015-03-08 02:30"), at("2015-03-08T07:00:00Z"));
        assert_eq!(read("2015-03-08 03:10"), at("2015-03-08T07:10:00Z"));
        // Back at 02:00: 01:30 was twice.
        assert_eq!(read("2015-11-01 01:30"), at("2015-11-01T05:30:00Z"));
        assert_eq!(read("2015-11-01 02:00"), at("2015-11-01T07:00:00Z"));
        let mut last = read("2015-01-01 00:00");
        let mut local = date(2015, 1, 1).at(0, 0, 0, 0);
        while local.date() < date(2016, 1, 1) {
            local = local.saturating_add(SignedDuration::from_mins(10));
            let next = boston.instant(local).unwrap();
            assert!(next >= last, "{local}");
            last = next;
        }
    }

    #[test]
    fn a_day_is_a_limit_to_its_end_and_a_closing_after_its_registration() {
        let swedish = times("Europe/Stockholm", &["%Y-%m-%d %H:%M", "%Y-%m-%d"]).unwrap();
        let day = swedish.read("2019-05-03").unwrap();
        assert_eq!(day.as_limit(), at("2019-05-03T21:59:59.999999Z"));
        let morning = swedish.read("2019-05-03 10:12").unwrap();
        assert_eq!(morning.as_limit(), at("2019-05-03T08:12:00Z"));
        assert_eq!(day.as_closing(morning.at), morning.at);
        let next = swedish.read("2019-05-04 00:00").unwrap();
        assert_eq!(
            day.as_closing(next.at),
            day.at,
            "a day before is a mistake, and stays one"
        );
    }

    #[test]
    fn an_offset_in_the_text_counts_before_the_zone() {
        let with = times("Europe/Stockholm", &["%Y-%m-%dT%H:%M:%S%:z"]).unwrap();
        let read = with.read("2019-05-03T10:12:00-04:00").unwrap();
        assert_eq!(read.at, at("2019-05-03T14:12:00Z"));
    }

    #[test]
    fn zones_and_formats_that_cannot_be_are_named() {
        let said = |zone: &str, formats: &[&str]| {
            let error = times(zone, formats).unwrap_err();
            format!("{error:#}")
        };
        assert!(said("Boston", &["%Y-%m-%d"]).contains("time_zone: there is no zone `Boston`"));
        assert!(said("UTC", &[]).contains("time_formats: name at least one"));
        for wrong in ["%Q", "%H:%M", "yyyy-MM-dd", "%Y-%m", ""] {
            let error = said("UTC", &[wrong]);
            assert!(
                error.contains(&format!("time_formats: `{wrong}` cannot be used")),
                "{error}"
            );
        }
    }
}
