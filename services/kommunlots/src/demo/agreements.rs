//! The made-up municipality's agreements, applied once.

use anyhow::Context;
use jiff::civil::Date;
use serde_json::Value;

use super::api::Client;

/// Applies the example agreements from `day` on, unless the product has some already.
pub(super) async fn apply(client: &Client, day: Date) -> anyhow::Result<()> {
    // A refusal has been logged, and nothing is known then.
    let Some(known) = client.get("/routing/agreements").await else {
        return Ok(());
    };
    let known: Vec<Value> = serde_json::from_str(&known)
        .context("the list of agreements is no list, see the API's description")?;
    if known.is_empty() {
        let json = serde_json::json!({
            "valid_from": day,
            "approved_by": "Kommunfullmäktige § 1 (demo)",
            "content": routing::agreements::example(),
        });
        let key = format!("demo-agreements-{day}");
        client
            .post("/routing/agreements", json.to_string(), key)
            .await;
    }
    Ok(())
}
