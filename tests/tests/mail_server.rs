//! A real mail server: aiosmtpd, which reads what it takes as mail programs do.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, ensure};
use serde_json::Value;
use tempfile::TempDir;

/// A mail server on a free port of 127.0.0.1. Ended when dropped.
pub(crate) struct MailServer {
    server: Child,
    port: u16,
    folder: TempDir,
}

/// A mail, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReceivedMail {
    /// Whom it is from and to, as the envelope names them.
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) subject: String,
    /// Its lines end with `\n`.
    pub(crate) body: String,
}

impl MailServer {
    /// One that takes what comes, on a free port.
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::start_at(0)
    }

    /// One that takes what comes, on `port`.
    pub(crate) fn start_at(port: u16) -> anyhow::Result<Self> {
        let packages = std::env::var_os("KOMMUNLOTS_TEST_SMTP").context(
            "KOMMUNLOTS_TEST_SMTP does not name a folder with aiosmtpd; run the tests with tests/run, which fetches it",
        )?;
        let folder = tempfile::tempdir()?;
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/smtp_server.py");
        // It must not outlive a test that is killed outright: its standard input ends then.
        let mut server = Command::new("python3")
            .arg(program)
            .arg(folder.path())
            .arg(port.to_string())
            .env("PYTHONPATH", packages)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start python3")?;
        let said = server.stdout.take().context("its standard output")?;
        let mut started = Self {
            server,
            port: 0,
            folder,
        };
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        let port = line.trim_end().strip_prefix("listening on ");
        started.port = port
            .and_then(|p| p.parse().ok())
            .with_context(|| format!("the mail server said {line:?} instead of its port"))?;
        Ok(started)
    }

    /// From now on it refuses recipients whose addresses have `text` in them with `code`: 550 is for good, 451 for now.
    pub(crate) fn refuse(&self, code: u16, text: &str) -> anyhow::Result<()> {
        ensure!((400..600).contains(&code), "{code} is no refusal");
        // Whole or not at all, since it is read at any moment.
        let draft = self.folder.path().join("refuse.part");
        fs::write(&draft, format!("{code} {text}"))?;
        Ok(fs::rename(draft, self.folder.path().join("refuse"))?)
    }

    /// From now on it takes what comes.
    pub(crate) fn accept(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.folder.path().join("refuse"))?)
    }

    /// `smtp://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Everything there is in the mails it has taken, decoded.
    pub(crate) fn everything(&self) -> String {
        let files = self.files().expect("the mail server's files");
        files.iter().map(Value::to_string).collect()
    }

    /// What it has taken so far, in that order.
    pub(crate) fn received(&self) -> Vec<ReceivedMail> {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let read = |mail: &Value| {
            let to = mail["to"].as_array().expect("recipients");
            assert_eq!(to.len(), 1, "one mail is to one address: {mail}");
            ReceivedMail {
                from: text(&mail["from"]),
                to: text(&to[0]),
                subject: text(&mail["subject"]),
                body: text(&mail["body"]),
            }
        };
        let files = self.files().expect("the mail server's files");
        files.iter().map(read).collect()
    }

    /// A header of each mail it has taken, decoded; empty where a mail lacks it.
    pub(crate) fn headers(&self, name: &str) -> Vec<String> {
        let text = |mail: &Value| {
            mail["headers"][name]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let files = self.files().expect("the mail server's files");
        files.iter().map(text).collect()
    }

    fn files(&self) -> anyhow::Result<Vec<Value>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "json") {
                files.push(path);
            }
        }
        files.sort();
        files
            .iter()
            .map(|file| Ok(serde_json::from_slice(&fs::read(file)?)?))
            .collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
