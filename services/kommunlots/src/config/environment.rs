//! Settings as environment variables.

use std::{collections::BTreeMap, ffi::OsString};

use anyhow::{Context, bail};
use toml::{Table, Value};

use super::Settings;

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

/// The variables that may be ours.
///
/// # Errors
/// When one of them is not text.
pub(super) fn ours(
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
pub(super) fn overlay(
    table: &mut Table,
    environment: &BTreeMap<String, String>,
) -> anyhow::Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::{Intake, QueueLog, Routing};

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
            ours([variable].into_iter())
        };
        let error = of("KOMMUNLOTS_DATA", b"/tmp/\xff").unwrap_err().to_string();
        assert!(error.contains("KOMMUNLOTS_DATA"), "{error}");
        assert_eq!(of("OTHERS", b"\xff").unwrap().len(), 0);
        assert_eq!(of("KOMMUNLOTS_DATA", b"/tmp").unwrap().len(), 1);
    }
}
