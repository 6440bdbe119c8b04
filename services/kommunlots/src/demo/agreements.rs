//! The made-up municipality's agreements, applied once.

use jiff::civil::Date;
use serde::Deserialize;

use super::api::Client;

#[derive(Deserialize)]
struct Version {}

/// Applies the example agreements from `day` on, unless the product has some already.
pub(super) async fn apply(client: &Client, day: Date) -> anyhow::Result<()> {
    let known = client.get("/routing/agreements").await.unwrap_or_default();
    let known: Vec<Version> = serde_json::from_str(&known).unwrap_or_default();
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
