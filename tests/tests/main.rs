//! The product's tests, against the real program with a real PostgreSQL and a real NATS of each test's own.

mod figures;
mod harness;
