//! How the product starts a guard: itself, executed again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use rustix::process::Signal;

/// The hidden subcommand that makes a program a guard.
pub const GUARD: &str = "guard";

/// The program that stands guard over a private server: any that calls [`guard_main`](crate::guard_main) for its
/// hidden subcommand `guard`.
#[derive(Clone, Debug)]
pub struct Guard {
    program: PathBuf,
}

impl Guard {
    /// This very program.
    ///
    /// # Errors
    /// When the system does not tell which file that is.
    pub fn this_program() -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        Ok(Self { program })
    }

    /// Another program, for tests: the path of a built `kommunlots`.
    pub fn program(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        // The guard has a working folder of its own.
        Self {
            program: std::path::absolute(&path).unwrap_or(path),
        }
    }

    /// The command that guards `program`.
    pub(crate) fn command(&self, stop: Stop, pid_file: &Path, program: &[OsString]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg(GUARD)
            .arg(stop.name())
            .arg(pid_file)
            .arg("--")
            .args(program);
        command
    }
}

/// The signal that asks a server to end in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// SIGINT: for PostgreSQL the fast shutdown, which does not wait for clients.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Stop {
    /// The name as `kill` and `setpriv` spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "INT",
            Self::Terminate => "TERM",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Interrupt, Self::Terminate]
            .into_iter()
            .find(|stop| stop.name() == name)
    }

    pub(crate) fn signal(self) -> Signal {
        match self {
            Self::Interrupt => Signal::INT,
            Self::Terminate => Signal::TERM,
        }
    }
}
