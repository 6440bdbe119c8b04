//! The product's tests, against the real program with a real PostgreSQL and a real NATS of each test's own.

mod browser;
mod browser_axe;
mod browser_driver;
mod faults;
mod faults_bus;
mod faults_load;
mod faults_log;
mod faults_outside;
mod cases;
mod architecture;
mod figures;
mod figures_fold;
mod harness;
mod intake;
mod queue_log_follow;
mod queue_log_import;
mod queue_log_months;
mod queue_log_reader;
