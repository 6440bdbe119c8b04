//! `kommunlots nats-config`: the bus's configuration for a server of one's own.

use std::path::Path;

use anyhow::Context;
use platform::{
    auth::write_secret,
    bus::{self, Certificate, DepartmentAccount, ServerConfig},
};

use crate::{
    cli::NatsConfig,
    output::say,
    product::{accounts_in, rights},
};

/// Writes it, and makes the keys that are missing.
pub(crate) fn run(wanted: &NatsConfig) -> anyhow::Result<()> {
    let agreements = wanted.agreements.as_deref();
    let departments = agreements.map_or(Ok(Vec::new()), accounts_in)?;
    std::fs::create_dir_all(&wanted.dir)
        .with_context(|| format!("cannot make the folder {}", wanted.dir.display()))?;
    let dir = wanted.dir.canonicalize()?;
    let (file, keys) = (dir.join("nats.conf"), dir.join("keys"));
    let store = wanted.store.clone().unwrap_or_else(|| dir.join("store"));
    let tls = wanted.tls_cert.as_deref().zip(wanted.tls_key.as_deref());
    let config = ServerConfig {
        listen: wanted.listen,
        store: &store,
        keys: &keys,
        monitor: wanted.monitor,
        tls: tls.map(|(chain, key)| Certificate { chain, key }),
    };
    let there_before = departments
        .iter()
        .map(|department| department.key_file(&keys).is_some_and(|file| file.exists()))
        .collect::<Vec<bool>>();
    let text = bus::render(config, &rights(&departments), &departments)?;
    write_secret(&file, &text)?;
    say!("{}", file.display())?;
    let scheme = if tls.is_some() { "tls" } else { "nats" };
    say!("KOMMUNLOTS_NATS_URL={scheme}://{}", wanted.listen)?;
    say!("KOMMUNLOTS_NATS_KEYS={}", keys.display())?;
    if agreements.is_none() {
        say!(
            "# no department has an account: --agreements DIR, or the setting routing.agreements, names the folder that says \
             which there are"
        )?;
    }
    if let Some(agreements) = agreements {
        let agreements = agreements.canonicalize()?;
        say!("KOMMUNLOTS_ROUTING_AGREEMENTS={}", agreements.display())?;
    }
    for (department, there_before) in departments.iter().zip(there_before) {
        tell(department, there_before, &keys)?;
    }
    if departments.iter().any(|d| d.public_nkey.is_none()) {
        say!(
            "# hand each file to its department and to nobody else, encrypted or on a medium of its own;"
        )?;
        say!(
            "# when the agreement names the key's public half, the file is no longer needed here: remove it"
        )?;
    }
    Ok(())
}

/// What a department connects with.
fn tell(account: &DepartmentAccount, there_before: bool, keys: &Path) -> anyhow::Result<()> {
    let department = &account.department;
    let Some(file) = account.key_file(keys) else {
        return say!("# {department} connects with its own key, which its agreement names");
    };
    let made = if there_before { "kept" } else { "made" };
    say!(
        "# {department} connects with the key {made} in {}, in its agreement: public_nkey = \"{}\"",
        file.display(),
        account.public_key(keys)?
    )
}
