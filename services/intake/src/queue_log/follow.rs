//! Follows a live queue_log through rotation and restarts. The place in the file is committed with the events.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use platform::{Clock, heartbeat::Sight, seldom};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::{Line, files, meters, read_line};
use crate::{
    QueueLog, RestartInput,
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
    pub(crate) log: QueueLog,
    pub(crate) writer: ContactWriter,
    pub(crate) installation: Arc<Installation>,
    pub(crate) pool: PgPool,
    pub(crate) clock: Clock,
    /// Lost while the log cannot be read to its end.
    pub(crate) sight: Sight,
}

/// The file being read, and the place up to which it has been committed.
struct Open {
    file: File,
    place: Place,
}

/// What came of a look at the log.
enum Look {
    /// There may be more.
    More,
    /// It has been read to its end.
    AtEnd,
    /// There is no file of its name. What was renamed has been read to its end.
    Gone,
}

impl Follower {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        meters::touch();
        let mut open = None;
        let mut failing = false;
        while !stop.is_cancelled() {
            let (pause, wrong) = match self.step(&mut open).await {
                Ok(Look::More) => continue,
                Ok(Look::AtEnd) => (LOOK, None),
                // While it is rotated there is none for a moment.
                Ok(Look::Gone) if !self.sight.is_lost() => (LOOK, None),
                Ok(Look::Gone) => (LOOK, Some(anyhow::anyhow!("there is no such file now"))),
                Err(error) => {
                    // Begin again from what is committed.
                    open = None;
                    (Duration::from_millis(500), Some(error))
                }
            };
            match wrong {
                Some(error) if !failing => {
                    failing = true;
                    tracing::warn!(path = %self.log.path.display(), error = format!("{error:#}"), "cannot follow the queue_log, so what becomes of calls is not known now; trying again");
                }
                None if failing && !self.sight.is_lost() => {
                    failing = false;
                    tracing::info!(path = %self.log.path.display(), "the queue_log is followed again");
                }
                _ => {}
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
        Ok(())
    }

    /// Reads and commits the next piece.
    async fn step(&self, open: &mut Option<Open>) -> anyhow::Result<Look> {
        let current = match open {
            Some(current) => current,
            None => open.insert(self.open().await?),
        };
        // Looked at before the old file is read: what was written to it before is then read to its end. A PBX goes on
        // writing to the old file until it is told to open the new one, so an empty new file means nothing yet.
        let named = fs::metadata(&self.log.path).ok();
        let is_named = named.is_some();
        let replaced =
            named.is_some_and(|now| files::file_id(&now) != current.place.file && now.len() > 0);
        let length = current.file.metadata()?.len();
        if length != current.place.offset
            && !files::goes_on_from(&mut current.file, &current.place)?
        {
            // Truncated, and perhaps written to again; what it held may be in a copy.
            *open = None;
            return Ok(Look::More);
        }
        let piece = read_piece(&mut current.file, current.place.offset)?;
        // A line without its end is still being written; in a file that was rotated away it is the last.
        let whole = match piece.iter().rposition(|b| *b == b'\n') {
            Some(end) => &piece[..=end],
            None if piece.len() == PIECE => &piece[..],
            None if replaced => &piece[..],
            None => &[],
        };
        if !whole.is_empty() {
            let read = whole.len() as u64;
            let place = files::further(&mut current.file, &current.place, read)?;
            self.writer
                .write(self.job(whole, &current.place, place.clone()))
                .await?;
            current.place = place;
        }
        if is_named && !replaced && piece.len() < PIECE {
            self.sight.saw_all();
            meters::read_to_end(self.clock.now());
        }
        if !whole.is_empty() {
            return Ok(Look::More);
        }
        if replaced {
            let file = File::open(files::next_after(
                &self.log.path,
                &current.file.metadata()?,
            )?)?;
            let place = files::start_of(&file, &self.log.system)?;
            *open = Some(Open { file, place });
            return Ok(Look::More);
        }
        Ok(if is_named { Look::AtEnd } else { Look::Gone })
    }

    /// Opens the file that was being read, also when it has been rotated to another name meanwhile.
    async fn open(&self) -> anyhow::Result<Open> {
        let system = &self.log.system;
        if let Some(place) = store::place(&self.pool, system).await? {
            if let Some(path) = files::find(&self.log.path, &place)? {
                let file = File::open(path)?;
                // A copy has an inode of its own.
                let file_id = files::file_id(&file.metadata()?);
                let place = Place {
                    file: file_id,
                    ..place
                };
                return Ok(Open { file, place });
            }
            tracing::warn!(path = %self.log.path.display(), "the queue_log that was being read is gone, or has been truncated; reading the present one from its start");
        }
        let file = File::open(&self.log.path).context("cannot open it")?;
        let place = files::start_of(&file, system)?;
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
                Err(reason) => self.refuse(offset, &reason),
            }
            offset += line.len() as u64;
        }
        job
    }

    /// The line itself may hold a caller's number, so the log says only where it is.
    fn refuse(&self, offset: u64, reason: &str) {
        meters::refused();
        let path = self.log.path.display().to_string();
        seldom::tell(
            "queue_log refused",
            || tracing::warn!(path, offset, reason, "a line of the queue_log was refused"),
            move |lines| tracing::warn!(lines, "more lines of the queue_log were refused"),
        );
    }

    fn told(&self, line: &[u8]) -> Result<Option<Entry>, String> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let now = self.clock.now();
        match read_line(line, &self.log.system)? {
            Line::PassedOver => Ok(None),
            Line::Restart(at) => {
                let system = self.log.system.clone();
                let restart = RestartInput { system, at };
                restart.check(now).map_err(|e| e.reason)?;
                Ok(Some(Entry::Restart(at)))
            }
            Line::Contact(input) => {
                let told = input.parse(&self.installation, now).map_err(|e| e.reason)?;
                Ok(Some(Entry::Told(Box::new(told))))
            }
        }
    }
}

enum Entry {
    Told(Box<crate::input::Told>),
    Restart(jiff::Timestamp),
}

fn read_piece(file: &mut File, offset: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut piece = Vec::new();
    file.take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece)
}
