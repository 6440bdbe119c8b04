//! `kommunlots dead-letters`: list those of every service, send them again, and throw them away.

use platform::dead_letters::{DeadLetter, Discarded, PAGE, SentAgain};

use super::Silent;
use crate::{
    cli::{Access, DeadLetters, Kept},
    client::{self, Client},
    config::Settings,
    operations::{DEAD_LETTERS, prefix},
    output::say,
};

/// Lists, sends again or discards.
pub(crate) async fn run(
    settings: Settings,
    access: &Access,
    what: DeadLetters,
) -> anyhow::Result<()> {
    client::with(settings, access, async |client| match what {
        DeadLetters::List {
            stream,
            department,
            after,
        } => {
            let stream = stream.map(|stream| ("stream", stream));
            let department = department.map(|d| ("department", d.to_string()));
            let filter: Vec<_> = stream.into_iter().chain(department).collect();
            list(client, &filter, after).await
        }
        DeadLetters::SendAgain { all: true, .. } => send_all_again(client).await,
        DeadLetters::SendAgain { id, .. } => send_again(client, id).await,
        DeadLetters::Discard { id } => discard(client, id).await,
    })
    .await
}

/// One page of each service's, or of the one that `after` names.
async fn list(
    client: &Client,
    filter: &[(&'static str, String)],
    after: Option<Kept<i64>>,
) -> anyhow::Result<()> {
    if let Some(after) = &after {
        prefix(&DEAD_LETTERS, &after.service)?;
    }
    let (mut none, mut silent) = (true, Silent::default());
    for (service, prefix) in DEAD_LETTERS {
        let after = match &after {
            Some(after) if after.service == service => after.id,
            Some(_) => continue,
            None => 0,
        };
        match page(client, prefix, filter, after).await {
            Ok(letters) => {
                none &= letters.is_empty();
                show(service, &letters)?;
            }
            Err(error) => {
                none = false;
                silent.tell(service, &error);
            }
        }
    }
    if none {
        say!("there are no dead letters")?;
    }
    silent.ok()
}

async fn page(
    client: &Client,
    prefix: &str,
    filter: &[(&'static str, String)],
    after: i64,
) -> anyhow::Result<Vec<DeadLetter>> {
    let mut query = filter.to_vec();
    query.push(("after", after.to_string()));
    client.get(&format!("{prefix}/dead-letters"), &query).await
}

fn show(service: &str, letters: &[DeadLetter]) -> anyhow::Result<()> {
    for letter in letters {
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
    if let Some(last) = letters.last().filter(|_| letters.len() >= PAGE) {
        eprintln!(
            "there may be more of {service}: list them with --after {service}/{}, or fewer with --department or --stream",
            last.id
        );
    }
    Ok(())
}

async fn send_all_again(client: &Client) -> anyhow::Result<()> {
    let (mut all, mut silent) = (Vec::new(), Silent::default());
    for (service, prefix) in DEAD_LETTERS {
        let mut after = 0;
        loop {
            let letters = match page(client, prefix, &[], after).await {
                Ok(letters) => letters,
                Err(error) => {
                    silent.tell(service, &error);
                    break;
                }
            };
            all.extend(letters.iter().map(|letter| Kept {
                service: service.to_owned(),
                id: letter.id,
            }));
            match letters.last() {
                Some(last) if letters.len() >= PAGE => after = last.id,
                _ => break,
            }
        }
    }
    send_again(client, all).await?;
    silent.ok()
}

async fn discard(client: &Client, ids: Vec<Kept<i64>>) -> anyhow::Result<()> {
    let mut left = 0;
    for kept in ids {
        let prefix = prefix(&DEAD_LETTERS, &kept.service)?;
        let path = format!("{prefix}/dead-letters/{}", kept.id);
        match client.delete::<Discarded>(&path).await {
            Ok(_) => say!("{kept} discarded")?,
            Err(error) => {
                left += 1;
                say!("{kept} {error:#}")?;
            }
        }
    }
    anyhow::ensure!(left == 0, "{left} could not be discarded");
    Ok(())
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
