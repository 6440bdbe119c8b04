//! Taking an older system's cases in (*historik*): when they were registered, their limit, when they were closed.
//!
//! Figures can then go back further than the product. Nobody is told of such a case, neither by mail nor over the bus to a
//! department's system. What is told on `case.*.*` is its forwarding, which says when it was registered, and its closing;
//! `case.registered` is intake's to tell, and the figures of what the centre registered do not grow.

mod input;
mod names;
mod place;
mod take;

pub use input::HistoryInput;
pub(crate) use input::Past;
pub(crate) use place::{Place, place};
pub(crate) use take::{Counts, take};
