//! What can be set, and what holds where it is not.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use domain::Department;
use serde::{Deserialize, Serialize};

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
