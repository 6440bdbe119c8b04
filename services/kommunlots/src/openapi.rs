//! The OpenAPI document, made from the types of every service.

use utoipa::OpenApi;

/// The document as JSON.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn document() -> anyhow::Result<String> {
    let mut document = intake::IntakeApi::openapi();
    document.merge(routing::RoutingApi::openapi());
    document.merge(routing::closures::ClosuresApi::openapi());
    document.merge(reminder::ReminderApi::openapi());
    document.merge(metrics::FiguresApi::openapi());
    let mut document = crate::operations::document(document);
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    document.info.license = None;
    Ok(document.to_pretty_json()? + "\n")
}
