//! How what happens to a request becomes a problem.

use axum::http::StatusCode;
use platform::{Problem, http::FieldError};

use crate::agreements;

pub(crate) fn unknown_version() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no such version",
        "`GET /routing/agreements` lists the versions there are",
    )
}

/// What is wrong in agreements sent as the field `content`, by department.
pub(crate) fn wrong_content(problems: Vec<agreements::Problem>) -> Problem {
    let field = |problem: &agreements::Problem| match problem.file.strip_suffix(".toml") {
        Some("municipality") | None => "content".to_owned(),
        Some(department) => format!("content.departments.{department}"),
    };
    let errors = problems
        .iter()
        .filter(|problem| problem.level == agreements::Level::Error)
        .map(|problem| FieldError::new(&field(problem), problem.text.as_str()));
    Problem::invalid(errors.collect())
}
