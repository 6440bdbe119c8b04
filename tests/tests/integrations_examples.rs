//! The examples of docs/integrations.md, run as it says.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    asyncapi::{node, tool},
    closures::City,
    harness::{bus_address, eventually},
};

/// How long an example may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

pub(crate) fn guide() -> anyhow::Result<String> {
    fs::read_to_string(docs().join("integrations.md")).context("docs/integrations.md")
}

/// The command of the guide that begins with `start`; what follows a # is a comment.
pub(crate) fn command(start: &str) -> anyhow::Result<String> {
    let guide = guide()?;
    let line = guide.lines().find(|line| line.starts_with(start));
    let line = line.with_context(|| format!("docs/integrations.md has no command {start}"))?;
    Ok(line.split(" #").next().unwrap_or(line).trim().to_owned())
}

/// A folder with the files of an example.
pub(crate) fn copy_of(example: &str) -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for entry in fs::read_dir(docs().join("examples/integrations").join(example))? {
        let file = entry?.path();
        // What an integrator installs beside it is not of the example.
        if file.is_file() {
            fs::copy(
                &file,
                folder.path().join(file.file_name().context("a name")?),
            )?;
        }
    }
    Ok(folder)
}

/// The programs that listen on the bus.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Language {
    Python,
    JavaScript,
}

/// One of them, running as a department. Killed when dropped.
pub(crate) struct Example {
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
    command: String,
    child: Child,
}

impl Example {
    /// Starts it as `department` with the key of `owner`; `seen` is what it remembers of an earlier run.
    pub(crate) fn start(
        language: Language,
        city: &City,
        department: &str,
        owner: &str,
        seen: Option<&Value>,
    ) -> anyhow::Result<Self> {
        let data = city.product.data();
        let key = data.join(format!("nats/keys/departments/{owner}.nk"));
        let mut environment = vec![
            ("NATS_URL", format!("nats://{}", bus_address(&data)?)),
            ("DEPARTMENT", department.to_owned()),
            ("KEY_FILE", text(&key)?),
        ];
        let (folder, command) = match language {
            Language::Python => {
                let packages = tool("KOMMUNLOTS_TEST_NATS_PY", "a folder with nats-py")?;
                environment.push(("PYTHONPATH", text(&packages)?));
                environment.push(("PYTHONDONTWRITEBYTECODE", "1".to_owned()));
                (copy_of("python")?, command("python3 ")?)
            }
            Language::JavaScript => {
                let folder = copy_of("javascript")?;
                let node = node(folder.path())?;
                let programs = node.parent().context("the folder of node")?;
                let path = std::env::var("PATH").unwrap_or_default();
                environment.push(("PATH", format!("{}:{path}", programs.display())));
                (folder, command("node ")?)
            }
        };
        if let Some(seen) = seen {
            fs::write(folder.path().join("seen.json"), seen.to_string())?;
        }
        let child = spawn(folder.path(), &environment, &command)?;
        Ok(Self {
            folder,
            environment,
            command,
            child,
        })
    }

    /// What it has said.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("said")).unwrap_or_default()
    }

    pub(crate) async fn says(&self, what: &str) -> anyhow::Result<()> {
        eventually(&format!("the example says {what}"), async || {
            let said = self.said();
            ensure!(said.contains(what), "it said:\n{said}");
            Ok(())
        })
        .await
    }

    /// Waits until it has told that so many closures were accepted.
    pub(crate) async fn has_read_answers(&self, count: usize) -> anyhow::Result<()> {
        eventually("the answers are read", async || {
            let said = self.said();
            let accepted: BTreeSet<_> = said
                .lines()
                .filter(|l| l.contains(": accepted: "))
                .collect();
            ensure!(accepted.len() == count, "it said:\n{said}");
            Ok(())
        })
        .await
    }

    /// Ends it in order.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "{status}; it said:\n{}", self.said());
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("it did not end; it said:\n{}", self.said())
    }

    pub(crate) fn start_again(&mut self) -> anyhow::Result<()> {
        self.child = spawn(self.folder.path(), &self.environment, &self.command)?;
        Ok(())
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(folder: &Path, environment: &[(&str, String)], command: &str) -> anyhow::Result<Child> {
    let said = File::options()
        .create(true)
        .append(true)
        .open(folder.join("said"))?;
    let child = Command::new("sh")
        .args(["-c", &format!("exec {command}")])
        .current_dir(folder)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(said.try_clone()?)
        .stderr(said)
        .spawn()?;
    Ok(child)
}

fn text(path: &Path) -> anyhow::Result<String> {
    Ok(path.to_str().context("a path of text")?.to_owned())
}
