//! The first command of the README, as a newcomer types it: the wall moves, and Ctrl-C leaves nothing.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::File,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process_group};

use serde_json::Value;

use crate::{
    harness::{Api, database, eventually, program},
    platform_dead_letters::scraped,
};

/// On a busy machine a fresh folder takes its time.
const START: Duration = Duration::from_secs(120);

/// The demo in a terminal of its own: a process group that Ctrl-C is sent to. It is killed when the test fails.
struct Demo {
    child: Child,
    log: PathBuf,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

/// What a program needs of its surroundings at all: where programs are, and those fetched before, so that the test does not
/// fetch them each time. No home, no settings, nothing configured.
fn surroundings() -> Vec<(&'static str, OsString)> {
    let kept = ["PATH", "KOMMUNLOTS_TOOLS", "KOMMUNLOTS_TOOLS_ONLY"];
    let mut kept: Vec<_> = kept
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)))
        .collect();
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    if std::env::var_os("KOMMUNLOTS_TOOLS").is_none()
        && let Some(cache) = cache
    {
        kept.push(("KOMMUNLOTS_TOOLS", cache.join("kommunlots").into()));
    }
    kept
}

impl Demo {
    /// Starts it in `folder`, so much faster than time, and returns what it says first.
    fn start(folder: &Path, speed: &str) -> anyhow::Result<(Self, String)> {
        let (home, log) = (folder.join("home"), folder.join("log"));
        std::fs::create_dir(&home)?;
        let child = Command::new(program())
            // The address may be taken here.
            .args(["demo", "--http", "127.0.0.1:0", "--speed", speed])
            .env_clear()
            .envs(surroundings())
            .env("HOME", home)
            .current_dir(folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()?;
        let mut demo = Self { child, log };
        let output = demo.child.stdout.take().context("its standard output")?;
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let said = receiver.recv_timeout(START);
        let log = || std::fs::read_to_string(&demo.log).unwrap_or_default();
        let said = said.with_context(|| format!("it does not start: {}", log()))?;
        Ok((demo, said))
    }
}

/// A process: its parent, when it began, its command line.
struct Process {
    parent: i32,
    began: u64,
    line: String,
}

/// Every process there is.
fn processes() -> anyhow::Result<BTreeMap<i32, Process>> {
    let entries = std::fs::read_dir("/proc")?.filter_map(Result::ok);
    let read = |entry: std::fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // After the name, which may hold anything, in parentheses.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let process = Process {
            parent: fields.get(1)?.parse().ok()?,
            began: fields.get(19)?.parse().ok()?,
            line: String::from_utf8_lossy(&line).replace('\0', " "),
        };
        Some((pid, process))
    };
    Ok(entries.filter_map(read).collect())
}

/// A process and all that descend from it.
fn family(root: i32) -> anyhow::Result<BTreeMap<i32, Process>> {
    let mut others = processes()?;
    let mut family: BTreeMap<i32, Process> = others.remove_entry(&root).into_iter().collect();
    loop {
        let (children, rest): (BTreeMap<_, _>, _) = others
            .into_iter()
            .partition(|(_, process)| family.contains_key(&process.parent));
        if children.is_empty() {
            return Ok(family);
        }
        family.extend(children);
        others = rest;
    }
}

#[tokio::test]
async fn the_first_command_shows_a_wall_that_moves_and_leaves_nothing() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    // An hour of the morning shall not take six minutes.
    let (mut demo, said) = Demo::start(folder.path(), "60")?;
    let base = said.strip_prefix("ready ").context(said.clone())?;
    ensure!(base.starts_with("http://"), "{said}");
    let api = Api::new(base, None);
    let page = api.http.get(format!("{base}/wallboard")).send().await?;
    ensure!(page.status().is_success(), "{}", page.status());

    // Citizens call and are answered, one after another.
    let mut answered = 0;
    for _ in 0..2 {
        answered = eventually("more calls are answered", async || {
            let frame = api.board().await?;
            let now = frame["board"]["answer_rate"]["answered"].as_u64();
            let now = now.with_context(|| frame.to_string())?;
            ensure!(now > answered, "{now} are answered");
            Ok(now)
        })
        .await?;
    }

    let root = Pid::from_child(&demo.child);
    let family = family(root.as_raw_nonzero().get())?;
    for server in ["postgres", "nats-server"] {
        let runs = family.values().any(|p| p.line.contains(server));
        ensure!(runs, "{server} is not of the family");
    }
    // A terminal tells the whole group.
    kill_process_group(root, Signal::INT)?;
    let status = eventually("it ends", async || {
        demo.child.try_wait()?.context("it runs")
    })
    .await?;
    assert_eq!(status.code(), Some(0));
    let own = folder.path().display().to_string();
    eventually("nothing is left", async || {
        for (pid, process) in processes()? {
            let is_left = family.get(&pid).is_some_and(|p| p.began == process.began);
            ensure!(!is_left && !process.line.contains(&own), "{}", process.line);
        }
        Ok(())
    })
    .await?;
    // All that it made lies in the folder that it was started in.
    ensure!(folder.path().join(".kommunlots-demo").is_dir());
    ensure!(folder.path().join("home").read_dir()?.next().is_none());
    Ok(())
}

#[tokio::test]
async fn at_speed_cases_are_forwarded_chased_sent_back_and_closed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    // A working day in some fifteen seconds.
    let (_demo, said) = Demo::start(folder.path(), "2400")?;
    let base = said.strip_prefix("ready ").context(said.clone())?;
    let data = folder.path().join(".kommunlots-demo");
    let key = std::fs::read_to_string(data.join("key"))?;
    let api = Api::new(base, Some(key.trim()));
    let first = domain::local_day(platform::Clock::real().now());

    // Departments with a system close over the bus alone, the others on the case page.
    eventually("departments close cases both ways", async || {
        let path = format!("/figures/forwarded?from={first}&to=2099-12-31&by=department");
        let (_, rows) = api.get(&path).await?;
        let rows = rows.as_array().context("figures")?;
        let closed = |departments: &[&str]| -> u64 {
            let of = |row: &&Value| {
                row["key"]
                    .as_str()
                    .is_some_and(|key| departments.contains(&key))
            };
            rows.iter()
                .filter(of)
                .filter_map(|row| row["closed"].as_u64())
                .sum()
        };
        let (by_bus, by_page) = (
            closed(&["bygg", "skola", "vard", "gata", "miljo"]),
            closed(&["social", "kultur", "kansli"]),
        );
        ensure!(by_bus > 0 && by_page > 0, "{by_bus} and {by_page}");
        Ok(())
    })
    .await?;
    eventually(
        "groups are reminded, and told that a case is late",
        async || {
            for step in ["share", "limit"] {
                let series =
                    format!("kommunlots_reminder_steps_total{{step=\"{step}\",what=\"taken\"}}");
                ensure!(scraped(&api, &series).await? > 0.0, "{step}");
            }
            Ok(())
        },
    )
    .await?;
    // The wall shows some that are late; and, after the departments have gone through them, fewer.
    let mut most = 0;
    eventually("the overdue number rises and falls", async || {
        let frame = api.board().await?;
        let overdue = frame["board"]["forwarded"]["overdue"].as_u64();
        let overdue = overdue.with_context(|| frame.to_string())?;
        most = most.max(overdue);
        ensure!(overdue < most, "{overdue} of at most {most}");
        Ok(())
    })
    .await?;
    // What no figure tells of.
    let mut database = database(&data).await?;
    eventually("cases are paused, promised, and sent back to others and to nobody", async || {
        let sql = "SELECT DISTINCT kind || coalesce(' to ' || sign(length(data ->> 'belongs_to')), '')
                   FROM routing.event_log WHERE kind IN ('case.paused', 'case.promised', 'case.bounced') ORDER BY 1";
        let told: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut database).await?;
        ensure!(told == ["case.bounced", "case.bounced to 1", "case.paused", "case.promised"], "{told:?}");
        Ok(())
    })
    .await?;
    let log = std::fs::read_to_string(folder.path().join("log"))?;
    ensure!(
        !log.contains("\"ERROR\"") && !log.contains(" ERROR "),
        "{log}"
    );
    Ok(())
}
