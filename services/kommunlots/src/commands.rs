//! What the command line does beside running services.

pub(crate) mod config_check;
pub(crate) mod dead_letters;
pub(crate) mod demo;
pub(crate) mod figures;
pub(crate) mod healthcheck;
pub(crate) mod import_queue_log;
pub(crate) mod key;
pub(crate) mod migrate;
pub(crate) mod nats_config;

/// Prints the OpenAPI document.
pub(crate) fn print_openapi() -> anyhow::Result<()> {
    crate::output::line(crate::openapi::document()?.trim_end())
}
