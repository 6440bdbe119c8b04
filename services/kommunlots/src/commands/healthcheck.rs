//! `kommunlots healthcheck`: for containers, which have no shell and no curl.

use std::time::Duration;

use anyhow::Context;
use embedded::DataFolder;
use serde_json::Value;

use crate::{cli::Access, config::Settings, output::say};

/// Asks whether the product is ready; an error when it is not.
pub(crate) async fn run(settings: &Settings, access: &Access) -> anyhow::Result<()> {
    let running = DataFolder::running(&settings.data).and_then(|running| running.http);
    let base = access
        .url
        .clone()
        .or(running)
        .unwrap_or_else(|| format!("http://{}", settings.http));
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(5))
        .build()?;
    let answer: Value = client
        .get(format!("{}/health/ready", base.trim_end_matches('/')))
        .send()
        .await
        .with_context(|| format!("nothing answers at {base}"))?
        .json()
        .await?;
    let listed = |what: &str| {
        let names = answer[what].as_array().into_iter().flatten();
        let names: Vec<&str> = names.filter_map(Value::as_str).collect();
        names.join(", ")
    };
    anyhow::ensure!(
        answer["ready"] == Value::Bool(true),
        "not ready; missing: {}",
        listed("missing")
    );
    let impaired = listed("impaired");
    if impaired.is_empty() {
        say!("ready")
    } else {
        say!("ready, but not well: {impaired}")
    }
}
