//! The guard process: it ends its server when the product is gone, however the product went.
//!
//! The product holds the other end of the guard's standard input and never writes to it. When the product ends, also
//! by `kill -9`, the system closes that pipe, and the guard reads end of file.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::io::FdFlags;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::guard::Stop;
use crate::{pid_file, signals};

/// How long a server may take to end in order before it is killed.
const GRACE: Duration = Duration::from_secs(15);

/// The exit code of a guard that could not do its work; 126 and 127 are the shell's.
const FAILED: u8 = 125;

/// Runs the guard: `guard <stop-signal> <pid-file> -- <program> <args...>`, of which `args` is what follows `guard`.
///
/// Prints the server's pid on standard output and exits with the server's code, 128 and the signal's number added if
/// a signal ended it.
pub fn guard_main(args: impl Iterator<Item = OsString>) -> ExitCode {
    match Order::parse(args).and_then(run) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Standard error is the server's log, where the product looks when a start fails.
            eprintln!("guard: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Order {
    stop: Stop,
    pid_file: PathBuf,
    program: OsString,
    args: Vec<OsString>,
}

impl Order {
    fn parse(mut args: impl Iterator<Item = OsString>) -> anyhow::Result<Self> {
        const USAGE: &str =
            "only the product starts a guard, as `guard INT|TERM <pid-file> -- <program> ...`";
        let stop = args
            .next()
            .and_then(|name| Stop::from_name(name.to_str()?))
            .context(USAGE)?;
        let pid_file = args.next().context(USAGE)?.into();
        if args.next().is_none_or(|dashes| dashes != "--") {
            bail!(USAGE);
        }
        let program = args.next().context(USAGE)?;
        Ok(Self {
            stop,
            pid_file,
            program,
            args: args.collect(),
        })
    }
}

/// A runtime of one thread: the parent-death signal fires when the thread that started the server ends, and this one
/// is the main thread.
fn run(order: Order) -> anyhow::Result<u8> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(guard(order))
}

async fn guard(order: Order) -> anyhow::Result<u8> {
    // Signals that go to every process of a service or session are for the product: it decides when its servers end.
    let _unheeded = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ]
    .map(signal);
    let mut product_gone = end_of_input();

    let lock = tokio::select! {
        lock = pid_file::lock(&order.pid_file) => lock?,
        _ = &mut product_gone => return Ok(0),
    };
    let mut server = start(&order, &lock)?;
    let status = tokio::select! {
        status = server.wait() => status?,
        _ = &mut product_gone => end(&mut server, order.stop).await?,
    };
    pid_file::write(&lock, None)?;
    Ok(code(status))
}

/// Resolves when the product's end of standard input is closed. On a thread of its own, since the runtime's would
/// keep the guard from exiting while the product lives.
fn end_of_input() -> oneshot::Receiver<()> {
    let (gone, product_gone) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = gone.send(());
    });
    product_gone
}

fn start(order: &Order, lock: &File) -> anyhow::Result<Child> {
    // The server inherits the lock: see `pid_file`.
    rustix::io::fcntl_setfd(lock, FdFlags::empty())?;
    let log = io::stderr().as_fd().try_clone_to_owned()?;
    let server = Command::new(&order.program)
        .args(&order.args)
        .stdin(Stdio::null())
        .stdout(Stdio::from(log))
        .spawn()
        .with_context(|| format!("cannot start {}", order.program.display()))?;
    // `unshare` and `setpriv` execute the server in their own place, so this is its pid.
    let pid = server.id().context("the server ended at once")?;
    pid_file::write(lock, Some(pid))?;
    // A product that is gone already shows as end of input.
    let _ = writeln!(io::stdout(), "{pid}");
    Ok(server)
}

async fn end(server: &mut Child, stop: Stop) -> anyhow::Result<ExitStatus> {
    if let Some(pid) = server.id() {
        signals::send(pid, stop.signal())?;
        // A server that a test has frozen could not act on it.
        signals::resume(pid)?;
    }
    if let Ok(status) = timeout(GRACE, server.wait()).await {
        return Ok(status?);
    }
    eprintln!(
        "guard: the server did not end in {} s, killing it",
        GRACE.as_secs()
    );
    if let Some(pid) = server.id() {
        signals::kill(pid)?;
    }
    Ok(server.wait().await?)
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(FAILED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> anyhow::Result<Order> {
        Order::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn reads_its_arguments() {
        let order = parse("INT /d/postgres.pid -- /bin/postgres -D /d -- x").unwrap();
        assert_eq!(order.stop, Stop::Interrupt);
        assert_eq!(order.pid_file, PathBuf::from("/d/postgres.pid"));
        assert_eq!(order.program, "/bin/postgres");
        assert_eq!(order.args, ["-D", "/d", "--", "x"]);
    }

    #[test]
    fn refuses_what_the_product_would_not_say() {
        for line in [
            "",
            "HUP /p -- prog",
            "INT",
            "INT /p",
            "INT /p prog",
            "INT /p --",
        ] {
            assert!(parse(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn hands_on_the_servers_code() {
        assert_eq!(code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(code(ExitStatus::from_raw(9)), 137);
    }
}
