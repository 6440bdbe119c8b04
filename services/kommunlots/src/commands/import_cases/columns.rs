//! The file's columns that a mapping names.

use anyhow::bail;

use super::mapping::ColumnNames;

/// Places in a row, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) case: Column,
    pub(super) registered: Column,
    pub(super) due: Option<Column>,
    pub(super) closed: Option<Column>,
    pub(super) status: Option<Column>,
    pub(super) outcome: Option<Column>,
    pub(super) case_type: Column,
    pub(super) department: Column,
    pub(super) queue: Option<Column>,
    /// How many fields a row has.
    pub(super) count: usize,
}

/// A column, and its name for what is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) place: usize,
    pub(super) name: String,
}

impl Columns {
    /// Finds the columns in the file's first line.
    ///
    /// # Errors
    /// When one is not there, or there twice: all of them, and the columns that the file has.
    pub(super) fn find(names: &ColumnNames, header: &[String]) -> anyhow::Result<Self> {
        let mut wrong = Vec::new();
        let mut find = |key: &str, name: &str| {
            let mut places = (0..header.len()).filter(|n| header[*n] == name);
            let place = places.next().unwrap_or_else(|| {
                wrong.push(format!("{key} = \"{name}\" is not there"));
                0
            });
            if places.next().is_some() {
                wrong.push(format!("{key} = \"{name}\" is there more than once"));
            }
            Column {
                place,
                name: name.to_owned(),
            }
        };
        let columns = Self {
            case: find("case", &names.case),
            registered: find("registered", &names.registered),
            due: names.due.as_ref().map(|n| find("due", n)),
            closed: names.closed.as_ref().map(|n| find("closed", n)),
            status: names.status.as_ref().map(|n| find("status", n)),
            outcome: names.outcome.as_ref().map(|n| find("outcome", n)),
            case_type: find("case_type", &names.case_type),
            department: find("department", &names.department),
            queue: names.queue.as_ref().map(|n| find("queue", n)),
            count: header.len(),
        };
        if wrong.is_empty() {
            return Ok(columns);
        }
        bail!(
            "of the mapping's [columns], {}; the file has {}; is the delimiter right",
            wrong.join(", and "),
            header.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> ColumnNames {
        let text = "case = \"Nr\"\nregistered = \"In\"\ncase_type = \"Typ\"\ndepartment = \"Förv\"";
        toml::from_str(text).unwrap()
    }

    fn header(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let columns = Columns::find(&names(), &header(&["Typ", "Förv", "Nr", "x", "In"])).unwrap();
        let places = [
            &columns.case,
            &columns.registered,
            &columns.case_type,
            &columns.department,
        ];
        assert_eq!(places.map(|c| c.place), [2, 4, 0, 1]);
        assert_eq!((columns.due, columns.count), (None, 5));
    }

    #[test]
    fn what_is_missing_is_named_with_what_is_there() {
        let error = Columns::find(&names(), &header(&["Typ", "Nr", "Nr", "Inkom"])).unwrap_err();
        let text = error.to_string();
        for part in [
            "registered = \"In\" is not there",
            "department = \"Förv\" is not there",
            "case = \"Nr\" is there more than once",
            "the file has Typ, Nr, Nr, Inkom",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
