//! Browsers that follow the wallboard, as far as the server can tell.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::Context;
use futures::StreamExt;
use tokio::{net::TcpStream, task::JoinSet};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// When a frame came, and how far it had come with the source watched.
pub(crate) type Seen = (Instant, u64);

/// Several viewers; each remembers the frames it was sent.
pub(crate) struct Viewers {
    tasks: JoinSet<Vec<Seen>>,
    stop: tokio::sync::watch::Sender<bool>,
    /// The furthest that the first of them has seen.
    pub(crate) furthest: Arc<AtomicU64>,
}

impl Viewers {
    /// Opens `count` of them, which look for how far `source` has come.
    pub(crate) async fn open(
        address: SocketAddr,
        count: usize,
        source: &'static str,
    ) -> anyhow::Result<Self> {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let furthest = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for viewer in 0..count {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            // tungstenite fills its read buffer with zeros before each read.
            let config = WebSocketConfig::default().read_buffer_size(4_096);
            let url = format!("ws://{address}/wallboard/ws");
            let (mut socket, _) =
                tokio_tungstenite::client_async_with_config(url, stream, Some(config))
                    .await
                    .context("cannot open a WebSocket")?;
            let mut stopped = stopped.clone();
            let furthest = (viewer == 0).then(|| furthest.clone());
            tasks.spawn(async move {
                let mut frames = Vec::new();
                loop {
                    let message = tokio::select! {
                        message = socket.next() => message,
                        _ = stopped.changed() => break,
                    };
                    let now = Instant::now();
                    let Some(Ok(message)) = message else { break };
                    if let Some(sequence) = message
                        .to_text()
                        .ok()
                        .and_then(|text| sequence(text, source))
                    {
                        frames.push((now, sequence));
                        if let Some(furthest) = &furthest {
                            furthest.store(sequence, Ordering::Relaxed);
                        }
                    }
                }
                frames
            });
        }
        Ok(Self {
            tasks,
            stop,
            furthest,
        })
    }

    /// What each has seen.
    pub(crate) async fn close(self) -> Vec<Vec<Seen>> {
        let _ = self.stop.send(true);
        self.tasks.join_all().await
    }
}

/// A source's sequence in a frame. Found, not parsed: two thousand frames a second are read on the machine that is
/// measured.
fn sequence(frame: &str, source: &str) -> Option<u64> {
    let place = frame
        .find(source)
        .filter(|at| frame[..*at].ends_with('"'))?;
    let source = &frame[place..];
    let number = &source[source.find("\"sequence\":")? + 11..];
    let end = number.find(|c: char| !c.is_ascii_digit())?;
    number[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn finds_the_sequence_of_the_contacts() {
        let frame = r#"{"sequence":7,"sources":[{"source":"intake/CASES","sequence":3,"age_s":0.1},{"source":"intake/CONTACTS","sequence":12345,"age_s":0.2}]}"#;
        assert_eq!(super::sequence(frame, "intake/CONTACTS"), Some(12_345));
        assert_eq!(super::sequence("{\"sources\":[]}", "intake/CONTACTS"), None);
    }
}
