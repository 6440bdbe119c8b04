//! Chromium, driven over WebDriver: a handful of its commands is all that the page's tests need.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, ensure};
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::eventually;

/// A browser with one page. Ended when dropped.
pub(crate) struct Browser {
    driver: Child,
    session: String,
    http: reqwest::Client,
    profile: TempDir,
}

/// `tests/run` installs it and says where; a developer has it on PATH.
fn chromedriver() -> PathBuf {
    std::env::var_os("KOMMUNLOTS_TEST_CHROMEDRIVER")
        .map_or_else(|| PathBuf::from("chromedriver"), PathBuf::from)
}

impl Browser {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        // The driver must not outlive a test that is killed outright.
        let mut driver = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(chromedriver())
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start chromedriver; run tests/run, which installs it")?;
        let said = driver.stdout.take().context("its standard output")?;
        let mut browser = Self {
            driver,
            session: String::new(),
            http: reqwest::Client::new(),
            profile: tempfile::tempdir()?,
        };
        let (port, said) = tokio::task::block_in_place(|| port_in(said))
            .context("chromedriver said no port; is it installed? run tests/run")?;
        // Its pipe must stay open, and be emptied, for as long as it lives.
        std::thread::spawn(move || said.lines().map_while(Result::ok).for_each(drop));
        let base = format!("http://127.0.0.1:{port}/session");
        let profile = format!("--user-data-dir={}", browser.profile.path().display());
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            // It ends by itself when its driver is gone.
            "--remote-debugging-pipe",
            &profile,
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        }}});
        let made = browser.call(Method::POST, &base, &wanted).await?;
        let id = made["sessionId"].as_str().context("a session")?;
        browser.session = format!("{base}/{id}");
        Ok(browser)
    }

    async fn call(&self, method: Method, url: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.http.request(method.clone(), url);
        let request = if method == Method::GET {
            request
        } else {
            request.json(body)
        };
        let answer = request.send().await?;
        let (status, mut answer) = (answer.status(), answer.json::<Value>().await?);
        ensure!(status.is_success(), "{status}: {}", answer["value"]);
        Ok(answer["value"].take())
    }

    async fn post(&self, command: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}/{command}", self.session);
        self.call(Method::POST, &url, body).await
    }

    pub(crate) async fn goto(&self, url: &str) -> anyhow::Result<()> {
        self.post("url", &json!({ "url": url })).await.map(drop)
    }

    /// The size of the page's own area. A window has a least width, which a telephone is under.
    pub(crate) async fn size(&self, width: u32, height: u32) -> anyhow::Result<()> {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics });
        self.post("goog/cdp/execute", &command).await.map(drop)
    }

    /// The colours that the person prefers: `light` or `dark`.
    pub(crate) async fn colours(&self, scheme: &str) -> anyhow::Result<()> {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        let command =
            json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "features": [feature] } });
        self.post("goog/cdp/execute", &command).await.map(drop)
    }

    /// Runs a function's body in the page; a promise is waited for. The page's own policy does not bind it.
    pub(crate) async fn run(&self, body: &str, arguments: &[Value]) -> anyhow::Result<Value> {
        let script = json!({ "script": body, "args": arguments });
        self.post("execute/sync", &script).await
    }

    /// Clicks on what a style sheet's selector finds, as a person does.
    pub(crate) async fn click(&self, selector: &str) -> anyhow::Result<()> {
        let find = json!({ "using": "css selector", "value": selector });
        let element = self.post("element", &find).await?;
        let id = element
            .as_object()
            .and_then(|e| e.values().next()?.as_str())
            .context("an element")?;
        self.post(&format!("element/{id}/click"), &json!({}))
            .await
            .map(drop)
    }

    /// What has come into the console since it was last read.
    pub(crate) async fn console(&self) -> anyhow::Result<Vec<Value>> {
        let entries = self.post("se/log", &json!({ "type": "browser" })).await?;
        Ok(entries.as_array().cloned().unwrap_or_default())
    }

    /// The text of `[data-figure=...]`.
    pub(crate) async fn figure(&self, name: &str) -> anyhow::Result<String> {
        let text = self
            .run(
                "return document.querySelector(`[data-figure=${arguments[0]}]`).textContent",
                &[json!(name)],
            )
            .await?;
        Ok(text.as_str().context("a text")?.replace('\u{a0}', " "))
    }

    /// The text of the same figure in the table.
    pub(crate) async fn copied(&self, name: &str) -> anyhow::Result<String> {
        let find = "return document.querySelector(`[data-copy=${arguments[0]}]`).textContent";
        let text = self.run(find, &[json!(name)]).await?;
        Ok(text.as_str().context("a text")?.replace('\u{a0}', " "))
    }

    /// Waits until the figure is that.
    pub(crate) async fn until_figure(&self, name: &str, expected: &str) -> anyhow::Result<()> {
        eventually("the figure on the wall", async || {
            let shown = self.figure(name).await?;
            ensure!(shown == expected, "{name} is {shown}, not {expected}");
            Ok(())
        })
        .await
    }

    /// `waiting`, `fresh`, `delayed` or `stale`.
    pub(crate) async fn freshness(&self) -> anyhow::Result<String> {
        let state = self
            .run("return document.body.dataset.freshness", &[])
            .await?;
        Ok(state.as_str().context("a state")?.to_owned())
    }

    /// Waits until the page says that it is that.
    pub(crate) async fn until(&self, state: &str) -> anyhow::Result<()> {
        eventually("the state on the wall", async || {
            let shown = self.freshness().await?;
            ensure!(shown == state, "it is {shown}, not {state}");
            Ok(())
        })
        .await
    }

    /// A picture of the page, into the folder `TEST_SCREENSHOTS` where that is set: for looking, not for comparing.
    pub(crate) async fn picture(&self, name: &str) -> anyhow::Result<()> {
        let Some(folder) = std::env::var_os("TEST_SCREENSHOTS") else {
            return Ok(());
        };
        let url = format!("{}/screenshot", self.session);
        let picture = self.call(Method::GET, &url, &Value::Null).await?;
        let file = Path::new(&folder).join(format!("{name}.png"));
        let picture = picture.as_str().context("a picture")?;
        Ok(std::fs::write(file, base64(picture)?)?)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        // The profile must outlive the browser, which may take a moment to see that its driver is gone.
        let profile = self.profile.path().display().to_string();
        for patience in (0..100).rev() {
            let left = processes_naming(&profile);
            if left.is_empty() {
                return;
            }
            if patience == 0 {
                left.into_iter().for_each(|pid| {
                    let _ = kill_process(pid, Signal::KILL);
                });
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

/// `ChromeDriver was started successfully on port 40123.`
fn port_in(said: impl std::io::Read) -> Option<(u16, BufReader<impl std::io::Read>)> {
    let mut said = BufReader::new(said);
    let mut line = String::new();
    while said.read_line(&mut line).ok()? > 0 {
        let port = line.trim_end().trim_end_matches('.').rsplit(' ').next();
        if line.contains("started successfully")
            && let Some(port) = port.and_then(|p| p.parse().ok())
        {
            return Some((port, said));
        }
        line.clear();
    }
    None
}

fn processes_naming(text: &str) -> Vec<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .filter_map(Result::ok)
        .filter(|process| {
            let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&command).contains(text)
        })
        .filter_map(|process| Pid::from_raw(process.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// WebDriver sends pictures as text.
fn base64(text: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut have) = (0u32, 0);
    for letter in text.bytes().filter(|l| *l != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => anyhow::bail!("no picture"),
        };
        bits = bits << 6 | u32::from(value);
        have += 6;
        if have >= 8 {
            have -= 8;
            bytes.push(u8::try_from(bits >> have & 0xff)?);
        }
    }
    Ok(bytes)
}
