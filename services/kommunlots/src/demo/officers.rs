//! Officers: they get the mail, open the link and work with the case on its page. At every department some send a case back,
//! since it belongs elsewhere, wait for the citizen, or promise a day; those without a system of their own close it there too.

mod deeds;
mod post;

use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
    time::Duration,
};

use jiff::Timestamp;
use platform::Clock;

use deeds::Deed;
use post::Letter;

/// How often the post is looked at, in real time.
const EACH: Duration = Duration::from_millis(500);

/// What officers know, and are going to do.
#[derive(Default)]
struct Desk {
    /// By when, and the case as its links name it; the last place keeps apart what comes at once.
    to_do: BTreeMap<(Timestamp, String, usize), (String, Deed)>,
    /// The latest link of a case, by its id.
    links: BTreeMap<String, String>,
}

/// Reads the mails in `post` as they come, and does with each case what its officer would. `by_mail` are the departments
/// without a system.
pub(super) async fn run(post: PathBuf, by_mail: Vec<domain::Department>, clock: Clock) {
    let http = reqwest::Client::builder().no_proxy().build();
    let Ok(http) = http else { return };
    // What lies there from an earlier run has been read.
    let mut read: HashSet<PathBuf> = post::letters(&post).collect();
    let mut desk = Desk::default();
    loop {
        tokio::time::sleep(EACH).await;
        let mut new: Vec<PathBuf> = post::letters(&post).filter(|f| !read.contains(f)).collect();
        new.sort();
        for file in new {
            let text = tokio::fs::read_to_string(&file).await.unwrap_or_default();
            if let Some(letter) = post::read(&text) {
                let alone = by_mail.iter().any(|d| d.as_str() == letter.department);
                desk.take(letter, alone, clock.now());
            }
            read.insert(file);
        }
        while let Some((link, deed)) = desk.next(clock.now()) {
            if let Err(error) = act(&http, &link, deed).await {
                tracing::debug!(error = %error.without_url(), "an officer of the demo got no answer");
            }
        }
    }
}

impl Desk {
    /// Decides what is done about a letter. `alone` is a department that closes nothing but here.
    fn take(&mut self, letter: Letter, alone: bool, now: Timestamp) {
        match letter {
            Letter {
                link: Some(link),
                id: None,
                ..
            } => {
                let case = post::case_in(&link).to_owned();
                // It is another group's now, or opened anew.
                self.to_do.retain(|(_, known, _), _| *known != case);
                let deeds = deeds::plan(&case, &letter.department, alone, (now, letter.due));
                for (n, (at, deed)) in deeds.into_iter().enumerate() {
                    self.to_do
                        .insert((at, case.clone(), n), (link.clone(), deed));
                }
            }
            Letter {
                link, id: Some(id), ..
            } => {
                self.links.extend(link.map(|link| (id.clone(), link)));
                let Some(link) = self.links.get(&id).filter(|_| alone).cloned() else {
                    return;
                };
                let case = post::case_in(&link).to_owned();
                let known = self
                    .to_do
                    .iter()
                    .any(|(key, (_, deed))| key.1 == case && *deed == Deed::Close);
                if let Some(at) =
                    deeds::found(&case, &letter.department, letter.step, now).filter(|_| !known)
                {
                    self.to_do.insert((at, case, 0), (link, Deed::Close));
                }
            }
            _ => {}
        }
    }

    /// What is to be done by `now`.
    fn next(&mut self, now: Timestamp) -> Option<(String, Deed)> {
        let first = self.to_do.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}

async fn act(http: &reqwest::Client, link: &str, deed: Deed) -> reqwest::Result<()> {
    let (step, form) = deed.form();
    http.get(link).send().await?;
    http.post(format!("{link}/{step}"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_that_goes_elsewhere_is_the_others_to_deal_with() {
        let now: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        let letter = |department: &str, id: Option<&str>, signature: &str| Letter {
            department: department.to_owned(),
            link: Some(format!(
                "http://localhost/routing/case/{}{signature}",
                "a".repeat(21)
            )),
            id: id.map(str::to_owned),
            due: Some(now + jiff::SignedDuration::from_hours(24)),
            step: domain::FollowUpStep::Limit,
        };
        let mut desk = Desk::default();
        desk.take(letter("social", None, "1"), true, now);
        desk.take(letter("kultur", None, "2"), true, now);
        let to_do = |desk: &Desk| -> Vec<String> {
            desk.to_do
                .values()
                .map(|(link, _)| link[link.len() - 1..].to_owned())
                .collect()
        };
        assert!(to_do(&desk).iter().all(|turn| turn == "2"));
        // A reminder of what is going to be closed changes nothing; of what was forgotten, it may.
        let closes = |desk: &Desk| {
            desk.to_do
                .values()
                .filter(|(_, deed)| *deed == Deed::Close)
                .count()
        };
        let before = closes(&desk);
        desk.take(letter("kultur", Some("id"), "2"), true, now);
        assert!(closes(&desk) <= before.max(1));
        let heads = Letter {
            link: None,
            step: domain::FollowUpStep::Heads,
            ..letter("kultur", Some("id"), "2")
        };
        desk.to_do.clear();
        desk.take(heads.clone(), true, now);
        assert_eq!(closes(&desk), 1);
        desk.take(heads, true, now);
        assert_eq!(closes(&desk), 1);
        assert_eq!(desk.next(now), None);
        let last = desk.to_do.keys().next().unwrap().0;
        assert!(desk.next(last).is_some());
    }
}
