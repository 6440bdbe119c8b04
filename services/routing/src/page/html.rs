//! The page's HTML. It is made whole on the server; `maud` escapes all text.

mod document;
mod facts;
mod forms;
mod history;
mod sheet;
mod stops;

pub(crate) use document::STYLE;
#[cfg(test)]
pub(crate) use document::style_address;
pub(crate) use sheet::{Said, Sheet, sheet};
pub(crate) use stops::stop;
