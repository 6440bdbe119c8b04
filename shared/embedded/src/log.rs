//! A server's log: one file beside its data.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Past this a log is put aside as `log.old` at the next start.
const LONGEST: u64 = 16 * 1024 * 1024;

/// How many lines an error quotes.
const TAIL: usize = 12;

/// Where the log of the server in `dir` is.
pub(crate) fn path(dir: &Path) -> PathBuf {
    dir.join("log")
}

/// Opens the log for appending.
pub(crate) fn open(dir: &Path) -> anyhow::Result<File> {
    let path = path(dir);
    if fs::metadata(&path).is_ok_and(|log| log.len() > LONGEST) {
        // Losing old lines is no reason not to start.
        let _ = fs::rename(&path, dir.join("log.old"));
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The last lines of the log, for an error text.
pub(crate) fn tail(dir: &Path) -> String {
    let path = path(dir);
    match fs::read(&path) {
        Ok(bytes) => format!(
            "{} ends with:\n{}",
            path.display(),
            last_lines(&String::from_utf8_lossy(&bytes))
        ),
        Err(_) => format!("{} cannot be read", path.display()),
    }
}

/// The last lines of `text`, each indented.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let from = lines.len().saturating_sub(TAIL);
    lines[from..]
        .iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
