//! A mail as it goes over the line (RFC 5322).

use jiff::Timestamp;
use lettre::{
    Message,
    error::Error,
    message::{
        Body,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0},
    },
};

use super::{Address, Mail, one_line};

/// How letters beyond ASCII are written in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    /// Encoded where need be, since a server on the way may not take them.
    Encoded,
    /// As they are, for a file that people read.
    Plain,
}

/// Writes `mail`. The same mail is the same text each time it is tried.
///
/// # Errors
/// When its addresses make no envelope.
pub(super) fn message(
    mail: &Mail,
    from: &Address,
    created_at: Timestamp,
    letters: Letters,
) -> Result<Message, Error> {
    let body = match letters {
        Letters::Encoded => Body::new(mail.body.clone()),
        // Lines may be too long for that.
        Letters::Plain => {
            Body::new_with_encoding(mail.body.clone(), ContentTransferEncoding::EightBit)
                .unwrap_or_else(|_| Body::new(mail.body.clone()))
        }
    };
    Message::builder()
        .from(from.0.clone())
        .to(mail.to.0.clone())
        .subject(one_line(&mail.subject))
        .date(created_at.max(Timestamp::UNIX_EPOCH).into())
        .message_id(Some(format!("<{}@{}>", mail.id, from.0.email.domain())))
        // RFC 3834: nobody's holiday notice is wanted in answer.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN)
        .body(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "A case waits for your group.\nEtt ärende väntar.\n";

    fn mail(subject: &str, body: &str) -> Mail {
        Mail {
            id: "0190163d-8694-739b-aea5-966c26f8ad90".parse().unwrap(),
            to: Address::new("Bygg \"och\" miljö, grupp 1", "bygg@vaxjo.example").unwrap(),
            subject: subject.to_owned(),
            body: body.to_owned(),
        }
    }

    fn written(mail: &Mail, letters: Letters) -> String {
        let from = "Kontaktcenter <kc@lots.example>".parse().unwrap();
        let at = "2021-02-01T07:00:00Z".parse().unwrap();
        let message = message(mail, &from, at, letters).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    #[test]
    fn it_has_the_headers_it_should() {
        let text = written(&mail("Nytt ärende", BODY), Letters::Encoded);
        for line in [
            "From: Kontaktcenter <kc@lots.example>",
            "Date: Mon, 01 Feb 2021 07:00:00 +0000",
            "Message-ID: <0190163d-8694-739b-aea5-966c26f8ad90@lots.example>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}: {text}");
        }
        assert!(text.is_ascii(), "{text}");
        let body = "\r\n\r\nA case waits for your group.\r\nEtt =C3=A4rende v=C3=A4ntar.\r\n";
        assert!(text.ends_with(body), "{text}");
        assert_eq!(text, written(&mail("Nytt ärende", BODY), Letters::Encoded));
    }

    #[test]
    fn a_file_is_readable() {
        let text = written(&mail("x", "Ärendet väntar.\n"), Letters::Plain);
        assert!(text.ends_with("\r\n\r\nÄrendet väntar.\r\n"), "{text}");
        let long = "å".repeat(2_000);
        assert!(written(&mail("x", &long), Letters::Plain).is_ascii());
    }

    #[test]
    fn nothing_in_a_field_makes_another_header() {
        let mut mail = mail("x\r\nBcc: a@b.example\u{85}\u{2028}y", "z");
        mail.to = Address::new("n\r\nBcc: c@d.example", "bygg@vaxjo.example").unwrap();
        let text = written(&mail, Letters::Encoded);
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|l| l.starts_with("Bcc")), "{head}");
        assert!(
            head.split("\r\n").all(|l| !l.contains(['\r', '\n'])),
            "{head}"
        );
    }
}
