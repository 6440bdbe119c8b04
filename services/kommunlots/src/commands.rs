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
pub(crate) mod mail;
pub(crate) mod migrate;
pub(crate) mod nats_config;
pub(crate) mod reminder;
pub(crate) mod routing;

use serde::de::DeserializeOwned;

use crate::{client::Client, operations::Place};

/// Services that did not tell what they keep, or did not do with it what was asked.
#[derive(Default)]
struct Silent(Vec<&'static str>);

impl Silent {
    /// Says at once what a service answered instead.
    fn tell(&mut self, service: &'static str, error: &anyhow::Error) {
        eprintln!("{service}: {error:#}");
        self.0.push(service);
    }

    fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// # Errors
    /// When there are any: what they keep is unknown, which is not nothing.
    fn ok(self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.0.is_empty(),
            "what is kept by {} is not known; is every service running and reached at this address",
            self.0.join(" and ")
        );
        Ok(())
    }
}

/// What each of `places` lists at its `path`, with the service's name. One that does not answer is told of at once.
async fn of_each<T: DeserializeOwned>(
    client: &Client,
    places: &[Place],
    path: &str,
) -> anyhow::Result<(Vec<(&'static str, T)>, Silent)> {
    let (mut all, mut silent) = (Vec::new(), Silent::default());
    for (service, prefix) in places {
        match client.get::<Vec<T>>(&format!("{prefix}/{path}"), &[]).await {
            Ok(listed) => all.extend(listed.into_iter().map(|one| (*service, one))),
            Err(error) => silent.tell(service, &error),
        }
    }
    Ok((all, silent))
}

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
