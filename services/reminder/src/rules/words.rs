//! How times and lengths are said.

use domain::Words;
use jiff::{SignedDuration, Timestamp, Zoned, civil::Weekday};

/// A local time as people in Sweden write it, such as `2026-11-23 16:30`.
pub(crate) fn local(at: Timestamp) -> String {
    said(&in_sweden(at))
}

fn said(at: &Zoned) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

fn in_sweden(at: Timestamp) -> Zoned {
    at.to_zoned(domain::stockholm())
}

/// A local time with its weekday, such as `måndag 2026-11-23 16:30`.
pub(super) fn moment(at: Timestamp) -> Words {
    let at = in_sweden(at);
    let (swedish, english) = match at.weekday() {
        Weekday::Monday => ("måndag", "Monday"),
        Weekday::Tuesday => ("tisdag", "Tuesday"),
        Weekday::Wednesday => ("onsdag", "Wednesday"),
        Weekday::Thursday => ("torsdag", "Thursday"),
        Weekday::Friday => ("fredag", "Friday"),
        Weekday::Saturday => ("lördag", "Saturday"),
        Weekday::Sunday => ("söndag", "Sunday"),
    };
    let said = said(&at);
    words(format!("{swedish} {said}"), format!("{english} {said}"))
}

/// A length of working time without its unit, in tenths of hours that have passed in full: `12,5` and `12.5`.
pub(super) fn hours(length: SignedDuration) -> Words {
    let tenths = length.as_secs().max(0) / 360;
    let (whole, tenth) = (tenths / 10, tenths % 10);
    if tenth == 0 {
        words(whole.to_string(), whole.to_string())
    } else {
        words(format!("{whole},{tenth}"), format!("{whole}.{tenth}"))
    }
}

/// A length of working time: `12,5 arbetstimmar` and `12.5 working hours`.
pub(super) fn working_hours(length: SignedDuration) -> Words {
    let Words { swedish, english } = hours(length);
    if swedish == "1" {
        words("1 arbetstimme".to_owned(), "1 working hour".to_owned())
    } else {
        words(
            format!("{swedish} arbetstimmar"),
            format!("{english} working hours"),
        )
    }
}

/// The same said in Swedish and in English.
pub(super) fn words(swedish: String, english: String) -> Words {
    Words { swedish, english }
}

/// As it begins a sentence.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// As it stands within a sentence.
pub(super) fn small(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).collect()
}
