//! Who has no good key is refused before anything of what he sends is read: a stranger cannot fill the memory.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Api, Product};

/// Within what a body may be, so that nothing but the key can be the reason; and it is never sent.
const PROMISED: usize = 8_000_000;
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";
/// An answer that has not come by now never comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every path that needs a key and changes or reads something by a body, with its method.
async fn guarded(api: &Api) -> anyhow::Result<Vec<(String, String)>> {
    let (_, document) = api.get("/openapi.json").await?;
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().context("paths")? {
        for (method, operation) in methods.as_object().context("methods")? {
            let by_key = |s: &Value| s.get("key").is_some();
            let needs_key = operation["security"]
                .as_array()
                .is_some_and(|all| all.iter().any(by_key));
            if needs_key && method != "get" {
                let path = path.replace("{id}", NOBODY);
                ensure!(!path.contains('{'), "give {path} a value for its parameter");
                found.push((method.to_uppercase(), path));
            }
        }
    }
    Ok(found)
}

/// Sends the beginning of a request and no more, and returns the first line of the answer.
async fn answer(base: &str, request: &str) -> anyhow::Result<String> {
    let address = base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let read = async {
        let mut part = [0; 1_024];
        while !answer.contains(&b'\n') {
            let n = stream.read(&mut part).await?;
            ensure!(n > 0, "the connection was closed without an answer");
            answer.extend_from_slice(&part[..n]);
        }
        anyhow::Ok(())
    };
    let waited = tokio::time::timeout(PATIENCE, read).await;
    waited.context("the answer waits for the body")??;
    let text = String::from_utf8_lossy(&answer);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_stranger_is_refused_before_his_body_is_read() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let paths = guarded(&api).await?;
    ensure!(paths.len() >= 8, "the document lists {paths:?}");
    let by_length = format!("content-length: {PROMISED}");
    let mut wrong = Vec::new();
    for (method, path) in &paths {
        for key in [
            "",
            "authorization: Bearer kl_0000\r\n",
            "authorization: Basic a2w6a2w=\r\n",
        ] {
            // Said how long it is, and not; some of it sent, and nothing.
            for (length, sent) in [
                (by_length.as_str(), ""),
                (&by_length, "{\"contact\":"),
                ("transfer-encoding: chunked", ""),
                ("transfer-encoding: chunked", "5\r\n{\"con\r\n"),
            ] {
                let request = format!(
                    "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{key}content-type: application/json\r\n{length}\r\n\r\n{sent}"
                );
                let line = answer(&product.base, &request).await;
                if !line
                    .as_ref()
                    .is_ok_and(|line| line.starts_with("HTTP/1.1 401"))
                {
                    wrong.push(format!(
                        "{method} {path} with {key:?}, {length}, {sent:?}: {line:?}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
