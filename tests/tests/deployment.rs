//! The files for containers: as their own checkers read them, and as this product needs them. No container is started here;
//! what the services do apart is in `deployment_apart`.

mod compose;
mod kubernetes;
mod kubernetes_network;
mod kubernetes_parts;

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use boon::{Compiler, Schemas};
use serde_json::Value;

use crate::{asyncapi::tool, harness::kommunlots};

/// What probes ask each service for; `deployment_apart` asks for it of the real ones.
pub(crate) const PROBED: [&str; 2] = ["/health/live", "/health/ready"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(file: &str) -> anyhow::Result<String> {
    fs::read_to_string(root().join(file)).with_context(|| file.to_owned())
}

/// The folder of tests/tools/deployment.txt.
fn tools() -> anyhow::Result<PathBuf> {
    tool(
        "KOMMUNLOTS_TEST_DEPLOYMENT",
        "a folder with what checks the files for containers",
    )
}

fn python(arguments: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new("python3");
    command
        .args(arguments)
        .env("PYTHONPATH", tools()?)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(root());
    Ok(command)
}

/// Whether a checker that reads `input` finds nothing, and what it says.
fn finds_nothing(mut checker: Command, input: &str) -> anyhow::Result<(bool, String)> {
    let mut child = checker
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("its input")?;
    stdin.write_all(input.as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}

/// The documents of a YAML file.
fn documents(yaml: &str) -> anyhow::Result<Vec<Value>> {
    let program =
        "import json, sys, yaml; json.dump(list(yaml.safe_load_all(sys.stdin)), sys.stdout)";
    let (good, said) = finds_nothing(python(&["-c", program])?, yaml)?;
    ensure!(good, "{said}");
    Ok(serde_json::from_str(&said)?)
}

/// Schemas that are read once.
#[derive(Default)]
struct Checker {
    schemas: Schemas,
    compiler: Compiler,
    read: BTreeSet<String>,
}

impl Checker {
    /// Reads a schema that others name.
    fn read(&mut self, name: &str, file: &Path) -> anyhow::Result<()> {
        if self.read.insert(name.to_owned()) {
            let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
            let added = self
                .compiler
                .add_resource(name, serde_json::from_str(&text)?);
            added.map_err(|e| anyhow::anyhow!("{e}"))?;
        }
        Ok(())
    }

    /// What the schema in `file` says against `value`.
    fn check(&mut self, file: &Path, value: &Value) -> anyhow::Result<()> {
        let name = file.file_name().and_then(OsStr::to_str).context("a name")?;
        let name = format!("https://schema.example/{name}");
        self.read(&name, file)?;
        let compiled = self.compiler.compile(&name, &mut self.schemas);
        let compiled = compiled.map_err(|e| anyhow::anyhow!("{e}"))?;
        let valid = self.schemas.validate(value, compiled);
        valid.map_err(|e| anyhow::anyhow!("{e:#}"))
    }
}

/// The texts of a list.
fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

/// An image is named by its version or its digest, so that the same file runs the same programs tomorrow.
fn is_pinned(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or(image);
    let Some((_, tag)) = last.split_once(':') else {
        return false;
    };
    let mut parts = tag.split(['.', '-']);
    let number = |part: Option<&str>| part.is_some_and(|p| p.parse::<u32>().is_ok());
    last.contains("@sha256:") || (number(parts.next()) && number(parts.next()))
}

/// Whether the program understands a command line.
fn is_a_command(arguments: &[&str]) -> anyhow::Result<bool> {
    let output = kommunlots().args(arguments).arg("--help").output()?;
    Ok(output.status.success())
}

/// What the program says against settings; folders of a container are those of this repository.
fn settings(environment: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let agreements = root().join("docs/examples/agreements");
    let here = environment
        .iter()
        .map(|(name, value)| match value.as_str() {
            "/agreements" => (name, agreements.display().to_string()),
            _ => (name, value.clone()),
        });
    let output = kommunlots().args(["config", "check"]).envs(here).output()?;
    ensure!(
        output.status.success(),
        "{environment:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[test]
fn what_must_fail_does() -> anyhow::Result<()> {
    assert!(is_pinned("nats:2.15.0-alpine3.22") && is_pinned("a.example/x:1.2"));
    for image in ["nats", "nats:latest", "nats:2", "a.example:5000/nats"] {
        assert!(!is_pinned(image), "{image}");
    }
    assert!(is_a_command(&["routing"])?);
    assert!(!is_a_command(&["route"])?);
    assert!(!is_a_command(&["nats-config", "/bus", "--keys=/keys"])?);
    let of = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    settings(&of("KOMMUNLOTS_ROUTING_AGREEMENTS", "/agreements"))?;
    assert!(settings(&of("KOMMUNLOTS_NATS", "nats://nats:4222")).is_err());
    assert!(settings(&of("KOMMUNLOTS_MIGRATE", "no")).is_err());
    Ok(())
}

#[test]
fn yaml_files_are_tidy() -> anyhow::Result<()> {
    let good = python(&["-m", "yamllint", "--strict", "docker-compose.yml", "k8s"])?;
    let (good, said) = finds_nothing(good, "")?;
    assert!(good, "{said}");
    let twice = "services: {}\nservices: {}\n";
    let (good, said) = finds_nothing(python(&["-m", "yamllint", "--strict", "-"])?, twice)?;
    assert!(!good && said.contains("key-duplicates"), "{said}");
    Ok(())
}

#[test]
fn hadolint_finds_nothing_in_the_dockerfile() -> anyhow::Result<()> {
    let hadolint = |text: &str| -> anyhow::Result<(bool, String)> {
        let mut command = Command::new(tools()?.join("bin/hadolint"));
        command.args(["--no-color", "-"]);
        finds_nothing(command, text)
    };
    let (good, said) = hadolint(&read("Dockerfile")?)?;
    assert!(good, "{said}");
    let (good, said) = hadolint("FROM debian:latest\n")?;
    assert!(!good && said.contains("DL3007"), "{said}");
    Ok(())
}

/// The Dockerfile's stages: name, and what it begins with.
fn stages() -> anyhow::Result<Vec<(String, String)>> {
    let text = read("Dockerfile")?;
    let froms = text.lines().filter_map(|line| line.strip_prefix("FROM "));
    let stage = |from: &str| {
        let (image, name) = from.split_once(" AS ").unwrap_or((from, ""));
        (name.to_owned(), image.to_owned())
    };
    Ok(froms.map(stage).collect())
}

#[test]
fn the_image_is_built_from_pinned_ones_with_this_toolchain_and_runs_as_nobody() -> anyhow::Result<()>
{
    let text = read("Dockerfile")?;
    let stages = stages()?;
    for (_, image) in &stages {
        let is_stage = stages.iter().any(|(name, _)| name == image);
        // Distroless has no versions but its Debian's.
        let distroless = image == "gcr.io/distroless/cc-debian13:nonroot";
        assert!(is_stage || distroless || is_pinned(image), "{image}");
    }
    let toolchain = read("rust-toolchain.toml")?;
    let channel = toolchain.split('"').nth(1).context("a channel")?;
    assert!(text.contains(&format!("FROM rust:{channel}-")), "{channel}");
    assert!(text.contains(&format!("RUSTUP_TOOLCHAIN={channel}")));
    // The product's stage is the last: what is built when none is named.
    let last = text.rsplit("FROM ").next().context("a stage")?;
    assert!(last.contains(" AS product\n") && last.contains("\nUSER 65532:65532\n"));
    for line in last.lines().filter_map(|line| line.strip_prefix("ENV ")) {
        let variables = line.split(' ').filter_map(|v| v.split_once('='));
        settings(
            &variables
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .collect(),
        )?;
    }
    let entry = format!("ENTRYPOINT [\"{}\"]", kubernetes::PROGRAM);
    assert!(last.contains(&entry));
    Ok(())
}
