//! `kommunlots nats-config`: the bus's configuration for a server of one's own.

use std::{net::SocketAddr, path::Path};

use anyhow::Context;
use platform::{
    auth::write_secret,
    bus::{self, ServerConfig},
};

use crate::{output::say, product::rights};

/// Writes it, and makes the keys that are missing.
pub(crate) fn run(dir: &Path, listen: SocketAddr) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir)
        .with_context(|| format!("cannot make the folder {}", dir.display()))?;
    let dir = dir.canonicalize()?;
    let (file, keys) = (dir.join("nats.conf"), dir.join("keys"));
    let config = ServerConfig {
        listen,
        store: &dir.join("store"),
        keys: &keys,
    };
    write_secret(&file, &bus::render(config, &rights())?)?;
    say!("{}", file.display())?;
    say!("KOMMUNLOTS_NATS_URL=nats://{listen}")?;
    say!("KOMMUNLOTS_NATS_KEYS={}", keys.display())
}
