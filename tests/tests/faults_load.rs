//! A client under whose load things are made to fail: it repeats the very same request until it is answered 2xx, and
//! reckons for itself what the figures must then be.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Api, Product, eventually};

/// The day on which every contact of the load arrives.
pub(crate) const DAY: &str = "from=2021-02-01&to=2021-02-01";
const MORNING: &str = "2021-02-01T07:00:00Z";

/// Whoever is not answered in this time asks again.
const REQUEST: Duration = Duration::from_secs(5);
/// A request that fails for this long fails for good.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tasks that post events one by one, and in batches of so many contacts.
const SINGLE: u64 = 6;
const BATCH: u64 = 2;
const IN_BATCH: u64 = 20;

/// What was answered 2xx, as figures.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) answered: u64,
    pub(crate) abandoned: u64,
    pub(crate) short_abandoned: u64,
    pub(crate) answered_within_60s: u64,
    pub(crate) wait_of_answered_s: u64,
    pub(crate) longest_wait_s: u64,
    pub(crate) events: u64,
    pub(crate) cases: u64,
}

impl Sums {
    pub(crate) fn contacts(&self) -> u64 {
        self.answered + self.abandoned
    }

    fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.abandoned += other.abandoned;
        self.short_abandoned += other.short_abandoned;
        self.answered_within_60s += other.answered_within_60s;
        self.wait_of_answered_s += other.wait_of_answered_s;
        self.longest_wait_s = self.longest_wait_s.max(other.longest_wait_s);
        self.events += other.events;
        self.cases += other.cases;
    }
}

/// The load while it runs.
pub(crate) struct Load {
    shared: Arc<Shared>,
    tasks: JoinSet<anyhow::Result<Sums>>,
}

struct Shared {
    api: Api,
    stop: AtomicBool,
    /// Requests answered 2xx.
    answered: AtomicU64,
    /// Requests that had to be repeated.
    repeated: AtomicU64,
}

impl Load {
    /// Starts posting contacts and registering cases.
    pub(crate) fn start(api: &Api) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(REQUEST).build()?;
        let shared = Arc::new(Shared {
            api: Api {
                http,
                ..api.clone()
            },
            stop: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
        });
        let mut tasks = JoinSet::new();
        for task in 0..SINGLE {
            tasks.spawn(post_singly(shared.clone(), task));
        }
        for task in 0..BATCH {
            tasks.spawn(post_batches(shared.clone(), task));
        }
        tasks.spawn(register_cases(shared.clone()));
        Ok(Self { shared, tasks })
    }

    /// Waits until `more` further requests have been answered 2xx, so that a fault comes into the middle of the load.
    pub(crate) async fn goes_on(&mut self, more: u64) -> anyhow::Result<()> {
        let until = self.shared.answered.load(Relaxed) + more;
        eventually("further requests are answered", async || {
            if let Some(ended) = self.tasks.try_join_next() {
                // Only a request that failed for good ends a task before the load is stopped.
                ended??;
            }
            let now = self.shared.answered.load(Relaxed);
            ensure!(now >= until, "{now} of {until}");
            Ok(())
        })
        .await
    }

    /// How many requests had to be repeated so far.
    pub(crate) fn repeated(&self) -> u64 {
        self.shared.repeated.load(Relaxed)
    }

    /// Ends the load, when what is under way has been answered, and returns what must be in the figures.
    pub(crate) async fn finish(mut self) -> anyhow::Result<Sums> {
        self.shared.stop.store(true, Relaxed);
        let mut sums = Sums::default();
        while let Some(task) = self.tasks.join_next().await {
            sums.add(&task??);
        }
        ensure!(
            sums.contacts() > 0 && sums.cases > 0,
            "the load did nothing"
        );
        Ok(sums)
    }
}

async fn post_singly(shared: Arc<Shared>, task: u64) -> anyhow::Result<Sums> {
    let mut sums = Sums::default();
    for n in 0.. {
        if shared.stop.load(Relaxed) {
            break;
        }
        for event in made_up(&format!("single-{task}-{n}"), n, &mut sums) {
            shared
                .until_answered(
                    "/intake/contacts",
                    "application/json",
                    None,
                    &event.to_string(),
                )
                .await?;
        }
    }
    Ok(sums)
}

async fn post_batches(shared: Arc<Shared>, task: u64) -> anyhow::Result<Sums> {
    let mut sums = Sums::default();
    for batch in 0.. {
        if shared.stop.load(Relaxed) {
            break;
        }
        let mut body = String::new();
        for n in batch * IN_BATCH..(batch + 1) * IN_BATCH {
            for event in made_up(&format!("batch-{task}-{n}"), n, &mut sums) {
                body.push_str(&format!("{event}\n"));
            }
        }
        shared
            .until_answered("/intake/contacts", "application/x-ndjson", None, &body)
            .await?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(sums)
}

async fn register_cases(shared: Arc<Shared>) -> anyhow::Result<Sums> {
    let mut sums = Sums::default();
    while !shared.stop.load(Relaxed) {
        let body = json!({ "type": "bygglov", "rosa_group": 2, "department": "bygg" }).to_string();
        let key = format!("load-{}", sums.cases);
        shared
            .until_answered("/intake/cases", "application/json", Some(&key), &body)
            .await?;
        sums.cases += 1;
    }
    Ok(sums)
}

impl Shared {
    /// Sends the very same request until it is answered 2xx. What repeating cannot cure is an error at once.
    async fn until_answered(
        &self,
        path: &str,
        kind: &str,
        key: Option<&str>,
        body: &str,
    ) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        let headers: Vec<_> = [
            Some(("content-type", kind)),
            key.map(|k| ("idempotency-key", k)),
        ]
        .into_iter()
        .flatten()
        .collect();
        loop {
            let answer = self
                .api
                .send(Method::POST, path, &headers, body.to_owned())
                .await;
            let why = match answer {
                Ok((status, _)) if status.is_success() => {
                    self.answered.fetch_add(1, Relaxed);
                    return Ok(());
                }
                Ok((status, answer)) if status.is_client_error() => {
                    bail!("{path} refused what it must take: {status}: {answer}")
                }
                Ok((status, answer)) => anyhow::anyhow!("{status}: {answer}"),
                Err(error) => error,
            };
            self.repeated.fetch_add(1, Relaxed);
            if Instant::now() > until {
                return Err(why.context(format!("{path} failed for {PATIENCE:?}")));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The three events of contact `n`, and what they add to the figures.
fn made_up(reference: &str, n: u64, sums: &mut Sums) -> [Value; 3] {
    // Waits on both sides of the short abandon's 10 s and of the service level's 60 s.
    let wait = n * 7 % 100;
    let answered = !n.is_multiple_of(5);
    sums.events += 3;
    sums.longest_wait_s = sums.longest_wait_s.max(wait);
    if answered {
        sums.answered += 1;
        sums.answered_within_60s += u64::from(wait <= 60);
        sums.wait_of_answered_s += wait;
    } else {
        sums.abandoned += 1;
        sums.short_abandoned += u64::from(wait <= 10);
    }
    // A whole day of arrivals, all of them within the local day.
    let came = MORNING.parse::<Timestamp>().expect("a time")
        + SignedDuration::from_millis(i64::try_from(n % 36_000_000).expect("small"));
    let after = |s: u64| came + SignedDuration::from_secs(i64::try_from(s).expect("small"));
    let event = |what: &str, at: Timestamp| {
        json!({
            "contact": reference, "event": what, "at": at.to_string(), "channel": "phone", "queue": "vaxel",
        })
    };
    [
        event("queued", came),
        event(if answered { "answered" } else { "abandoned" }, after(wait)),
        event("ended", after(wait + 30)),
    ]
}

/// The database in the product's own folder.
pub(crate) fn database_of(product: &Product) -> anyhow::Result<String> {
    embedded::Postgres::url_of(&product.data().join("postgres")).context("a private PostgreSQL")
}

/// That the product's figures are exactly the load's, and its log whole.
pub(crate) async fn figures_are(api: &Api, database: &str, sums: &Sums) -> anyhow::Result<()> {
    let figures = api.figures(DAY).await?;
    let [figures] = &figures[..] else {
        bail!("one row of figures, not {figures:?}")
    };
    let mean_ms = sums.wait_of_answered_s as f64 * 1e3 / sums.answered as f64;
    let expected = [
        ("offered", json!(sums.contacts())),
        ("answered", json!(sums.answered)),
        ("abandoned", json!(sums.abandoned)),
        ("short_abandoned", json!(sums.short_abandoned)),
        ("answered_within_60s", json!(sums.answered_within_60s)),
        ("longest_wait_s", json!(sums.longest_wait_s)),
    ];
    for (name, expected) in expected {
        assert_eq!(figures[name], expected, "{name} of {sums:?} in {figures}");
    }
    let mean = figures["mean_wait_of_answered_s"]
        .as_f64()
        .context("a mean")?;
    assert_eq!(mean, mean_ms.round() / 1e3);

    let (_, dead) = api.get("/figures/dead-letters").await?;
    assert_eq!(dead, json!([]), "dead letters");
    super::faults_log::is_whole(database, sums).await
}
