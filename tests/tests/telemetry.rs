//! Traces that follow one call from HTTP to the frame, and logs that tell nothing of the citizen.

use std::sync::{Arc, Mutex};

use anyhow::{Context, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::harness::{Product, contact, eventually};

/// Bodies that an OTLP collector has been sent.
#[derive(Clone, Default)]
pub(crate) struct Collector(Arc<Mutex<Vec<Vec<u8>>>>);

impl Collector {
    /// Listens on loopback, and returns its address.
    pub(crate) async fn start(&self) -> anyhow::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let collector = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let collector = collector.clone();
                tokio::spawn(async move { collector.serve(stream).await });
            }
        });
        Ok(address)
    }

    /// Takes one request after another.
    async fn serve(&self, mut stream: TcpStream) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        loop {
            let head = loop {
                if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
                    break end + 4;
                }
                ensure!(stream.read_buf(&mut bytes).await? > 0, "closed");
            };
            let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
            let length = text
                .lines()
                .find_map(|l| l.strip_prefix("content-length:"))
                .context("a length")?;
            let end = head + length.trim().parse::<usize>()?;
            while bytes.len() < end {
                ensure!(stream.read_buf(&mut bytes).await? > 0, "closed");
            }
            if text.starts_with("post /v1/traces ") {
                let body = bytes[head..end].to_vec();
                self.0.lock().expect("plain data").push(body);
            }
            bytes.drain(..end);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await?;
        }
    }

    /// Whether a text is anywhere in what was sent.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let bodies = self.0.lock().expect("plain data");
        let text = text.as_bytes();
        bodies
            .iter()
            .any(|body| body.windows(text.len()).any(|w| w == text))
    }

    /// The names of the spans of a trace.
    fn spans(&self, trace: &[u8; 16]) -> Vec<String> {
        let bodies = self.0.lock().expect("plain data");
        let mut names = Vec::new();
        for body in bodies.iter() {
            for at in 0..body.len() {
                if body[at..].starts_with(&[&[0x0a, 0x10], &trace[..]].concat()) {
                    names.extend(name_of(&body[at..]));
                }
            }
        }
        names
    }
}

/// The name of a span that begins here. In its protobuf form: field 1 the trace (16 bytes), 2 the span (8 bytes), 3 the
/// state, 4 the parent (8 bytes), 5 the name, 6 the kind, 16 the flags; of which 3, 4 and 16 may be missing.
fn name_of(span: &[u8]) -> Option<String> {
    let mut rest = span;
    while let [tag, length, after @ ..] = rest {
        let (field, length) = (tag >> 3, usize::from(*length));
        let value = after.get(..length)?;
        match (field, tag & 7) {
            (1..=4, 2) => rest = &after[length..],
            (5, 2) => return Some(String::from_utf8_lossy(value).into_owned()),
            _ => return None,
        }
    }
    None
}

const TRACE: [u8; 16] = [
    0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36,
];
const REFERENCE: &str = "gunhild-0701740605";

#[tokio::test]
async fn a_trace_follows_a_call_from_http_to_the_frame() -> anyhow::Result<()> {
    let collector = Collector::default();
    let endpoint = collector.start().await?;
    let product = Product::run(
        &["all"],
        &[
            ("KOMMUNLOTS_OTLP_ENDPOINT", &endpoint),
            ("KOMMUNLOTS_OTLP_SAMPLE", "0"),
            ("KOMMUNLOTS_LOG_FORMAT", "json"),
        ],
    )?;
    let api = product.api()?;
    #[expect(clippy::disallowed_methods, reason = "the board shows today")]
    let now = jiff::Timestamp::now();
    let told = contact(REFERENCE, "queued", &now.to_string());
    // A board must follow the event at once, so nothing else may come between.
    eventually("the first board", async || api.board().await).await?;
    let trace: String = TRACE.iter().map(|b| format!("{b:02x}")).collect();
    let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
    let headers = [
        ("content-type", "application/json"),
        ("traceparent", traceparent.as_str()),
    ];
    let (status, _) = api
        .send(
            reqwest::Method::POST,
            "/intake/contacts",
            &headers,
            told.to_string(),
        )
        .await?;
    assert_eq!(status, reqwest::StatusCode::OK);
    eventually("every span of the call", async || {
        let mut spans = collector.spans(&TRACE);
        spans.sort();
        ensure!(spans == ["apply", "board", "frame", "http"], "{spans:?}");
        Ok(())
    })
    .await?;

    // Who does not ask for a trace is not traced, at a share of nothing.
    let (before, bodies) = (collector.spans(&TRACE), collector.0.clone());
    api.contacts(&[contact("2", "queued", "2021-02-01T08:00:00Z")])
        .await?;
    api.figures("from=2021-02-01&to=2021-02-01").await?;
    let headers = [
        ("content-type", "application/json"),
        ("traceparent", "nonsense"),
    ];
    let untraced = contact("3", "queued", "2021-02-01T08:00:00Z").to_string();
    let (status, _) = api
        .send(
            reqwest::Method::POST,
            "/intake/contacts",
            &headers,
            untraced,
        )
        .await?;
    assert_eq!(
        status,
        reqwest::StatusCode::OK,
        "a traceparent that is none hurts nobody"
    );
    assert_eq!(collector.spans(&TRACE), before);

    // What is exported and logged tells nothing of the citizen, and each line of the log is JSON.
    for body in bodies.lock().expect("plain data").iter() {
        assert!(!String::from_utf8_lossy(body).contains(REFERENCE));
    }
    let log = product.log();
    assert!(log.lines().count() > 2, "{log}");
    for line in log.lines() {
        let line: serde_json::Value =
            serde_json::from_str(line).with_context(|| line.to_owned())?;
        assert!(
            line["level"].is_string() && line["timestamp"].is_string(),
            "{line}"
        );
    }
    assert!(!log.contains(REFERENCE) && !log.contains("0701740605"));
    Ok(())
}

#[tokio::test]
async fn the_product_works_without_its_collector() -> anyhow::Result<()> {
    // A port on which nobody answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    drop(listener);
    let mut product = Product::run(&["all"], &[("KOMMUNLOTS_OTLP_ENDPOINT", &endpoint)])?;
    let api = product.api()?;
    let told = [contact("1", "answered", "2021-02-01T08:00:00Z")];
    api.contacts(&told).await?;
    assert_eq!(
        api.figures("from=2021-02-01&to=2021-02-01").await?[0]["answered"],
        1
    );
    assert_eq!(product.stop()?, Some(0));
    Ok(())
}
