//! Files and folders that only their owner may read.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context;

/// Creates `path` with mode 0700 unless it is there already, and gives it back as an absolute path: the servers run
/// with a working folder of their own.
pub(crate) fn private_folder(path: &Path) -> anyhow::Result<PathBuf> {
    let path = std::path::absolute(path)
        .with_context(|| format!("{} is not a folder's name", path.display()))?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&path)
        .with_context(|| {
            format!(
                "cannot create the folder {}, choose one that may be written",
                path.display()
            )
        })?;
    Ok(path)
}

/// Writes `text` to `path` with mode 0600, whole or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.tmp", std::process::id()));
    let draft = PathBuf::from(draft);
    let write = || {
        // A draft left by an interrupted run may have another mode: `mode` counts only for a file that is created.
        remove_file(&draft)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// The file's text without the white space around it, or nothing when there is no such file.
pub(crate) fn read_trimmed(path: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Removes a folder with all it holds; one that is not there is fine. May block for a moment.
pub(crate) fn remove_folder(path: &Path) -> anyhow::Result<()> {
    let mut tries = 20;
    loop {
        match fs::remove_dir_all(path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            // A program of a product that was just killed may still be writing into it.
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty && tries > 0 => {
                tries -= 1;
                sleep(Duration::from_millis(100));
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot remove {}", path.display()));
            }
        }
    }
}

/// Removes a file; one that is not there is fine.
pub(crate) fn remove_file(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
