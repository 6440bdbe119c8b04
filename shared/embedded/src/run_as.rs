//! As whom a server runs, and what ends it if even its guard is killed.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, bail};
use rustix::process::geteuid;

use crate::programs::system_tool;

/// The user `nobody`.
const NOBODY: u32 = 65_534;

/// PostgreSQL refuses to run as root, so under root it is made to run as somebody else.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RunAs {
    /// The product's own user.
    Ourselves,
    /// `nobody` inside a user namespace that is root outside: it still reaches whatever root owns.
    Namespace,
    /// Another user, for machines that allow no user namespaces; data and programs must be within its reach.
    User { uid: u32, gid: u32 },
}

impl RunAs {
    /// For the PostgreSQL whose data are, or will be, in `<dir>/data`.
    ///
    /// Who owns the data decides, so that a folder goes on in the way it began.
    pub(crate) fn for_postgres(dir: &Path) -> anyhow::Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self::Ourselves);
        }
        let data = dir.join("data");
        match fs::metadata(&data)
            .ok()
            .map(|data| (data.uid(), data.gid()))
        {
            Some((uid, gid)) if uid != 0 => Self::other_user(dir, uid, gid),
            _ if namespace_works() => Ok(Self::Namespace),
            owner => {
                let nobody = Self::other_user(dir, NOBODY, NOBODY)?;
                if owner.is_some() {
                    nobody.give(&data)?;
                }
                Ok(nobody)
            }
        }
    }

    fn other_user(dir: &Path, uid: u32, gid: u32) -> anyhow::Result<Self> {
        if setpriv().is_none() {
            bail!(
                "PostgreSQL does not run as root, and setpriv to change the user is missing: start as an \
                 ordinary user, or set KOMMUNLOTS_DATABASE_URL to a database of your own"
            );
        }
        let user = Self::User { uid, gid };
        // The data folder and this server's place in it are the product's own, made for their owner only.
        let above = dir.parent().into_iter().chain([dir]);
        for folder in above.filter(|folder| is_private_to_root(folder)) {
            let mode = fs::metadata(folder)?.mode() | 0o011;
            fs::set_permissions(folder, fs::Permissions::from_mode(mode))?;
        }
        if !user.manages("cd \"$0\"", dir) {
            bail!(
                "PostgreSQL does not run as root, and user {uid} cannot reach {}: start as an ordinary \
                 user, choose a data folder that everybody may enter, or set KOMMUNLOTS_DATABASE_URL \
                 to a database of your own",
                dir.display()
            );
        }
        Ok(user)
    }

    /// Fails with what to do if this user cannot run `program`.
    pub(crate) fn check_reach(&self, program: &Path) -> anyhow::Result<()> {
        if matches!(self, Self::User { .. }) && !self.manages("exec \"$0\" --version", program) {
            bail!(
                "PostgreSQL does not run as root, and another user cannot run {}: `apt-get install postgresql`, or set \
                 KOMMUNLOTS_TOOLS to a folder that everybody may enter",
                program.display()
            );
        }
        Ok(())
    }

    /// The words to put before a program's own. `death_signal` is sent to it when the process that started it dies,
    /// where the system can do that.
    pub(crate) fn prefix(&self, death_signal: &str) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        if *self == Self::Namespace
            && let Some(unshare) = system_tool("unshare")
        {
            words.extend([unshare.into(), "--user".into()]);
            words.extend([
                format!("--map-user={NOBODY}").into(),
                format!("--map-group={NOBODY}").into(),
            ]);
        }
        // After `unshare`: a change of rights clears the parent-death signal.
        if let Some(setpriv) = setpriv() {
            words.extend([setpriv.into(), "--pdeathsig".into(), death_signal.into()]);
            if let Self::User { uid, gid } = self {
                words.extend(["--reuid".into(), uid.to_string().into()]);
                words.extend([
                    "--regid".into(),
                    gid.to_string().into(),
                    "--clear-groups".into(),
                ]);
            }
        }
        words
    }

    /// Makes `path` and all in it this user's own.
    pub(crate) fn give(&self, path: &Path) -> anyhow::Result<()> {
        let Self::User { uid, gid } = self else {
            return Ok(());
        };
        let give = || -> std::io::Result<()> {
            let mut waiting = vec![path.to_owned()];
            while let Some(path) = waiting.pop() {
                lchown(&path, Some(*uid), Some(*gid))?;
                if fs::symlink_metadata(&path)?.is_dir() {
                    for entry in fs::read_dir(&path)? {
                        waiting.push(entry?.path());
                    }
                }
            }
            Ok(())
        };
        give().with_context(|| format!("cannot give {} to user {uid}", path.display()))
    }

    /// Whether a shell of this user can do `script` with `path`. `setpriv` itself could execute a program out of the
    /// user's reach: it gives root's rights up only in doing so.
    fn manages(&self, script: &str, path: &Path) -> bool {
        self.runs(&["/bin/sh".into(), "-c".into(), script.into(), path.into()])
    }

    fn runs(&self, words: &[OsString]) -> bool {
        let mut all = self.prefix("KILL");
        all.extend_from_slice(words);
        succeeds(&all)
    }
}

fn is_private_to_root(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|folder| folder.uid() == 0 && folder.mode() & 0o001 == 0)
}

/// `setpriv`, if it is there and knows parent-death signals; tried once.
fn setpriv() -> Option<PathBuf> {
    static SETPRIV: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let setpriv = system_tool("setpriv")?;
        let words = [
            setpriv.clone().into(),
            "--pdeathsig".into(),
            "KILL".into(),
            setpriv.clone().into(),
            "-h".into(),
        ];
        succeeds(&words).then_some(setpriv)
    };
    SETPRIV.get_or_init(find).clone()
}

/// Whether root may make a user namespace here; containers often forbid it. Tried once.
fn namespace_works() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(|| {
        system_tool("unshare").is_some()
            && RunAs::Namespace.runs(&["/bin/sh".into(), "-c".into(), ":".into()])
    })
}

fn succeeds(words: &[OsString]) -> bool {
    let Some((program, args)) = words.split_first() else {
        return false;
    };
    let status = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
