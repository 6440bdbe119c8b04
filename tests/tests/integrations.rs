//! docs/integrations.md: its examples do what it says against the real server, and it shows what is there.

use std::{
    fs,
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    closures::{City, System, closure},
    closures_webhook::Sender,
    harness::eventually,
    integrations_examples::{Example, Language, command, copy_of, docs, guide},
};

/// What a department's program must do, in whatever language.
async fn closes_its_cases(language: Language) -> anyhow::Result<()> {
    let city = City::start()?;
    let (first, theirs) = (
        city.open_case("bygg").await?,
        city.open_case("skola").await?,
    );
    let mut example = Example::start(language, &city, "bygg", "bygg", None)?;
    city.until(&first, "closed").await?;
    example.says("accepted: the case is closed: done").await?;
    example.says(&format!("case {first} (annat)")).await?;

    // It lives through the bus's being away.
    let bus = city.product.server_pid("nats")?;
    kill_process(bus, Signal::KILL)?;
    eventually("the bus is a new one", async || {
        ensure!(
            city.product.server_pid("nats")? != bus,
            "it is still the old one"
        );
        Ok(())
    })
    .await?;
    let second = city.open_case("bygg").await?;
    city.until(&second, "closed").await?;
    // What came of both. A closure sent when the bus was away may have been sent twice, and is then answered twice.
    example.has_read_answers(2).await?;
    example.stop()?;

    // It goes on where it was: nothing is closed twice, nothing is missing. What was closed another way meanwhile it is told.
    let third = city.open_case("bygg").await?;
    let other = city.open_case("bygg").await?;
    let secret = city.product.command(&["closure", "secret", "bygg"])?;
    let sender = Sender::new(&city, "bygg", &secret)?;
    sender
        .send(&closure("other", &other, "declined").to_string())
        .await?;
    example.start_again()?;
    example.says(&format!("case {other} is closed")).await?;
    city.until(&third, "closed").await?;
    example.has_read_answers(3).await?;
    example.stop()?;
    let said = example.said();
    assert!(!said.contains("missing"), "{said}");
    let closed = city.closed().await?;
    let expected = [first, second, third, other].map(|case| (case, 1));
    assert_eq!(closed, expected.into());
    city.until(&theirs, "open").await?;
    assert_eq!(city.dead_letters().await?, []);
    Ok(())
}

/// What it says when something is wrong.
async fn tells_what_is_wrong(language: Language) -> anyhow::Result<()> {
    let city = City::start()?;
    // Another reader takes the first message, so that the example misses it.
    let lost = city.open_case("bygg").await?;
    let mut other = System::connect(&city, "bygg").await?;
    other
        .told("the first case", |m| m["case"] == lost.as_str())
        .await?;
    other.client.flush().await?;
    drop(other);
    let case = city.open_case("bygg").await?;
    let seen = json!({ "routing/OUT_BYGG": 0 });
    let mut example = Example::start(language, &city, "bygg", "bygg", Some(&seen))?;
    example.says("missing: 1 to 1 of routing/OUT_BYGG").await?;
    city.until(&case, "closed").await?;
    example.stop()?;
    city.until(&lost, "open").await?;

    // A key that is not the department's.
    let wrong = Example::start(language, &city, "gata", "bygg", None)?;
    wrong.says("does the key belong to this department?").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_example_closes_its_cases() -> anyhow::Result<()> {
    closes_its_cases(Language::Python).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_javascript_example_closes_its_cases() -> anyhow::Result<()> {
    closes_its_cases(Language::JavaScript).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_example_tells_what_is_wrong() -> anyhow::Result<()> {
    tells_what_is_wrong(Language::Python).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_javascript_example_tells_what_is_wrong() -> anyhow::Result<()> {
    tells_what_is_wrong(Language::JavaScript).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_curl_example_closes_a_case() -> anyhow::Result<()> {
    let city = City::start()?;
    let (mine, theirs) = (
        city.open_case("bygg").await?,
        city.open_case("skola").await?,
    );
    let folder = copy_of("curl")?;
    let file = |name: &str| folder.path().join(name);
    fs::write(
        file("bygg.secret"),
        city.product.command(&["closure", "secret", "bygg"])?,
    )?;
    fs::write(file("wrong.secret"), "whsec_AAAAAAAAAAAAAAAAAAAAAAAA\n")?;
    let close =
        |case: &str, outcome: &str, secret: &str| -> anyhow::Result<(Option<i32>, String)> {
            // As the guide has it, with this case.
            let command = command("bash close-case.sh")?;
            let example = "0192f0c4-5d7e-7c3a-9f10-2b6d1e8a4c55 done";
            ensure!(command.ends_with(example), "{command}");
            let output = Command::new("sh")
                .args([
                    "-c",
                    &command.replace(example, &format!("{case} {outcome}")),
                ])
                .current_dir(folder.path())
                .env("KOMMUNLOTS_URL", &city.product.base)
                .env("DEPARTMENT", "bygg")
                .env("SECRET_FILE", secret)
                .stdin(Stdio::null())
                .output()
                .context("cannot start sh")?;
            let said = [output.stdout, output.stderr].concat();
            Ok((output.status.code(), String::from_utf8(said)?))
        };
    let expect = |said: (Option<i32>, String), code, parts: &[&str]| {
        assert_eq!(said.0, Some(code), "{}", said.1);
        for part in parts {
            assert!(said.1.contains(part), "{part}: {}", said.1);
        }
    };

    expect(
        close(&mine, "done", "wrong.secret")?,
        2,
        &["401 ", "no signature is right"],
    );
    city.until(&mine, "open").await?;
    // The same once more is answered the same.
    for _ in 0..2 {
        let said = close(&mine, "done", "bygg.secret")?;
        expect(said, 0, &["200 ", "\"result\":\"accepted\""]);
    }
    city.until(&mine, "closed").await?;
    let said = close(&theirs, "done", "bygg.secret")?;
    expect(said, 1, &["409 ", "the department has no such case now"]);
    let said = close(&theirs, "klart", "bygg.secret")?;
    expect(said, 1, &["422 ", "`data.outcome`"]);
    city.until(&theirs, "open").await?;
    assert_eq!(city.closed().await?, [(mine, 1)].into());
    Ok(())
}

/// The guide shows the messages that the schemas are tested on, and links that lead somewhere.
#[test]
fn the_guide_shows_what_is_there() -> anyhow::Result<()> {
    let guide = guide()?;
    for name in [
        "closure",
        "forwarded",
        "reminded",
        "closed",
        "bounced",
        "answer",
    ] {
        let example = fs::read_to_string(docs().join(format!("examples/messages/{name}.json")))?;
        let block = format!("```json\n{}\n```", example.trim_end());
        assert!(
            guide.contains(&block),
            "docs/integrations.md does not show docs/examples/messages/{name}.json as it is"
        );
    }
    let mut links = 0;
    for link in guide
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
    {
        links += 1;
        if let Some(title) = link.strip_prefix('#') {
            let there = guide
                .lines()
                .filter_map(|line| line.strip_prefix('#'))
                .map(|line| {
                    line.trim_start_matches('#')
                        .trim()
                        .to_lowercase()
                        .replace(' ', "-")
                })
                .any(|there| there == title);
            assert!(there, "#{title}");
        } else if !link.starts_with("https://") {
            assert!(docs().join(link).exists(), "{link}");
        }
    }
    assert!(links > 8, "{links}");
    Ok(())
}

/// The examples' packages are those that the tests run them with.
#[test]
fn the_examples_name_the_packages_that_they_are_tested_with() -> anyhow::Result<()> {
    let read = |file: &str| -> anyhow::Result<Value> {
        let text =
            fs::read_to_string(docs().join("..").join(file)).with_context(|| file.to_owned())?;
        Ok(serde_json::from_str(&text)?)
    };
    let example = read("docs/examples/integrations/javascript/package.json")?;
    let tested = read("tests/tools/node/package.json")?;
    for (package, version) in example["dependencies"]
        .as_object()
        .context("dependencies")?
    {
        assert_eq!(tested["dependencies"][package], *version, "{package}");
    }
    let pins = fs::read_to_string(docs().join("../tests/tools/nats.txt"))?;
    let needs = fs::read_to_string(docs().join("examples/integrations/python/requirements.txt"))?;
    let needs = needs.trim().replace("[nkeys]", "");
    assert!(pins.contains(&format!("{needs} --hash")), "{needs}");
    Ok(())
}
