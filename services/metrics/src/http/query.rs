//! What figures are asked for: a period, a breakdown, an instant.

use std::{collections::BTreeMap, str::FromStr};

use axum::{extract::FromRequestParts, http::request::Parts};
use domain::{local_day, start_of_day};
use jiff::{SignedDuration, Timestamp, civil::Date};
use platform::{
    Problem,
    http::{FieldError, QueryFields},
};
use utoipa::IntoParams;

/// The period that figures are of, for the OpenAPI document. [`Asked`] reads it.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "read by name, so that what is wrong is named by its field"
)]
pub(super) struct Period {
    /// the first day, such as 2021-02-01
    #[param(value_type = String, format = Date)]
    from: Date,
    /// the last day, such as 2021-02-28
    #[param(value_type = String, format = Date)]
    to: Date,
}

/// A query's fields by their names.
#[derive(Debug)]
pub(super) struct Asked(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let QueryFields(fields) = QueryFields::from_request_parts(parts, state).await?;
        Ok(Self(fields))
    }
}

impl Asked {
    /// Refuses fields that are not `known`.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), FieldError> {
        let Some(unknown) = self.0.keys().find(|k| !known.contains(&k.as_str())) else {
            return Ok(());
        };
        let (last, others) = known.split_last().unwrap_or((&"", &[]));
        let known = format!("{} and {last}", others.join(", "));
        Err(FieldError::new(
            unknown,
            format!("is not known here; use {known}"),
        ))
    }

    /// The first and the last day, both included.
    pub(super) fn days(&self) -> Result<(Date, Date), FieldError> {
        let day = |name: &str| -> Result<Date, FieldError> {
            let wrong = |_| FieldError::new(name, "must be a day such as 2021-02-01");
            let text = self.0.get(name).ok_or_else(|| {
                FieldError::new(name, "is missing; give a day such as 2021-02-01")
            })?;
            text.parse().map_err(wrong)
        };
        let (from, to) = (day("from")?, day("to")?);
        if to < from {
            return Err(FieldError::new("to", "must not be before from"));
        }
        Ok((from, to))
    }

    /// The same days as instants: the first of them, and the first after them.
    pub(super) fn period(&self) -> Result<(Timestamp, Timestamp), FieldError> {
        let (from, to) = self.days()?;
        let edge = |name: &str| FieldError::new(name, "is at the edge of the calendar");
        let from = start_of_day(from).map_err(|_| edge("from"))?;
        let until = to.tomorrow().and_then(start_of_day);
        Ok((from, until.map_err(|_| edge("to"))?))
    }

    /// What is broken down by, if anything.
    pub(super) fn by<B: FromStr<Err = String>>(&self) -> Result<Option<B>, FieldError> {
        let by = self.0.get("by").map(|by| by.parse());
        by.transpose().map_err(|e: String| FieldError::new("by", e))
    }

    /// What figures of cases are asked for with: the period as instants, and what they are broken down by as the store knows
    /// it. Besides these, only fields that are `more` may be there.
    pub(super) fn of_cases(
        &self,
        more: &[&str],
    ) -> Result<(Timestamp, Timestamp, &'static str), FieldError> {
        self.only(&[&["from", "to", "by"], more].concat())?;
        let (from, until) = self.period()?;
        let by = self.by::<CasesBy>()?;
        Ok((from, until, by.map_or("all", CasesBy::as_str)))
    }

    /// The instant that is asked about, if any.
    pub(super) fn as_of(&self) -> Result<Option<Timestamp>, FieldError> {
        let text = self.0.get("as_of").map(|text| as_of(text));
        text.transpose().map_err(|e| FieldError::new("as_of", e))
    }
}

/// An instant as people give it: `2021-02-01T12:00:00+01:00`, or a day, which is its end in Sweden: what happened on it
/// counts.
///
/// # Errors
/// What it must be.
pub fn as_of(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let end = |day: Date| {
        let end = start_of_day(day.tomorrow().ok()?).ok()? - SignedDuration::from_micros(1);
        // Texts that are more than a day would lose the rest of what they say.
        (local_day(end) == day && text.len() == day.to_string().len()).then_some(end)
    };
    text.parse().ok().and_then(end).ok_or_else(|| {
        "must be a day such as 2021-02-01, or a time with its offset such as 2021-02-01T12:00:00+01:00"
            .to_owned()
    })
}

/// What figures of forwarded cases are broken down by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CasesBy {
    /// The department that has the case, or had it last.
    Department,
    /// Its group there, as `department/group`; of an import, the older system's queue.
    Queue,
}

impl CasesBy {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Queue => "queue",
        }
    }
}

impl FromStr for CasesBy {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "department" => Ok(Self::Department),
            "queue" => Ok(Self::Queue),
            _ => Err("must be one of department, queue, or left out".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_its_end_and_a_time_is_itself() {
        let at = |text: &str| as_of(text).map(|at| at.to_string());
        assert_eq!(at("2021-02-01"), Ok("2021-02-01T22:59:59.999999Z".into()));
        assert_eq!(at("2021-07-01"), Ok("2021-07-01T21:59:59.999999Z".into()));
        assert_eq!(
            at("2021-02-01T12:00:00+01:00"),
            Ok("2021-02-01T11:00:00Z".into())
        );
        assert_eq!(
            at("2021-02-01T12:00:00Z"),
            Ok("2021-02-01T12:00:00Z".into())
        );
        for bad in [
            "",
            "now",
            "2021-02-01T12:00:00",
            "2021-02-30",
            "2021-02-01 12:00",
        ] {
            assert!(as_of(bad).is_err(), "{bad}");
        }
    }
}
