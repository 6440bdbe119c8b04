//! `kommunlots migrate`: brings the database to this version.

use super::key::with_database;
use crate::{
    config::Settings,
    output::say,
    product::{self, SCHEMAS},
};

/// Migrates.
pub(crate) async fn run(settings: Settings) -> anyhow::Result<()> {
    with_database(&settings, async |url| {
        product::migrate(url, settings.database_logins.as_deref()).await
    })
    .await?;
    for schema in SCHEMAS {
        let last = schema.migrations.last().map_or(0, |(number, ..)| *number);
        say!("{:<10} at migration {last}", schema.name)?;
    }
    if let Some(folder) = &settings.database_logins {
        say!(
            "each service has a login of its own, with its password in {}",
            folder.display()
        )?;
    }
    Ok(())
}
