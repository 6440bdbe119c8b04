//! A small HTTP/1.1 client that keeps its connection. On a machine that the product shares, a general one would be the
//! bottleneck.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One connection.
pub(crate) struct Connection {
    stream: TcpStream,
    /// Host and key, the same in every request.
    head: String,
    out: Vec<u8>,
    buffer: Vec<u8>,
    /// Where the body of the last answer begins and ends in `buffer`.
    body: std::ops::Range<usize>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr, key: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            head: format!("host: {address}\r\nauthorization: Bearer {key}\r\n"),
            out: Vec::new(),
            buffer: Vec::new(),
            body: 0..0,
        })
    }

    /// Posts, and returns the body of an answer that is 2xx; any other is an error.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        kind: &str,
        extra: &str,
        body: &[u8],
    ) -> anyhow::Result<&[u8]> {
        self.out.clear();
        let head = format!(
            "POST {path} HTTP/1.1\r\n{}content-type: {kind}\r\n{extra}content-length: {}\r\n\r\n",
            self.head,
            body.len()
        );
        self.out.extend_from_slice(head.as_bytes());
        self.out.extend_from_slice(body);
        self.exchange(path).await
    }

    /// Gets JSON.
    pub(crate) async fn get(&mut self, path: &str) -> anyhow::Result<Value> {
        self.out.clear();
        let head = format!("GET {path} HTTP/1.1\r\n{}\r\n", self.head);
        self.out.extend_from_slice(head.as_bytes());
        let body = self.exchange(path).await?;
        Ok(serde_json::from_slice(body)?)
    }

    async fn exchange(&mut self, path: &str) -> anyhow::Result<&[u8]> {
        self.stream.write_all(&self.out).await?;
        self.buffer.clear();
        let (head, length) = loop {
            self.read_more().await?;
            if let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                let length =
                    length(&head).with_context(|| format!("{path}: an answer without a length"))?;
                self.body = end + 4..end + 4 + length;
                break (head, length);
            }
        };
        while self.buffer.len() < self.body.end {
            self.read_more().await?;
        }
        let body = &self.buffer[self.body.clone()];
        if !head.starts_with("HTTP/1.1 2") {
            bail!(
                "{path}: {head}\n{} ({length} bytes)",
                String::from_utf8_lossy(body)
            );
        }
        Ok(body)
    }

    async fn read_more(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the product closed the connection; see its log with --keep");
        }
        Ok(())
    }
}

fn length(head: &str) -> Option<usize> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
}
