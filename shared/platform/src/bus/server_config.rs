//! The NATS server's configuration. There is one, made here, for the embedded default and for every other deployment.

use std::{fmt::Write, net::SocketAddr, path::Path};

use anyhow::Context;
use nkeys::KeyPair;

use super::{Rights, inbox};

/// Where the server listens and keeps its streams.
#[derive(Debug, Clone, Copy)]
pub struct ServerConfig<'a> {
    /// Clients connect here.
    pub listen: SocketAddr,
    /// Streams are kept here.
    pub store: &'a Path,
    /// Each service's key is kept here as `<service>.nk`, and made where it is missing.
    pub keys: &'a Path,
}

/// Writes the configuration: `sync_interval: always`, so that an acknowledged message is on disk; and a user for each
/// service with a key of its own and the least rights.
///
/// # Errors
/// When a key cannot be read or made.
pub fn render(config: ServerConfig<'_>, services: &[Rights]) -> anyhow::Result<String> {
    let mut users = String::new();
    for rights in services {
        let key = public_key(config.keys, rights.service)?;
        let mut subscribe = rights.subscribe.clone();
        subscribe.push(format!("{}.>", inbox(rights.service)));
        let answers = if rights.answers {
            "\n        allow_responses: { max: 1, expires: \"5s\" }"
        } else {
            ""
        };
        write!(
            users,
            "\n      # {}\n      {{ nkey: \"{key}\", allowed_connection_types: [\"STANDARD\"], permissions: {{\n        \
             publish: {{ allow: {:?} }}\n        subscribe: {{ allow: {subscribe:?} }}{answers} }} }}",
            rights.service, rights.publish,
        )?;
    }
    Ok(format!(
        "# Made by kommunlots; changes are overwritten.
server_name: kommunlots
listen: \"{listen}\"
max_payload: 262144
max_connections: 512
max_subscriptions: 2000
max_control_line: 4096
write_deadline: \"5s\"
authorization: {{ timeout: 4 }}
jetstream: {{ store_dir: {store:?}, sync_interval: always, max_memory_store: 64MB, max_file_store: 16GB }}
accounts: {{
  CITY: {{
    jetstream: {{ max_file: 16GB, max_mem: 64MB, max_streams: 40, max_consumers: 200 }}
    users: [{users}
    ]
  }}
  SYS: {{}}
}}
system_account: SYS
",
        listen = config.listen,
        store = config.store,
    ))
}

/// The public half of a service's key, which is made at first need.
fn public_key(folder: &Path, service: &str) -> anyhow::Result<String> {
    let file = folder.join(format!("{service}.nk"));
    let pair = match std::fs::read_to_string(&file) {
        Ok(seed) => KeyPair::from_seed(seed.trim()).with_context(|| {
            format!(
                "{} holds no nkey seed; remove it to have a new one made",
                file.display()
            )
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let pair = KeyPair::new_user();
            crate::auth::write_secret(&file, &pair.seed()?)?;
            pair
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    Ok(pair.public_key())
}
