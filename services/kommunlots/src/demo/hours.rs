//! The centre's hours: local time in Sweden, weekdays, opening and closing.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;

/// Minutes after local midnight. Opening hours and rotas are agreed in local time, whatever the offset is that day.
pub(super) type Minute = i64;

/// The demo's days begin here, so that a watcher sees the doors open.
pub(super) const MORNING: Minute = 7 * 60 + 55;
/// Phone and reception open.
pub(super) const OPENING: Minute = 8 * 60;
/// Phone and reception close; written contacts wait for the next day.
pub(super) const CLOSING: Minute = 16 * 60 + 30;
/// The last talk is long over by now: nothing more to watch until the next morning.
pub(super) const EVENING: Minute = 17 * 60 + 30;
/// A start up to here gets the whole morning; a later one begins where the clock stands.
const LATE_START: Minute = 8 * 60 + 30;

static STOCKHOLM: LazyLock<TimeZone> = LazyLock::new(|| {
    TimeZone::get("Europe/Stockholm").expect("the time-zone database is bundled with jiff")
});

/// The instant of a local minute of a date.
pub(super) fn at(date: Date, minute: Minute) -> Timestamp {
    let (hour, minute) = (minute.div_euclid(60), minute.rem_euclid(60));
    let local = date.at(hour as i8, minute as i8, 0, 0);
    STOCKHOLM
        .to_timestamp(local)
        .expect("a date of the demo lies within jiff's range")
}

/// The local date and time of an instant.
pub(super) fn local(instant: Timestamp) -> DateTime {
    STOCKHOLM.to_datetime(instant)
}

/// The local minute of the day of an instant.
pub(super) fn minute_of(local: DateTime) -> Minute {
    i64::from(local.hour()) * 60 + i64::from(local.minute())
}

/// Monday to Friday. Public holidays count as weekdays: the demo would show an empty wallboard on them.
pub(super) fn is_weekday(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The weekday after a date.
pub(super) fn weekday_after(date: Date) -> Date {
    step(date, Date::tomorrow)
}

/// The weekday before a date.
pub(super) fn weekday_before(date: Date) -> Date {
    step(date, Date::yesterday)
}

fn step(mut date: Date, by: impl Fn(Date) -> Result<Date, jiff::Error>) -> Date {
    loop {
        date = by(date).expect("a date of the demo lies within jiff's range");
        if is_weekday(date) {
            return date;
        }
    }
}

/// 07:55 local of the first weekday whose 07:55 has not passed at `after`.
pub(crate) fn opening_morning(after: Timestamp) -> Timestamp {
    let date = local(after).date();
    let today = at(date, MORNING);
    if is_weekday(date) && after <= today {
        return today;
    }
    at(weekday_after(date), MORNING)
}

/// The working day to simulate at `now`, and the instant to simulate it from: the day that is going, or the next one
/// when it is evening or a weekend. None means from its beginning, with what was written in the night before.
pub(super) fn day_at(now: Timestamp) -> (Date, Option<Timestamp>) {
    let local = local(now);
    let (date, minute) = (local.date(), minute_of(local));
    if !is_weekday(date) || minute >= EVENING {
        return (weekday_after(date), None);
    }
    (date, (minute > LATE_START).then_some(now))
}
