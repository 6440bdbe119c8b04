//! `kommunlots dead-letters`: list them, and send them again.

use serde_json::Value;

use crate::{
    cli::{Access, DeadLetters},
    client::Client,
    config::Settings,
    output::say,
};

/// Lists or sends again.
pub(crate) async fn run(
    settings: Settings,
    access: &Access,
    what: DeadLetters,
) -> anyhow::Result<()> {
    let client = Client::reach(settings, access).await?;
    let outcome = act(&client, what).await;
    client.close().await;
    outcome
}

async fn act(client: &Client, what: DeadLetters) -> anyhow::Result<()> {
    let letters: Vec<Value> = client.get("/figures/dead-letters", &[]).await?;
    let ids = match what {
        DeadLetters::List => {
            return list(&letters);
        }
        DeadLetters::SendAgain { all: true, .. } => {
            letters.iter().filter_map(|l| l["id"].as_i64()).collect()
        }
        DeadLetters::SendAgain { id, .. } => id,
    };
    let mut refused = 0;
    for id in ids {
        let path = format!("/figures/dead-letters/{id}/send-again");
        match client
            .post::<Value>(&path, "application/json", String::new())
            .await
        {
            Ok(_) => say!("{id} applied")?,
            Err(error) => {
                refused += 1;
                say!("{id} {error:#}")?;
            }
        }
    }
    anyhow::ensure!(refused == 0, "{refused} could not be applied");
    Ok(())
}

fn list(letters: &[Value]) -> anyhow::Result<()> {
    if letters.is_empty() {
        say!("there are no dead letters")?;
    }
    for letter in letters {
        let text = |field: &str| match &letter[field] {
            Value::String(text) => text.clone(),
            Value::Null => "-".to_owned(),
            other => other.to_string(),
        };
        say!(
            "{:>6}  {}  {}  {} {}  {}",
            text("id"),
            text("received_at"),
            text("subject"),
            text("source"),
            text("sequence"),
            text("reason")
        )?;
    }
    Ok(())
}
