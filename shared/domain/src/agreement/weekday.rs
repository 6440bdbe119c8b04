//! Weekdays as agreements write them: `tuesday`. For `#[serde(with = "domain::weekday")]`.

use jiff::civil::Weekday;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

const NAMES: [(Weekday, &str); 7] = [
    (Weekday::Monday, "monday"),
    (Weekday::Tuesday, "tuesday"),
    (Weekday::Wednesday, "wednesday"),
    (Weekday::Thursday, "thursday"),
    (Weekday::Friday, "friday"),
    (Weekday::Saturday, "saturday"),
    (Weekday::Sunday, "sunday"),
];

/// The weekday of a department's meeting with the centre unless its agreement says other.
pub fn of_meeting() -> Weekday {
    Weekday::Monday
}

/// Writes it as its English name in small letters.
///
/// # Errors
/// When the serializer cannot write text.
pub fn serialize<S: Serializer>(weekday: &Weekday, serializer: S) -> Result<S::Ok, S::Error> {
    let named = NAMES.iter().find(|(day, _)| day == weekday);
    serializer.serialize_str(named.map_or("monday", |(_, name)| name))
}

/// Reads what [`serialize`] writes.
///
/// # Errors
/// When it is no weekday.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Weekday, D::Error> {
    let text = String::deserialize(deserializer)?;
    let named = NAMES.iter().find(|(_, name)| *name == text);
    named.map(|(day, _)| *day).ok_or_else(|| {
        let names = NAMES.map(|(_, name)| name).join(", ");
        D::Error::custom(format!("must be one of {names}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_weekday_is_read_as_it_is_written() {
        for (day, name) in NAMES {
            let written = serialize(&day, serde_json::value::Serializer).unwrap();
            assert_eq!(written, name);
            assert_eq!(deserialize(written).unwrap(), day);
        }
    }

    #[test]
    fn other_words_are_no_weekday() {
        for word in ["Monday", "tisdag", "", "tue"] {
            let error = deserialize(serde_json::Value::from(word)).unwrap_err();
            assert!(error.to_string().contains("must be one of monday, tuesday"));
        }
    }
}
