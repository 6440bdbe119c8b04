//! Following a live queue_log: through rotation, truncation and the product's own death, each line counts once.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use crate::{
    harness::{Api, Product, database, eventually},
    prometheus_names,
};

const NUMBER: &str = "0701740605";

/// A PBX: writes its log, and has it rotated.
struct Pbx {
    folder: TempDir,
    calls: i64,
}

impl Pbx {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            folder: tempfile::tempdir()?,
            calls: 0,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> PathBuf {
        self.path("queue_log")
    }

    /// The two lines of a call that was answered after 5 s.
    fn call(&mut self) -> String {
        self.calls += 1;
        let at = 1_612_164_000 + self.calls;
        let id = format!("{at}.{}", self.calls);
        format!(
            "{at}|{id}|vaxel|NONE|ENTERQUEUE||{NUMBER}|1\n{}|{id}|vaxel|PJSIP/101|CONNECT|5|x|1\n",
            at + 5
        )
    }

    fn append(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path(name))?;
        Ok(file.write_all(text.as_bytes())?)
    }

    /// Writes some calls to the file `name`.
    fn calls(&mut self, name: &str, count: usize) -> anyhow::Result<()> {
        let text: String = (0..count).map(|_| self.call()).collect();
        self.append(name, &text)
    }

    fn rename(&self, from: &str, to: &str) -> anyhow::Result<()> {
        Ok(fs::rename(self.path(from), self.path(to))?)
    }

    fn follow(&self) -> anyhow::Result<Product> {
        let log = self.log();
        let path = log.to_str().context("a path")?;
        Product::run(&["all"], &[("KOMMUNLOTS_INTAKE_QUEUE_LOG_PATH", path)])
    }

    /// Waits until every call is in intake's log, and in the figures; each once.
    async fn all_arrived(&self, product: &Product) -> anyhow::Result<()> {
        let mut database = database(&product.data()).await?;
        eventually("every line has arrived", async || {
            let events: i64 = sqlx::query_scalar("SELECT count(*) FROM intake.event_log")
                .fetch_one(&mut database)
                .await?;
            ensure!(
                events == 2 * self.calls,
                "{events} of {} events",
                2 * self.calls
            );
            Ok(())
        })
        .await?;
        let figures = product
            .api()?
            .figures("from=2021-02-01&to=2021-02-28")
            .await?;
        let counted = ["offered", "answered"].map(|n| figures[0][n].as_i64());
        assert_eq!(counted, [Some(self.calls), Some(self.calls)]);
        assert_eq!(figures[0]["mean_wait_of_answered_s"], 5);
        Ok(())
    }
}

#[tokio::test]
async fn a_live_queue_log_is_followed_through_rotation_and_death() -> anyhow::Result<()> {
    let mut pbx = Pbx::new()?;
    pbx.calls("queue_log", 3)?;
    let mut product = pbx.follow()?;
    pbx.all_arrived(&product).await?;
    pbx.calls("queue_log", 3)?;
    pbx.all_arrived(&product).await?;

    // A line that is half written waits for its other half, for many looks at the file.
    let call = pbx.call();
    let (first, second) = call.split_at(call.len() / 2);
    pbx.append("queue_log", first)?;
    tokio::time::sleep(Duration::from_millis(400)).await;
    pbx.append("queue_log", second)?;
    pbx.all_arrived(&product).await?;

    // Rotated right after writing: the tail is read first, then the new file.
    pbx.calls("queue_log", 500)?;
    pbx.rename("queue_log", "queue_log.1")?;
    pbx.calls("queue_log", 3)?;
    pbx.all_arrived(&product).await?;

    // Killed in the middle of much to read; written to, rotated and written to again while it is down.
    pbx.calls("queue_log", 2_000)?;
    product.kill()?;
    pbx.calls("queue_log", 3)?;
    pbx.rename("queue_log.1", "queue_log.2")?;
    pbx.rename("queue_log", "queue_log.1")?;
    pbx.calls("queue_log", 3)?;
    product.start_again()?;
    pbx.all_arrived(&product).await?;

    // Copied and truncated: the same file, shorter than it was.
    pbx.calls("queue_log", 20)?;
    pbx.all_arrived(&product).await?;
    fs::copy(pbx.log(), pbx.path("queue_log.copy"))?;
    OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(pbx.log())?;
    pbx.calls("queue_log", 2)?;
    pbx.all_arrived(&product).await?;
    pbx.calls("queue_log", 2)?;
    pbx.all_arrived(&product).await?;

    // A line that is none is named by its place, without its text, and does not stop the others.
    pbx.append("queue_log", &format!("{NUMBER}\n"))?;
    pbx.calls("queue_log", 2)?;
    pbx.all_arrived(&product).await?;
    let log = product.log();
    assert!(log.contains("a line of the queue_log was refused"), "{log}");
    assert!(!log.contains(NUMBER), "{log}");
    Ok(())
}

#[tokio::test]
async fn a_log_that_was_rotated_twice_while_nobody_read_is_read_whole() -> anyhow::Result<()> {
    let mut pbx = Pbx::new()?;
    pbx.calls("queue_log", 3)?;
    let mut product = pbx.follow()?;
    pbx.all_arrived(&product).await?;
    product.kill()?;
    pbx.calls("queue_log", 3)?;
    pbx.rename("queue_log", "queue_log.1")?;
    pbx.calls("queue_log", 3)?;
    pbx.rename("queue_log.1", "queue_log.2")?;
    pbx.rename("queue_log", "queue_log.1")?;
    pbx.calls("queue_log", 3)?;
    product.start_again()?;
    pbx.all_arrived(&product).await
}

/// logrotate makes the new file at once, and only then tells Asterisk, which writes to the old one until it is told.
#[tokio::test]
async fn a_pbx_writes_to_the_old_file_until_it_opens_the_new_one() -> anyhow::Result<()> {
    let mut pbx = Pbx::new()?;
    pbx.calls("queue_log", 3)?;
    let product = pbx.follow()?;
    pbx.all_arrived(&product).await?;
    pbx.rename("queue_log", "queue_log.1")?;
    pbx.append("queue_log", "")?;
    tokio::time::sleep(Duration::from_millis(400)).await;
    pbx.calls("queue_log.1", 3)?;
    tokio::time::sleep(Duration::from_millis(400)).await;
    pbx.calls("queue_log", 3)?;
    pbx.all_arrived(&product).await
}

/// What a backup or an impatient administrator does while the product is down: the file keeps its inode, and holds more than
/// before when it is looked at again.
#[tokio::test]
async fn a_log_that_was_written_anew_while_nobody_read_is_read_whole() -> anyhow::Result<()> {
    let mut pbx = Pbx::new()?;
    // More than what tells one file from another, and less.
    for calls in [60, 2] {
        pbx.calls("queue_log", calls)?;
        let mut product = pbx.follow()?;
        pbx.all_arrived(&product).await?;
        product.kill()?;

        // Copied and truncated, with lines in the copy that nobody has read.
        pbx.calls("queue_log", 3)?;
        fs::copy(pbx.log(), pbx.path("queue_log.1"))?;
        let text: String = (0..100).map(|_| pbx.call()).collect();
        fs::write(pbx.log(), text)?;
        product.start_again()?;
        pbx.all_arrived(&product).await?;

        // Written anew, and no copy kept.
        product.kill()?;
        fs::remove_file(pbx.path("queue_log.1"))?;
        let text: String = (0..200).map(|_| pbx.call()).collect();
        fs::write(pbx.log(), text)?;
        product.start_again()?;
        pbx.all_arrived(&product).await?;

        // The same while it is being read.
        let text: String = (0..300).map(|_| pbx.call()).collect();
        fs::write(pbx.log(), text)?;
        pbx.all_arrived(&product).await?;
        pbx = Pbx::new()?;
    }
    Ok(())
}

/// Older than a source can be that is heard every second, on a board that comes every five.
const SILENT_S: f64 = 9.0;

/// How long ago contacts were heard of, as every wall is told, seconds.
async fn contacts_age_s(api: &Api) -> anyhow::Result<f64> {
    let board = api.board().await?;
    let sources = board["sources"].as_array().context("sources")?;
    let source = sources.iter().find(|s| s["source"] == "intake/CONTACTS");
    let age = source.and_then(|s| s["age_s"].as_f64());
    age.with_context(|| format!("no age of contacts in {board}"))
}

/// What Prometheus and an operator see: whether the log is read, and how many lines were refused.
async fn told(api: &Api) -> anyhow::Result<(bool, String)> {
    let answer = api.http.get(format!("{}/metrics", api.base)).send().await?;
    let scrape = answer.text().await?;
    prometheus_names::check(&scrape)?;
    let (status, health) = api.get("/health/ready").await?;
    ensure!(status.is_success(), "the rest goes on: {health}");
    let impaired = health["impaired"].as_array().context("impaired")?;
    let refused = "kommunlots_queue_log_lines_refused_total ";
    let refused = scrape.lines().find_map(|l| l.strip_prefix(refused));
    ensure!(scrape.contains("kommunlots_queue_log_read_timestamp_seconds 1"));
    Ok((
        impaired.is_empty(),
        refused.context("refused lines")?.to_owned(),
    ))
}

#[tokio::test]
async fn figures_are_not_fresh_while_the_log_cannot_be_read() -> anyhow::Result<()> {
    let mut pbx = Pbx::new()?;
    pbx.calls("queue_log", 3)?;
    let product = pbx.follow()?;
    pbx.all_arrived(&product).await?;
    let api = product.api()?;
    let fresh = async || {
        eventually("contacts are fresh", async || {
            let age = contacts_age_s(&api).await?;
            ensure!(age < SILENT_S / 3.0, "{age} s");
            Ok(())
        })
        .await
    };
    fresh().await?;
    assert_eq!(told(&api).await?, (true, "0".to_owned()));

    // A file system that is gone, or a PBX that was set to log elsewhere.
    pbx.rename("queue_log", "elsewhere")?;
    eventually("contacts grow old", async || {
        let age = contacts_age_s(&api).await?;
        ensure!(age > SILENT_S, "{age} s");
        Ok(())
    })
    .await?;
    assert_eq!(told(&api).await?, (false, "0".to_owned()));
    let health = product.command(&["healthcheck"])?;
    assert!(health.contains("queue_log"), "{health}");
    assert!(product.log().contains("cannot follow the queue_log"));

    pbx.calls("elsewhere", 2)?;
    pbx.rename("elsewhere", "queue_log")?;
    pbx.all_arrived(&product).await?;
    fresh().await?;
    assert_eq!(told(&api).await?, (true, "0".to_owned()));

    // As in an import, what lies in the future is a mistake. Many are told of once, and counted each.
    let wrong: String = (0..50)
        .map(|n| format!("4102444799|{n}|vaxel|NONE|ENTERQUEUE||{NUMBER}|1\n"))
        .collect();
    pbx.append("queue_log", &wrong)?;
    pbx.calls("queue_log", 1)?;
    pbx.all_arrived(&product).await?;
    assert_eq!(told(&api).await?, (true, "50".to_owned()));
    let log = product.log();
    let lines = log.matches("a line of the queue_log was refused").count();
    assert_eq!(lines, 1, "{log}");
    Ok(())
}
