//! PostgreSQL: one schema and one role a service.

mod logins;

use std::{path::Path, str::FromStr, time::Duration};

use anyhow::Context;
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, PgPool, Postgres, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

pub use logins::make_logins;

/// A schema, the service that owns it, and how it came to be. An applied migration is never edited.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// The schema's name; its role is `kommunlots_<name>`.
    pub name: &'static str,
    /// Number, name and SQL of each migration.
    pub migrations: &'static [(i64, &'static str, &'static str)],
}

/// The tables of a service that publishes.
pub const PUBLISHING: &str = include_str!("../migrations/publishing.sql");
/// The tables of a service that consumes.
pub const CONSUMING: &str = include_str!("../migrations/consuming.sql");
/// The table of a service that sends mail.
pub const MAILING: &str = include_str!("../migrations/mailing.sql");
/// The table of a service of whose processes one works; see [`crate::lease`].
pub const LEASING: &str = include_str!("../migrations/leasing.sql");
/// The schema of API keys: every service may read it, none may write it.
pub const ACCESS: Schema = Schema {
    name: "access",
    migrations: &[(1, "api keys", include_str!("../migrations/access.sql"))],
};

/// The key is arbitrary, and shared by every process that migrates this database.
const MIGRATING: &str = "SELECT pg_advisory_lock(7305804402)";

fn role(schema: &str) -> String {
    format!("kommunlots_{schema}")
}

/// Brings every schema to the version of this program, with a role for each that reaches no other schema. Safe to run
/// by several processes at once.
///
/// # Errors
/// When the database cannot be reached, the user in `url` may not create roles, or a migration fails.
pub async fn migrate(url: &str, schemas: &[Schema]) -> anyhow::Result<()> {
    // That something is there already is no news.
    let quiet = options(url)?.options([("client_min_messages", "warning")]);
    let mut admin = PgConnection::connect_with(&quiet)
        .await
        .context("cannot reach the database; look at database_url")?;
    admin.execute(MIGRATING).await?;
    for schema in schemas {
        migrate_one(&mut admin, schema)
            .await
            .with_context(|| format!("cannot migrate the schema {}", schema.name))?;
    }
    for schema in schemas {
        let role = role(schema.name);
        let sql = format!(
            "GRANT USAGE ON SCHEMA access TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA access TO {role};"
        );
        admin.execute(AssertSqlSafe(sql)).await?;
    }
    admin.close().await?;
    Ok(())
}

async fn migrate_one(admin: &mut PgConnection, schema: &Schema) -> anyhow::Result<()> {
    let (name, role) = (schema.name, role(schema.name));
    // Roles belong to the whole server, so another database's migration may create the same one at the same moment.
    let prepare = format!(
        "CREATE SCHEMA IF NOT EXISTS {name};
         DO $$ BEGIN CREATE ROLE {role} NOLOGIN;
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
         SET search_path TO {name};"
    );
    admin.execute(AssertSqlSafe(prepare)).await.context(
        "the user in database_url must own the database and be allowed to create roles (CREATEROLE)",
    )?;
    let migrations: Vec<Migration> = schema
        .migrations
        .iter()
        .map(|(version, name, sql)| {
            Migration::new(
                *version,
                (*name).into(),
                MigrationType::Simple,
                sql.into_sql_str(),
                false,
            )
        })
        .collect();
    let migrator = Migrator {
        migrations: migrations.into(),
        locking: false,
        ..Migrator::DEFAULT
    };
    migrator.run_direct(None, admin, false).await?;
    let write = if name == ACCESS.name {
        "SELECT"
    } else {
        "SELECT, INSERT, UPDATE, DELETE"
    };
    let grants = format!(
        "GRANT {role} TO CURRENT_USER;
         GRANT USAGE ON SCHEMA {name} TO {role};
         GRANT {write} ON ALL TABLES IN SCHEMA {name} TO {role};
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA {name} TO {role};"
    );
    admin.execute(AssertSqlSafe(grants)).await?;
    for table in ["event_log", "installation", "_sqlx_migrations"] {
        // The record is only ever added to.
        let write = if table == "event_log" {
            "UPDATE, DELETE"
        } else {
            "INSERT, UPDATE, DELETE"
        };
        let revoke = format!(
            "DO $$ BEGIN IF to_regclass('{name}.{table}') IS NOT NULL THEN
                 REVOKE {write} ON {name}.{table} FROM {role};
             END IF; END $$"
        );
        admin.execute(AssertSqlSafe(revoke)).await?;
    }
    Ok(())
}

/// Checks that `pool`'s schema is at this program's version or a later one, for a process that does not migrate.
///
/// # Errors
/// When it is older or not there.
pub async fn require(pool: &PgPool, schema: &Schema) -> anyhow::Result<()> {
    let name = schema.name;
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT max(version) FROM _sqlx_migrations WHERE success",
    )
    .fetch_one(pool)
    .await
    .with_context(|| {
        format!("cannot use the schema {name}; has kommunlots migrate been run for this database?")
    })?;
    let (found, wanted) = (
        found.unwrap_or(0),
        schema.migrations.last().map_or(0, |(version, ..)| *version),
    );
    if found < wanted {
        anyhow::bail!(
            "the schema {name} is at migration {found} of {wanted}; run kommunlots migrate"
        );
    }
    Ok(())
}

/// When a commit is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// When it is on disk.
    Durable,
    /// At once; a crash of PostgreSQL may lose the last fraction of a second, each transaction whole. Right only for a
    /// service that does nothing but consume: its position is lost with the effect, and the source tells again.
    ToldAgain,
}

/// Every statement of a service touches few rows, by their keys. A plan is made once a connection, often while the tables
/// are empty, and kept: it must not be one that reads a whole table, which would cost more with every row of history.
const BY_KEY: &str = "SET plan_cache_mode TO force_generic_plan; SET enable_seqscan TO off; \
                      SET enable_hashjoin TO off; SET enable_mergejoin TO off; SET jit TO off";

/// A pool that speaks with the rights of one schema's role, and finds that schema's tables without a prefix. It logs in as
/// `url` says, or as the service itself where `logins` names the folder with its password; see [`make_logins`].
///
/// # Errors
/// When `url` is not a PostgreSQL address, or a password is missing. The database itself need not be there yet.
pub fn pool(
    url: &str,
    logins: Option<&Path>,
    schema: &'static str,
    connections: u32,
    commit: Commit,
) -> anyhow::Result<PgPool> {
    let synchronous = match commit {
        Commit::Durable => "on",
        Commit::ToldAgain => "off",
    };
    let begin = format!(
        "SET ROLE {}; SET search_path TO {schema}; SET synchronous_commit TO {synchronous}; {BY_KEY}",
        role(schema)
    );
    let mut options = options(url)?.application_name(&format!("kommunlots {schema}"));
    if let Some(folder) = logins {
        options = logins::log_in(options, folder, schema)?;
    }
    Ok(PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            let begin = begin.clone();
            Box::pin(async move { connection.execute(AssertSqlSafe(begin)).await.map(drop) })
        })
        .connect_lazy_with(options))
}

/// A connection that one task keeps from transaction to transaction: giving one back to the pool asks the server whether it
/// is still there, and what another connection has done lately is in another process's memory.
#[derive(Debug)]
pub struct Kept {
    pool: PgPool,
    connection: Option<PoolConnection<Postgres>>,
}

impl Kept {
    /// A connection of `pool`, taken when it is first needed.
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            connection: None,
        }
    }

    /// Takes the connection. Put it back with [`Kept::put`] if all went well; else drop it, and the next is another.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn take(&mut self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.pool.acquire().await,
        }
    }

    /// Keeps a connection for the next time.
    pub fn put(&mut self, connection: PoolConnection<Postgres>) {
        self.connection = Some(connection);
    }
}

fn options(url: &str) -> anyhow::Result<PgConnectOptions> {
    PgConnectOptions::from_str(url)
        .context("database_url must look like postgres://user:password@host:5432/database")
}

/// Whether the database refuses this very data, now and later.
pub fn refuses_data(error: &sqlx::Error) -> bool {
    match error {
        // Class 22 is bad data, 23 a constraint.
        sqlx::Error::Database(e) => e
            .code()
            .is_some_and(|code| code.starts_with("22") || code.starts_with("23")),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => true,
        _ => false,
    }
}

/// Whether trying again later may help: the database is away, restarting or busy.
pub fn may_pass(error: &sqlx::Error) -> bool {
    // Class 42 is a statement that does not fit the schema, or a right that is missing.
    let misfit = matches!(error, sqlx::Error::Database(e) if e.code().is_some_and(|code| code.starts_with("42")));
    !misfit && !refuses_data(error)
}

/// Whether somebody else stored the same at the same moment.
pub fn is_duplicate(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(e) if e.is_unique_violation())
}
