//! Mail: a service queues it in the transaction that makes the reason for it, and one task sends what is due.
//!
//! **Each mail at least once, and nearly always once.** What is queued is sent, or lost with its reason. It is marked as
//! sent after the server's answer, and SMTP has no transaction that spans both: should the line or the process die between
//! the end of the text and the commit, the mail is sent again. It then has the same `Message-ID`, by which a server or a
//! mail program may recognise it, but none has to: SMTP allows no better. A folder has each mail once, since a repeated one
//! overwrites itself.
//!
//! Two weeks after a mail was sent or given up, its address and text are cleared; its row stays, so that it is never sent anew.
//!
//! **Invariant:** no address, subject or text of a mail is in a log, a trace, a figure or a list. The types' `Debug` hides them.

mod http;
mod mailer;
mod message;
mod queue;
mod schedule;
mod transport;

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use lettre::message::Mailbox;
use sqlx::PgConnection;
use uuid::Uuid;

pub use http::{MailApi, Queue, Retried, router};
pub use mailer::Mailer;
pub use queue::QueuedMail;
pub use transport::{SmtpServer, Transport};

/// Whom a mail is to or from.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Mailbox);

/// It is no address. Says nothing of it, since it may be a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address must look like name@example.se, or Name <name@example.se>")]
pub struct NoAddress;

impl Address {
    /// The address `address` of whom `name` names; the name may be empty.
    ///
    /// # Errors
    /// When `address` is not of the form `name@example.se`.
    pub fn new(name: &str, address: &str) -> Result<Self, NoAddress> {
        let address = address.trim().parse().map_err(|_| NoAddress)?;
        let name = one_line(name);
        Ok(Self(Mailbox::new(
            (!name.is_empty()).then_some(name),
            address,
        )))
    }

    /// The name shown, which may be empty.
    pub fn name(&self) -> &str {
        self.0.name.as_deref().unwrap_or_default()
    }

    /// `name@example.se`
    pub fn address(&self) -> &str {
        self.0.email.as_ref()
    }
}

/// `name@example.se`, `Name <name@example.se>` or `"Name" <name@example.se>`.
impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let text = text.trim();
        match text.strip_suffix('>').and_then(|t| t.split_once('<')) {
            None => Self::new("", text),
            Some((name, address)) => {
                let name = name.trim();
                let bare = name.strip_prefix('"').and_then(|n| n.strip_suffix('"'));
                Self::new(bare.unwrap_or(name), address)
            }
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address")
    }
}

/// A mail to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Made from the reason for it: the same id is queued once, and never sent for two reasons.
    pub id: Uuid,
    /// Whom it is to.
    pub to: Address,
    /// Its subject, in one line.
    pub subject: String,
    /// Its text: plain, in lines that end with `\n`.
    pub body: String,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Queues `mails` within the caller's transaction, due at `now`. One whose id is known is left as it is, whether it waits,
/// was sent or was given up. Ring [`Mailer::wake`] after the commit.
///
/// # Errors
/// When the database fails.
pub async fn enqueue(
    connection: &mut PgConnection,
    mails: &[Mail],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if mails.is_empty() {
        return Ok(());
    }
    fn of<'a, T>(mails: &'a [Mail], what: impl Fn(&'a Mail) -> T) -> Vec<T> {
        mails.iter().map(what).collect()
    }
    sqlx::query(
        "INSERT INTO mail (id, to_name, to_address, subject, body, created_at, next_attempt_at)
         SELECT id, to_name, to_address, subject, body, $6, $6
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) AS m (id, to_name, to_address, subject, body)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(of(mails, |m| m.id))
    .bind(of(mails, |m| m.to.name()))
    .bind(of(mails, |m| m.to.address()))
    .bind(of(mails, |m| m.subject.as_str()))
    .bind(of(mails, |m| m.body.as_str()))
    .bind(now.to_sqlx())
    .execute(connection)
    .await?;
    Ok(())
}

/// A header's text: whatever would end or bend the line is a space.
fn one_line(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Address, Mail};

    #[test]
    fn an_address_is_read_as_people_write_it() {
        for (text, name, address) in [
            ("kc@lund.example", "", "kc@lund.example"),
            (
                "Kontaktcenter Växjö <kc@vaxjo.example>",
                "Kontaktcenter Växjö",
                "kc@vaxjo.example",
            ),
            (
                "\"Bygg, miljö\" <a@b.example> ",
                "Bygg, miljö",
                "a@b.example",
            ),
        ] {
            let read: Address = text.parse().unwrap();
            assert_eq!((read.name(), read.address()), (name, address));
        }
        for text in [
            "",
            "kc",
            "kc@",
            "@lund.example",
            "Namn <kc>",
            "a@b.example\r\nBcc: c@d.example",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn nothing_of_a_mail_is_in_its_debug_text() {
        let mail = Mail {
            id: uuid::Uuid::nil(),
            to: Address::new("Hemlig Person", "hemlig@lund.example").unwrap(),
            subject: "Hemligt ärende".to_owned(),
            body: "hemligt".to_owned(),
        };
        assert!(
            !format!("{mail:?} {:?}", mail.to)
                .to_lowercase()
                .contains("hemlig")
        );
    }
}
