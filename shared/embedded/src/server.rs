//! The life of a private server: started, started again when it dies, paused and killed by tests, ended in order.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::process::{Process, Program, clear_away, gone, ready};
use crate::{log, signals};

/// The pause before a dead server is started again doubles between these.
const SHORTEST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// A server that lived this long has earned the shortest delay again.
const STEADY: Duration = Duration::from_secs(60);

/// Longer than the guard waits before it kills.
const END_WITHIN: Duration = Duration::from_secs(20);

/// A private server and the means to handle it. Dropping it ends the server too, without waiting.
pub struct Server {
    program: Arc<Program>,
    process: Arc<Slot>,
    supervisor: Mutex<Option<JoinHandle<()>>>,
}

/// The present life, shared with the supervisor; empty after [`Server::stop`].
type Slot = Mutex<Option<Process>>;

impl Server {
    pub(crate) async fn start(program: Program) -> anyhow::Result<Self> {
        let server = Self {
            program: Arc::new(program),
            process: Arc::default(),
            supervisor: Mutex::default(),
        };
        launch(&server.program, &server.process).await?;
        Ok(server)
    }

    /// From now on, starts the server again whenever it dies: on the same port and data, after 100 ms, then after
    /// longer and longer up to 5 s. Each death is logged once as a warning.
    pub fn supervise(&self) {
        let mut supervisor = lock(&self.supervisor);
        if supervisor.is_none() {
            *supervisor = Some(tokio::spawn(keep_alive(
                self.program.clone(),
                self.process.clone(),
            )));
        }
    }

    /// Ends the server in order and waits until its process is gone; killed if that takes more than 15 s.
    ///
    /// Supervision ends too. A server that has ended already is fine.
    pub async fn stop(&self) {
        let supervisor = lock(&self.supervisor).take();
        if let Some(supervisor) = supervisor {
            supervisor.abort();
            let _ = supervisor.await;
        }
        let Some(process) = lock(&self.process).take() else {
            return;
        };
        let mut life = process.life.clone();
        drop(process);
        if timeout(END_WITHIN, gone(&mut life)).await.is_err() {
            tracing::warn!(
                server = self.program.name,
                "private server has not ended, leaving it to its guard"
            );
        }
    }

    /// Kills the server outright (SIGKILL) and waits until it is gone.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&self) -> anyhow::Result<()> {
        let mut life = {
            let process = lock(&self.process);
            process
                .as_ref()
                .context("the server does not run, start it again first")?
                .life
                .clone()
        };
        signals::kill(self.pid()?)?;
        gone(&mut life).await;
        Ok(())
    }

    /// Starts a server again that was killed or stopped: same port, same data. For servers without supervision.
    ///
    /// # Errors
    /// When it runs or is supervised, or does not come up; the text then ends with its log's last lines.
    pub async fn start_again(&self) -> anyhow::Result<()> {
        if lock(&self.supervisor).is_some() {
            bail!("a supervised {} starts again by itself", self.program.name);
        }
        if self.pid().is_ok() {
            bail!("{} runs, kill or stop it first", self.program.name);
        }
        launch(&self.program, &self.process).await
    }

    /// Freezes the server and its child processes (SIGSTOP): it keeps its connections and answers nothing.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&self) -> anyhow::Result<()> {
        signals::pause(self.pid()?)
    }

    /// Lets a paused server go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> anyhow::Result<()> {
        signals::resume(self.pid()?)
    }

    /// The pid of the server itself, not of its guard.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pid(&self) -> anyhow::Result<u32> {
        let pid = lock(&self.process).as_ref().and_then(Process::pid);
        pid.with_context(|| format!("{} does not run", self.program.name))
    }

    /// The server's folder: data, log and pid file.
    pub fn dir(&self) -> &Path {
        &self.program.dir
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(supervisor) = lock(&self.supervisor).take() {
            supervisor.abort();
        }
        // The supervisor holds the slot a moment longer; what is in it must end now.
        lock(&self.process).take();
    }
}

/// Starts a new life and waits until it is ready. The process is in the slot from its first moment, so that whoever
/// gives up waiting still ends it.
async fn launch(program: &Arc<Program>, slot: &Slot) -> anyhow::Result<()> {
    clear_away(program).await?;
    let process = Process::spawn(program)?;
    let life = process.life.clone();
    *lock(slot) = Some(process);
    ready(program, life).await?;
    tracing::debug!(server = program.name, listen = %program.listen, "private server is ready");
    Ok(())
}

async fn keep_alive(program: Arc<Program>, slot: Arc<Slot>) {
    let mut delay = SHORTEST_DELAY;
    loop {
        let Some(mut life) = lock(&slot).as_ref().map(|process| process.life.clone()) else {
            return;
        };
        let since = Instant::now();
        let how = gone(&mut life).await;
        let log = log::path(&program.dir);
        tracing::warn!(
            server = program.name,
            how,
            log = %log.display(),
            "private server died, starting it again"
        );
        if since.elapsed() >= STEADY {
            delay = SHORTEST_DELAY;
        }
        loop {
            sleep(delay).await;
            delay = (delay * 2).min(LONGEST_DELAY);
            match launch(&program, &slot).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::warn!(
                        server = program.name,
                        error = format!("{error:#}"),
                        "private server did not start"
                    );
                }
            }
        }
        tracing::info!(server = program.name, "private server is back");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What is behind these locks is whole at any moment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
