//! The product's data folder: one running product at a time, and where it answers.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::files;

/// [`DataFolder::running`] holds the lock for a moment; that must not fail a start.
const TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// A data folder, held by this process until dropped or until the process ends, however it ends.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

/// What a running product says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its process.
    pub pid: u32,
    /// Where it answers, as in `http://127.0.0.1:8080`; nothing while it is still starting.
    pub http: Option<String>,
}

impl DataFolder {
    /// Creates the folder (mode 0700) unless it is there, and takes it for this process.
    ///
    /// # Errors
    /// When the folder cannot be made, or another product runs in it; the text then says which.
    pub fn lock(path: impl AsRef<Path>) -> anyhow::Result<Self> {
        let path = files::private_folder(path.as_ref())?;
        let file = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&file)
            .with_context(|| {
                format!(
                    "cannot open {}, choose a data folder that may be written",
                    file.display()
                )
            })?;
        for _ in 0..TRIES {
            match lock.try_lock() {
                Ok(()) => {
                    let folder = Self { path, _lock: lock };
                    // At once: a first start takes a while, and this replaces what a killed product left.
                    folder.write(None)?;
                    return Ok(folder);
                }
                Err(TryLockError::WouldBlock) => sleep(BETWEEN_TRIES),
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("cannot lock {}", file.display()));
                }
            }
        }
        let who = read(&path).map_or_else(String::new, |running| {
            let http = running
                .http
                .map(|http| format!(", {http}"))
                .unwrap_or_default();
            format!(" (pid {}{http})", running.pid)
        });
        bail!(
            "the data folder {} is in use by another kommunlots{who}: use that one, stop it first, or choose another \
             data folder",
            path.display()
        )
    }

    /// The folder, as an absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Tells other processes where this product answers.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn announce(&self, http: &str) -> anyhow::Result<()> {
        self.write(Some(http.to_owned()))
    }

    /// The product that runs in the folder, if one does. What a killed one left behind does not count.
    pub fn running(path: impl AsRef<Path>) -> Option<Running> {
        let path = path.as_ref();
        let lock = File::open(path.join("lock")).ok()?;
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => read(path),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }

    fn write(&self, http: Option<String>) -> anyhow::Result<()> {
        let pid = std::process::id();
        let text = serde_json::to_string(&Running { pid, http })?;
        files::write_private(&announcement(&self.path), &format!("{text}\n"))
    }

    fn forget(&self) {
        let file = announcement(&self.path);
        if let Err(error) = fs::remove_file(&file)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(file = %file.display(), %error, "cannot remove the announcement");
        }
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        self.forget();
    }
}

fn announcement(folder: &Path) -> PathBuf {
    folder.join("running.json")
}

fn read(folder: &Path) -> Option<Running> {
    serde_json::from_str(&fs::read_to_string(announcement(folder)).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_one_product_at_a_time() {
        let path = std::env::temp_dir().join(format!("embedded-data-{}", std::process::id()));
        let folder = DataFolder::lock(&path).unwrap();
        let pid = std::process::id();
        let starting = Running { pid, http: None };
        assert_eq!(DataFolder::running(&path), Some(starting));
        folder.announce("http://127.0.0.1:8080").unwrap();
        let http = Some("http://127.0.0.1:8080".to_owned());
        assert_eq!(DataFolder::running(&path), Some(Running { pid, http }));

        let error = DataFolder::lock(&path).unwrap_err().to_string();
        assert!(
            error.contains(&format!("(pid {pid}, http://127.0.0.1:8080)")),
            "{error}"
        );

        fs::copy(announcement(&path), path.join("left-over")).unwrap();
        drop(folder);
        fs::rename(path.join("left-over"), announcement(&path)).unwrap();
        assert_eq!(DataFolder::running(&path), None, "left by a killed product");
        drop(DataFolder::lock(&path).unwrap());
        files::remove_folder(&path).unwrap();
    }
}
