//! Agreements as files that a municipality keeps under version control: `municipality.toml`, and one
//! `<department>.toml` for each department. Read into [`domain::Agreements`], shown, and compared.

mod assemble;
mod case_type;
mod department;
mod diff;
mod example;
mod facts;
mod folder;
mod json;
mod municipality;
mod parts;
mod problem;
mod section;
mod show;
#[cfg(test)]
mod tests;

pub use diff::{Change, diff};
pub use example::{example, write_example};
pub use folder::{Checked, read};
pub(crate) use json::from_json;
pub use problem::{Level, Problem};
pub use show::show;
