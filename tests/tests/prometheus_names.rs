//! `/metrics`: promtool finds nothing to complain of, and labels come from closed sets.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::json;

use crate::{
    closures::{City, System, closure},
    closures_webhook::Sender,
    harness::{contact, eventually},
};

/// Where promtool is.
fn promtool() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("KOMMUNLOTS_TEST_PROMTOOL") {
        return Ok(path.into());
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders)
        .map(|folder| folder.join("promtool"))
        .find(|file| file.exists())
        .context(
            "promtool is neither on PATH nor named by KOMMUNLOTS_TEST_PROMTOOL; run the tests with tests/run, which \
             fetches it",
        )
}

/// That promtool finds nothing to complain of.
pub(crate) fn check(scrape: &str) -> anyhow::Result<()> {
    let mut child = Command::new(promtool()?)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child
        .stdin
        .take()
        .context("its standard input")?
        .write_all(scrape.as_bytes())?;
    let output = child.wait_with_output()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    ensure!(
        output.status.success() && said.trim().is_empty(),
        "promtool: {said}\n{scrape}"
    );
    Ok(())
}

/// Every label of a scrape with its values.
fn labels(scrape: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in scrape.lines().filter(|l| !l.starts_with('#')) {
        let Some((_, rest)) = line.split_once('{') else {
            continue;
        };
        let inside = rest.rsplit_once('}').map_or("", |(inside, _)| inside);
        // No value of ours holds a comma or a quote; one that did would be found below as a strange value.
        for (name, value) in inside
            .split("\",")
            .filter_map(|pair| pair.split_once("=\""))
        {
            let values = labels.entry(name.to_owned()).or_default();
            values.insert(value.trim_end_matches('"').to_owned());
        }
    }
    labels
}

/// The values that each label may have, whatever is told and whoever asks.
fn closed() -> BTreeMap<&'static str, Vec<&'static str>> {
    // The agreements' departments, and nothing that a client calls one.
    let departments = vec![
        "bygg", "gata", "kansli", "kultur", "miljo", "skola", "social", "vard",
    ];
    let streams = vec![
        "CONTACTS",
        "CASES",
        "WEBHOOK",
        "IN_BYGG",
        "IN_GATA",
        "IN_KANSLI",
        "IN_KULTUR",
        "IN_MILJO",
        "IN_SKOLA",
        "IN_SOCIAL",
        "IN_VARD",
        "OUT_BYGG",
        "OUT_GATA",
        "OUT_KANSLI",
        "OUT_KULTUR",
        "OUT_MILJO",
        "OUT_SKOLA",
        "OUT_SOCIAL",
        "OUT_VARD",
    ];
    let channels = vec![
        "phone",
        "email",
        "visit",
        "web_form",
        "e_service",
        "social",
        "letter",
    ];
    let routes = vec![
        "/",
        "/figures",
        "/figures/dead-letters",
        "/figures/dead-letters/{id}/send-again",
        "/figures/definitions",
        "/figures/followup",
        "/figures/forwarded",
        "/figures/handling",
        "/figures/positions",
        "/health/live",
        "/health/ready",
        "/intake/cases",
        "/intake/cases/{id}",
        "/intake/cases/{id}/forward",
        "/intake/cases/{id}/repeat-contact",
        "/intake/cases/{id}/resolve",
        "/intake/contacts",
        "/intake/dead-letters",
        "/intake/dead-letters/{id}/send-again",
        "/intake/mail",
        "/intake/mail/retry",
        "/intake/mail/{id}/retry",
        "/intake/restarts",
        "/intake/sources",
        "/metrics",
        "/openapi.json",
        "/reminder/cases",
        "/reminder/cases/{id}/plan",
        "/reminder/dead-letters",
        "/reminder/dead-letters/{id}/send-again",
        "/reminder/mail",
        "/reminder/mail/retry",
        "/reminder/mail/{id}/retry",
        "/reminder/simulate",
        "/reminder/sources",
        "/routing/agreements",
        "/routing/agreements/dry-run",
        "/routing/agreements/{version}",
        "/routing/case.css",
        "/routing/case/{token}",
        "/routing/case/{token}/{action}",
        "/routing/cases/{id}",
        "/routing/closures/{department}",
        "/routing/dead-letters",
        "/routing/dead-letters/{id}/send-again",
        "/routing/history",
        "/routing/mail",
        "/routing/mail/retry",
        "/routing/mail/{id}/retry",
        "/routing/sources",
        "/wallboard",
        "/wallboard/assets/{name}",
        "/wallboard/board.json",
        "/wallboard/ws",
        "other",
    ];
    BTreeMap::from([
        ("channel", channels),
        ("definition", vec!["contacts/v1"]),
        ("department", departments),
        (
            "le",
            vec![
                "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.5", "2.5", "+Inf",
            ],
        ),
        (
            "method",
            vec![
                "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "other",
            ],
        ),
        ("route", routes),
        ("service", vec!["intake", "metrics", "reminder", "routing"]),
        (
            "source",
            vec![
                "intake/CONTACTS",
                "intake/CASES",
                "reminder/CASES",
                "routing/CASES",
            ],
        ),
        ("state", vec!["registered", "resolved"]),
        (
            "status",
            vec![
                "200", "201", "307", "400", "401", "403", "404", "405", "409", "415", "422",
            ],
        ),
        (
            "step",
            vec!["share", "limit", "promised", "contact_person", "heads"],
        ),
        ("stream", streams),
        ("what", vec!["taken", "missed"]),
    ])
}

/// Forwards cases, and closes them over the bus and by webhook; departments that are none are named wherever they can be.
async fn forward_and_close(city: &City) -> anyhow::Result<()> {
    let (by_bus, by_webhook) = (
        city.open_case("bygg").await?,
        city.open_case("skola").await?,
    );
    city.open_case("gata").await?;
    let bygg = System::connect(city, "bygg").await?;
    let shown = city.product.command(&["closure", "secret", "skola"])?;
    let skola = Sender::new(city, "skola", &shown)?;
    for n in 0..5 {
        let unreadable = format!("{{\"department\":\"avdelning-{n}\"}}");
        bygg.send(unreadable.clone()).await?;
        skola.send(&unreadable).await?;
        let nobody = format!("/routing/closures/avdelning-{n}");
        city.api.post(&nobody, &json!(null)).await?;
        let past = json!({
            "system": "castor", "case": n.to_string(), "registered_at": "2019-11-25T08:02:28+01:00",
            "case_type": "Bygglov",
            "department_code": format!("avdelning-{n}"), "queue": format!("Kö {n}"),
        });
        let kind = [("content-type", "application/x-ndjson")];
        let past = past.to_string();
        let (status, answer) = city
            .api
            .send(Method::POST, "/routing/history", &kind, past)
            .await?;
        ensure!(status.is_success(), "{status}: {answer}");
    }
    let closed = closure("1", &by_bus, "done").to_string();
    bygg.send(closed).await?;
    let (status, answer) = skola
        .send(&closure("1", &by_webhook, "done").to_string())
        .await?;
    ensure!(status.is_success(), "{status}: {answer}");
    for case in [by_bus, by_webhook] {
        city.until(&case, "closed").await?;
    }
    for path in ["/routing/dead-letters", "/routing/mail", "/routing/case/x"] {
        city.api.get(path).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promtool_finds_nothing_and_labels_are_closed_sets() -> anyhow::Result<()> {
    let city = City::start()?;
    let api = &city.api;
    let scrape = async || -> anyhow::Result<String> {
        let answer = api.http.get(format!("{}/metrics", api.base)).send().await?;
        Ok(answer.text().await?)
    };
    // Before anything has happened too.
    check(&scrape().await?)?;

    #[expect(clippy::disallowed_methods, reason = "the board shows today")]
    let now = jiff::Timestamp::now();
    for n in 0..20 {
        let queue = format!("kö {n}");
        for event in ["queued", "answered"] {
            let mut told = contact(&format!("ref-{n}"), event, &now.to_string());
            told["queue"] = json!(queue);
            told["channel"] = json!(["phone", "email", "letter"][n % 3]);
            told["department"] = json!(format!("avdelning-{n}"));
            api.contacts(&[told]).await?;
        }
        let case = json!({ "type": format!("typ-{n}"), "rosa_group": 1, "department": format!("avdelning-{n}") });
        let (_, case) = api.post("/intake/cases", &case).await?;
        let id = case["id"].as_str().context("an id")?;
        for how in ["resolve", "resolve", "repeat-contact", "forward"] {
            api.post(&format!("/intake/cases/{id}/{how}"), &json!(null))
                .await?;
        }
        for path in [
            format!("/nowhere/{n}"),
            format!("/wallboard/assets/{n}"),
            format!("/intake/cases/{n}"),
        ] {
            api.get(&path).await?;
        }
        let method: Method = format!("MADEUP{n}").parse()?;
        api.send(method, &format!("/intake/{n}"), &[], String::new())
            .await?;
    }
    forward_and_close(&city).await?;
    for path in [
        "/",
        "/wallboard",
        "/figures?from=2021-01-01&to=2021-01-01&by=day",
        "/figures/definitions",
    ] {
        api.get(path).await?;
    }
    api.with_key(None).post("/intake/cases", &json!({})).await?;

    let text = eventually("the board's figures are scraped", async || {
        let text = scrape().await?;
        ensure!(
            text.contains("kommunlots_cases_today{state=\"registered\"} 23"),
            "{text}"
        );
        ensure!(
            text.contains("kommunlots_answer_rate_ratio{definition=\"contacts/v1\"} 1"),
            "{text}"
        );
        for line in [
            "kommunlots_forwarded_open{department=\"bygg\"} 0",
            "kommunlots_forwarded_open{department=\"gata\"} 1",
            "kommunlots_events_applied_total{service=\"routing\",stream=\"IN_BYGG\"} 1",
            "kommunlots_events_applied_total{service=\"routing\",stream=\"WEBHOOK\"} 1",
            "kommunlots_dead_letters_total{service=\"routing\",stream=\"IN_BYGG\"} 5",
            "kommunlots_dead_letters_total{service=\"routing\",stream=\"WEBHOOK\"} 5",
        ] {
            ensure!(text.contains(line), "{line} is not in {text}");
        }
        Ok(text)
    })
    .await?;
    check(&text)?;
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        assert!(line.starts_with("kommunlots_"), "one prefix: {line}");
    }
    let closed = closed();
    for (label, values) in labels(&text) {
        let known = closed
            .get(label.as_str())
            .with_context(|| format!("a new label: {label}"))?;
        for value in values {
            assert!(
                known.contains(&value.as_str()),
                "{label} has the value {value}"
            );
        }
    }
    // A channel never heard of has no queue, which is not an empty one.
    assert!(text.contains("kommunlots_queue_length{channel=\"email\"} 0"));
    assert!(!text.contains("kommunlots_queue_length{channel=\"visit\"}"));
    Ok(())
}
