//! What every service stands on: the clock, the database, the event log and its relay, the consumer, the lease, the bus,
//! mail, HTTP, keys and telemetry.
//!
//! **Invariant:** nothing in this crate knows what a contact or a case is, but for the names of the keys' scopes.

pub mod auth;
pub mod bus;
pub mod clock;
pub mod consumer;
pub mod database;
pub mod dead_letters;
pub mod event_log;
pub mod health;
pub mod heartbeat;
pub mod http;
pub mod lease;
pub mod mail;
pub mod meters;
pub mod relay;
pub mod seldom;
pub mod telemetry;

pub use clock::Clock;
pub use http::Problem;
