//! The mails that officers get, as far as they act on them.

use std::path::{Path, PathBuf};

use domain::FollowUpStep;
use jiff::{Timestamp, civil::DateTime};

use crate::demo::hours;

/// Of a link's last part, so much names the case; the rest is which turn of it, until when, and the signature.
const CASE: usize = 21;

/// A mail to a department about one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) department: String,
    /// The link, where it is to the group.
    pub(super) link: Option<String>,
    /// The case's id, where it is about a case that the department has already.
    pub(super) id: Option<String>,
    /// The limit, where it says so.
    pub(super) due: Option<Timestamp>,
    /// The step that it is of, as far as one can tell from whom it is to.
    pub(super) step: FollowUpStep,
}

/// The mails in a folder.
pub(super) fn letters(post: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    std::fs::read_dir(post)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "eml"))
}

/// What identifies a case in a link to it.
pub(super) fn case_in(link: &str) -> &str {
    let last = link.rsplit('/').next().unwrap_or_default();
    last.get(..CASE).unwrap_or(last)
}

/// Reads a mail; `None` where it is about no single case.
pub(super) fn read(mail: &str) -> Option<Letter> {
    // Long lines are broken with `=` at their end.
    let text = mail.replace("=\r\n", "").replace("=\n", "");
    let to = text.lines().find(|line| line.starts_with("To:"))?;
    let (who, host) = to.rsplit_once('@')?;
    let department = host.split('.').next()?.to_owned();
    let mut lines = text.lines().map(str::trim);
    let link = lines.find(|line| line.starts_with("http") && line.contains("/routing/case/"));
    let after = |what: &str| Some(text.split_once(what)?.1.trim_start());
    let id = after("(the case's id): ").and_then(|rest| rest.split_whitespace().next());
    if link.is_none() && id.is_none() {
        return None;
    }
    let due = after("(It is to be closed by ").and_then(|rest| rest.get(..16));
    let due = due.and_then(|local| local.replace(' ', "T").parse::<DateTime>().ok());
    Some(Letter {
        department,
        link: link.map(str::to_owned),
        id: id.map(str::to_owned),
        due: due.map(|local| hours::at(local.date(), hours::minute_of(local))),
        step: match link {
            Some(_) => FollowUpStep::Limit,
            None if who.ends_with("kontaktperson") => FollowUpStep::ContactPerson,
            None => FollowUpStep::Heads,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_are_read_as_the_product_writes_them() {
        let link = format!("http://127.0.0.1:8080/routing/case/{}", "A-b_".repeat(20));
        let forwarded = format!(
            "To: =?utf-8?b?Qg==?= <bygglov@bygg.example>\r\nSubject: x\r\n\r\n\
             Det ska vara avslutat senast 2026-11-24 10:30. (It is to be clo=\r\nsed by 2026-11-24 10:30.)\r\n\r\n{link}\r\n"
        );
        let letter = read(&forwarded).unwrap();
        assert_eq!(letter.department, "bygg");
        assert_eq!(letter.link.as_deref(), Some(link.as_str()));
        assert_eq!((letter.id, letter.step), (None, FollowUpStep::Limit));
        assert_eq!(letter.due, Some("2026-11-24T09:30:00Z".parse().unwrap()));
        assert_eq!(case_in(&link).len(), CASE);
        let id = "0198a0de-7c1e-7000-8000-000000000001";
        let told = format!(
            "To: A <kontaktperson@kansli.example>\n\n=C3=84rendets id (the case's id): {id}\n"
        );
        let letter = read(&told).unwrap();
        assert_eq!((letter.id.as_deref(), letter.link), (Some(id), None));
        assert_eq!(letter.step, FollowUpStep::ContactPerson);
        assert_eq!(letter.department, "kansli");
        // Lists are about many cases.
        assert_eq!(
            read("To: A <vagledarna@kontaktcenter.example>\n\n  2026-11-24 10:30  bygglov\n"),
            None
        );
    }
}
