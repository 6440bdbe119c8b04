//! `kommunlots key`: API keys.

use anyhow::{Context, bail, ensure};
use embedded::{DataFolder, Guard, Postgres};
use platform::{
    Clock,
    auth::{self, Issued, Scope},
    database,
};
use sqlx::{Connection, PgConnection};

use super::local;
use crate::{cli::KeyCommand, client::running_in, config::Settings, output::say, product::SCHEMAS};

/// Does what was asked.
pub(crate) async fn run(settings: Settings, what: KeyCommand) -> anyhow::Result<()> {
    match what {
        KeyCommand::New { name, scope } => new(&settings, &name, &scope).await,
        KeyCommand::List => list(&settings).await,
        KeyCommand::Revoke { which } => revoke(&settings, &which).await,
    }
}

async fn new(settings: &Settings, name: &str, scopes: &[Scope]) -> anyhow::Result<()> {
    let key = with_keys(settings, async |admin| {
        Ok(auth::new_key(admin, name, scopes, Clock::real().now()).await?)
    })
    .await?;
    let scopes: Vec<&str> = scopes.iter().map(|s| s.as_str()).collect();
    eprintln!(
        "this is the only time it is shown; its scopes: {}",
        scopes.join(", ")
    );
    say!("{key}")
}

async fn list(settings: &Settings) -> anyhow::Result<()> {
    let keys = with_keys(settings, async |admin| Ok(auth::issued(admin).await?)).await?;
    if keys.is_empty() {
        say!("there are no keys; make one with `kommunlots key new --name NAME --scope SCOPE`")?;
    }
    for key in keys {
        let used = match key.last_used_at {
            Some(at) => format!("used {}", local(at)),
            None => "never used".to_owned(),
        };
        let state = match key.revoked_at {
            Some(at) => format!("revoked {}", local(at)),
            None => "good".to_owned(),
        };
        say!(
            "{}  {:<20}  made {}  {used:<21}  {state:<24}  {}",
            key.id.0,
            key.name,
            local(key.created_at),
            key.scopes.join(", ")
        )?;
    }
    Ok(())
}

async fn revoke(settings: &Settings, which: &str) -> anyhow::Result<()> {
    let (key, others) = with_keys(settings, async |admin| {
        let keys = auth::issued(admin).await?;
        let key = choose(&keys, which)?;
        let revoked = auth::revoke(admin, key.id, Clock::real().now()).await?;
        ensure!(revoked, "the key {which} was revoked at this very moment");
        let others = keys.iter().filter(|k| k.revoked_at.is_none()).count() - 1;
        Ok((key.clone(), others))
    })
    .await?;
    say!(
        "the key {} ({}) is revoked; within 10 seconds every service refuses it",
        key.name,
        key.id.0
    )?;
    if others == 0 {
        eprintln!("no good key is left; `kommunlots key new` makes one");
    }
    Ok(())
}

/// The good key that `which` names, by its name or its id.
fn choose<'a>(keys: &'a [Issued], which: &str) -> anyhow::Result<&'a Issued> {
    let is_named =
        |key: &&Issued| key.name == which || key.id.0.to_string() == which.to_lowercase();
    let (good, revoked): (Vec<_>, Vec<_>) = keys
        .iter()
        .filter(is_named)
        .partition(|key| key.revoked_at.is_none());
    match (&good[..], revoked.last().and_then(|key| key.revoked_at)) {
        ([key], _) => Ok(key),
        ([], None) => {
            bail!("there is no key {which}; `kommunlots key list` shows names and ids")
        }
        ([], Some(at)) => bail!("the key {which} is revoked already, since {}", local(at)),
        (several, _) => {
            let ids: Vec<String> = several.iter().map(|key| key.id.0.to_string()).collect();
            bail!(
                "{} good keys are named {which}; give the id of the one that is meant: {}",
                ids.len(),
                ids.join(", ")
            )
        }
    }
}

/// Does something with the keys, as the owner of the database.
async fn with_keys<T>(
    settings: &Settings,
    act: impl AsyncFnOnce(&mut PgConnection) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    with_database(settings, async |url| {
        database::migrate(url, &SCHEMAS).await?;
        let mut admin = PgConnection::connect(url).await?;
        act(&mut admin).await
    })
    .await
}

/// Does something with the configured database, or with the data folder's, which is started for the moment where no
/// product runs.
pub(crate) async fn with_database<T>(
    settings: &Settings,
    act: impl AsyncFnOnce(&str) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if let Some(url) = &settings.database_url {
        return act(url).await;
    }
    let place = settings.data.join("postgres");
    let folder = loop {
        if running_in(&settings.data).await.is_some() {
            let url = Postgres::url_of(&place).with_context(|| {
                format!(
                    "the product in {} has its database elsewhere; set database_url as it does",
                    settings.data.display()
                )
            })?;
            return act(&url).await;
        }
        match DataFolder::lock(&settings.data) {
            Ok(folder) => break folder,
            // Another was quicker to take it.
            Err(_) if DataFolder::running(&settings.data).is_some() => {}
            Err(error) => return Err(error),
        }
    };
    let postgres =
        Postgres::start(&folder.path().join("postgres"), &Guard::this_program()?).await?;
    let done = act(&postgres.url()).await;
    postgres.server.stop().await;
    done
}

#[cfg(test)]
mod tests {
    use platform::auth::KeyId;
    use uuid::Uuid;

    use super::*;

    fn key(id: u128, name: &str, revoked: bool) -> Issued {
        let at = jiff::Timestamp::UNIX_EPOCH;
        Issued {
            id: KeyId(Uuid::from_u128(id)),
            name: name.to_owned(),
            scopes: Vec::new(),
            created_at: at,
            last_used_at: None,
            revoked_at: revoked.then_some(at),
        }
    }

    #[test]
    fn a_key_is_revoked_only_where_it_is_clear_which() {
        let keys = [
            key(0xa1, "pbx", true),
            key(0xa2, "pbx", false),
            key(0xa3, "desk", false),
            key(0xa4, "desk", false),
            key(0xa5, "old", true),
        ];
        let chosen = |which: &str| choose(&keys, which).map(|key| key.id.0.as_u128());
        let id = |n: u128| Uuid::from_u128(n).to_string();
        // The one that is still good, an id in any case, and one of two that share a name.
        assert_eq!(chosen("pbx").ok(), Some(0xa2));
        assert_eq!(chosen(&id(0xa3).to_uppercase()).ok(), Some(0xa3));
        assert_eq!(chosen(&id(0xa4)).ok(), Some(0xa4));
        for (which, said) in [
            ("desk", vec![id(0xa3), id(0xa4)]),
            ("nobody", vec!["kommunlots key list".to_owned()]),
            ("", vec!["kommunlots key list".to_owned()]),
            ("old", vec!["revoked already".to_owned()]),
            (&id(0xa1), vec!["revoked already".to_owned()]),
        ] {
            let error = chosen(which).expect_err(which).to_string();
            for said in said {
                assert!(error.contains(&said), "{which}: {error}");
            }
        }
    }
}
