//! Follows a live queue_log through rotation and restarts. The place in the file is committed with the events.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::{Line, read_line};
use crate::{
    QueueLog,
    contacts::{ContactWriter, Job},
    input::Installation,
    store::{self, Place},
};

/// How often the file is looked at. The wall is to show a call well within a tenth of a second.
const LOOK: Duration = Duration::from_millis(40);
/// Bytes read and committed at a time.
const PIECE: usize = 512 * 1024;

/// Follows one PBX's log.
pub(crate) struct Follower {
    log: QueueLog,
    writer: ContactWriter,
    installation: Arc<Installation>,
    pool: PgPool,
}

/// The file being read, and the place up to which it has been committed.
struct Open {
    file: File,
    place: Place,
}

impl Follower {
    pub(crate) fn new(
        log: QueueLog,
        writer: ContactWriter,
        installation: Arc<Installation>,
        pool: PgPool,
    ) -> Self {
        Self {
            log,
            writer,
            installation,
            pool,
        }
    }

    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut open = None;
        let mut failing = false;
        while !stop.is_cancelled() {
            let pause = match self.step(&mut open).await {
                Ok(true) => continue,
                Ok(false) => {
                    failing = false;
                    LOOK
                }
                Err(error) => {
                    // Begin again from what is committed.
                    open = None;
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(path = %self.log.path.display(), error = format!("{error:#}"), "cannot follow the queue_log; trying again");
                    }
                    Duration::from_millis(500)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
        Ok(())
    }

    /// Reads and commits the next piece. Returns whether there may be more.
    async fn step(&self, open: &mut Option<Open>) -> anyhow::Result<bool> {
        let current = match open {
            Some(current) => current,
            None => open.insert(self.open().await?),
        };
        // Looked at before the old file is read: what was written to it before is then read to its end. A PBX goes on
        // writing to the old file until it is told to open the new one, so an empty new file means nothing yet.
        let replaced_by = fs::metadata(&self.log.path)
            .ok()
            .filter(|now| file_id(now) != current.place.file && now.len() > 0);
        let length = current.file.metadata()?.len();
        if length < current.place.offset {
            tracing::warn!(path = %self.log.path.display(), "the queue_log has become shorter; reading it from its start");
            current.place.offset = 0;
        }
        let piece = read_piece(&mut current.file, current.place.offset)?;
        // A line without its end is still being written; in a file that was rotated away it is the last.
        let whole = match piece.iter().rposition(|b| *b == b'\n') {
            Some(end) => &piece[..=end],
            None if piece.len() == PIECE => &piece[..],
            None if replaced_by.is_some() => &piece[..],
            None => &[],
        };
        if !whole.is_empty() {
            let mut place = current.place.clone();
            place.offset += whole.len() as u64;
            self.writer
                .write(self.job(whole, &current.place, place.clone()))
                .await?;
            current.place = place;
            return Ok(true);
        }
        if replaced_by.is_some() {
            let file = File::open(next_after(&self.log.path, &current.file.metadata()?)?)?;
            let place = Place {
                file: file_id(&file.metadata()?),
                offset: 0,
                system: self.log.system.clone(),
            };
            *open = Some(Open { file, place });
            return Ok(true);
        }
        Ok(false)
    }

    /// Opens the file that was being read, also when it has been rotated to another name meanwhile.
    async fn open(&self) -> anyhow::Result<Open> {
        let system = self.log.system.clone();
        let place = store::place(&self.pool, &system).await?;
        if let Some(place) = place {
            let path = find(&self.log.path, &place.file)?;
            if let Some(path) = path {
                return Ok(Open {
                    file: File::open(path)?,
                    place,
                });
            }
            tracing::warn!(path = %self.log.path.display(), "the queue_log that was being read is gone; reading the present one from its start");
        }
        let file = File::open(&self.log.path)?;
        let place = Place {
            file: file_id(&file.metadata()?),
            offset: 0,
            system,
        };
        Ok(Open { file, place })
    }

    fn job(&self, lines: &[u8], from: &Place, place: Place) -> Job {
        let mut job = Job {
            place: Some(place),
            ..Job::default()
        };
        let mut offset = from.offset;
        for line in lines.split_inclusive(|b| *b == b'\n') {
            match self.told(line) {
                Ok(Some(Entry::Told(told))) => job.told.push(*told),
                Ok(Some(Entry::Restart(at))) => job.restarts.push((self.log.system.clone(), at)),
                Ok(None) => {}
                Err(reason) => {
                    // The line itself may hold a caller's number, so the log says only where it is.
                    tracing::warn!(path = %self.log.path.display(), offset, reason, "a line of the queue_log was refused");
                }
            }
            offset += line.len() as u64;
        }
        job
    }

    fn told(&self, line: &[u8]) -> Result<Option<Entry>, String> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        match read_line(line, &self.log.system)? {
            Line::PassedOver => Ok(None),
            Line::Restart(at) => Ok(Some(Entry::Restart(at))),
            Line::Contact(input) => {
                // A PBX whose clock is ahead still told the truth as it saw it.
                let told = input
                    .parse(&self.installation, jiff::Timestamp::MAX)
                    .map_err(|e| e.reason)?;
                Ok(Some(Entry::Told(Box::new(told))))
            }
        }
    }
}

enum Entry {
    Told(Box<crate::input::Told>),
    Restart(jiff::Timestamp),
}

fn file_id(metadata: &fs::Metadata) -> String {
    format!("{}:{}", metadata.dev(), metadata.ino())
}

/// The path of the file with this id: the log itself, or what it was rotated to beside it.
fn find(log: &Path, id: &str) -> io::Result<Option<PathBuf>> {
    if fs::metadata(log).is_ok_and(|m| file_id(&m) == id) {
        return Ok(Some(log.to_owned()));
    }
    for entry in fs::read_dir(folder_of(log))? {
        let entry = entry?;
        if entry
            .metadata()
            .is_ok_and(|m| m.is_file() && file_id(&m) == id)
        {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

/// The file to read when `done` has been read to its end: of the log and what it was rotated to, the next that was
/// written. Nobody may have read while it was rotated several times.
fn next_after(log: &Path, done: &fs::Metadata) -> io::Result<PathBuf> {
    let name = log
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut files = Vec::new();
    for entry in fs::read_dir(folder_of(log))? {
        let entry = entry?;
        let file_name = entry.file_name().to_string_lossy().into_owned();
        let (Some(suffix), Ok(metadata)) = (file_name.strip_prefix(&name), entry.metadata()) else {
            continue;
        };
        // Another PBX's log beside it may begin with the same name.
        let rotated = suffix.is_empty()
            || (suffix.starts_with(['.', '-']) && suffix.contains(|c: char| c.is_ascii_digit()));
        if metadata.is_file() && rotated {
            files.push((
                (metadata.modified()?, age(suffix)),
                file_id(&metadata),
                entry.path(),
            ));
        }
    }
    files.sort();
    let read = files.iter().position(|(_, id, _)| *id == file_id(done));
    for (.., path) in files.into_iter().skip(read.map_or(usize::MAX, |n| n + 1)) {
        if !path
            .extension()
            .is_some_and(|e| ["gz", "bz2", "xz", "zst"].iter().any(|z| e == *z))
        {
            return Ok(path);
        }
        tracing::warn!(
            path = %path.display(),
            "a rotated queue_log was compressed before it was read; unpack it and read it with kommunlots import queue-log"
        );
    }
    Ok(log.to_owned())
}

/// Orders files that were last written at the same moment: `.2` before `.1`, a day before the next, the log itself last.
fn age(suffix: &str) -> i64 {
    let number: String = suffix.chars().filter(char::is_ascii_digit).collect();
    match number.parse::<i64>() {
        Ok(day) if number.len() >= 6 => day,
        Ok(rotations) => -rotations,
        Err(_) => i64::MAX,
    }
}

fn folder_of(log: &Path) -> &Path {
    log.parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn read_piece(file: &mut File, offset: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut piece = Vec::new();
    file.take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece)
}
