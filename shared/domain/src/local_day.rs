//! The day a citizen would name: the calendar day in Sweden.

use std::sync::LazyLock;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

pub(crate) static STOCKHOLM: LazyLock<TimeZone> = LazyLock::new(|| {
    // The time zone database is compiled in, so only a broken build lacks this zone; UTC would then be wrong silently.
    TimeZone::get("Europe/Stockholm").expect("Europe/Stockholm is in the compiled-in database")
});

/// Swedish time, in which days, hours and limits are counted.
pub fn stockholm() -> TimeZone {
    STOCKHOLM.clone()
}

/// The day in Europe/Stockholm that holds `at`.
pub fn local_day(at: Timestamp) -> Date {
    STOCKHOLM.to_datetime(at).date()
}

/// The first instant of `day` in Europe/Stockholm.
///
/// # Errors
/// When the day lies at the edge of the calendar (year -9999 or 9999).
pub fn start_of_day(day: Date) -> Result<Timestamp, jiff::Error> {
    Ok(day.to_zoned(STOCKHOLM.clone())?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        local_day(text.parse().unwrap())
    }

    #[test]
    fn days_turn_at_local_midnight_also_around_the_changes_of_the_clocks() {
        assert_eq!(day("2021-02-01T22:59:59Z"), "2021-02-01".parse().unwrap());
        assert_eq!(day("2021-02-01T23:00:00Z"), "2021-02-02".parse().unwrap());
        // Summer time began on 28 March 2021: midnight is 23:00Z before and 22:00Z after.
        assert_eq!(day("2021-03-27T23:00:00Z"), "2021-03-28".parse().unwrap());
        assert_eq!(day("2021-03-28T21:59:59Z"), "2021-03-28".parse().unwrap());
        assert_eq!(day("2021-03-28T22:00:00Z"), "2021-03-29".parse().unwrap());
        // It ended on 31 October 2021.
        assert_eq!(day("2021-10-30T22:00:00Z"), "2021-10-31".parse().unwrap());
        assert_eq!(day("2021-10-31T22:59:59Z"), "2021-10-31".parse().unwrap());
        assert_eq!(
            start_of_day("2021-10-31".parse().unwrap()).unwrap(),
            "2021-10-30T22:00:00Z".parse().unwrap()
        );
    }
}
