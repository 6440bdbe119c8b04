//! Ctrl-C and SIGTERM.

use tokio::signal::unix::SignalKind;

/// The signals that end a process.
pub(crate) struct Signals {
    asked: tokio::sync::watch::Receiver<u32>,
}

impl Signals {
    /// Listens from now on.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let (sender, asked) = tokio::sync::watch::channel(0);
        let mut interrupt = tokio::signal::unix::signal(SignalKind::interrupt())?;
        let mut terminate = tokio::signal::unix::signal(SignalKind::terminate())?;
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                sender.send_modify(|n| *n += 1);
            }
        });
        Ok(Self { asked })
    }

    /// Waits until the process has been told to stop.
    pub(crate) async fn first(&self) {
        let _ = self.asked.clone().wait_for(|n| *n > 0).await;
    }

    /// Waits until it is told once more than it has been by now.
    pub(crate) async fn next(&self) {
        let mut asked = self.asked.clone();
        let now = *asked.borrow();
        let _ = asked.wait_for(|n| *n > now).await;
    }
}
