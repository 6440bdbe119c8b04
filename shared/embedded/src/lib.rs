//! Private PostgreSQL and NATS servers, for a product that was given none.
//!
//! With no database and no bus configured, Kommunlots keeps both in its data folder: it finds or fetches the programs,
//! prepares them once, starts them on loopback ports of their own, and starts again what dies. The integration tests
//! get theirs here too, and kill and pause them by hand.
//!
//! ```text
//! <data>/            DataFolder: one product at a time (lock), and where it answers (running.json)
//!   postgres/        Postgres: data/ password port postgres.pid log
//!   nats/            Nats:     store/ nats.conf port nats.pid log
//! ```
//!
//! Every server has a [`Guard`] process between itself and the product, so that no server outlives a product that was
//! killed outright:
//!
//! ```text
//! product ──stdin pipe──> guard ──parent-death signal──> postgres | nats-server
//! ```
//!
//! [`Server`] does the life of a process; [`Postgres`] and [`Nats`] know only what is particular to their program.

mod data_folder;
mod fetch;
mod files;
mod guard;
mod guard_main;
mod log;
mod nats;
mod pid_file;
mod port;
mod postgres;
mod process;
mod programs;
mod run_as;
mod server;
mod signals;
mod version;

pub use data_folder::{DataFolder, Running};
pub use guard::{GUARD, Guard};
pub use guard_main::guard_main;
pub use nats::{Nats, NatsPlace};
pub use postgres::Postgres;
pub use server::Server;
