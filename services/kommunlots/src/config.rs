//! Settings: from the configuration file, then the environment, then the command line; the later wins.

mod environment;
mod parts;
mod settings;

use std::net::SocketAddr;

use anyhow::{Context, bail};
use domain::Department;
use toml::{Table, Value};

use crate::cli::Options;
pub(crate) use settings::{LogFormat, Settings};

/// Reads the settings.
///
/// # Errors
/// When something is set that is no setting, or not to what it must be; the error names it.
pub(crate) fn load(options: &Options) -> anyhow::Result<Settings> {
    let environment = environment::ours(std::env::vars_os())?;
    let mut table = match &options.config {
        None => Table::new(),
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| {
                format!("cannot read the configuration file {}", file.display())
            })?;
            // Read alone first, so that an error names the file's line.
            let _: Settings = toml::from_str(&text)
                .with_context(|| format!("in the configuration file {}", file.display()))?;
            text.parse()?
        }
    };
    environment::overlay(&mut table, &environment)?;
    if let Some(http) = &options.http {
        http.parse::<SocketAddr>().with_context(|| {
            format!("--http is `{http}`; it must be an address such as 127.0.0.1:8080")
        })?;
        table.insert("http".to_owned(), Value::String(http.clone()));
    }
    if let Some(data) = &options.data {
        table.insert("data".to_owned(), Value::String(data.display().to_string()));
    }
    let settings: Settings = table.try_into().context("in the settings")?;
    settings.check()?;
    Ok(settings)
}

impl Settings {
    fn check(&self) -> anyhow::Result<()> {
        for (name, value) in [
            (
                "metrics.answer_rate_target",
                self.metrics.answer_rate_target,
            ),
            ("otlp_sample", self.otlp_sample),
        ] {
            if !(0.0..=1.0).contains(&value) {
                bail!("{name} is {value}; it must be from 0 to 1, such as 0.95");
            }
        }
        let instance = &self.intake.instance;
        if instance.parse::<Department>().is_err() {
            bail!(
                "intake.instance is `{instance}`; it must be 1 to 32 characters of a-z, 0-9 and -"
            );
        }
        if !(1..=3600).contains(&self.duplicate_window_s) {
            bail!(
                "duplicate_window_s is {}; it must be from 1 to 3600",
                self.duplicate_window_s
            );
        }
        if self.nats_ca.is_some()
            && !self
                .nats_url
                .as_deref()
                .is_some_and(|u| u.starts_with("tls://"))
        {
            bail!(
                "nats_ca is set, but nats_url does not begin with tls://; the bus would be spoken to in clear"
            );
        }
        if let Some(url) = &self.routing.public_url
            && !url.starts_with("https://")
            && !url.starts_with("http://")
        {
            bail!(
                "routing.public_url is `{url}`; it must be an address such as https://lots.kommun.example"
            );
        }
        self.mail().map(drop)
    }
}
