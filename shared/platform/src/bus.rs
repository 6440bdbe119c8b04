//! NATS: connecting as the service one is, the streams, and the server's configuration.

mod departments;
mod questions;
mod server_config;
mod streams;

use std::{path::Path, time::Duration};

use anyhow::Context;
use async_nats::{
    Client, ConnectOptions, Event,
    connection::State,
    jetstream::{self, context::ContextBuilder},
};

pub use departments::ensure_department;
pub use questions::{answer, ask};
pub use server_config::{Certificate, DepartmentAccount, ServerConfig, render};
pub use streams::{DUPLICATE_WINDOW, StreamSpec, ensure_stream};

/// What a service may do on the bus. Everything else is refused by the server.
#[derive(Debug, Clone)]
pub struct Rights {
    /// The service; also the name of its key file and of its inbox.
    pub service: &'static str,
    /// Subjects it may publish on.
    pub publish: Vec<String>,
    /// Subjects it may subscribe to, beside its own inbox.
    pub subscribe: Vec<String>,
    /// Whether it answers requests.
    pub answers: bool,
}

/// A service's connection to the bus.
#[derive(Debug, Clone)]
pub struct Bus {
    /// For core messages and requests.
    pub client: Client,
    /// For streams.
    pub jetstream: jetstream::Context,
}

impl Bus {
    /// Connects as `service`, with its key from `keys` where given. Returns at once also when the server is away:
    /// the connection is then made as soon as it can be. Where `url` begins with `tls://`, the server must show a certificate
    /// that one of those in the file `ca` has signed, or one of the system's without.
    ///
    /// # Errors
    /// When the key or the certificates cannot be read or the address is not one.
    pub async fn connect(
        url: &str,
        service: &'static str,
        keys: Option<&Path>,
        ca: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let mut options = match keys {
            Some(folder) => {
                let file = folder.join(format!("{service}.nk"));
                let seed = std::fs::read_to_string(&file).with_context(|| {
                    format!("cannot read the bus key {}; nats_keys must name a folder with one <service>.nk each", file.display())
                })?;
                ConnectOptions::with_nkey(seed.trim().to_owned())
            }
            None => ConnectOptions::new(),
        };
        if let Some(ca) = ca {
            // Read here too: what is wrong with it would else show only as a server that is never reached.
            std::fs::metadata(ca).with_context(|| {
                format!("cannot read the certificates of nats_ca, {}", ca.display())
            })?;
            options = options.add_root_certificates(ca.to_owned());
        }
        let client = options
            .name(format!("kommunlots {service}"))
            .custom_inbox_prefix(inbox(service))
            .retry_on_initial_connect()
            .request_timeout(Some(Duration::from_secs(3)))
            .ping_interval(Duration::from_secs(5))
            .reconnect_delay_callback(|attempts| {
                Duration::from_millis((attempts as u64 * 100).min(1000))
            })
            .event_callback(move |event| async move { log(service, &event) })
            .connect(url)
            .await
            .with_context(|| format!("cannot use the bus at {}", without_password(url)))?;
        let jetstream = ContextBuilder::new()
            .timeout(Duration::from_secs(3))
            .ack_timeout(Duration::from_secs(3))
            .max_ack_inflight(2_048)
            .build(client.clone());
        Ok(Self { client, jetstream })
    }

    /// Sends what is under way and closes the connection.
    pub async fn close(&self) {
        // It may be closed already.
        let _ = self.client.drain().await;
    }

    /// Whether the connection stands.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }
}

/// The prefix of a service's inboxes: replies to one service cannot be read by another.
fn inbox(service: &str) -> String {
    format!("_INBOX_{service}")
}

/// A denied call shows only as a timeout to its caller; the cause is told here alone.
fn log(service: &str, event: &Event) {
    match event {
        Event::Connected => tracing::info!(service, "bus connected"),
        Event::Disconnected => tracing::warn!(service, "bus disconnected; connecting again"),
        Event::ServerError(error) => tracing::error!(service, %error, "the bus refused something"),
        Event::SlowConsumer(_) => {
            tracing::warn!(service, "the bus dropped messages for a slow consumer")
        }
        other => tracing::debug!(service, event = %other, "bus event"),
    }
}

fn without_password(url: &str) -> &str {
    url.rsplit('@').next().unwrap_or(url)
}
