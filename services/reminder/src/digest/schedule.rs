//! When digests are due. Pure.

use domain::{WorkingTime, local_day, start_of_day};
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
};

/// Whether the office is open, and so its morning has come. Who comes late, such as after a stop, sends late, but not at
/// night.
pub(crate) fn morning(office: &WorkingTime, now: Timestamp) -> bool {
    office.is_working(now)
}

/// The meeting day of this week, once that day or a later one of the week has begun to be worked.
pub(crate) fn week(working_time: &WorkingTime, meeting: Weekday, now: Timestamp) -> Option<Date> {
    let today = local_day(now);
    let since_monday = |day: Weekday| i32::from(day.to_monday_zero_offset());
    let since = since_monday(today.weekday()) - since_monday(meeting);
    (since >= 0 && working_time.is_working(now))
        .then(|| today.checked_sub(since.days()).ok())
        .flatten()
}

/// When the list before the meeting of the week that begins on `monday` is due, as [`week`] has it; `None` where nobody works
/// from then on until the week is over.
pub(crate) fn week_at(
    working_time: &WorkingTime,
    meeting: Weekday,
    monday: Date,
) -> Option<Timestamp> {
    let days = meeting.to_monday_zero_offset()..7;
    let mut days = days.filter_map(|day| monday.checked_add(i32::from(day).days()).ok());
    days.find_map(|day| working_time.spans_of(day).first().map(|(start, _)| *start))
}

/// The Monday of a day's week.
pub(crate) fn monday_of(day: Date) -> Date {
    let since = i32::from(day.weekday().to_monday_zero_offset());
    // Only the first days of all have none.
    day.checked_sub(since.days()).unwrap_or(day)
}

/// When the next day begins to be worked; today, if it has not begun.
pub(crate) fn next(working_time: &WorkingTime, now: Timestamp) -> Option<Timestamp> {
    if let Some((start, _)) = working_time.spans_of(local_day(now)).first()
        && *start > now
    {
        return Some(*start);
    }
    let tomorrow = local_day(now).tomorrow().ok()?;
    working_time.next_working(start_of_day(tomorrow).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office() -> WorkingTime {
        let hours = serde_json::json!({ "hours": {
            "monday": ["08:00-16:30"], "tuesday": ["08:00-16:30"], "wednesday": ["08:00-16:30"],
            "thursday": ["08:00-16:30"], "friday": ["08:00-16:30"],
        } });
        serde_json::from_value(hours).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        let local: jiff::civil::DateTime = text.parse().unwrap();
        local.to_zoned(domain::stockholm()).unwrap().timestamp()
    }

    #[test]
    fn the_morning_begins_when_the_office_opens() {
        let office = office();
        assert!(!morning(&office, at("2026-11-23 07:59")));
        assert!(morning(&office, at("2026-11-23 08:00")));
        assert!(!morning(&office, at("2026-11-22 12:00")), "a Sunday");
        assert_eq!(
            next(&office, at("2026-11-23 07:00")),
            Some(at("2026-11-23 08:00"))
        );
        assert_eq!(
            next(&office, at("2026-11-23 08:00")),
            Some(at("2026-11-24 08:00"))
        );
        // Over the weekend, and over Christmas.
        assert_eq!(
            next(&office, at("2026-11-27 17:00")),
            Some(at("2026-11-30 08:00"))
        );
        assert_eq!(
            next(&office, at("2026-12-23 17:00")),
            Some(at("2026-12-28 08:00"))
        );
    }

    #[test]
    fn a_meeting_on_a_holiday_is_told_of_on_the_next_working_day_of_the_week() {
        let office = office();
        let day = |text: &str| Some(text.parse::<Date>().unwrap());
        let of = |text: &str| week(&office, Weekday::Tuesday, at(text));
        assert_eq!(of("2026-11-23 09:00"), None, "Monday");
        assert_eq!(of("2026-11-24 07:00"), None, "before it opens");
        assert_eq!(of("2026-11-24 08:00"), day("2026-11-24"));
        assert_eq!(of("2026-11-26 10:00"), day("2026-11-24"));
        // Epiphany of 2026 is a Tuesday.
        assert_eq!(of("2026-01-06 10:00"), None);
        assert_eq!(of("2026-01-07 10:00"), day("2026-01-06"));
    }

    #[test]
    fn the_list_of_a_week_comes_as_soon_as_it_is_due() {
        let office = office();
        for meeting in [Weekday::Monday, Weekday::Tuesday, Weekday::Friday] {
            // Epiphany, an ordinary week, and Christmas week.
            for monday in ["2026-01-05", "2026-11-23", "2026-12-21"] {
                let monday: Date = monday.parse().unwrap();
                let Some(due) = week_at(&office, meeting, monday) else {
                    assert_eq!(
                        (meeting, monday.to_string().as_str()),
                        (Weekday::Friday, "2026-12-21")
                    );
                    continue;
                };
                let before = due.checked_sub(1.second()).unwrap();
                assert_eq!(week(&office, meeting, before), None);
                let told = week(&office, meeting, due).unwrap();
                assert_eq!((told.weekday(), monday_of(told)), (meeting, monday));
            }
        }
    }
}
