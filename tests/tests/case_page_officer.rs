//! An officer with a link from a mail, as far as the server can tell.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context, ensure};
use jiff::Timestamp;
use reqwest::{StatusCode, header::HeaderMap, redirect::Policy};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::harness::{Api, eventually};

pub(crate) const TEXT: &str = "Grannens kompost luktar <b>blåbärsgalosch</b>";
pub(crate) const NAME: &str = "Gunhild Kvastfot-Lysemark";
pub(crate) const PHONE: &str = "0709-471 1147";
pub(crate) const EMAIL: &str = "gunhild.kvastfot@example.org";

/// The product's clock is the real one.
pub(crate) fn now() -> Timestamp {
    platform::Clock::real().now()
}

/// Applies the made-up municipality's agreements.
pub(crate) async fn agree(api: &Api) -> anyhow::Result<()> {
    let body = json!({
        "valid_from": "2021-01-01", "approved_by": "nämnden § 1", "content": routing::agreements::example(),
    });
    let (status, answer) = api.post("/routing/agreements", &body).await?;
    ensure!(status.is_success(), "{status}: {answer}");
    Ok(())
}

/// Registers a case that goes to the building department at once; its id.
pub(crate) async fn register(api: &Api) -> anyhow::Result<Uuid> {
    let case = json!({
        "type": "bygglov", "rosa_group": 4, "department": "bygg", "forward": true, "text": TEXT,
        "citizen": { "name": NAME, "phone": PHONE, "email": EMAIL },
    });
    let (status, case) = api.post("/intake/cases", &case).await?;
    ensure!(status == StatusCode::CREATED, "{status}: {case}");
    Ok(case["id"].as_str().context("an id")?.parse()?)
}

/// Every mail in a product's folder: whom it is to, and the whole of it, decoded.
pub(crate) fn mails(data: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = BTreeSet::new();
    if let Ok(folder) = std::fs::read_dir(data.join("mail")) {
        for entry in folder {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "eml") {
                files.insert(path);
            }
        }
    }
    let read = |file| {
        let text = plain(&std::fs::read(file)?);
        let to = text.lines().find_map(|l| l.strip_prefix("To: "));
        Ok((to.context("a recipient")?.to_owned(), text))
    };
    files.into_iter().map(read).collect()
}

/// A mail without the breaks of lines and the encoding of letters that "quoted-printable" adds.
fn plain(mail: &[u8]) -> String {
    let mail = String::from_utf8_lossy(mail).replace("\r\n", "\n");
    if !mail.contains("quoted-printable") {
        return mail;
    }
    let mail = mail.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = mail.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).and_then(|c| std::str::from_utf8(c).ok());
        let code = code.and_then(|c| u8::from_str_radix(c, 16).ok());
        match (first, code) {
            (b'=', Some(code)) => {
                bytes.push(code);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The address in the mail that `who` gets, once it has come; of several, the latest.
pub(crate) async fn link(data: &Path, who: &str) -> anyhow::Result<String> {
    eventually("the mail with the link", async || {
        let mails = mails(data)?;
        let mail = mails.iter().rev().find(|(to, _)| to.contains(who));
        let (_, text) = mail.with_context(|| format!("no mail to {who}"))?;
        let mut words = text.split_whitespace();
        let address = words.find(|w| w.starts_with("http") && w.contains("/routing/case/"));
        Ok(address.context("an address")?.to_owned())
    })
    .await
}

/// An officer's browser, as far as the server can tell.
pub(crate) struct Officer {
    pub(crate) http: reqwest::Client,
    pub(crate) link: String,
}

/// What an officer gets to see.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Seen {
    pub(crate) fn shows(&self, text: &str) -> anyhow::Result<()> {
        ensure!(self.text.contains(text), "{text} is not in {}", self.text);
        Ok(())
    }

    pub(crate) fn hides(&self, text: &str) -> anyhow::Result<()> {
        ensure!(!self.text.contains(text), "{text} is in {}", self.text);
        Ok(())
    }

    /// Nothing of what the citizen said or is called.
    pub(crate) fn hides_content(&self) -> anyhow::Result<()> {
        for secret in ["blåbärsgalosch", "Gunhild", "0709", "gunhild"] {
            self.hides(secret)?;
        }
        Ok(())
    }
}

impl Officer {
    pub(crate) fn with(link: &str) -> anyhow::Result<Self> {
        Ok(Self {
            http: reqwest::Client::builder()
                .redirect(Policy::none())
                .build()?,
            link: link.to_owned(),
        })
    }

    pub(crate) async fn seen(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Seen> {
        let answer = request.send().await?;
        Ok(Seen {
            status: answer.status(),
            headers: answer.headers().clone(),
            text: answer.text().await?,
        })
    }

    pub(crate) async fn sees(&self) -> anyhow::Result<Seen> {
        self.seen(self.http.get(&self.link)).await
    }

    pub(crate) async fn sends(&self, action: &str, form: &str) -> anyhow::Result<Seen> {
        let request = self
            .http
            .post(format!("{}/{action}", self.link))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", "null")
            .body(form.to_owned());
        self.seen(request).await
    }

    /// Sends a form that must be taken, and follows to the page.
    pub(crate) async fn does(&self, action: &str, form: &str) -> anyhow::Result<Seen> {
        let sent = self.sends(action, form).await?;
        ensure!(
            sent.status == StatusCode::SEE_OTHER,
            "{action}: {} {}",
            sent.status,
            sent.text
        );
        let to = sent.headers.get("location").context("a place")?.to_str()?;
        let base = self.link.split("/routing/").next().unwrap_or_default();
        self.seen(self.http.get(format!("{base}{to}"))).await
    }
}

/// What has happened to a case, as the database has it.
pub(crate) async fn logged(database: &mut PgConnection, case: Uuid) -> anyhow::Result<Vec<String>> {
    Ok(
        sqlx::query_scalar("SELECT what FROM routing.case_log WHERE case_id = $1 ORDER BY id")
            .bind(case)
            .fetch_all(database)
            .await?,
    )
}
