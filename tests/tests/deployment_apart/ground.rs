//! What a deployment stands on: servers, certificates, keys and logins, made as an operator makes them.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use async_nats::{Client, ConnectOptions};
use embedded::{Guard, Nats, Postgres};
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

use crate::{
    agreements::{example, text},
    harness::{Product, eventually, kommunlots, program},
};

/// An authority `ca.pem` and, signed by it, `server.pem` with `server.key` for this machine.
fn make_certificates(folder: &Path) -> anyhow::Result<()> {
    let openssl = |arguments: &str| -> anyhow::Result<()> {
        let mut command = Command::new("openssl");
        let output = command
            .args(arguments.split(' '))
            .current_dir(folder)
            .output()?;
        ensure!(output.status.success(), "{output:?}");
        Ok(())
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!(
        "req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority"
    ))?;
    openssl(&format!(
        "req {key} -keyout server.key -out server.csr -subj /CN=server"
    ))?;
    fs::write(
        folder.join("names"),
        "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n",
    )?;
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    )
}

/// A command of the program, as an operator gives it.
pub(super) fn operator(arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<String> {
    let output = kommunlots()
        .args(arguments)
        .envs(environment.iter().copied())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {said}");
    Ok(String::from_utf8(output.stdout)?)
}

/// What a deployment stands on, outside the product.
pub(super) struct Ground {
    pub(super) folder: TempDir,
    pub(super) postgres: Postgres,
    pub(super) nats: Nats,
    guard: Guard,
    /// The database's address with its owner's login, and without a login.
    pub(super) owner: String,
    pub(super) database: String,
    /// Where the bus tells whether it is well.
    pub(super) monitor: String,
}

impl Ground {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        make_certificates(folder.path())?;
        example(folder.path(), "agreements")?;
        let guard = Guard::program(program());
        let postgres = Postgres::start(&folder.path().join("postgres"), &guard).await?;
        let (owner, database) = prepare_database(&postgres, folder.path()).await?;
        let monitor = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let nats = start_nats(folder.path(), &monitor, &guard).await?;
        Ok(Self {
            folder,
            postgres,
            nats,
            guard,
            owner,
            database,
            monitor,
        })
    }

    /// Makes the configuration again and starts the bus with it, in the same place.
    pub(super) async fn start_the_bus_again(&mut self) -> anyhow::Result<()> {
        self.nats.server.stop().await;
        self.nats = start_nats(self.folder.path(), &self.monitor, &self.guard).await?;
        Ok(())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn keys(&self) -> PathBuf {
        self.path("bus/keys")
    }

    pub(super) fn bus(&self) -> String {
        self.nats.url().replace("nats://", "tls://")
    }

    /// A service, as compose and Kubernetes would start it.
    pub(super) fn service(&self, role: &str) -> anyhow::Result<Product> {
        let (bus, keys, ca) = (self.bus(), self.keys(), self.path("ca.pem"));
        let (keys, agreements) = (text(&keys)?, self.path("agreements"));
        let mut environment = vec![
            ("KOMMUNLOTS_MIGRATE", "false"),
            ("KOMMUNLOTS_DATABASE_LOGINS", keys),
            ("KOMMUNLOTS_NATS_URL", &bus),
            ("KOMMUNLOTS_NATS_KEYS", keys),
            ("KOMMUNLOTS_NATS_CA", text(&ca)?),
        ];
        if role != "wallboard" {
            environment.push(("KOMMUNLOTS_DATABASE_URL", &self.database));
        }
        if role == "routing" {
            environment.push(("KOMMUNLOTS_ROUTING_AGREEMENTS", text(&agreements)?));
        }
        Product::run(&[role], &environment)
    }

    pub(super) fn migrate(&self) -> anyhow::Result<String> {
        let keys = self.keys();
        let logins = ("KOMMUNLOTS_DATABASE_LOGINS", text(&keys)?);
        operator(
            &["migrate"],
            &[("KOMMUNLOTS_DATABASE_URL", &self.owner), logins],
        )
    }

    /// A department's own connection, with the key that was made for it.
    pub(super) async fn department(&self, department: &str) -> anyhow::Result<Client> {
        let seed = fs::read_to_string(self.keys().join(format!("departments/{department}.nk")))?;
        Ok(ConnectOptions::with_nkey(seed.trim().to_owned())
            .custom_inbox_prefix(format!("_INBOX_{department}"))
            .add_root_certificates(self.path("ca.pem"))
            .connect(self.bus())
            .await?)
    }

    /// Puts the folder's agreements in force.
    pub(super) fn apply(&self, routing: &Product, key: &str, from: &str) -> anyhow::Result<()> {
        let agreements = self.path("agreements");
        let what = ["agreements", "apply", text(&agreements)?];
        let how = [
            "--valid-from",
            from,
            "--approved-by",
            "Kommunstyrelsen § 12",
        ];
        let whom = ["--url", &routing.base, "--key", key];
        operator(&[&what[..], &how, &whom].concat(), &[]).map(drop)
    }
}

async fn start_nats(folder: &Path, monitor: &str, guard: &Guard) -> anyhow::Result<Nats> {
    Nats::start(&folder.join("nats"), guard, |place| {
        write_nats_config(folder, &place.listen.to_string(), monitor)
    })
    .await
}

/// An empty database whose owner may make roles and nothing more, over TLS where this PostgreSQL can.
async fn prepare_database(postgres: &Postgres, folder: &Path) -> anyhow::Result<(String, String)> {
    let mut admin = PgConnection::connect(&postgres.url()).await?;
    admin
        .execute("CREATE ROLE owner LOGIN CREATEROLE PASSWORD 'owner'")
        .await?;
    admin.execute("CREATE DATABASE city OWNER owner").await?;
    let url = postgres.url();
    let at = url.split(['@', '/']).nth(3).context("a host")?.to_owned();
    let library: String = sqlx::query_scalar("SHOW ssl_library")
        .fetch_one(&mut admin)
        .await?;
    let mut how = String::new();
    if library.is_empty() {
        eprintln!("this PostgreSQL has no TLS: it is spoken to without");
    } else {
        let data = folder.join("postgres/data");
        let whose = fs::metadata(&data)?;
        for (from, to) in [("server.pem", "server.crt"), ("server.key", "server.key")] {
            let file = data.join(to);
            fs::copy(folder.join(from), &file)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
            chown(&file, Some(whose.uid()), Some(whose.gid()))?;
        }
        admin.execute("ALTER SYSTEM SET ssl = on").await?;
        admin.execute("SELECT pg_reload_conf()").await?;
        how = format!(
            "?sslmode=verify-full&sslrootcert={}",
            text(&folder.join("ca.pem"))?
        );
        let probe = format!("postgres://owner:owner@{at}/city{how}");
        eventually("the database speaks TLS", async || {
            Ok(PgConnection::connect(&probe).await?.close().await?)
        })
        .await?;
    }
    Ok((
        format!("postgres://owner:owner@{at}/city{how}"),
        format!("postgres://{at}/city{how}"),
    ))
}

/// `kommunlots nats-config` with every option; what it wrote.
fn write_nats_config(folder: &Path, listen: &str, monitor: &str) -> anyhow::Result<String> {
    let place = |name: &str| folder.join(name).display().to_string();
    let options = [
        ("--listen", listen.to_owned()),
        ("--monitor", monitor.to_owned()),
        ("--store", place("store")),
        ("--agreements", place("agreements")),
        ("--tls-cert", place("server.pem")),
        ("--tls-key", place("server.key")),
    ];
    let dir = place("bus");
    let mut arguments = vec!["nats-config", &dir];
    for (name, value) in &options {
        arguments.extend([*name, value]);
    }
    let said = operator(&arguments, &[])?;
    let url = format!("KOMMUNLOTS_NATS_URL=tls://{listen}");
    ensure!(said.contains(&url), "{said}");
    Ok(fs::read_to_string(folder.join("bus/nats.conf"))?)
}
