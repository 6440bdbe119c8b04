//! All SQL of metrics.

pub(crate) mod board;
pub(crate) mod cases;
pub(crate) mod contacts;
pub(crate) mod figures;
pub(crate) mod follow_up_figures;
pub(crate) mod forwarded;
pub(crate) mod forwarded_figures;

/// What a row that this program cannot have written comes to.
fn impossible(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("a stored {what} is not one").into())
}
