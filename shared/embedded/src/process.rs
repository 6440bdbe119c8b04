//! One life of a server: the guard process, the pipe that it watches, and what became of it.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout};

use crate::guard::{Guard, Stop};
use crate::{files, log, pid_file};

/// How long a server may take until it accepts connections. Generous: after a crash it first replays its log.
const READY_WITHIN: Duration = Duration::from_secs(300);

const POLL: Duration = Duration::from_millis(20);

/// What is particular to a server's program.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// The server's folder, absolute: its log and pid file are here.
    pub(crate) dir: PathBuf,
    pub(crate) command: Vec<OsString>,
    pub(crate) stop: Stop,
    /// Whether the server with this pid accepts connections. May block for a moment.
    pub(crate) is_ready: fn(&Program, u32) -> bool,
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    pub(crate) guard: Guard,
    /// A file that the server leaves behind when killed, its first line the pid.
    pub(crate) leftover: Option<PathBuf>,
}

/// How far a life has come.
#[derive(Clone, Debug)]
pub(crate) enum Life {
    Starting,
    Running(u32),
    Gone(String),
}

/// A running guard and its server. Dropping it closes the pipe, and the guard then ends the server.
pub(crate) struct Process {
    pub(crate) life: watch::Receiver<Life>,
    _product_lives: ChildStdin,
}

impl Process {
    /// Starts the guard, and with it the server, without waiting for either.
    pub(crate) fn spawn(program: &Program) -> anyhow::Result<Self> {
        let pid_file = pid_file::path(&program.dir, program.name);
        let mut guard = program
            .guard
            .command(program.stop, &pid_file, &program.command)
            .current_dir(&program.dir)
            // A terminal's Ctrl-C is for the product alone.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log::open(&program.dir)?)
            .spawn()
            .with_context(|| format!("cannot start the guard of {}", program.name))?;
        let product_lives = guard
            .stdin
            .take()
            .context("the guard has no standard input")?;
        let (tell, life) = watch::channel(Life::Starting);
        std::thread::Builder::new()
            .name(format!("{} life", program.name))
            .spawn(move || follow(guard, &tell))?;
        Ok(Self {
            life,
            _product_lives: product_lives,
        })
    }

    /// The server's pid while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        match *self.life.borrow() {
            Life::Running(pid) => Some(pid),
            Life::Starting | Life::Gone(_) => None,
        }
    }
}

/// On a thread of its own: a server must not depend on the runtime in which it was started, and tests have one each.
fn follow(mut guard: Child, tell: &watch::Sender<Life>) {
    if let Some(stdout) = guard.stdout.take() {
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        if stdout.read_line(&mut line).is_ok()
            && let Ok(pid) = line.trim().parse()
        {
            tell.send_replace(Life::Running(pid));
        }
        let _ = stdout.read_to_string(&mut line);
    }
    let how = guard
        .wait()
        .map_or_else(|error| error.to_string(), |status| status.to_string());
    tell.send_replace(Life::Gone(how));
}

/// Waits until nothing of an earlier life runs, and takes its leftover away.
///
/// PostgreSQL itself keeps from starting when the pid in its leftover exists, and a killed server whose guard was
/// killed too can stay as a zombie for long. Only what our own server left is removed: another that somebody started
/// on the same data must go on protecting them.
pub(crate) async fn clear_away(program: &Program) -> anyhow::Result<()> {
    let path = pid_file::path(&program.dir, program.name);
    let _lock = pid_file::lock(&path).await?;
    let Some(leftover) = &program.leftover else {
        return Ok(());
    };
    let ours = files::read_trimmed(&path)?.filter(|pid| !pid.is_empty());
    let left_by = files::read_trimmed(leftover)?;
    if ours.is_some() && left_by.as_deref().and_then(|text| text.lines().next()) == ours.as_deref()
    {
        files::remove_file(leftover)
            .with_context(|| format!("cannot remove {}", leftover.display()))?;
    }
    Ok(())
}

/// Waits until the guard has ended, and says how.
pub(crate) async fn gone(life: &mut watch::Receiver<Life>) -> String {
    match life
        .wait_for(|life| matches!(life, Life::Gone(_)))
        .await
        .as_deref()
    {
        Ok(Life::Gone(how)) => how.clone(),
        _ => "unknown".to_owned(),
    }
}

/// Waits until the server accepts connections.
pub(crate) async fn ready(
    program: &Arc<Program>,
    mut life: watch::Receiver<Life>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        let now = life.borrow_and_update().clone();
        match now {
            Life::Gone(how) => {
                bail!(
                    "{} ended before it was ready ({how}); {}",
                    program.name,
                    log::tail(&program.dir)
                )
            }
            Life::Running(pid) => {
                let asked = program.clone();
                if on_thread(move || (asked.is_ready)(&asked, pid)).await? {
                    return Ok(());
                }
            }
            Life::Starting => {}
        }
        if Instant::now() >= deadline {
            bail!(
                "{} is not ready after {} s; {}",
                program.name,
                READY_WITHIN.as_secs(),
                log::tail(&program.dir)
            );
        }
        let _ = timeout(POLL, life.changed()).await;
    }
}

/// Runs blocking work. Not on the runtime's own threads: the product would wait for a download before it can exit.
pub(crate) async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<T> {
    let (done, result) = oneshot::channel();
    std::thread::Builder::new()
        .name("embedded work".to_owned())
        .spawn(move || {
            let _ = done.send(work());
        })?;
    result
        .await
        .context("the work on another thread was not finished")
}
