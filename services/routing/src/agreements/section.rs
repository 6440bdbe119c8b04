//! Reads a TOML file piece by piece, so that everything wrong in it is told at once, each at its line.

use std::{cell::RefCell, fmt::Display, ops::Range, str::FromStr};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::problem::{Problem, suggestion};

/// A file, and what has been found wrong in it so far.
pub(super) struct File<'t> {
    name: &'t str,
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> File<'t> {
    pub(super) fn new(name: &'t str, text: &'t str) -> Self {
        Self {
            name,
            text,
            problems: RefCell::default(),
        }
    }

    /// The file as TOML; none, and problems, where it is none.
    pub(super) fn parse(&self) -> Option<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        let mut told_until = 0;
        for error in &errors {
            let span = error.span().unwrap_or_default();
            let twice = error.message() == "duplicate key";
            // Of a table that is there twice, each key is too; that is told by its heading.
            if twice && span.start < told_until {
                continue;
            }
            if twice && self.is_heading(span.start) {
                let after = self.text.get(span.start..).unwrap_or_default();
                let next = after.find("\n[").unwrap_or(after.len());
                told_until = span.start + next;
            }
            let found = self.text.get(span.clone()).unwrap_or_default().trim();
            let text = match error.message() {
                "duplicate key" => format!("`{found}` is written twice; remove one of them"),
                message => format!("this is not TOML: {message}"),
            };
            self.problem(span.start, text);
        }
        // After an error the rest may be read wrong, and would give problems that are none.
        errors.is_empty().then(|| table.into_inner())
    }

    /// Whether a place is in a line that begins a table.
    fn is_heading(&self, at: usize) -> bool {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        line.trim_start().starts_with('[')
    }

    /// Line, from 1, of a place in the text.
    fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().iter().take(at);
        before.filter(|byte| **byte == b'\n').count() + 1
    }

    fn problem(&self, at: usize, text: String) {
        let problem = Problem::at(self.name, self.line(at), text);
        self.problems.borrow_mut().push(problem);
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

/// A table in a file. When it goes out of scope, each key in it that was not asked for is a problem.
pub(super) struct Section<'s> {
    file: &'s File<'s>,
    /// Such as `case_types.bygglov.`; empty for the file itself.
    path: String,
    /// Where it begins in the text.
    at: usize,
    table: &'s DeTable<'s>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'s> Section<'s> {
    /// The whole file.
    pub(super) fn root(file: &'s File<'s>, table: &'s DeTable<'s>) -> Self {
        Self::new(file, String::new(), 0, table)
    }

    fn new(file: &'s File<'s>, path: String, at: usize, table: &'s DeTable<'s>) -> Self {
        Self {
            file,
            path,
            at,
            table,
            asked: RefCell::default(),
        }
    }

    /// The value of a key that must be there. `example` is a line to write instead.
    pub(super) fn required<T: DeserializeOwned>(
        &self,
        key: &'static str,
        example: &str,
    ) -> Option<T> {
        if !self.has(key) {
            self.missing(key, example);
        }
        self.optional(key, example)
    }

    /// The value of a key that may be left out.
    pub(super) fn optional<T: DeserializeOwned>(
        &self,
        key: &'static str,
        example: &str,
    ) -> Option<T> {
        let value = self.value(key)?;
        // TOML's dates are a type of their own, which only its own crate reads; as text, everybody does.
        let plain = match value.get_ref() {
            DeValue::Datetime(date) => DeValue::String(date.to_string().into()),
            other => other.clone(),
        };
        let plain = Spanned::new(value.span(), plain);
        match T::deserialize(ValueDeserializer::from(plain)) {
            Ok(value) => Some(value),
            Err(error) => {
                let at = error.span().unwrap_or(value.span()).start;
                self.file.problem(
                    at,
                    format!(
                        "`{}{key}`: {}; write for example `{example}`",
                        self.path,
                        error.message()
                    ),
                );
                None
            }
        }
    }

    /// A table that must be there. `example` is its first lines.
    pub(super) fn required_section(&self, key: &'static str, example: &str) -> Option<Section<'s>> {
        if !self.has(key) {
            self.missing(key, example);
        }
        self.optional_section(key, example)
    }

    /// A table that may be left out.
    pub(super) fn optional_section(&self, key: &'static str, example: &str) -> Option<Section<'s>> {
        let value = self.value(key)?;
        self.below(key, value, example)
    }

    /// The tables in a table, by their labels: `[groups.bygglov]`.
    pub(super) fn labelled<L: FromStr<Err: Display>>(
        &self,
        key: &'static str,
        example: &str,
    ) -> Vec<(L, Section<'s>)> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let Some(table) = value.get_ref().as_table() else {
            self.no_table(key, value.span(), example);
            return Vec::new();
        };
        let mut found = Vec::new();
        for (name, value) in table {
            let path = format!("{key}.{name}");
            match name.get_ref().parse() {
                Ok(label) => found.extend(
                    self.below(&path, value, example)
                        .map(|below| (label, below)),
                ),
                Err(error) => self
                    .file
                    .problem(name.span().start, format!("the name `{name}` {error}")),
            }
        }
        found
    }

    /// The tables in a list: `[[closures]]`.
    pub(super) fn list(&self, key: &'static str, example: &str) -> Vec<Section<'s>> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.no_table(key, value.span(), example);
            return Vec::new();
        };
        let items = array.iter();
        items
            .filter_map(|item| self.below(key, item, example))
            .collect()
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.table.contains_key(key)
    }

    /// A problem with the value of a key, or with the section where the key is left out.
    pub(super) fn wrong(&self, key: &'static str, text: impl Display) {
        let at = self.value(key).map_or(self.at, |value| value.span().start);
        self.file
            .problem(at, format!("`{}{key}` {text}", self.path));
    }

    /// The section's line, from 1.
    pub(super) fn line(&self) -> usize {
        self.file.line(self.at)
    }

    /// The line of a key, or of the section where the key is left out.
    pub(super) fn line_of(&self, key: &'static str) -> usize {
        let at = self.value(key).map_or(self.at, |value| value.span().start);
        self.file.line(at)
    }

    fn value(&self, key: &'static str) -> Option<&'s Spanned<DeValue<'s>>> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        self.table.get(key)
    }

    fn below(
        &self,
        path: &str,
        value: &'s Spanned<DeValue<'s>>,
        example: &str,
    ) -> Option<Section<'s>> {
        let at = value.span().start;
        match value.get_ref() {
            DeValue::Table(table) => {
                let path = format!("{}{path}.", self.path);
                Some(Self::new(self.file, path, at, table))
            }
            _ => {
                self.no_table(path, value.span(), example);
                None
            }
        }
    }

    fn missing(&self, key: &str, example: &str) {
        self.file.problem(
            self.at,
            format!(
                "`{}{key}` is missing; write for example `{example}`",
                self.path
            ),
        );
    }

    fn no_table(&self, path: &str, span: Range<usize>, example: &str) {
        self.file.problem(
            span.start,
            format!(
                "`{}{path}` must be a table; write for example `{example}`",
                self.path
            ),
        );
    }
}

impl Drop for Section<'_> {
    fn drop(&mut self) {
        let asked = self.asked.take();
        for key in self.table.keys() {
            if !asked.iter().any(|known| known == key.get_ref()) {
                let instead = suggestion(key.get_ref(), asked.iter().copied());
                self.file.problem(
                    key.span().start,
                    format!("there is no `{}{key}`; {instead}", self.path),
                );
            }
        }
    }
}
