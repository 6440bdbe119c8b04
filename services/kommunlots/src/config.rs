//! Settings: from the configuration file, then the environment, then the command line; the later wins.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    net::SocketAddr,
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, bail};
use domain::Department;
use platform::{
    bus::DepartmentAccount,
    mail::{Address, Transport},
    telemetry::Telemetry,
};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::{cli::Options, product::accounts_in};

/// Every setting. An unknown one is an error that names it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Address to serve HTTP on.
    pub(crate) http: SocketAddr,
    /// Folder for the private servers, their data and the local key.
    pub(crate) data: PathBuf,
    /// PostgreSQL; a private one in the data folder when not set.
    pub(crate) database_url: Option<String>,
    /// Folder with `<service>.password`: each service then logs in to the database as itself. The user in `database_url` is
    /// for migrating alone.
    pub(crate) database_logins: Option<PathBuf>,
    /// NATS; a private one in the data folder when not set.
    pub(crate) nats_url: Option<String>,
    /// Folder with `<service>.nk` for NATS.
    pub(crate) nats_keys: Option<PathBuf>,
    /// Certificates (PEM) of who signs for the NATS server, where `nats_url` begins with `tls://`; the system's when not set.
    pub(crate) nats_ca: Option<PathBuf>,
    /// Whether to migrate the database at start.
    pub(crate) migrate: bool,
    /// What to log.
    pub(crate) log: String,
    /// `text` or `json`.
    pub(crate) log_format: LogFormat,
    /// Where to send traces by OTLP over HTTP; nowhere when not set.
    pub(crate) otlp_endpoint: Option<String>,
    /// Share of requests traced, 0-1.
    pub(crate) otlp_sample: f64,
    /// Seconds for which the bus knows message ids.
    pub(crate) duplicate_window_s: u64,
    /// `smtp://...` or `smtps://...`, or a folder for mails as files; `mail` in the data folder when not set.
    pub(crate) mail: Option<String>,
    /// Whom mails come from.
    pub(crate) mail_from: String,
    pub(crate) intake: Intake,
    pub(crate) metrics: Metrics,
    pub(crate) routing: Routing,
    /// Whether the product is up for one command's work only: it then tells nobody where it is, and does nothing by itself.
    /// No setting; commands say so.
    #[serde(skip)]
    pub(crate) momentary: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Intake {
    /// Name of this replica; keep it over restarts, since the figures wait for every source they have known.
    pub(crate) instance: String,
    /// Department of each queue, for contacts that do not say.
    pub(crate) queue_departments: BTreeMap<String, Department>,
    pub(crate) queue_log: QueueLog,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct QueueLog {
    /// A live queue_log to follow; none when not set.
    pub(crate) path: Option<PathBuf>,
    /// The PBX's name.
    pub(crate) system: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Metrics {
    /// Answer rate to reach, 0-1.
    pub(crate) answer_rate_target: f64,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Routing {
    /// Folder with the agreements. Its departments get accounts on the private bus; what is in force is told by
    /// `kommunlots agreements apply`.
    pub(crate) agreements: Option<PathBuf>,
    /// Where officers reach the product, such as `https://lots.kommun.example`; links in mails begin with it. This
    /// machine's address when not set.
    pub(crate) public_url: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            http: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: PathBuf::from("./.kommunlots"),
            database_url: None,
            database_logins: None,
            nats_url: None,
            nats_keys: None,
            nats_ca: None,
            migrate: true,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            otlp_endpoint: None,
            otlp_sample: 1.0,
            duplicate_window_s: platform::bus::DUPLICATE_WINDOW.as_secs(),
            mail: None,
            mail_from: "Kommunlots <kommunlots@localhost.invalid>".to_owned(),
            intake: Intake::default(),
            metrics: Metrics::default(),
            routing: Routing::default(),
            momentary: false,
        }
    }
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            instance: "intake".to_owned(),
            queue_departments: BTreeMap::new(),
            queue_log: QueueLog::default(),
        }
    }
}

impl Default for QueueLog {
    fn default() -> Self {
        Self {
            path: None,
            system: "pbx".to_owned(),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            answer_rate_target: 0.95,
        }
    }
}

/// How a setting is written as an environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// As it is.
    Text,
    /// As a TOML value.
    Toml,
}
use Written::{Text, Toml};

/// Every setting's place, how it is written, and what it must be. `KOMMUNLOTS_INTAKE_QUEUE_LOG_PATH` is
/// `intake.queue_log.path`.
const PLACES: [(&str, Written, &str); 23] = [
    ("http", Text, "an address such as 127.0.0.1:8080"),
    ("data", Text, "a folder"),
    ("database_url", Text, "postgres://user:password@host/name"),
    ("database_logins", Text, "a folder"),
    ("nats_url", Text, "nats://host:4222 or tls://host:4222"),
    ("nats_keys", Text, "a folder"),
    ("nats_ca", Text, "a file"),
    ("migrate", Toml, "true or false"),
    ("log", Text, "a level such as info"),
    ("log_format", Text, "text or json"),
    (
        "otlp_endpoint",
        Text,
        "an address such as http://127.0.0.1:4318",
    ),
    ("otlp_sample", Toml, "a number from 0 to 1, such as 0.1"),
    (
        "duplicate_window_s",
        Toml,
        "a number of seconds, such as 120",
    ),
    ("mail", Text, "smtps://user:password@host:465, or a folder"),
    (
        "mail_from",
        Text,
        "a sender such as Kontaktcenter <svar@kommun.example>",
    ),
    ("intake.instance", Text, "a name of a-z, 0-9 and -"),
    (
        "intake.queue_departments",
        Toml,
        "a table such as { bygglov = \"bygg\" }",
    ),
    ("intake.queue_log.path", Text, "a file"),
    ("intake.queue_log.system", Text, "a name such as pbx"),
    (
        "metrics.answer_rate_target",
        Toml,
        "a number from 0 to 1, such as 0.95",
    ),
    ("routing.agreements", Text, "a folder"),
    (
        "routing.public_url",
        Text,
        "an address such as https://lots.kommun.example",
    ),
    ("config", Text, "a file"),
];

/// Variables that are not settings: read by the command line, or by the search for programs.
const OTHERS: [&str; 4] = [
    "KOMMUNLOTS_URL",
    "KOMMUNLOTS_KEY",
    "KOMMUNLOTS_TOOLS",
    "KOMMUNLOTS_TOOLS_ONLY",
];

fn variable(place: &str) -> String {
    format!("KOMMUNLOTS_{}", place.replace('.', "_").to_uppercase())
}

/// Reads the settings.
///
/// # Errors
/// When something is set that is no setting, or not to what it must be; the error names it.
pub(crate) fn load(options: &Options) -> anyhow::Result<Settings> {
    let environment = environment(std::env::vars_os())?;
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
    overlay(&mut table, &environment)?;
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

/// The variables that may be ours.
///
/// # Errors
/// When one of them is not text.
fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> anyhow::Result<BTreeMap<String, String>> {
    let ours = variables.filter(|(name, _)| name.as_encoded_bytes().starts_with(b"KOMMUNLOTS_"));
    ours.map(|(name, value)| {
        let shown = name.to_string_lossy().into_owned();
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => Ok((name, value)),
            _ => bail!("{shown} is not UTF-8; set it anew, or unset it"),
        }
    })
    .collect()
}

/// Puts the environment's settings over the file's.
fn overlay(table: &mut Table, environment: &BTreeMap<String, String>) -> anyhow::Result<()> {
    for (name, text) in environment {
        if OTHERS.contains(&name.as_str()) || name == "KOMMUNLOTS_CONFIG" {
            continue;
        }
        let Some((place, written, expected)) =
            PLACES.iter().find(|(place, ..)| variable(place) == *name)
        else {
            let known: Vec<String> = PLACES.iter().map(|(place, ..)| variable(place)).collect();
            bail!(
                "there is no setting {name}; the settings are {}",
                known.join(", ")
            );
        };
        let value = match written {
            Text => Value::String(text.clone()),
            // How reading it failed says less than what it must be.
            Toml => format!("value = {text}")
                .parse()
                .ok()
                .and_then(|mut line: Table| line.remove("value"))
                .with_context(|| format!("{name} is `{text}`; it must be {expected}"))?,
        };
        let mut at = &mut *table;
        let mut parts: Vec<&str> = place.split('.').collect();
        let last = parts.pop().context("a setting has a name")?;
        for part in parts {
            let below = at.entry(part).or_insert_with(|| Value::Table(Table::new()));
            at = below
                .as_table_mut()
                .with_context(|| format!("{part} must be a table"))?;
        }
        at.insert(last.to_owned(), value);
        // Read alone, so that an error names the variable.
        let _: Settings = table
            .clone()
            .try_into()
            .with_context(|| format!("{name} must be {expected}"))?;
    }
    Ok(())
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

    /// How to log and trace. A command that is not a service logs only what goes wrong.
    pub(crate) fn telemetry(&self, quiet: bool) -> Telemetry<'_> {
        Telemetry {
            log: if quiet && self.log == "info" {
                "error"
            } else {
                &self.log
            },
            json: self.log_format == LogFormat::Json,
            otlp_endpoint: self.otlp_endpoint.as_deref(),
            sample: self.otlp_sample,
        }
    }

    /// The departments of the configured agreements, as accounts on the bus; none without.
    pub(crate) fn accounts(&self) -> anyhow::Result<Vec<DepartmentAccount>> {
        match &self.routing.agreements {
            Some(folder) => accounts_in(folder).context("in routing.agreements"),
            None => Ok(Vec::new()),
        }
    }

    /// How every service that sends mail sends it, and whom it is from.
    fn mail(&self) -> anyhow::Result<(Transport, Address)> {
        let transport = match &self.mail {
            Some(mail) => mail.parse().context("in mail")?,
            None => Transport::Folder(self.data.join("mail")),
        };
        let from = self.mail_from.parse().context("in mail_from")?;
        Ok((transport, from))
    }

    /// Routing's part, for `departments` on the bus and a product at `base`.
    pub(crate) fn routing(
        &self,
        departments: BTreeSet<Department>,
        base: &str,
    ) -> anyhow::Result<routing::Config> {
        let public_url = self.routing.public_url.as_deref().unwrap_or(base);
        let (mail, mail_from) = self.mail()?;
        Ok(routing::Config {
            departments,
            public_url: public_url.trim_end_matches('/').to_owned(),
            mail_from,
            mail,
            acts: !self.momentary,
            duplicate_window: Duration::from_secs(self.duplicate_window_s),
        })
    }

    /// Reminder's part.
    pub(crate) fn reminder(&self) -> anyhow::Result<reminder::Config> {
        let (mail, mail_from) = self.mail()?;
        Ok(reminder::Config {
            mail_from,
            mail,
            acts: !self.momentary,
            duplicate_window: Duration::from_secs(self.duplicate_window_s),
        })
    }

    /// Intake's part.
    pub(crate) fn intake(&self) -> anyhow::Result<intake::Config> {
        let log = &self.intake.queue_log;
        let (mail, mail_from) = self.mail()?;
        Ok(intake::Config {
            instance: self.intake.instance.clone(),
            queue_departments: self.intake.queue_departments.clone(),
            queue_log: log.path.clone().map(|path| intake::QueueLog {
                path,
                system: log.system.clone(),
            }),
            mail_from,
            mail,
            acts: !self.momentary,
            duplicate_window: Duration::from_secs(self.duplicate_window_s),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> anyhow::Result<Settings> {
        let mut table = Table::new();
        overlay(
            &mut table,
            &BTreeMap::from([(name.to_owned(), value.to_owned())]),
        )?;
        Ok(table.try_into()?)
    }

    #[test]
    fn every_setting_can_come_from_the_environment() {
        // All settings with a value, as a table: each of its leaves must have a place, and each place a leaf.
        let full = Settings {
            database_url: Some("x".to_owned()),
            nats_url: Some("x".to_owned()),
            nats_keys: Some("x".into()),
            nats_ca: Some("x".into()),
            database_logins: Some("x".into()),
            otlp_endpoint: Some("x".to_owned()),
            routing: Routing {
                agreements: Some("x".into()),
                public_url: Some("http://x".to_owned()),
            },
            mail: Some("x".to_owned()),
            intake: Intake {
                queue_log: QueueLog {
                    path: Some("x".into()),
                    ..QueueLog::default()
                },
                ..Intake::default()
            },
            ..Settings::default()
        };
        let mut leaves = Vec::new();
        fn walk(prefix: &str, table: &Table, leaves: &mut Vec<String>) {
            for (name, value) in table {
                let place = format!("{prefix}{name}");
                match value {
                    Value::Table(below) if place != "intake.queue_departments" => {
                        walk(&format!("{place}."), below, leaves);
                    }
                    _ => leaves.push(place),
                }
            }
        }
        walk("", &Table::try_from(&full).unwrap(), &mut leaves);
        leaves.push("config".to_owned());
        leaves.sort();
        let mut places: Vec<String> = PLACES.iter().map(|(p, ..)| (*p).to_owned()).collect();
        places.sort();
        assert_eq!(leaves, places);
    }

    #[test]
    fn values_arrive_and_wrong_ones_are_named() {
        let settings = with("KOMMUNLOTS_INTAKE_QUEUE_LOG_PATH", "/var/log/queue_log").unwrap();
        assert_eq!(
            settings.intake.queue_log.path,
            Some("/var/log/queue_log".into())
        );
        let settings = with("KOMMUNLOTS_INTAKE_QUEUE_DEPARTMENTS", "{ bygg = \"bygg\" }").unwrap();
        assert_eq!(settings.intake.queue_departments["bygg"].as_str(), "bygg");
        for (name, value) in [
            ("KOMMUNLOTS_HTPP", "127.0.0.1:1"),
            ("KOMMUNLOTS_HTTP", "nowhere"),
            ("KOMMUNLOTS_LOG_FORMAT", "xml"),
            ("KOMMUNLOTS_MIGRATE", "ja"),
            ("KOMMUNLOTS_MIGRATE", "1"),
            ("KOMMUNLOTS_METRICS_ANSWER_RATE_TARGET", "high"),
            ("KOMMUNLOTS_METRICS_ANSWER_RATE_TARGET", ""),
            ("KOMMUNLOTS_INTAKE_QUEUE_DEPARTMENTS", "bygg=bygg"),
        ] {
            let error = format!("{:#}", with(name, value).unwrap_err());
            assert!(error.contains(name), "{error}");
            assert!(!error.contains("quoted"), "{error}");
            let place = PLACES.iter().find(|(place, ..)| variable(place) == name);
            assert!(
                place.is_none_or(|(.., expected)| error.contains(expected)),
                "{error}"
            );
        }
    }

    #[test]
    fn a_variable_that_is_not_text_is_named() {
        use std::os::unix::ffi::OsStringExt;
        let of = |name: &str, value: &[u8]| {
            let variable = (OsString::from(name), OsString::from_vec(value.to_vec()));
            environment([variable].into_iter())
        };
        let error = of("KOMMUNLOTS_DATA", b"/tmp/\xff").unwrap_err().to_string();
        assert!(error.contains("KOMMUNLOTS_DATA"), "{error}");
        assert_eq!(of("OTHERS", b"\xff").unwrap().len(), 0);
        assert_eq!(of("KOMMUNLOTS_DATA", b"/tmp").unwrap().len(), 1);
    }
}
