//! `kommunlots mail`: what waits to be sent and what was given up, of every service, and trying it again.

use platform::mail::{QueuedMail, Retried};

use super::{Silent, local, of_each};
use crate::{
    cli::{Access, Kept, MailCommand},
    client::{self, Client},
    config::Settings,
    operations::{MAIL, prefix},
    output::say,
};

/// Lists or tries again.
pub(crate) async fn run(
    settings: Settings,
    access: &Access,
    what: MailCommand,
) -> anyhow::Result<()> {
    client::with(settings, access, async |client| match what {
        MailCommand::List => list(client).await,
        MailCommand::Retry { all: true, .. } => retry_all(client).await,
        MailCommand::Retry { id, .. } => retry_each(client, &id).await,
    })
    .await
}

async fn list(client: &Client) -> anyhow::Result<()> {
    let (mails, silent) = of_each::<QueuedMail>(client, &MAIL, "mail").await?;
    if mails.is_empty() && silent.is_none() {
        say!("no mail waits, and none was given up")?;
    }
    for (service, mail) in mails {
        let stands = match (mail.given_up_at, mail.next_attempt_at) {
            (Some(at), _) => format!("given up {}", local(at)),
            (None, Some(at)) => format!("waits until {}", local(at)),
            (None, None) => "waits".to_owned(),
        };
        let s = if mail.attempts == 1 { "" } else { "s" };
        say!(
            "{service}/{}  queued {}  {stands}  {} attempt{s}  {}",
            mail.id,
            local(mail.created_at),
            mail.attempts,
            mail.reason.as_deref().unwrap_or("-")
        )?;
    }
    silent.ok()
}

async fn retry(client: &Client, path: &str) -> anyhow::Result<u64> {
    let done: Retried = client.post(path, "application/json", String::new()).await?;
    Ok(done.retried)
}

async fn retry_all(client: &Client) -> anyhow::Result<()> {
    let (mut retried, mut silent) = (0, Silent::default());
    for (service, prefix) in MAIL {
        match retry(client, &format!("{prefix}/mail/retry")).await {
            Ok(n) => retried += n,
            Err(error) => silent.tell(service, &error),
        }
    }
    say!("{retried} tried again; `kommunlots mail list` shows those that are still not taken")?;
    silent.ok()
}

async fn retry_each(client: &Client, ids: &[Kept<uuid::Uuid>]) -> anyhow::Result<()> {
    let mut refused = 0;
    for kept in ids {
        let path = format!("{}/mail/{}/retry", prefix(&MAIL, &kept.service)?, kept.id);
        match retry(client, &path).await {
            Ok(_) => say!("{kept} tried again")?,
            Err(error) => {
                refused += 1;
                say!("{kept} {error:#}")?;
            }
        }
    }
    anyhow::ensure!(refused == 0, "{refused} could not be tried again");
    Ok(())
}
