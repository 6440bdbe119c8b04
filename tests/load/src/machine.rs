//! The machine, as the table describes it.

use std::{fmt::Write, fs, process::Command};

/// A list of what the figures depend on.
pub(crate) fn describe(quick: bool, busy: &str, commit: &str) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&cpu, "model name").unwrap_or_else(|| "unknown".to_owned());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = field(&memory, "MemTotal")
        .and_then(|text| text.trim_end_matches(" kB").parse::<f64>().ok())
        .map_or("unknown".to_owned(), |kb| {
            format!("{:.1} GiB", kb / 1024.0 / 1024.0)
        });
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut text = String::new();
    for (what, is) in [
        ("CPU", format!("{model}, {cores} cores")),
        ("Memory", memory),
        ("Kernel", format!("Linux {}", kernel.trim())),
        (
            "PostgreSQL",
            crate::pgbench::version().unwrap_or_else(|| "as embedded".to_owned()),
        ),
        ("NATS", nats().unwrap_or_else(|| "as embedded".to_owned())),
        ("Busy before the run", busy.to_owned()),
        ("Commit", commit.to_owned()),
        ("Date", today()),
    ] {
        let _ = writeln!(text, "- {what}: {is}");
    }
    if quick {
        text.push_str("\n**A quick run, at small size: these are no figures to keep.**\n");
    }
    text
}

/// What else the machine was doing.
pub(crate) fn busy() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let minute = load.split_whitespace().next().unwrap_or("unknown");
    format!("load average {minute} over the last minute")
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The version that the product's own server told in its log.
fn nats() -> Option<String> {
    crate::product::seen().nats
}

/// What is built: asked before the build, since others may commit while this runs.
pub(crate) fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    };
    let Some(commit) = git(&["rev-parse", "--short", "HEAD"]) else {
        return "unknown".to_owned();
    };
    match git(&["status", "--porcelain", "--untracked-files=no"]) {
        Some(changes) if changes.is_empty() => commit,
        _ => format!("{commit} with changes"),
    }
}

fn today() -> String {
    crate::events::now().strftime("%Y-%m-%d").to_string()
}
