//! Officers at departments without a system of their own: they get the mail, open the link and close the case on its page. At
//! every department some send a case back, since it belongs elsewhere.

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use platform::Clock;
use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

use super::random::chance;

/// How often the post is looked at, in real time.
const EACH: Duration = Duration::from_millis(500);
/// Of all cases so many are sent back.
const BOUNCED: f64 = 0.04;
/// Of those that must be closed on their page, so many are forgotten.
const FORGOTTEN: f64 = 0.10;
/// From the mail to the closing, on the demo's clock.
const QUICKEST: f64 = 3.0 * 3600.0;
const SLOWEST: f64 = 60.0 * 3600.0;

/// What an officer will do with a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Bounce,
    Take,
    Close,
}

/// Reads the mails in `post` as they come, and does with each case what its officer would. `by_mail` are the departments
/// without a system.
pub(super) async fn run(post: PathBuf, by_mail: Vec<domain::Department>, clock: Clock) {
    let http = reqwest::Client::builder().no_proxy().build();
    let Ok(http) = http else { return };
    // What lies there from an earlier run has been read.
    let mut read: HashSet<PathBuf> = letters(&post).collect();
    let mut to_do: BTreeMap<(Timestamp, Uuid), (String, Deed)> = BTreeMap::new();
    loop {
        tokio::time::sleep(EACH).await;
        let new: Vec<PathBuf> = letters(&post).filter(|f| !read.contains(f)).collect();
        for file in new {
            let text = tokio::fs::read_to_string(&file).await.unwrap_or_default();
            if let Some((department, link)) = opened(&text) {
                let alone = by_mail.iter().any(|d| d.as_str() == department);
                for (at, deed) in plan(&link, alone, clock.now()) {
                    to_do.insert((at, Uuid::new_v4()), (link.clone(), deed));
                }
            }
            read.insert(file);
        }
        while let Some(first) = to_do.first_entry() {
            if first.key().0 > clock.now() {
                break;
            }
            let (link, deed) = first.remove();
            if let Err(error) = act(&http, &link, deed).await {
                tracing::debug!(error = %error.without_url(), "an officer of the demo got no answer");
            }
        }
    }
}

fn letters(post: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    std::fs::read_dir(post)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "eml"))
}

/// The department that a mail is to, and the link in it.
fn opened(mail: &str) -> Option<(String, String)> {
    // Long lines are broken with `=` at their end.
    let text = mail.replace("=\r\n", "").replace("=\n", "");
    let to = text.lines().find(|line| line.starts_with("To:"))?;
    let (_, host) = to.rsplit_once('@')?;
    let department = host.split('.').next()?.to_owned();
    let link = text
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("http") && line.contains("/routing/case/"))?;
    Some((department, link.to_owned()))
}

/// The same link always gives the same plan.
fn plan(link: &str, alone: bool, now: Timestamp) -> Vec<(Timestamp, Deed)> {
    let seed = Uuid::new_v5(&Uuid::NAMESPACE_URL, link.as_bytes());
    let mut rng = StdRng::seed_from_u64(seed.as_u64_pair().0);
    let mut after = |least: f64, most: f64| {
        let wait = SignedDuration::try_from_secs_f64(rng.random_range(least..most));
        now + wait.unwrap_or_default()
    };
    let (soon, later) = (after(600.0, QUICKEST), after(QUICKEST, SLOWEST));
    if chance(&mut rng, BOUNCED) {
        return vec![(soon, Deed::Bounce)];
    }
    if !alone || chance(&mut rng, FORGOTTEN) {
        return Vec::new();
    }
    vec![(soon, Deed::Take), (later, Deed::Close)]
}

async fn act(http: &reqwest::Client, link: &str, deed: Deed) -> reqwest::Result<()> {
    let (step, form): (&str, &[(&str, &str)]) = match deed {
        Deed::Bounce => ("bounce", &[("belongs_to", "unknown")]),
        Deed::Take => ("take", &[]),
        Deed::Close => ("close", &[("outcome", "done")]),
    };
    http.get(link).send().await?;
    let body: Vec<String> = form
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    http.post(format!("{link}/{step}"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body.join("&"))
        .send()
        .await?;
    Ok(())
}
