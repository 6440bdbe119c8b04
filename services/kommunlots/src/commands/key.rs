//! `kommunlots key`: API keys.

use anyhow::Context;
use embedded::{DataFolder, Guard, Postgres};
use platform::{
    Clock,
    auth::{self, Scope},
    database,
};
use sqlx::{Connection, PgConnection};

use crate::{config::Settings, output::say, product::SCHEMAS};

/// Makes a key and prints it.
pub(crate) async fn new(settings: Settings, name: &str, scopes: &[Scope]) -> anyhow::Result<()> {
    let key = with_database(&settings, async |url| {
        database::migrate(url, &SCHEMAS).await?;
        let mut admin = PgConnection::connect(url).await?;
        Ok(auth::new_key(&mut admin, name, scopes, Clock::real().now()).await?)
    })
    .await?;
    eprintln!(
        "this is the only time it is shown; its scopes: {}",
        names(scopes)
    );
    say!("{key}")?;
    Ok(())
}

fn names(scopes: &[Scope]) -> String {
    scopes
        .iter()
        .map(|s| s.as_str())
        .collect::<Vec<_>>()
        .join(", ")
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
    if DataFolder::running(&settings.data).is_some() {
        let url = Postgres::url_of(&place).with_context(|| {
            format!(
                "the product in {} is still starting; try again in a moment",
                settings.data.display()
            )
        })?;
        return act(&url).await;
    }
    let folder = DataFolder::lock(&settings.data)?;
    let postgres =
        Postgres::start(&folder.path().join("postgres"), &Guard::this_program()?).await?;
    let done = act(&postgres.url()).await;
    postgres.server.stop().await;
    done
}
