//! Starts the real program, talks to it as its clients do, and takes it down.

mod api;
mod product;

pub(crate) use api::{Api, bus_address, contact, database, eventually, shared};
pub(crate) use product::{Product, kommunlots, processes_with, program};
