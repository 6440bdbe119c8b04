//! The file that names a server's process, and whose lock says whether it lives.
//!
//! The lock is taken by the guard and inherited by the server and all its children, so it is free only when the last
//! of them is gone. A pid alone could not say that: it may belong to another process by now, and PostgreSQL's
//! children live on for a moment after their postmaster was killed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{Instant, sleep};

/// How long a server of an earlier run may take to end: a guard kills it after 15 s.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Where the pid of the server called `name` is.
pub(crate) fn path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.pid"))
}

/// Waits until no process of an earlier run holds the file any more.
pub(crate) async fn wait_until_free(path: &Path) -> anyhow::Result<()> {
    lock(path).await.map(drop)
}

/// Takes the lock, waiting for an earlier server to end.
pub(crate) async fn lock(path: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o644)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                sleep(Duration::from_millis(25)).await
            }
            Err(TryLockError::WouldBlock) => {
                let pid = fs::read_to_string(path).unwrap_or_default();
                bail!(
                    "the server of an earlier run (pid {}, {}) has not ended in {} s, end it with `kill` \
                     and start again",
                    pid.trim(),
                    path.display(),
                    PATIENCE.as_secs()
                )
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
    }
}

/// Writes the pid into the locked file; nothing when the server is gone.
pub(crate) fn write(mut file: &File, pid: Option<u32>) -> std::io::Result<()> {
    file.set_len(0)?;
    if let Some(pid) = pid {
        // One small write at the start: a reader sees all of it or nothing.
        file.write_all(format!("{pid}\n").as_bytes())?;
    }
    Ok(())
}
