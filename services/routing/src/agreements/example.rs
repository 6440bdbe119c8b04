//! The made-up municipality that the demo uses, and that others begin from.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use domain::Agreements;

use super::folder;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../../docs/examples/agreements/", $name)))),*]
    };
}

/// `docs/examples/agreements`, compiled in, so that the demo needs no files.
pub(super) const FILES: [(&str, &str); 9] = files![
    "bygg.toml",
    "gata.toml",
    "kansli.toml",
    "kultur.toml",
    "miljo.toml",
    "municipality.toml",
    "skola.toml",
    "social.toml",
    "vard.toml",
];

/// The made-up municipality's agreements.
pub fn example() -> Agreements {
    let files = FILES.map(|(name, text)| (name.to_owned(), text.to_owned()));
    folder::check(&files.into(), Vec::new())
        .expect("the files are compiled in, and a test reads them")
        .agreements
}

/// Writes the made-up municipality's files into a folder, which is made where it is missing.
///
/// # Errors
/// When a file cannot be written, or is there already: nothing is overwritten.
pub fn write_example(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for (name, text) in FILES {
        let path = dir.join(name);
        let told =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let mut file = File::create_new(&path).map_err(told)?;
        file.write_all(text.as_bytes()).map_err(told)?;
    }
    Ok(())
}
