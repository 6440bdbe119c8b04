//! The product under load: the released program in a folder of its own.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::PgPool;
use tempfile::TempDir;

use crate::http::Connection;

/// A fresh folder is prepared first.
const START: Duration = Duration::from_secs(90);
const STOP: Duration = Duration::from_secs(40);
/// The source whose events the benchmark counts.
pub(crate) const CONTACTS: &str = "intake/CONTACTS";

/// What the servers of the last product told about themselves, for the description of the machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) nats: Option<String>,
    /// Folder of PostgreSQL's programs.
    pub(crate) postgres: Option<PathBuf>,
}

static SEEN: Mutex<Seen> = Mutex::new(Seen {
    nats: None,
    postgres: None,
});

pub(crate) fn seen() -> Seen {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Builds `kommunlots` the way this program was built, and returns its path.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    let me = std::env::current_exe()?;
    let folder = me.parent().context("this program lies in a folder")?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--package", "kommunlots"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if cfg!(debug_assertions) {
        eprintln!("         this is a debug build; for figures: cargo run --release -p load");
    } else {
        cargo.arg("--release");
    }
    let status = cargo.stdout(Stdio::null()).status().context(
        "cannot run cargo; build with `cargo build --release -p kommunlots` where it is",
    )?;
    if !status.success() {
        bail!("kommunlots does not build; see above");
    }
    Ok(folder.join("kommunlots"))
}

/// A running product. Dropping it stops it in order.
pub(crate) struct Product {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
    /// As PostgreSQL's owner, for what is measured beside the product and for counting.
    pub(crate) pool: PgPool,
    pub(crate) database_url: String,
    program: PathBuf,
    folder: Option<TempDir>,
    keep: bool,
}

impl Product {
    /// Starts `kommunlots <role>` on a fresh folder beside the program, where the disk is the one that it would use.
    /// The example's departments get accounts on its bus.
    pub(crate) async fn start(program: &Path, role: &str, keep: bool) -> anyhow::Result<Self> {
        let beside = program.parent().context("the program lies in a folder")?;
        let folder = tempfile::Builder::new()
            .prefix("load-")
            .tempdir_in(beside)?;
        routing::agreements::write_example(&folder.path().join("agreements"))?;
        let (child, address) = spawn(program, role, folder.path(), &[])?;
        let mut product = Self {
            child,
            address,
            key: String::new(),
            pool: PgPool::connect_lazy("postgres://unset@127.0.0.1:1/unset")?,
            database_url: String::new(),
            program: program.to_owned(),
            folder: Some(folder),
            keep,
        };
        product.meet().await?;
        product.look();
        Ok(product)
    }

    /// Ends it and starts `kommunlots <role>` on the same folder.
    pub(crate) async fn start_again_as(&mut self, role: &str) -> anyhow::Result<()> {
        end(&mut self.child);
        (self.child, self.address) = spawn(&self.program, role, &self.root(), &[])?;
        self.meet().await
    }

    /// Starts `kommunlots <role>` as a process of its own, on this one's database and bus.
    pub(crate) fn beside(&self, role: &str) -> anyhow::Result<Beside> {
        let folder = tempfile::Builder::new()
            .prefix(role)
            .tempdir_in(self.root())?;
        let nats = self.data().join("nats");
        let port = std::fs::read_to_string(nats.join("port"))?;
        let servers = [
            ("KOMMUNLOTS_DATABASE_URL", self.database_url.clone()),
            (
                "KOMMUNLOTS_NATS_URL",
                format!("nats://127.0.0.1:{}", port.trim()),
            ),
            (
                "KOMMUNLOTS_NATS_KEYS",
                nats.join("keys").display().to_string(),
            ),
        ];
        // Its departments have their accounts on that bus already.
        routing::agreements::write_example(&folder.path().join("agreements"))?;
        let (child, _) = spawn(&self.program, role, folder.path(), &servers)?;
        Ok(Beside {
            child,
            _folder: folder,
        })
    }

    /// Finds its key and its database.
    async fn meet(&mut self) -> anyhow::Result<()> {
        let data = self.data();
        self.key = std::fs::read_to_string(data.join("key"))?.trim().to_owned();
        self.database_url = embedded::Postgres::url_of(&data.join("postgres"))
            .context("the product has no PostgreSQL of its own")?;
        self.pool = sqlx::postgres::PgPoolOptions::new()
            .max_connections(4)
            .connect(&self.database_url)
            .await?;
        Ok(())
    }

    fn root(&self) -> PathBuf {
        self.folder
            .as_ref()
            .map(|f| f.path().to_owned())
            .unwrap_or_default()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.root().join("data")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process id of its PostgreSQL.
    pub(crate) fn postgres_pid(&self) -> anyhow::Result<u32> {
        let file = std::fs::read_to_string(self.data().join("postgres/data/postmaster.pid"))?;
        Ok(file.lines().next().unwrap_or_default().trim().parse()?)
    }

    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(self.address, &self.key).await
    }

    /// The last number of the contacts' source.
    pub(crate) async fn last(&self) -> anyhow::Result<u64> {
        let sources = self.connect().await?.get("/intake/sources").await?;
        Ok(sources.get(CONTACTS).and_then(Value::as_u64).unwrap_or(0))
    }

    /// Waits until everything committed is on the bus, so that what is measured next has the machine to itself.
    pub(crate) async fn until_published(&self, patience: Duration) -> anyhow::Result<()> {
        let query = "SELECT coalesce(sum(last - published), 0)::bigint FROM intake.source";
        self.until_zero(query, patience, "events are not yet on the bus")
            .await
    }

    /// Waits until the figures hold everything committed.
    pub(crate) async fn until_applied(&self, patience: Duration) -> anyhow::Result<()> {
        let query = "SELECT coalesce(sum(s.last - coalesce(p.sequence, 0)), 0)::bigint
                     FROM (SELECT name, last FROM intake.source UNION ALL
                           SELECT name, last FROM routing.source WHERE name LIKE '%/CASES') s
                     LEFT JOIN metrics.position p ON p.source = s.name";
        self.until_zero(query, patience, "events are not yet in the figures")
            .await
    }

    async fn until_zero(
        &self,
        query: &'static str,
        patience: Duration,
        what: &str,
    ) -> anyhow::Result<()> {
        let until = Instant::now() + patience;
        loop {
            let left: i64 = sqlx::query_scalar(query).fetch_one(&self.pool).await?;
            if left == 0 {
                return Ok(());
            }
            if Instant::now() > until {
                bail!("{left} {what} after {patience:?}; see the log with --keep");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A command of the product on this folder, ready to run.
    pub(crate) fn command(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::from(clean(&self.program));
        command.args(arguments).arg("--data").arg(self.data());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        command
    }

    fn look(&self) {
        let options = std::fs::read_to_string(self.data().join("postgres/data/postmaster.opts"));
        let log = std::fs::read_to_string(self.data().join("nats/log")).unwrap_or_default();
        let nats = log
            .lines()
            .find_map(|line| line.split_once("Version:"))
            .map(|(_, v)| v.trim().to_owned());
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        seen.nats = nats.or(seen.nats.take());
        seen.postgres = options
            .ok()
            .and_then(|text| {
                Path::new(text.split_whitespace().next()?)
                    .parent()
                    .map(Path::to_owned)
            })
            .or(seen.postgres.take());
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        end(&mut self.child);
        if let Some(folder) = self.folder.take()
            && self.keep
        {
            eprintln!("         kept {}", folder.keep().display());
        }
    }
}

/// A service in a process of its own. Dropping it stops it in order.
pub(crate) struct Beside {
    child: Child,
    _folder: TempDir,
}

impl Beside {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
    let until = Instant::now() + STOP;
    while Instant::now() < until && matches!(child.try_wait(), Ok(None)) {
        std::thread::sleep(Duration::from_millis(20));
    }
    if matches!(child.try_wait(), Ok(None)) {
        eprintln!(
            "         the product did not stop in time and is killed; its guards end its servers"
        );
        let _ = child.kill();
        let _ = child.wait();
        std::thread::sleep(Duration::from_secs(3));
    }
}

/// The same, told to end when this program is killed outright, where the system has the tool for it.
fn tied(program: &Path) -> Command {
    let known = Command::new("setpriv")
        .args(["--pdeathsig", "TERM", "true"])
        .stderr(Stdio::null())
        .status();
    if !known.is_ok_and(|status| status.success()) {
        return clean(program);
    }
    let mut command = clean(Path::new("setpriv"));
    command.args(["--pdeathsig", "TERM"]).arg(program);
    command
}

/// The program, without the settings of whoever runs the benchmark.
fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("KOMMUNLOTS_") && !text.starts_with("KOMMUNLOTS_TOOLS") {
            command.env_remove(&name);
        }
    }
    command
}

fn spawn(
    program: &Path,
    role: &str,
    folder: &Path,
    servers: &[(&str, String)],
) -> anyhow::Result<(Child, SocketAddr)> {
    let mut child = tied(program)
        .args([role, "--http", "127.0.0.1:0", "--data"])
        .arg(folder.join("data"))
        .env("KOMMUNLOTS_LOG", "warn")
        .envs(servers.iter().map(|(name, value)| (name, value)))
        .env("KOMMUNLOTS_ROUTING_AGREEMENTS", folder.join("agreements"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(folder.join("log"))?)
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let output = child.stdout.take().context("its standard output")?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let line = receiver.recv_timeout(START);
    if let Ok(line) = &line
        && let Some(address) = line.strip_prefix("ready http://")
    {
        return Ok((child, address.parse()?));
    }
    let _ = kill_process(Pid::from_child(&child), Signal::TERM);
    let _ = child.wait();
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    bail!("the product said {line:?} instead of that it is ready; its log:\n{log}")
}
