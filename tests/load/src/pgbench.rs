//! What single commits cost without the product: pgbench, with a statement that inserts the same two rows.

use std::{path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context, bail};
use tokio::process::Command;

use crate::product::Product;

/// pgbench of the PostgreSQL that runs, else of PATH.
fn program() -> PathBuf {
    let beside = crate::product::seen()
        .postgres
        .map(|folder| folder.join("pgbench"));
    beside
        .filter(|file| file.is_file())
        .unwrap_or_else(|| "pgbench".into())
}

/// PostgreSQL's own words for its version.
pub(crate) fn version() -> Option<String> {
    let postgres = crate::product::seen().postgres?.join("postgres");
    let output = std::process::Command::new(postgres)
        .arg("--version")
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Some(text.trim_start_matches("postgres (PostgreSQL) ").to_owned())
}

/// Commits per second of `script` with so many clients and prepared statements.
pub(crate) async fn commits(
    product: &Product,
    script: &str,
    clients: usize,
    time: Duration,
) -> anyhow::Result<f64> {
    let file = tempfile::Builder::new().suffix(".sql").tempfile()?;
    std::fs::write(file.path(), script)?;
    let (_, rest) = product
        .database_url
        .split_once("://")
        .context("a database URL")?;
    let (user, rest) = rest.split_once(':').context("a user in the database URL")?;
    let (password, rest) = rest
        .split_once('@')
        .context("a password in the database URL")?;
    let (address, database) = rest
        .split_once('/')
        .context("a database in the database URL")?;
    let (host, port) = address
        .split_once(':')
        .context("a port in the database URL")?;
    let seconds = time.as_secs().max(1).to_string();
    let output = Command::new(program())
        .args(["-n", "-M", "prepared", "-j", "2", "-T", &seconds, "-c", &clients.to_string(), "-f"])
        .arg(file.path())
        .args(["-h", host, "-p", port, "-U", user, database])
        .env("PGPASSWORD", password)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot run pgbench; install it: `apt-get install postgresql-contrib`, or put it on PATH")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let tps = text
        .lines()
        .find_map(|line| line.strip_prefix("tps = "))
        .and_then(|line| line.split_whitespace().next())
        .and_then(|number| number.parse().ok());
    match tps {
        Some(tps) if output.status.success() => Ok(tps),
        _ => bail!(
            "pgbench: {text}\n{}",
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}
