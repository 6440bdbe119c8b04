//! The commands beside the services: configuration, health, figures, and what they say when something is wrong.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::ensure;

use crate::harness::{Product, eventually, kommunlots};

/// Runs the program: its exit code, its standard output, its standard error.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<(i32, String, String)> {
    let output = kommunlots()
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()?;
    Ok((
        output.status.code().unwrap_or(-1),
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    ))
}

fn config(folder: &Path, text: &str) -> anyhow::Result<String> {
    let file = folder.join("kommunlots.toml");
    std::fs::write(&file, text)?;
    Ok(file.display().to_string())
}

#[test]
fn a_wrong_setting_is_an_error_that_names_it() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let good = config(
        folder.path(),
        "http = \"127.0.0.1:1234\"\ndatabase_url = \"postgres://me:hemligt@db/x\"\nnats_url = \"nats://bus:4222\"\n\
         [intake.queue_log]\npath = \"/var/log/asterisk/queue_log\"\n[intake.queue_departments]\nbygg = \"bygg\"\n",
    )?;
    // The later wins: the file, then the environment, then the command line.
    let environment = [
        ("KOMMUNLOTS_HTTP", "127.0.0.1:1235"),
        ("KOMMUNLOTS_LOG", "debug"),
    ];
    let check = ["config", "check", "--config", &good];
    let (code, out, err) = run(&check, &environment)?;
    assert_eq!(code, 0, "{err}");
    for shown in ["127.0.0.1:1235", "/var/log/asterisk/queue_log", "debug"] {
        assert!(out.contains(shown), "{shown} is not in {out}");
    }
    assert!(!out.contains("hemligt"), "{out}");
    let (_, out, _) = run(
        &[&check[..], &["--http", "127.0.0.1:1236"]].concat(),
        &environment,
    )?;
    assert!(out.contains("127.0.0.1:1236"), "{out}");

    for (text, named) in [
        ("htpp = \"x\"", "htpp"),
        ("[intake]\nqueue_lgo = 1", "queue_lgo"),
        ("[intake.queue_log]\npfad = \"x\"", "pfad"),
        ("[reminder]\nx = 1", "reminder"),
        ("http = 5", "http"),
        ("[metrics]\nanswer_rate_target = 95", "answer_rate_target"),
        ("[intake.queue_departments]\nx = \"Å\"", "x = \"Å\""),
        ("duplicate_window_s = 0", "duplicate_window_s"),
    ] {
        let file = config(folder.path(), text)?;
        for command in ["config check", "all", "migrate", "healthcheck"] {
            let mut arguments: Vec<&str> = command.split(' ').collect();
            arguments.extend(["--config", &file]);
            let (code, _, err) = run(&arguments, &[])?;
            assert_eq!(code, 1, "{command} with {text}: {err}");
            assert!(err.contains(named), "{text} gave {err}");
        }
    }
    for (name, value) in [
        ("KOMMUNLOTS_HTPP", "127.0.0.1:1"),
        ("KOMMUNLOTS_INTAKE_QUEUE_LOG", "x"),
        ("KOMMUNLOTS_HTTP", "nowhere"),
        ("KOMMUNLOTS_OTLP_SAMPLE", "2"),
        ("KOMMUNLOTS_MIGRATE", "ja"),
    ] {
        let (code, _, err) = run(&["config", "check"], &[(name, value)])?;
        let place = name.trim_start_matches("KOMMUNLOTS_").to_lowercase();
        assert_eq!(code, 1, "{name}: {err}");
        assert!(
            err.contains(name) || err.contains(&place),
            "{name} gave {err}"
        );
    }
    let (code, _, err) = run(&["config", "check", "--config", "no-such-file"], &[])?;
    assert_eq!(code, 1);
    assert!(err.contains("no-such-file"), "{err}");
    Ok(())
}

#[test]
fn the_command_line_explains_itself_and_refuses_what_it_does_not_know() -> anyhow::Result<()> {
    let (code, out, _) = run(&["--help"], &[])?;
    assert_eq!(code, 0);
    for command in [
        "all",
        "intake",
        "metrics",
        "wallboard",
        "demo",
        "import",
        "routing",
        "reminder",
        "agreements",
        "figures",
        "dead-letters",
        "mail",
        "key",
        "migrate",
        "config",
        "healthcheck",
    ] {
        let listed = out.lines().any(|l| l.trim_start().starts_with(command));
        assert!(listed, "{command} is not in {out}");
    }
    // Services that are not there yet do not pretend to be.
    assert_eq!(
        run(&["complaint"], &[])?.0,
        2,
        "it comes with a later version"
    );
    for (arguments, named) in [
        (&["all", "--port", "1"][..], "--port"),
        (&["figures", "--from", "2021-02-01"], "--to"),
        (&["figures", "--from", "igår", "--to", "2021-02-01"], "igår"),
        (
            &[
                "figures",
                "--from",
                "2021-02-01",
                "--to",
                "2021-02-01",
                "--by",
                "guide",
            ],
            "guide",
        ),
        (&["key", "new", "--name", "x"], "--scope"),
        (
            &["key", "new", "--name", "x", "--scope", "everything"],
            "everything",
        ),
        (&["dead-letters", "send-again"], "<ID>"),
        (&["mail", "retry"], "<ID>"),
        (&["import", "csv", "x"], "csv"),
    ] {
        let (code, _, err) = run(arguments, &[])?;
        assert_eq!(code, 2, "{arguments:?}: {err}");
        assert!(err.contains(named), "{arguments:?}: {err}");
    }
    assert!(run(&["--version"], &[])?.1.starts_with("kommunlots "));
    Ok(())
}

async fn nothing_left(product: &Product) -> anyhow::Result<()> {
    eventually("nothing is left behind", async || {
        let left = product.left_behind();
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn commands_find_the_running_product_and_nothing_is_left_of_it() -> anyhow::Result<()> {
    let mut product = Product::start()?;
    let base = product.base.clone();
    let data = product.data().display().to_string();
    assert_eq!(
        product.left_behind().len().min(2),
        2,
        "the servers are looked for"
    );

    let (code, out, err) = run(&["healthcheck", "--url", &base], &[])?;
    assert_eq!((code, out.trim()), (0, "ready"), "{err}");
    // As every command: without an address, the product that uses the data folder.
    let by_folder = run(&["healthcheck", "--data", &data], &[])?;

    let period = ["--from", "2021-02-01", "--to", "2021-02-28"];
    let figures = |more: &[&str]| product.command(&[&["figures"], &period[..], more].concat());
    assert_eq!(figures(&["--json"])?.trim(), "[]");
    assert!(figures(&[])?.contains("no contacts are known"));
    product
        .api()?
        .contacts(&[crate::harness::contact(
            "1",
            "abandoned",
            "2021-02-01T08:00:00Z",
        )])
        .await?;
    let table = figures(&["--by", "queue"])?;
    for shown in ["vaxel", "offered", "contacts/v1"] {
        assert!(table.contains(shown), "{table}");
    }
    let wrong = ["figures", "--from", "2021-02-02", "--to", "2021-02-01"];
    let error = product.command(&wrong).err().map(|e| e.to_string());
    assert!(
        error.as_ref().is_some_and(|e| e.contains("before")),
        "{error:?}"
    );

    // A second product is kept out of the folder, and told of the first.
    let (code, _, err) = run(&["all", "--data", &data, "--http", "127.0.0.1:0"], &[])?;
    assert_eq!(code, 1);
    assert!(err.contains(&data), "{err}");
    // So is one whose address is taken, and nothing of it is left.
    let folder = tempfile::tempdir()?;
    let other = folder.path().join("data").display().to_string();
    let taken = base.trim_start_matches("http://");
    let (code, _, err) = run(&["all", "--data", &other, "--http", taken], &[])?;
    assert_eq!(code, 1);
    assert!(err.contains(taken) && err.contains("--http"), "{err}");
    assert!(product.command(&["migrate"])?.contains("intake"));

    assert_eq!(product.stop()?, Some(0));
    nothing_left(&product).await?;
    let (code, _, err) = run(&["healthcheck", "--url", &base], &[])?;
    assert_eq!(code, 1);
    assert!(err.contains("nothing answers"), "{err}");
    // On a folder in which nothing runs, servers are started for the moment only.
    assert!(product.command(&["migrate"])?.contains("metrics"));
    let key = product.command(&["key", "new", "--name", "late", "--scope", "contacts:write"])?;
    nothing_left(&product).await?;

    product.start_again()?;
    assert_eq!(product.base, base);
    let late = product.api()?.with_key(Some(key.trim()));
    late.contacts(&[crate::harness::contact(
        "2",
        "abandoned",
        "2021-02-01T08:00:00Z",
    )])
    .await?;
    product.kill()?;
    nothing_left(&product).await?;
    // What was committed is there, though nobody could say goodbye.
    let json: serde_json::Value =
        serde_json::from_str(&product.command(&[&["figures", "--json"], &period[..]].concat())?)?;
    assert_eq!(json[0]["offered"], 2);
    nothing_left(&product).await?;
    assert_eq!(
        (by_folder.0, by_folder.1.trim()),
        (0, "ready"),
        "{}",
        by_folder.2
    );
    Ok(())
}

#[tokio::test]
async fn a_product_that_is_told_to_stop_while_it_starts_leaves_nothing() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data").display().to_string();
    // At several moments of its start, the first of a folder included.
    for wait in [50, 400, 900, 1_500] {
        let mut child = kommunlots()
            .args(["all", "--http", "127.0.0.1:0", "--data", &data])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        rustix::process::kill_process(
            rustix::process::Pid::from_child(&child),
            rustix::process::Signal::INT,
        )?;
        let code = eventually("it ends", async || {
            child.try_wait()?.ok_or_else(|| anyhow::anyhow!("it runs"))
        })
        .await?;
        assert_eq!(code.code(), Some(0), "told after {wait} ms");
        eventually("nothing is left", async || {
            for entry in std::fs::read_dir("/proc")?.filter_map(Result::ok) {
                let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
                let line = String::from_utf8_lossy(&line).into_owned();
                ensure!(!line.contains(&data), "{line}");
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}
