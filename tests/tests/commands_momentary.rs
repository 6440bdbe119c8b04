//! Commands where no product runs: they start one for their own work, and only for that.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    harness::{Product, database, eventually, kommunlots, processes_with},
    mail::{product, queued, register_at_school},
};

const PERIOD: [&str; 4] = ["--from", "2021-02-01", "--to", "2021-02-28"];

/// The program with its data in `folder`.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = kommunlots();
    command
        .args(arguments)
        .arg("--data")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// A log that takes far longer to read than anybody waits before Ctrl-C.
fn long_log(folder: &Path) -> anyhow::Result<PathBuf> {
    let file = folder.join("queue_log");
    let mut text = String::new();
    for n in 0..400_000 {
        let at = 1_612_164_000 + n;
        text += &format!("{at}|{at}.{n}|vaxel|NONE|ENTERQUEUE||0701740605|1\n");
    }
    std::fs::write(&file, text)?;
    Ok(file)
}

async fn ended(mut child: Child) -> anyhow::Result<Output> {
    eventually("it ends", async || child.try_wait()?.context("it runs")).await?;
    Ok(child.wait_with_output()?)
}

#[tokio::test]
async fn an_import_that_is_told_to_stop_says_how_far_it_came() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = long_log(folder.path())?;
    let file = file.to_str().context("a path")?;
    for (signal, name) in [(Signal::INT, "int"), (Signal::TERM, "term")] {
        let data = folder.path().join(name);
        let child = command(&data, &["import", "queue-log", file]).spawn()?;
        eventually("some of it is taken", async || {
            let mut database = database(&data).await?;
            let taken: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM intake.contact)")
                .fetch_one(&mut database)
                .await?;
            ensure!(taken);
            Ok(())
        })
        .await?;
        kill_process(Pid::from_child(&child), signal)?;
        let (code, out, err) = said(&ended(child).await?);
        assert_eq!(code, Some(130), "{name}: {out}{err}");
        assert!(out.contains("lines read"), "{name}: {out}");
        for words in ["stopped after line", "interrupted"] {
            assert!(err.contains(words), "{name}: {err}");
        }
        eventually("nothing is left", async || {
            let left = processes_with(&data);
            ensure!(left.is_empty(), "{left:?}");
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// Takes one request, refuses it, and returns what was sent.
fn stranger() -> anyhow::Result<(String, std::thread::JoinHandle<anyhow::Result<String>>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let taking = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            request.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")?;
        Ok(String::from_utf8(request)?)
    });
    Ok((url, taking))
}

#[test]
fn the_key_of_a_folder_goes_to_its_own_product_only() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("key"), "kl_secret\n")?;
    for (more, given) in [(&[][..], false), (&["--key", "kl_given"], true)] {
        let (url, taking) = stranger()?;
        let arguments = [&["figures", "--url", &url], &PERIOD[..], more].concat();
        let (code, _, err) = said(&command(folder.path(), &arguments).output()?);
        assert_eq!(code, Some(1), "{err}");
        assert!(err.contains("--key"), "{err}");
        let request = taking.join().ok().context("it panicked")??;
        assert!(!request.contains("kl_secret"), "{request}");
        assert_eq!(request.contains("kl_given"), given, "{request}");
    }
    Ok(())
}

#[test]
fn made_up_and_real_data_are_not_mixed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("queue_log");
    std::fs::write(&log, "")?;
    let log = log.to_str().context("a path")?;
    // A PBX's calls in a demo.
    let file = folder.path().join("kommunlots.toml");
    std::fs::write(&file, format!("[intake.queue_log]\npath = \"{log}\"\n"))?;
    let data = folder.path().join("data");
    let config = ["demo", "--config", file.to_str().context("a path")?];
    let (code, _, err) = said(&command(&data, &config).output()?);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("intake.queue_log.path"), "{err}");
    assert!(!data.exists());

    // A PBX's history in what a demo has left.
    std::fs::create_dir(&data)?;
    std::fs::write(data.join("demo"), "")?;
    let (code, _, err) = said(&command(&data, &["import", "queue-log", log]).output()?);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("made-up"), "{err}");
    assert!(!data.join("postgres").exists(), "nothing was started");
    Ok(())
}

#[tokio::test]
async fn commands_wait_for_each_other() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let figures = [&["figures", "--json"], &PERIOD[..]].concat();
    let key = ["key", "list"];
    let started: Vec<Child> = [&figures[..], &figures, &figures, &key]
        .iter()
        .map(|arguments| command(&data, arguments).spawn())
        .collect::<Result<_, _>>()?;
    let mut waited = 0;
    for (n, child) in started.into_iter().enumerate() {
        let (code, out, err) = said(&ended(child).await?);
        assert_eq!(code, Some(0), "{n}: {err}");
        assert!(n == 3 || out.trim() == "[]", "{n}: {out}");
        waited += err.matches("waiting for another kommunlots").count();
    }
    // Who is told that it waits has waited for one or several others.
    assert!((1..=6).contains(&waited), "{waited}");
    Ok(())
}

#[tokio::test]
async fn a_product_for_the_moment_sends_no_mail() -> anyhow::Result<()> {
    // Nobody takes mail there.
    let (mut product, api): (Product, _) = product("smtp://127.0.0.1:1").await?;
    register_at_school(&api).await?;
    queued(&api, |mails| mails.len() == 1).await?;
    assert_eq!(product.stop()?, Some(0));

    // Without that setting, mails are files in the data folder.
    let run = |arguments: &[&str]| -> anyhow::Result<String> {
        let (code, out, err) = said(&command(&product.data(), arguments).output()?);
        ensure!(code == Some(0), "{arguments:?}: {err}");
        Ok(out)
    };
    let retried = run(&["mail", "retry", "--all"])?;
    assert!(retried.starts_with("1 tried again"), "{retried}");
    let listed = run(&["mail", "list"])?;
    assert!(listed.starts_with("routing/"), "{listed}");
    run(&[&["figures"], &PERIOD[..]].concat())?;
    assert!(!product.data().join("mail").exists());
    Ok(())
}
