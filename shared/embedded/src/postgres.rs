//! A private PostgreSQL.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use rand::SeedableRng;
use rand::distr::{Alphanumeric, SampleString};
use rand::rngs::StdRng;

use crate::guard::{Guard, Stop};
use crate::process::{Program, on_thread};
use crate::programs::{self, PostgresPrograms};
use crate::run_as::RunAs;
use crate::server::Server;
use crate::{files, log, pid_file, port};

/// The name of the user and of the database.
const NAME: &str = "kommunlots";

/// Given at every start, so that a folder made by an older product gets them too. Nothing here trades away what is
/// committed: `fsync` and `synchronous_commit` are on whatever the file says.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    // Long paths are no good as socket names, and nothing needs one.
    "unix_socket_directories=",
    "fsync=on",
    "synchronous_commit=on",
    "shared_buffers=128MB",
    "max_connections=100",
    // After a checkpoint the first change of each page writes the page whole, and the ids of contacts are spread over all
    // pages of their indexes: so checkpoints are rare. Pages go uncompressed on the supposition, not yet measured by
    // itself, that compressing them costs more than it saves here.
    "max_wal_size=4GB",
    "checkpoint_timeout=15min",
    "wal_compression=off",
    // Compiling a short query costs more than running it.
    "jit=off",
    "logging_collector=off",
    "log_destination=stderr",
];

/// A private PostgreSQL with the database `kommunlots`.
pub struct Postgres {
    /// The process.
    pub server: Server,
    listen: SocketAddr,
    password: String,
}

impl Postgres {
    /// Starts the PostgreSQL of `dir`, which it prepares the first time, and waits until it accepts connections.
    ///
    /// The program is an installed one, or is fetched into the tools cache.
    ///
    /// # Errors
    /// When the program is neither installed nor can be fetched, or does not start; the text says what to do.
    pub async fn start(dir: &Path, guard: &Guard) -> anyhow::Result<Self> {
        let dir = files::private_folder(dir)?;
        let pid_file = pid_file::path(&dir, "postgres");
        pid_file::wait_until_free(&pid_file).await?;
        let preparing = dir.clone();
        let Prepared {
            programs,
            run_as,
            password,
        } = on_thread(move || prepare(&preparing)).await??;
        let listen = port::keep_or_choose(&dir)?;

        let mut command = run_as.prefix(Stop::Interrupt.name());
        command.extend([
            programs.postgres.into(),
            "-D".into(),
            dir.join("data").into(),
        ]);
        command.extend(["-p".into(), listen.port().to_string().into()]);
        for setting in SETTINGS {
            command.extend(["-c".into(), OsString::from(setting)]);
        }
        let guard = guard.clone();
        let leftover = Some(dir.join("data/postmaster.pid"));
        let program = Program {
            name: "postgres",
            dir,
            command,
            stop: Stop::Interrupt,
            is_ready,
            listen,
            guard,
            leftover,
        };
        Ok(Self {
            server: Server::start(program).await?,
            listen,
            password,
        })
    }

    /// `postgres://kommunlots:PASSWORD@127.0.0.1:PORT/kommunlots`, the same as long as `dir` is the same and nobody
    /// else takes the port.
    pub fn url(&self) -> String {
        url(&self.password, &self.listen.to_string())
    }

    /// The same for the PostgreSQL of `dir` that another process has started, if there is one.
    pub fn url_of(dir: &Path) -> Option<String> {
        let read = |name: &str| files::read_trimmed(&dir.join(name)).ok().flatten();
        Some(url(
            &read("password")?,
            &format!("127.0.0.1:{}", read("port")?),
        ))
    }
}

fn url(password: &str, at: &str) -> String {
    format!("postgres://{NAME}:{password}@{at}/{NAME}")
}

struct Prepared {
    programs: PostgresPrograms,
    run_as: RunAs,
    password: String,
}

fn prepare(dir: &Path) -> anyhow::Result<Prepared> {
    let data = dir.join("data");
    let made_by = files::read_trimmed(&data.join("PG_VERSION"))?.map(|major| {
        major.parse().with_context(|| {
            format!(
                "{} is not a PostgreSQL data folder, move it away",
                data.display()
            )
        })
    });
    let made_by = made_by.transpose()?;
    let programs = programs::postgres(dir.parent().unwrap_or(dir), made_by)?;
    let run_as = RunAs::for_postgres(dir)?;
    run_as.check_reach(&programs.postgres)?;
    if made_by.is_none() {
        initialise(dir, &programs, &run_as)?;
    }
    let password = files::read_trimmed(&dir.join("password"))?;
    let password = password.with_context(|| {
        format!(
            "{0}/password is missing though {0}/data is there, put it back or remove both",
            dir.display()
        )
    })?;
    Ok(Prepared {
        programs,
        run_as,
        password,
    })
}

/// Makes the data in a folder beside and renames it as the last step, so that an interruption leaves nothing half done.
fn initialise(dir: &Path, programs: &PostgresPrograms, run_as: &RunAs) -> anyhow::Result<()> {
    tracing::info!(folder = %dir.display(), "preparing a private PostgreSQL");
    let draft = dir.join("initdb.tmp");
    files::remove_folder(&draft)?;
    files::private_folder(&draft)?;
    let password = Alphanumeric.sample_string(&mut StdRng::from_os_rng(), 32);
    let password_file = draft.join("password");
    files::write_private(&password_file, &password)?;
    run_as.give(&draft)?;

    let data = draft.join("data");
    // macOS has no C.UTF-8 in every version; plain C has the same order, but knows no letters outside ASCII.
    let locale = if cfg!(target_os = "macos") {
        "C"
    } else {
        "C.UTF-8"
    };
    let mut initdb = run_as.prefix("KILL");
    initdb.extend([
        programs.initdb.clone().into(),
        "-D".into(),
        data.clone().into(),
        "-U".into(),
        NAME.into(),
    ]);
    initdb.extend([
        "--auth=scram-sha-256".into(),
        "--encoding=UTF8".into(),
        format!("--locale={locale}").into(),
    ]);
    initdb.extend(["--pwfile".into(), password_file.into()]);
    run(dir, &initdb, "")?;

    // A database without a client: the wheel need not hold one, and the server need not run.
    let mut single = run_as.prefix("KILL");
    single.extend([
        programs.postgres.clone().into(),
        "--single".into(),
        "-D".into(),
        data.clone().into(),
    ]);
    single.push("postgres".into());
    let said = run(dir, &single, &format!("CREATE DATABASE {NAME};\n"))?;
    // This mode exits with 0 also when a statement failed.
    if said.contains("ERROR:") || said.contains("FATAL:") {
        bail!(
            "cannot create the database {NAME}: {}",
            log::last_lines(&said)
        );
    }

    files::write_private(&dir.join("password"), &format!("{password}\n"))?;
    fs::rename(&data, dir.join("data")).context("cannot rename the new data folder")?;
    files::remove_folder(&draft)
}

/// Runs a program to its end and gives back what it said, which it also writes to the log.
fn run(dir: &Path, words: &[OsString], input: &str) -> anyhow::Result<String> {
    let (program, args) = words.split_first().context("no program to run")?;
    let attempt = || -> std::io::Result<_> {
        let mut child = Command::new(program)
            .args(args)
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that ends without reading says why itself.
            let _ = stdin.write_all(input.as_bytes());
        }
        child.wait_with_output()
    };
    let output = attempt().with_context(|| format!("cannot run {}", program.display()))?;
    let said = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat();
    log::open(dir)?.write_all(said.as_bytes())?;
    if !output.status.success() {
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        bail!(
            "cannot prepare PostgreSQL in {}: {}\n{}",
            dir.display(),
            words.join(" "),
            log::last_lines(&said)
        );
    }
    Ok(said)
}

/// PostgreSQL's own status file says it without a client: its first line is the pid, its eighth the status. The pid
/// matters, since a killed server leaves the file behind.
fn is_ready(program: &Program, pid: u32) -> bool {
    let status = fs::read_to_string(program.dir.join("data/postmaster.pid")).unwrap_or_default();
    says_ready(&status, pid)
}

fn says_ready(status: &str, pid: u32) -> bool {
    let mut lines = status.lines().map(str::trim);
    lines.next() == Some(pid.to_string().as_str()) && lines.nth(6) == Some("ready")
}

#[cfg(test)]
mod tests {
    use super::says_ready;

    #[test]
    fn ready_is_the_status_of_this_process() {
        let status = "812\n/d/data\n1790000000\n25432\n\n127.0.0.1\n 1234567     65538\nready   \n";
        assert!(says_ready(status, 812));
        assert!(!says_ready(status, 813), "left by a killed server");
        assert!(!says_ready(&status.replace("ready   ", "starting"), 812));
        assert!(!says_ready("", 812));
    }
}
