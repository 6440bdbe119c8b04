//! A product of a test's own: the real program in a folder of its own.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::Api;

/// A fresh folder is prepared, and on a busy machine that takes its time.
const START: Duration = Duration::from_secs(90);

/// The program under test, as `cargo build` left it beside this test's own binary.
pub(crate) fn program() -> PathBuf {
    let me = std::env::current_exe().expect("this test's own path");
    let program = me
        .ancestors()
        .nth(2)
        .expect("the target folder")
        .join("kommunlots");
    assert!(
        program.exists(),
        "{} is missing: run `cargo build` before the tests",
        program.display()
    );
    program
}

/// The program, without the settings of this shell: neither a real database nor the tests' own variables are for it.
pub(crate) fn kommunlots() -> Command {
    let mut command = Command::new(program());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("KOMMUNLOTS_") && !text.starts_with("KOMMUNLOTS_TOOLS") {
            command.env_remove(&name);
        }
    }
    command
}

/// A running product. Killed outright when dropped, which must leave nothing behind either.
pub(crate) struct Product {
    folder: TempDir,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    child: Child,
    /// `http://127.0.0.1:PORT`, the same over restarts.
    pub(crate) base: String,
}

impl Product {
    /// `kommunlots all`.
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::run(&["all"], &[])
    }

    /// `kommunlots <arguments>` with these environment variables beside the usual.
    pub(crate) fn run(arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::run_in(tempfile::tempdir()?, arguments, environment)
    }

    /// The same with its data in `folder`.
    pub(crate) fn run_in(
        folder: TempDir,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let owned = |s: &&str| (*s).to_owned();
        let arguments: Vec<String> = arguments.iter().map(owned).collect();
        let environment: Vec<(String, String)> = environment
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        let (child, base) = spawn(folder.path(), &arguments, &environment, "127.0.0.1:0")?;
        Ok(Self {
            folder,
            arguments,
            environment,
            child,
            base,
        })
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A client with the key of the data folder.
    pub(crate) fn api(&self) -> anyhow::Result<Api> {
        let key = std::fs::read_to_string(self.data().join("key")).context("the local key")?;
        Ok(Api::new(&self.base, Some(key.trim())))
    }

    /// A command of the program on the same data folder; its standard output, when it succeeds.
    pub(crate) fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = kommunlots()
            .args(arguments)
            .arg("--data")
            .arg(self.data())
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            bail!(
                "{arguments:?}: {text}{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(text)
    }

    /// The program's process id.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// The process id of its private `postgres` or `nats`.
    pub(crate) fn server_pid(&self, server: &str) -> anyhow::Result<Pid> {
        let text = std::fs::read_to_string(self.data().join(server).join(format!("{server}.pid")))?;
        let pid = text
            .split_whitespace()
            .next()
            .and_then(|t| t.parse().ok())
            .and_then(Pid::from_raw);
        pid.context("a pid file holds a pid")
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Ends it in order, as `docker stop` and Ctrl-C do, and returns its exit code.
    pub(crate) fn stop(&mut self) -> anyhow::Result<Option<i32>> {
        kill_process(self.pid(), Signal::TERM)?;
        let until = Instant::now() + Duration::from_secs(30);
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("it did not stop within 30 s of SIGTERM:\n{}", self.log())
    }

    /// Starts it again on the same folder and the same address.
    pub(crate) fn start_again(&mut self) -> anyhow::Result<()> {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let address = self.base.trim_start_matches("http://").to_owned();
        (self.child, self.base) = spawn(
            self.folder.path(),
            &self.arguments,
            &self.environment,
            &address,
        )?;
        Ok(())
    }

    /// Processes, other than the program itself, that have its data folder on their command line.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        processes_with(&self.data())
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The folder must outlive the servers, which the guards are now ending.
        let until = Instant::now() + Duration::from_secs(20);
        while !self.left_behind().is_empty() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        if std::thread::panicking() {
            eprintln!("--- the product's log ---\n{}", self.log());
        }
    }
}

fn spawn(
    folder: &Path,
    arguments: &[String],
    environment: &[(String, String)],
    http: &str,
) -> anyhow::Result<(Child, String)> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))?;
    let mut child = kommunlots()
        .args(arguments)
        .args(["--http", http, "--data"])
        .arg(folder.join("data"))
        .envs(environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()?;
    let output = child.stdout.take().context("its standard output")?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    match receiver.recv_timeout(START) {
        Ok(line) if line.starts_with("ready http://") => {
            let base = line.trim_start_matches("ready ").to_owned();
            Ok((child, base))
        }
        other => {
            let _ = child.kill();
            let _ = child.wait();
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            bail!("it said {other:?} instead of that it is ready; its log:\n{log}")
        }
    }
}

/// Command lines of live processes that name `folder`.
pub(crate) fn processes_with(folder: &Path) -> Vec<String> {
    let needle = folder.display().to_string();
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter(|e| {
            e.file_name()
                .to_string_lossy()
                .bytes()
                .all(|b| b.is_ascii_digit())
        })
        .filter_map(|e| std::fs::read(e.path().join("cmdline")).ok())
        .map(|c| String::from_utf8_lossy(&c).replace('\0', " "))
        .filter(|c| c.contains(&needle) && !c.contains("--http"))
        .collect()
}
