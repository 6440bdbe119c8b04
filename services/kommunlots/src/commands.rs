//! What the command line does beside running services.

pub(crate) mod agreements;
mod batch;
pub(crate) mod closure;
pub(crate) mod config_check;
pub(crate) mod dead_letters;
pub(crate) mod demo;
pub(crate) mod figures;
pub(crate) mod healthcheck;
pub(crate) mod import_cases;
pub(crate) mod import_queue_log;
pub(crate) mod key;
pub(crate) mod migrate;
pub(crate) mod nats_config;
pub(crate) mod reminder;
pub(crate) mod routing;

/// A local time as people in Sweden write it, such as `2026-11-23 16:30`.
fn local(at: jiff::Timestamp) -> String {
    let local = at.to_zoned(domain::stockholm());
    local.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Prints the OpenAPI document.
pub(crate) fn print_openapi() -> anyhow::Result<()> {
    crate::output::line(crate::openapi::document()?.trim_end())
}

/// Prints the AsyncAPI document.
pub(crate) fn print_asyncapi() -> anyhow::Result<()> {
    crate::output::line(format_args!("{:#}", crate::asyncapi::document()?))
}
