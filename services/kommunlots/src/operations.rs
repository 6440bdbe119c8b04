//! Which services keep what operations look after, and below which path.

use anyhow::Context;
use utoipa::{OpenApi, openapi::OpenApi as Document};

/// A service, and the prefix of its paths.
pub(crate) type Place = (&'static str, &'static str);

/// Services that keep dead letters.
pub(crate) const DEAD_LETTERS: [Place; 4] = [
    ("intake", "/intake"),
    ("routing", "/routing"),
    ("reminder", "/reminder"),
    ("metrics", "/figures"),
];

/// Services that send mail.
pub(crate) const MAIL: [Place; 3] = [
    ("intake", "/intake"),
    ("routing", "/routing"),
    ("reminder", "/reminder"),
];

/// The prefix of `service`.
///
/// # Errors
/// When it is none of `places`.
pub(crate) fn prefix(places: &[Place], service: &str) -> anyhow::Result<&'static str> {
    let found = places.iter().find(|(name, _)| *name == service);
    let known = || {
        let names: Vec<&str> = places.iter().map(|(name, _)| *name).collect();
        format!(
            "there is none of the service {service}; there are those of {}",
            names.join(", ")
        )
    };
    found.map(|(_, prefix)| *prefix).with_context(known)
}

/// Adds the paths of every such service to the OpenAPI document.
pub(crate) fn document(document: Document) -> Document {
    let letters = platform::dead_letters::DeadLettersApi::openapi;
    let mail = platform::mail::MailApi::openapi;
    let document = DEAD_LETTERS
        .iter()
        .fold(document, |d, (_, prefix)| d.nest(*prefix, letters()));
    MAIL.iter()
        .fold(document, |d, (_, prefix)| d.nest(*prefix, mail()))
}
