//! The files of a live queue_log: the log itself, and what it was rotated to beside it.
//!
//! A file is known by device and inode, which it keeps when it is renamed, and by how it begins: an inode goes to another file
//! when the first is gone, and a log that is copied and truncated keeps it though all it held is elsewhere.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::store::Place;

/// Bytes that tell a file from another: its first lines, with times and the ids of calls in them.
const TELLING: u64 = 4_096;

pub(super) fn file_id(metadata: &fs::Metadata) -> String {
    format!("{}:{}", metadata.dev(), metadata.ino())
}

/// The place at the start of a file.
pub(super) fn start_of(file: &File, system: &str) -> io::Result<Place> {
    Ok(Place {
        system: system.to_owned(),
        file: file_id(&file.metadata()?),
        offset: 0,
        beginning: Sha256::digest([]).to_vec(),
    })
}

/// The place up to which `file` has been read when `read` bytes more than `place` have been.
///
/// # Errors
/// When it has become another file meanwhile.
pub(super) fn further(file: &mut File, place: &Place, read: u64) -> io::Result<Place> {
    let mut further = place.clone();
    further.offset += read;
    if place.offset < TELLING {
        let beginning = beginning(file, further.offset)?;
        further.beginning =
            beginning.ok_or_else(|| io::Error::other("it has become shorter while it was read"))?;
    }
    Ok(further)
}

/// Whether `file` begins with what was read up to `place`.
pub(super) fn goes_on_from(file: &mut File, place: &Place) -> io::Result<bool> {
    Ok(file.metadata()?.len() >= place.offset
        && beginning(file, place.offset)?.is_some_and(|found| found == place.beginning))
}

/// A hash of how a file begins, for one of which `read` bytes were read; `None` where it is shorter.
fn beginning(file: &mut File, read: u64) -> io::Result<Option<Vec<u8>>> {
    let length = read.min(TELLING);
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 == length).then(|| Sha256::digest(&bytes).to_vec()))
}

/// The file that was being read: the log itself, what it was renamed to beside it, or else a copy of it that was rotated away
/// before it was truncated.
pub(super) fn find(log: &Path, place: &Place) -> io::Result<Option<PathBuf>> {
    let goes_on = |path: &Path| {
        File::open(path)
            .and_then(|mut file| goes_on_from(&mut file, place))
            .unwrap_or(false)
    };
    let is_it = |path: &Path| {
        fs::metadata(path).is_ok_and(|m| m.is_file() && file_id(&m) == place.file) && goes_on(path)
    };
    if is_it(log) {
        return Ok(Some(log.to_owned()));
    }
    let mut copy = None;
    for entry in fs::read_dir(folder_of(log))? {
        let path = entry?.path();
        if is_it(&path) {
            return Ok(Some(path));
        }
        // Of a file of which nothing was read, every file is a copy.
        if place.offset > 0 && suffix(log, &path).is_some() && goes_on(&path) {
            copy = Some(path);
        }
    }
    Ok(copy)
}

/// The file to read when `done` has been read to its end: of the log and what it was rotated to, the next that was
/// written. Nobody may have read while it was rotated several times.
pub(super) fn next_after(log: &Path, done: &fs::Metadata) -> io::Result<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder_of(log))? {
        let path = entry?.path();
        let (Some(suffix), Ok(metadata)) = (suffix(log, &path), fs::metadata(&path)) else {
            continue;
        };
        if metadata.is_file() {
            files.push((
                (metadata.modified()?, age(&suffix)),
                file_id(&metadata),
                path,
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

/// What `path` has after the log's name, where it is the log or what it was rotated to.
fn suffix(log: &Path, path: &Path) -> Option<String> {
    let (log, name) = (log.file_name()?, path.file_name()?);
    let (log, name) = (log.to_string_lossy(), name.to_string_lossy());
    let suffix = name.strip_prefix(log.as_ref())?;
    // Another PBX's log beside it may begin with the same name.
    let rotated = suffix.is_empty()
        || (suffix.starts_with(['.', '-']) && suffix.contains(|c: char| c.is_ascii_digit()));
    rotated.then(|| suffix.to_owned())
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
