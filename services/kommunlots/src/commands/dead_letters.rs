//! `kommunlots dead-letters`: list those of every service, and send them again.

use platform::dead_letters::{DeadLetter, SentAgain};

use super::of_each;
use crate::{
    cli::{Access, DeadLetters, Kept},
    client::{self, Client},
    config::Settings,
    operations::{DEAD_LETTERS, prefix},
    output::say,
};

/// Lists or sends again.
pub(crate) async fn run(
    settings: Settings,
    access: &Access,
    what: DeadLetters,
) -> anyhow::Result<()> {
    client::with(settings, access, async |client| match what {
        DeadLetters::List => list(client).await,
        DeadLetters::SendAgain { all: true, .. } => {
            let (letters, silent) =
                of_each::<DeadLetter>(client, &DEAD_LETTERS, "dead-letters").await?;
            let ids = letters.into_iter().map(|(service, letter)| Kept {
                service: service.to_owned(),
                id: letter.id,
            });
            send_again(client, ids.collect()).await?;
            silent.ok()
        }
        DeadLetters::SendAgain { id, .. } => send_again(client, id).await,
    })
    .await
}

async fn list(client: &Client) -> anyhow::Result<()> {
    let (letters, silent) = of_each::<DeadLetter>(client, &DEAD_LETTERS, "dead-letters").await?;
    if letters.is_empty() && silent.is_none() {
        say!("there are no dead letters")?;
    }
    for (service, letter) in letters {
        let place = match (&letter.source, letter.sequence) {
            (Some(source), Some(n)) => format!("{source} {n}"),
            (None, Some(n)) => format!("{} {n}", letter.stream),
            (source, None) => source.clone().unwrap_or_else(|| letter.stream.clone()),
        };
        say!(
            "{:<12}  {}  {}  {place}  {}",
            format!("{service}/{}", letter.id),
            letter.received_at,
            letter.subject,
            letter.reason
        )?;
    }
    silent.ok()
}

async fn send_again(client: &Client, ids: Vec<Kept<i64>>) -> anyhow::Result<()> {
    let mut refused = 0;
    for kept in ids {
        let path = format!(
            "{}/dead-letters/{}/send-again",
            prefix(&DEAD_LETTERS, &kept.service)?,
            kept.id
        );
        match client
            .post::<SentAgain>(&path, "application/json", String::new())
            .await
        {
            Ok(SentAgain { answer: None, .. }) => say!("{kept} applied")?,
            Ok(SentAgain {
                answer: Some(answer),
                ..
            }) => say!("{kept} answered: {answer}")?,
            Err(error) => {
                refused += 1;
                say!("{kept} {error:#}")?;
            }
        }
    }
    anyhow::ensure!(refused == 0, "{refused} could not be applied");
    Ok(())
}
