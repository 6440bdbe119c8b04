//! What is wrong in a folder of agreements, told so that it can be put right.

use std::fmt;

/// Something wrong, or doubtful, in a folder of agreements.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file's name in the folder.
    pub file: String,
    /// The line, from 1; none where it is about the whole file.
    pub line: Option<usize>,
    /// How bad it is.
    pub level: Level,
    /// What it is, and what to write instead.
    pub text: String,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The folder cannot be used.
    Error,
    /// It can, but may not say what was meant.
    Warning,
}

impl Problem {
    /// An error about a whole file.
    pub(super) fn of_file(file: &str, text: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            level: Level::Error,
            text: text.into(),
        }
    }

    /// An error at a line.
    pub(super) fn at(file: &str, line: usize, text: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::of_file(file, text)
        }
    }

    /// The same as a warning.
    pub(super) fn warning(self) -> Self {
        Self {
            level: Level::Warning,
            ..self
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        if self.level == Level::Warning {
            write!(f, " warning:")?;
        }
        write!(f, " {}", self.text)
    }
}

/// Names what may have been meant by `wrong`: the nearest of `valid`, or all of them where none is near.
pub(super) fn suggestion<'v>(wrong: &str, valid: impl IntoIterator<Item = &'v str>) -> String {
    let valid: Vec<&str> = valid.into_iter().collect();
    let nearest = valid
        .iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), *name))
        .min();
    match nearest {
        // A third of the letters wrong is still a slip; more is another word.
        Some((distance, name)) if distance * 3 <= name.len().max(3) => format!("write `{name}`"),
        Some(_) => {
            let all: Vec<String> = valid.iter().map(|name| format!("`{name}`")).collect();
            format!("write one of {}", all.join(", "))
        }
        None => "remove it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_found_by_file_and_line() {
        let problem = Problem::at("bygg.toml", 12, "it is wrong");
        assert_eq!(problem.to_string(), "bygg.toml:12: it is wrong");
        assert_eq!(
            problem.warning().to_string(),
            "bygg.toml:12: warning: it is wrong"
        );
        assert_eq!(
            Problem::of_file("bygg.toml", "is missing").to_string(),
            "bygg.toml: is missing"
        );
    }

    #[test]
    fn what_was_meant_is_named() {
        let keys = ["rosa_group", "group", "depth"];
        assert_eq!(suggestion("ros_group", keys), "write `rosa_group`");
        assert_eq!(suggestion("gruop", keys), "write `group`");
        assert_eq!(
            suggestion("checklist", keys),
            "write one of `rosa_group`, `group`, `depth`"
        );
        assert_eq!(suggestion("x", []), "remove it");
    }
}
