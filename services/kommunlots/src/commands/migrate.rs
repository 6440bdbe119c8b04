//! `kommunlots migrate`: brings the database to this version.

use platform::database;

use super::key::with_database;
use crate::{config::Settings, output::say, product::SCHEMAS};

/// Migrates.
pub(crate) async fn run(settings: Settings) -> anyhow::Result<()> {
    with_database(&settings, async |url| {
        database::migrate(url, &SCHEMAS).await
    })
    .await?;
    for schema in SCHEMAS {
        let last = schema.migrations.last().map_or(0, |(number, ..)| *number);
        say!("{:<10} at migration {last}", schema.name)?;
    }
    Ok(())
}
