//! A login of its own for each service, for a database that others than this process's owner reach.
//!
//! Without them, one login takes the role of each service in turn (`SET ROLE`), so whoever has its password has every role.
//! A service's own login is a member of just its role.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rand::RngCore;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, postgres::PgConnectOptions};

use super::{ACCESS, MIGRATING, Schema, options, role};
use crate::auth::write_secret;

/// A password shorter than this is a mistake, such as an empty file.
const SHORTEST: usize = 16;

fn login(schema: &str) -> String {
    format!("kommunlots_{schema}_login")
}

fn file(folder: &Path, schema: &str) -> PathBuf {
    folder.join(format!("{schema}.password"))
}

/// `options` with the login of a service, whose password is in `<folder>/<service>.password`.
///
/// # Errors
/// When there is no such password.
pub(super) fn log_in(
    options: PgConnectOptions,
    folder: &Path,
    schema: &str,
) -> anyhow::Result<PgConnectOptions> {
    let file = file(folder, schema);
    let password = read(&file)?.with_context(|| {
        format!(
            "there is no {}; kommunlots migrate makes it, with the same database_logins",
            file.display()
        )
    })?;
    Ok(options.username(&login(schema)).password(&password))
}

/// Gives each service its login, with the password in `<folder>/<service>.password`, which is made where it is missing. To
/// be called after [`super::migrate`]; safe to run by several processes at once.
///
/// # Errors
/// When a password cannot be read or made, or the user in `url` may not create roles.
pub async fn make_logins(url: &str, schemas: &[Schema], folder: &Path) -> anyhow::Result<()> {
    let mut admin = PgConnection::connect_with(&options(url)?)
        .await
        .context("cannot reach the database; look at database_url")?;
    admin.execute(MIGRATING).await?;
    for schema in schemas.iter().filter(|s| s.name != ACCESS.name) {
        let file = file(folder, schema.name);
        let password = match read(&file)? {
            Some(password) => password,
            None => {
                let password = random();
                write_secret(&file, &password)?;
                password
            }
        };
        let (name, role) = (login(schema.name), role(schema.name));
        // What a service may do comes from its role alone, which it must take.
        let sql = format!(
            "DO $$ BEGIN CREATE ROLE {name};
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
             ALTER ROLE {name} LOGIN NOINHERIT PASSWORD '{}';
             GRANT {role} TO {name};",
            password.replace('\'', "''")
        );
        admin
            .execute(AssertSqlSafe(sql))
            .await
            .with_context(|| format!("cannot make the login of {}", schema.name))?;
    }
    admin.close().await?;
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<Option<String>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    let password = text.trim();
    if password.len() < SHORTEST || password.contains(char::is_control) {
        bail!(
            "{} must hold one line of at least {SHORTEST} characters; write it anew, or remove it to have one made",
            file.display()
        );
    }
    Ok(Some(password.to_owned()))
}

fn random() -> String {
    let mut bytes = [0u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
