//! A mapping: how an export's columns and values are to be read. A TOML file; `docs/examples/import` has one.

use std::{borrow::Cow, collections::BTreeMap, fs, path::Path};

use anyhow::{Context, bail, ensure};
use domain::{CaseOutcome, Department};
use routing::HistoryInput;
use serde::Deserialize;

use super::times::Times;

/// A mapping, checked.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) system: String,
    pub(super) times: Times,
    pub(super) delimiter: u8,
    pub(super) encoding: Encoding,
    pub(super) columns: ColumnNames,
    /// What the column `status` may hold; `None` where closed is what has a closing time.
    pub(super) status: Option<Status>,
    pub(super) departments: BTreeMap<String, Department>,
    pub(super) outcomes: Outcomes,
    pub(super) if_empty: IfEmpty,
    /// Values that stand for nothing, beside the empty one.
    pub(super) nothing: Vec<String>,
    pub(super) closed_before_registered: ClosedBeforeRegistered,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    system: String,
    time_zone: String,
    time_formats: Vec<String>,
    #[serde(default)]
    delimiter: Option<String>,
    #[serde(default)]
    encoding: Encoding,
    #[serde(default)]
    nothing: Vec<String>,
    #[serde(default)]
    closed_before_registered: ClosedBeforeRegistered,
    columns: ColumnNames,
    #[serde(default)]
    status: Option<Status>,
    #[serde(default)]
    departments: BTreeMap<String, Department>,
    #[serde(default)]
    outcomes: Outcomes,
    #[serde(default)]
    if_empty: IfEmpty,
}

/// The names of the columns.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnNames {
    pub(super) case: String,
    pub(super) registered: String,
    #[serde(default)]
    pub(super) due: Option<String>,
    #[serde(default)]
    pub(super) closed: Option<String>,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) outcome: Option<String>,
    pub(super) case_type: String,
    pub(super) department: String,
    #[serde(default)]
    pub(super) queue: Option<String>,
}

/// Which values of the column `status` mean what.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Status {
    pub(super) open: Vec<String>,
    pub(super) closed: Vec<String>,
}

/// How cases ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outcomes {
    /// By the values of the column `outcome`.
    #[serde(default)]
    pub(super) values: BTreeMap<String, CaseOutcome>,
    /// Without such a column, and for an empty value.
    #[serde(default = "done")]
    pub(super) default: CaseOutcome,
}

fn done() -> CaseOutcome {
    CaseOutcome::Done
}

impl Default for Outcomes {
    fn default() -> Self {
        Self {
            values: BTreeMap::new(),
            default: done(),
        }
    }
}

/// What an empty value is read as; without it, the row is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct IfEmpty {
    pub(super) case_type: Option<String>,
    pub(super) department: Option<String>,
}

/// How the file's bytes are to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) enum Encoding {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "latin-1")]
    Latin1,
}

impl Encoding {
    /// The text; `None` where it is not in this encoding.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Latin1 => Some(bytes.iter().map(|b| char::from(*b)).collect()),
        }
    }
}

/// What to do with a case that was closed before it was registered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ClosedBeforeRegistered {
    /// One of the times is wrong: it is refused.
    #[default]
    Refuse,
    /// The closing is right: the case counts as registered at that moment.
    Accept,
}

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// When it cannot be used: what is wrong, and where.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let name = file.display();
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        Self::parse(&text).with_context(|| format!("{name} is not a mapping that can be used"))
    }

    /// The same from its text.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let written: Written = toml::from_str(text)?;
        HistoryInput::check_system(&written.system).map_err(|e| anyhow::anyhow!("system: {e}"))?;
        match (&written.columns.status, &written.status) {
            (Some(_), None) => bail!(
                "columns.status: a table [status] must say which of its values are `open` and which `closed`"
            ),
            (None, Some(_)) => {
                bail!("status: name the column that holds it, as `status` in [columns]")
            }
            (Some(_), Some(status)) => {
                let both = status.open.iter().find(|v| status.closed.contains(v));
                ensure!(
                    both.is_none(),
                    "status: a value is both `open` and `closed`"
                );
                ensure!(
                    written.columns.closed.is_some() || status.closed.is_empty(),
                    "columns.closed is missing: closed cases need the column with the closing's time"
                );
            }
            (None, None) => {}
        }
        ensure!(
            written.columns.outcome.is_some() || written.outcomes.values.is_empty(),
            "outcomes.values: name the column that holds them, as `outcome` in [columns]"
        );
        Ok(Self {
            times: Times::new(&written.time_zone, written.time_formats)?,
            delimiter: delimiter(written.delimiter.as_deref())?,
            system: written.system,
            encoding: written.encoding,
            columns: written.columns,
            status: written.status,
            departments: written.departments,
            outcomes: written.outcomes,
            if_empty: written.if_empty,
            nothing: written.nothing,
            closed_before_registered: written.closed_before_registered,
        })
    }
}

fn delimiter(written: Option<&str>) -> anyhow::Result<u8> {
    match written.map(str::as_bytes) {
        None => Ok(b','),
        Some([byte]) if byte.is_ascii() && !b"\"\r\n".contains(byte) => Ok(*byte),
        Some(_) => bail!("delimiter: must be one character, such as `,`, `;` or `\\t`"),
    }
}
