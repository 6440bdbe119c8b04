//! A row of an export, read by its mapping. Reasons name columns, and hold nothing that stands in the row.

use std::borrow::Cow;

use csv::ByteRecord;
use domain::{CaseOutcome, HistoricalName};
use jiff::Timestamp;
use routing::HistoryInput;

use super::{
    columns::{Column, Columns},
    mapping::{ClosedBeforeRegistered, Mapping, Status},
    times::Moment,
};

/// What a row says, or why it cannot be taken.
pub(super) fn read_row(
    row: &ByteRecord,
    mapping: &Mapping,
    columns: &Columns,
) -> Result<HistoryInput, String> {
    if row.len() != columns.count {
        return Err(format!(
            "has {} fields, and the first line {}; is a quotation mark or a delimiter missing",
            row.len(),
            columns.count
        ));
    }
    let row = Row { row, mapping };
    let case = row.needed(&columns.case, None)?.into_owned();
    let registered = row.time(Some(&columns.registered))?;
    let registered = registered.ok_or_else(|| empty(&columns.registered))?.at;
    let due = row.time(columns.due.as_ref())?.map(Moment::as_limit);
    let closed = closed_at(&row, columns, registered)?;
    let (registered_at, closed_at) = match closed {
        Some(closed) if closed < registered => match mapping.closed_before_registered {
            ClosedBeforeRegistered::Accept => (closed, Some(closed)),
            ClosedBeforeRegistered::Refuse => {
                return Err("was closed before it was registered; `closed_before_registered = \"accept\"` in the mapping takes such cases".to_owned());
            }
        },
        closed => (registered, closed),
    };
    let outcome = match closed_at {
        Some(_) => Some(outcome(&row, columns.outcome.as_ref())?),
        None => None,
    };
    let if_empty = &mapping.if_empty;
    let case_type = row.needed(&columns.case_type, if_empty.case_type.as_deref())?;
    let code = row.needed(&columns.department, if_empty.department.as_deref())?;
    let queue = match &columns.queue {
        Some(column) => match row.value(column)? {
            Some(queue) => Some(name(column, &queue)?),
            None => None,
        },
        None => None,
    };
    Ok(HistoryInput {
        system: mapping.system.clone(),
        case,
        registered_at,
        due,
        closed_at,
        outcome,
        case_type: case_type.into_owned(),
        department: mapping.departments.get(code.as_ref()).cloned(),
        department_code: name(&columns.department, &code)?,
        queue,
    })
}

/// When it was closed, if it is. What the status says counts before whether there is a time: a case that was opened anew has
/// the time of its earlier closing still.
fn closed_at(
    row: &Row<'_>,
    columns: &Columns,
    registered: Timestamp,
) -> Result<Option<Timestamp>, String> {
    let at = |closed: Option<Moment>| closed.map(|c| c.as_closing(registered));
    let (Some(column), Some(status)) = (&columns.status, &row.mapping.status) else {
        return Ok(at(row.time(columns.closed.as_ref())?));
    };
    let value = row.needed(column, None)?;
    let Status { open, closed } = status;
    if open.iter().any(|v| *v == value) {
        return Ok(None);
    }
    if !closed.iter().any(|v| *v == value) {
        return Err(format!(
            "{}: the mapping's [status] does not have this value; add it to `open` or to `closed`",
            column.name
        ));
    }
    let name = columns
        .closed
        .as_ref()
        .map_or("closed", |c| c.name.as_str());
    match at(row.time(columns.closed.as_ref())?) {
        Some(at) => Ok(Some(at)),
        None => Err(format!(
            "{name}: is empty, and the case is closed by its status"
        )),
    }
}

fn outcome(row: &Row<'_>, column: Option<&Column>) -> Result<CaseOutcome, String> {
    let outcomes = &row.mapping.outcomes;
    let Some(column) = column else {
        return Ok(outcomes.default);
    };
    match row.value(column)? {
        None => Ok(outcomes.default),
        Some(value) => outcomes.values.get(value.as_ref()).copied().ok_or_else(|| {
            format!(
                "{}: the mapping's [outcomes.values] does not have this value; add it",
                column.name
            )
        }),
    }
}

fn name(column: &Column, text: &str) -> Result<HistoricalName, String> {
    text.parse().map_err(|e| format!("{}: {e}", column.name))
}

fn empty(column: &Column) -> String {
    format!("{}: is empty", column.name)
}

/// A row's values.
struct Row<'a> {
    row: &'a ByteRecord,
    mapping: &'a Mapping,
}

impl<'a> Row<'a> {
    /// A value without spaces around it, if it is not empty.
    fn value(&self, column: &Column) -> Result<Option<Cow<'a, str>>, String> {
        let bytes = self.row.get(column.place).unwrap_or_default();
        let text = self.mapping.encoding.decode(bytes.trim_ascii());
        let text = text.ok_or_else(|| {
            format!(
                "{}: is not UTF-8; set `encoding` in the mapping if the file is in another",
                column.name
            )
        })?;
        let nothing = text.is_empty() || self.mapping.nothing.iter().any(|n| *n == text);
        Ok((!nothing).then_some(text))
    }

    /// A value that a row must have, or what stands for an empty one.
    fn needed(&self, column: &Column, if_empty: Option<&'a str>) -> Result<Cow<'a, str>, String> {
        let value = self.value(column)?;
        value
            .or(if_empty.map(Cow::Borrowed))
            .ok_or_else(|| empty(column))
    }

    fn time(&self, column: Option<&Column>) -> Result<Option<Moment>, String> {
        let Some(column) = column else {
            return Ok(None);
        };
        let Some(text) = self.value(column)? else {
            return Ok(None);
        };
        let moment = self.mapping.times.read(&text);
        let unread = || {
            format!(
                "{}: is no time as the mapping's time_formats have it",
                column.name
            )
        };
        moment.map(Some).ok_or_else(unread)
    }
}
