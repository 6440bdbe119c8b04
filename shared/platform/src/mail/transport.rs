//! Where mail goes: to an SMTP server, or into a folder.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use anyhow::{Context, bail, ensure};
use jiff::Timestamp;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    transport::smtp::{self, AsyncSmtpTransportBuilder, PoolConfig},
};
use tokio::io::AsyncWriteExt;

use super::{
    Address, Mail,
    message::{Letters, message},
};

/// To find the server, that is: connect, greet, encrypt and log in.
const CONNECT: Duration = Duration::from_secs(20);

/// Where mail goes.
#[derive(Debug, Clone)]
pub enum Transport {
    /// To this server.
    Smtp(SmtpServer),
    /// Into this folder, each mail an `.eml` file.
    Folder(PathBuf),
}

/// An SMTP server, and how to speak with it.
#[derive(Clone)]
pub struct SmtpServer(AsyncSmtpTransportBuilder);

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpServer")
    }
}

/// Reads a setting:
/// - `smtps://user:password@host:465`: encrypted from the start;
/// - `smtp://user:password@host:587?tls=required`: encrypted by STARTTLS, or not at all;
/// - `smtp://host:25`: never encrypted, for a server on this machine or network. `?tls=opportunistic` encrypts where the
///   server offers it, which whoever sits on the line can undo;
/// - anything else without `://`: a folder.
///
/// User and password are percent-encoded. A path, as in `smtp://host/lots.kommun.example`, is the name to greet with.
impl FromStr for Transport {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        ensure!(
            !text.trim().is_empty(),
            "say where mail goes: smtp://host or a folder"
        );
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::Folder(text.into()));
        };
        // The text may hold a password, so no error repeats it.
        if !matches!(scheme, "smtp" | "smtps") {
            bail!("mail goes to smtp://, smtps:// or a folder, not to {scheme}://");
        }
        let login = rest
            .split(['/', '?'])
            .next()
            .and_then(|a| a.rsplit_once('@'));
        ensure!(
            login.is_none_or(|(login, _)| login.contains(':')),
            "a user of a mail server needs a password too: {scheme}://user:password@host"
        );
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(text).context(
            "a mail server must look like smtps://user:password@host:465 or smtp://host:587?tls=required",
        )?;
        // One mail goes after another; a second connection is never needed.
        let one = PoolConfig::new().max_size(1);
        Ok(Self::Smtp(SmtpServer(
            builder.timeout(Some(CONNECT)).pool_config(one),
        )))
    }
}

/// Why a mail was not taken.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    /// For the log: nothing of the mail is in it.
    pub(super) reason: String,
    /// For the mail's row: everything there is to know.
    pub(super) detail: String,
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// This mail will never be taken.
    Refused,
    /// This mail is not taken now.
    NotNow,
    /// No mail is taken now.
    Away,
}

impl Failure {
    fn new(kind: Kind, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            kind,
            detail: reason.clone(),
            reason,
        }
    }

    /// The server took longer than it may, or there is no time left to wait for it.
    pub(super) fn no_answer() -> Self {
        Self::new(Kind::Away, "the mail server did not answer in time")
    }

    /// The row holds what makes no mail.
    pub(super) fn no_mail() -> Self {
        Self::new(
            Kind::Refused,
            "the address is none that mail can be sent to",
        )
    }

    /// The server could not be reached, or lets nobody in.
    fn unreachable(error: &smtp::Error) -> Self {
        // An answer may repeat the user's name.
        let reason = match error.status() {
            Some(code) => format!("the mail server lets nobody in: {code}"),
            None if error.is_response() => "the mail server's greeting cannot be read".to_owned(),
            None => format!("cannot reach the mail server: {error}"),
        };
        Self {
            kind: Kind::Away,
            reason,
            detail: error.to_string(),
        }
    }

    /// The server was reached, and did not take this mail.
    fn not_taken(error: &smtp::Error) -> Self {
        // What the server says of a mail may name the address.
        let (kind, reason) = match error.status() {
            Some(code) => {
                let text = format!("the mail server answered {code}");
                (meaning(code.into()), text)
            }
            None if error.is_client() => (
                Kind::Refused,
                "the mail server does not take letters beyond a-z in addresses".to_owned(),
            ),
            None => (Kind::Away, "the mail server left in the middle".to_owned()),
        };
        Self {
            kind,
            reason,
            detail: error.to_string(),
        }
    }
}

/// What an answer to a mail's sender, recipient or text means.
fn meaning(code: u16) -> Kind {
    match code {
        // It closes the line: RFC 5321, 3.8.
        421 => Kind::Away,
        // It takes no mail at all (RFC 7504), not without login (RFC 4954), or does not know the command.
        500..=504 | 521 | 530..=538 => Kind::NotNow,
        500..=599 => Kind::Refused,
        _ => Kind::NotNow,
    }
}

/// A transport in use.
pub(super) struct Line {
    transport: Transport,
    from: Address,
    open: Option<AsyncSmtpTransport<Tokio1Executor>>,
}

impl Line {
    pub(super) fn new(transport: Transport, from: Address) -> Self {
        Self {
            transport,
            from,
            open: None,
        }
    }

    /// Hands `mail` over.
    ///
    /// Dropped before its end, the connection is in the middle of something: [`Line::hang_up`] then.
    pub(super) async fn send(&mut self, mail: &Mail, created_at: Timestamp) -> Result<(), Failure> {
        let write = |letters| {
            message(mail, &self.from, created_at, letters).map_err(|_| Failure::no_mail())
        };
        match &self.transport {
            Transport::Smtp(server) => {
                let message = write(Letters::Encoded)?;
                let open = match self.open.take() {
                    Some(open) => open,
                    None => connect(server)
                        .await
                        .map_err(|e| Failure::unreachable(&e))?,
                };
                let sent = open.send(message).await;
                self.open = Some(open);
                sent.map(drop).map_err(|e| Failure::not_taken(&e))
            }
            Transport::Folder(folder) => {
                let name = format!(
                    "{}-{}.eml",
                    created_at.strftime("%Y%m%dT%H%M%S%.3fZ"),
                    mail.id
                );
                let text = write(Letters::Plain)?.formatted();
                write_file(folder.clone(), name, text)
                    .await
                    .map_err(|error| {
                        let reason = format!(
                            "cannot write into the mail folder {}: {error}",
                            folder.display()
                        );
                        Failure::new(Kind::Away, reason)
                    })
            }
        }
    }

    /// Says goodbye: nothing is due.
    pub(super) async fn close(&mut self) {
        if let Some(open) = self.open.take() {
            let _ = tokio::time::timeout(Duration::from_secs(2), open.shutdown()).await;
        }
    }

    /// Drops the connection, in whatever state it is.
    pub(super) fn hang_up(&mut self) {
        self.open = None;
    }
}

async fn connect(server: &SmtpServer) -> Result<AsyncSmtpTransport<Tokio1Executor>, smtp::Error> {
    let open = server.0.clone().build();
    // By itself, so that a refused login is not taken for a refused mail.
    open.test_connection().await?;
    // The connection is put back by a task of its own.
    tokio::task::yield_now().await;
    Ok(open)
}

/// Writes a whole file or none, over what is there of that name.
async fn write_file(folder: PathBuf, name: String, text: Vec<u8>) -> std::io::Result<()> {
    tokio::fs::create_dir_all(&folder).await?;
    let draft = folder.join(format!(".{name}.part"));
    let mut file = tokio::fs::File::create(&draft).await?;
    file.write_all(&text).await?;
    file.sync_all().await?;
    tokio::fs::rename(&draft, folder.join(name)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_setting_is_a_server_or_a_folder() {
        for text in [
            "smtp://localhost:2525",
            "smtp://anna:hemligt@mail.example:587?tls=required",
            "smtps://anna:p%40ss@mail.example",
            "smtp://mail.example/lots.example",
        ] {
            let read: Transport = text.parse().unwrap();
            assert!(matches!(read, Transport::Smtp(_)), "{text}");
            assert!(!format!("{read:?}").contains("anna"));
        }
        assert!(matches!("mail".parse().unwrap(), Transport::Folder(f) if *f == *"mail"));
        for text in [
            "",
            " ",
            "imap://mail.example",
            "smtp://",
            "smtp://anna@mail.example",
            "smtp://anna:hemligt@mail.example?tls=perhaps",
            "smtp://anna:hemligt@mail.example:port",
        ] {
            let error = text.parse::<Transport>().unwrap_err();
            assert!(!format!("{error:#}").contains("hemligt"), "{error:#}");
        }
    }

    #[test]
    fn only_what_is_said_of_the_mail_itself_is_for_good() {
        for code in [550, 551, 552, 553, 554, 555, 556] {
            assert_eq!(meaning(code), Kind::Refused, "{code}");
        }
        for code in [450, 451, 452, 502, 521, 530, 535] {
            assert_eq!(meaning(code), Kind::NotNow, "{code}");
        }
        assert_eq!(meaning(421), Kind::Away);
    }
}
