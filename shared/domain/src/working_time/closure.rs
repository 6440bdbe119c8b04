//! A municipality's own closed and shortened days.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::opening_hours::{DayHours, InvalidHours};

/// Days on which the municipality is closed, or open for shorter, by its own decision.
///
/// It only closes: time outside its hours is not worked, and nothing is open that would not be open without it. So
/// summer hours may run over weekends and holidays, and it does not matter in which order closures overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ClosureFields")]
pub struct Closure {
    from: Date,
    until: Date,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<DayHours>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClosureFields {
    from: Date,
    until: Date,
    why: String,
    #[serde(default)]
    hours: Option<DayHours>,
}

impl Closure {
    /// A closure from the local day `from` until the local day `until`, both included. `why` is Swedish and shown to
    /// guides and officers; `hours` are what is left of each day, nothing when `None`.
    ///
    /// # Errors
    /// When `until` comes before `from`, or `why` is blank.
    pub fn new(
        from: Date,
        until: Date,
        why: String,
        hours: Option<DayHours>,
    ) -> Result<Self, InvalidHours> {
        if until < from {
            return Err(InvalidHours(
                "`until` must not be before `from`; it is the last day of the closure",
            ));
        }
        if why.trim().is_empty() {
            return Err(InvalidHours("`why` must say why, such as `planeringsdag`"));
        }
        Ok(Self {
            from,
            until,
            why,
            hours,
        })
    }

    /// The first local day.
    pub fn from(&self) -> Date {
        self.from
    }

    /// The last local day.
    pub fn until(&self) -> Date {
        self.until
    }

    /// Why, in Swedish.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// The hours outside which it is closed; `None` when it is closed all day.
    pub fn hours(&self) -> Option<&DayHours> {
        self.hours.as_ref()
    }

    /// Whether it is about `day`.
    pub(super) fn covers(&self, day: Date) -> bool {
        (self.from..=self.until).contains(&day)
    }

    /// What it leaves of a day's hours.
    pub(super) fn leaves_of(&self, day: &DayHours) -> DayHours {
        self.hours
            .as_ref()
            .map_or_else(DayHours::default, |hours| day.within(hours))
    }
}

impl TryFrom<ClosureFields> for Closure {
    type Error = InvalidHours;
    fn try_from(fields: ClosureFields) -> Result<Self, InvalidHours> {
        Self::new(fields.from, fields.until, fields.why, fields.hours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        serde_json::from_str::<Closure>(text)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_closure_has_days_and_a_reason() {
        let backwards = r#"{"from": "2021-07-02", "until": "2021-07-01", "why": "flytt"}"#;
        assert!(error(backwards).starts_with("`until` must not be before `from`"));
        let silent = r#"{"from": "2021-07-01", "until": "2021-07-01", "why": " "}"#;
        assert!(error(silent).starts_with("`why` must say why"));
        let misspelt =
            r#"{"from": "2021-07-01", "until": "2021-07-01", "why": "flytt", "hour": []}"#;
        assert!(error(misspelt).contains("unknown field"));
    }
}
