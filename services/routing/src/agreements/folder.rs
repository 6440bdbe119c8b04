//! A folder of agreements on the disk.

use std::{collections::BTreeMap, fs, path::Path};

use domain::Agreements;

use super::{
    assemble::assemble,
    problem::{Level, Problem},
};

/// A folder that can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// What it says.
    pub agreements: Agreements,
    /// What is doubtful in it.
    pub warnings: Vec<Problem>,
}

/// Reads a folder: `municipality.toml`, and `<department>.toml` for each department.
///
/// # Errors
/// When something in it is wrong: everything that is, warnings too, by file and line.
pub fn read(dir: &Path) -> Result<Checked, Vec<Problem>> {
    let (files, mut problems) = load(dir);
    if files.is_empty() {
        if problems.iter().all(|p| p.level == Level::Warning) {
            let dir = dir.display();
            let text = format!(
                "holds no agreements; `kommunlots agreements example {dir}` writes a made-up municipality to begin with"
            );
            problems.push(Problem::of_file(&dir.to_string(), text));
        }
        return Err(problems);
    }
    check(&files, problems)
}

/// Checks the texts of a folder, by file name.
pub(super) fn check(
    files: &BTreeMap<String, String>,
    mut problems: Vec<Problem>,
) -> Result<Checked, Vec<Problem>> {
    let (agreements, more) = assemble(files);
    problems.extend(more);
    problems.sort();
    match agreements {
        Some(agreements) if problems.iter().all(|p| p.level == Level::Warning) => Ok(Checked {
            agreements,
            warnings: problems,
        }),
        _ => Err(problems),
    }
}

/// The folder's files by name, and what cannot be read.
fn load(dir: &Path) -> (BTreeMap<String, String>, Vec<Problem>) {
    let mut files = BTreeMap::new();
    let mut problems = Vec::new();
    let folder = dir.display().to_string();
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(Problem::of_file(
                &folder,
                format!("cannot read the folder: {error}"),
            ));
            return (files, problems);
        }
    };
    for entry in entries {
        let path = match entry {
            Ok(entry) => entry.path(),
            Err(error) => {
                problems.push(Problem::of_file(
                    &folder,
                    format!("cannot be read: {error}"),
                ));
                continue;
            }
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() || name.starts_with('.') || name.ends_with(".md") {
            continue;
        }
        if !name.ends_with(".toml") {
            // A misspelt ending would leave a department out without a word.
            let unread = "is not read; name it `<department>.toml`, or move it elsewhere";
            problems.push(Problem::of_file(&name, unread).warning());
            continue;
        }
        match fs::read_to_string(&path) {
            Ok(text) => {
                files.insert(name.into_owned(), text);
            }
            Err(error) => {
                problems.push(Problem::of_file(&name, format!("cannot be read: {error}")));
            }
        }
    }
    (files, problems)
}
