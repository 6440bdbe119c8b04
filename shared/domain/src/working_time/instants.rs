//! From the clock on the wall to instants.

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::opening_hours::CivilSpan;
use crate::{local_day::STOCKHOLM, start_of_day};

/// The instants of `day` at which a clock on a Swedish wall shows a time within `spans` (ascending, without overlaps):
/// ascending ranges with gaps between them, each without its end.
///
/// An hour that the clocks skip has no instants, and one that they repeat has them twice. A span whose end lies in a
/// repeated hour is two ranges, since the clock shows its last part again.
///
/// # Errors
/// When the day lies at the edge of the calendar (year -9999 or 9999).
pub(super) fn instants(
    day: Date,
    spans: &[CivilSpan],
) -> Result<Vec<(Timestamp, Timestamp)>, jiff::Error> {
    let mut ranges: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, until) in stretches(day)? {
        // Local midnight as it would be had the offset been the same all day.
        let midnight = STOCKHOLM.to_offset(from).to_timestamp(day.into())?;
        let at = |minute: u16| midnight.checked_add(SignedDuration::from_mins(minute.into()));
        for span in spans {
            let (start, end) = (at(span.start)?.max(from), at(span.end)?.min(until));
            match ranges.last_mut() {
                _ if start >= end => {}
                Some(last) if last.1 == start => last.1 = end,
                _ => ranges.push((start, end)),
            }
        }
    }
    Ok(ranges)
}

/// The parts of a day between changes of the clocks: one on most days, two on the days that have a change.
fn stretches(day: Date) -> Result<Vec<(Timestamp, Timestamp)>, jiff::Error> {
    let (start, end) = (start_of_day(day)?, start_of_day(day.tomorrow()?)?);
    let changes = STOCKHOLM.following(start).map(|change| change.timestamp());
    let mut bounds = vec![start];
    bounds.extend(changes.take_while(|at| *at < end));
    bounds.push(end);
    Ok(bounds.windows(2).map(|pair| (pair[0], pair[1])).collect())
}
