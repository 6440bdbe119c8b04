//! What a client may send of an older system's case, and what it means.

use domain::{CaseId, CaseOutcome, CaseType, Department, HistoricalName};
use jiff::{SignedDuration, Timestamp};
use platform::http::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::names;

/// Clocks may differ by this much; what lies further ahead is a mistake.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// A case as an older system's export has it. No text and nobody's name: they stay where they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryInput {
    /// The older system, 1-32 of `a-z`, `0-9`, `-`: its case numbers are its own. Always the same for the same system.
    #[schema(example = "castor")]
    pub system: String,
    /// The case's number in that system, 1-128 characters. It must not be a citizen's number.
    #[schema(example = "2019-004711", min_length = 1, max_length = 128)]
    pub case: String,
    /// When it was registered; it counts as forwarded at the same time.
    #[schema(example = "2019-11-25T08:02:28+01:00")]
    pub registered_at: Timestamp,
    /// When it was to be closed, where it had a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// When it was closed; without it, it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// How it ended, with `closed_at` only; `done` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<CaseOutcome>,
    /// Its type, as that system calls it, 1-200 characters.
    #[schema(example = "Bygglov", min_length = 1, max_length = 200)]
    pub case_type: String,
    /// The department's code in that system, such as `ISD`. One that the agreements do not have is kept as it is.
    #[schema(example = "ISD")]
    pub department_code: HistoricalName,
    /// The department of the agreements that it is now, where the code is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "bygg")]
    pub department: Option<Department>,
    /// The queue that it was in there; the department's code unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<HistoricalName>,
}

/// A case that was somewhere else before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Past {
    pub(crate) id: CaseId,
    /// Whole microseconds, as the database keeps them; so are the other times.
    pub(crate) registered_at: Timestamp,
    pub(crate) due: Option<Timestamp>,
    /// When and how it ended; not before it was registered.
    pub(crate) closed: Option<(Timestamp, CaseOutcome)>,
    pub(crate) case_type: CaseType,
    pub(crate) department_code: HistoricalName,
    pub(crate) department: Option<Department>,
    pub(crate) queue: HistoricalName,
    /// The way it came in, for its log.
    pub(crate) system: String,
}

impl HistoryInput {
    /// What it means here, or which field is wrong.
    pub(crate) fn parse(self, now: Timestamp) -> Result<Past, FieldError> {
        check_system(&self.system).map_err(|reason| FieldError::new("system", reason))?;
        check_text("case", &self.case, 128)?;
        check_text("case_type", &self.case_type, 200)?;
        check_time("registered_at", self.registered_at)?;
        check_past("registered_at", self.registered_at, now)?;
        if let Some(due) = self.due {
            check_time("due", due)?;
        }
        if let Some(closed_at) = self.closed_at {
            check_time("closed_at", closed_at)?;
            check_past("closed_at", closed_at, now)?;
            if closed_at < self.registered_at {
                return Err(FieldError::new(
                    "closed_at",
                    "is before the case was registered",
                ));
            }
        }
        let closed = match (self.closed_at, self.outcome) {
            (Some(at), outcome) => Some((whole(at), outcome.unwrap_or(CaseOutcome::Done))),
            (None, None) => None,
            (None, Some(_)) => {
                return Err(FieldError::new(
                    "outcome",
                    "belongs to a closed case only; give closed_at too, or leave it out",
                ));
            }
        };
        Ok(Past {
            id: CaseId::of_import(&self.system, &self.case),
            registered_at: whole(self.registered_at),
            due: self.due.map(whole),
            closed,
            case_type: names::case_type(&self.case_type),
            queue: self.queue.unwrap_or_else(|| self.department_code.clone()),
            department_code: self.department_code,
            department: self.department,
            system: self.system,
        })
    }

    /// Whether `system` can name an older system.
    ///
    /// # Errors
    /// What to write instead.
    pub fn check_system(system: &str) -> Result<(), String> {
        check_system(system)
    }
}

fn check_system(system: &str) -> Result<(), String> {
    let token = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=32).contains(&system.len()) && system.bytes().all(token) {
        Ok(())
    } else {
        Err("must be 1 to 32 characters of a-z, 0-9 and -, such as `castor`".to_owned())
    }
}

fn check_text(field: &str, text: &str, most: usize) -> Result<(), FieldError> {
    let fits = (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits {
        Ok(())
    } else {
        let reason = format!("must be 1 to {most} characters without control characters");
        Err(FieldError::new(field, reason))
    }
}

/// Cases older than computers' time, or due in another century, are a date that was read wrongly.
fn check_time(field: &str, at: Timestamp) -> Result<(), FieldError> {
    let year = at.to_zoned(domain::stockholm()).year();
    if (1970..2200).contains(&year) {
        Ok(())
    } else {
        let reason = format!("is in the year {year}; is the date read rightly");
        Err(FieldError::new(field, reason))
    }
}

fn check_past(field: &str, at: Timestamp, now: Timestamp) -> Result<(), FieldError> {
    if at.duration_since(now) > AHEAD {
        let reason = format!("lies in the future; the time here is {now}");
        return Err(FieldError::new(field, reason));
    }
    Ok(())
}

/// The database keeps microseconds; what is compared with it must not have more.
fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

#[cfg(test)]
pub(super) fn example() -> HistoryInput {
    HistoryInput {
        system: "castor".to_owned(),
        case: "4711".to_owned(),
        registered_at: "2019-11-25T08:00:00Z".parse().unwrap(),
        due: Some("2019-12-01T08:00:00Z".parse().unwrap()),
        closed_at: Some("2019-12-02T08:00:00Z".parse().unwrap()),
        outcome: None,
        case_type: "Tree in Park".to_owned(),
        department_code: "PARK".parse().unwrap(),
        department: None,
        queue: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut HistoryInput)) -> String {
        let mut input = example();
        change(&mut input);
        let now = "2026-11-23T08:00:00Z".parse().unwrap();
        let error = input.parse(now).unwrap_err();
        format!("{}: {}", error.field, error.reason)
    }

    #[test]
    fn what_is_sent_has_a_meaning() {
        let now = "2026-11-23T08:00:00Z".parse().unwrap();
        let past = example().parse(now).unwrap();
        assert_eq!(past.id, CaseId::of_import("castor", "4711"));
        assert_eq!(past.case_type.as_str(), "tree-in-park");
        assert_eq!(
            past.queue.as_str(),
            "PARK",
            "without a queue, the department's code"
        );
        assert_eq!(past.closed.map(|(_, o)| o), Some(CaseOutcome::Done));
        let other = HistoryInput {
            system: "pollux".to_owned(),
            ..example()
        };
        assert_ne!(
            other.parse(now).unwrap().id,
            past.id,
            "numbers of two systems do not meet"
        );
    }

    #[test]
    fn what_cannot_be_is_refused_by_field() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert!(refused(|i| i.system = "Castor".to_owned()).starts_with("system: must be 1 to 32"));
        assert!(refused(|i| i.case = String::new()).starts_with("case: must be 1 to 128"));
        assert!(refused(|i| i.case_type = "a\tb".to_owned()).starts_with("case_type: must be"));
        assert!(
            refused(|i| i.closed_at = Some(at("2019-11-25T07:59:59Z")))
                .starts_with("closed_at: is before the case was registered")
        );
        assert!(
            refused(|i| i.closed_at = Some(at("2027-01-01T00:00:00Z")))
                .starts_with("closed_at: lies in the future")
        );
        assert!(
            refused(|i| i.registered_at = at("0015-01-01T00:00:00Z"))
                .starts_with("registered_at: is in the year 15")
        );
        assert!(
            refused(|i| i.due = Some(at("9999-12-30T00:00:00Z")))
                .starts_with("due: is in the year 9999")
        );
        let without = |i: &mut HistoryInput| {
            i.closed_at = None;
            i.outcome = Some(CaseOutcome::Declined);
        };
        assert!(refused(without).starts_with("outcome: belongs to a closed case only"));
    }
}
