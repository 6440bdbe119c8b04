//! docker-compose.yml.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_json::{Map, Value};

use super::{
    Checker, documents, is_a_command, is_pinned, kubernetes::PROGRAM, read, settings, stages,
    texts, tools,
};

/// The file, with the variables that an operator may set as they are when nobody does.
fn file() -> anyhow::Result<Value> {
    let mut file = documents(&read("docker-compose.yml")?)?;
    let mut file = file.pop().context("a document")?;
    fill(&mut file);
    Ok(file)
}

fn fill(value: &mut Value) {
    match value {
        Value::String(text) => *text = filled(text),
        Value::Array(list) => list.iter_mut().for_each(fill),
        Value::Object(map) => map.values_mut().for_each(fill),
        _ => {}
    }
}

/// `${NAME:-default}` is its default; one that must be given is.
fn filled(text: &str) -> String {
    let Some((before, rest)) = text.split_once("${") else {
        return text.to_owned();
    };
    let Some((variable, after)) = rest.split_once('}') else {
        return text.to_owned();
    };
    let value = variable.split_once(":-").map_or("given", |(_, d)| d);
    format!("{before}{value}{}", filled(after))
}

fn services(file: &Value) -> anyhow::Result<&Map<String, Value>> {
    file["services"].as_object().context("services")
}

/// Whether it ends when it has done its work.
fn is_done_once(service: &Value) -> bool {
    service["restart"] == "no"
}

#[test]
fn it_is_a_compose_file() -> anyhow::Result<()> {
    let schema = tools()?.join("check_jsonschema/builtin_schemas/vendor/compose-spec.json");
    let good = file()?;
    let mut checker = Checker::default();
    checker.check(&schema, &good)?;
    let mut wrong = good.clone();
    wrong["services"]["nats"]["port"] = wrong["services"]["nats"]["ports"].take();
    assert!(checker.check(&schema, &wrong).is_err());
    let mut wrong = good;
    wrong["services"]["kommunlots"]["depends_on"]["nats"]["condition"] = "healthy".into();
    assert!(checker.check(&schema, &wrong).is_err());
    Ok(())
}

#[test]
fn every_container_has_the_least_it_needs() -> anyhow::Result<()> {
    let file = file()?;
    assert_eq!(services(&file)?.len(), 6);
    for (name, service) in services(&file)? {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
        assert!(service["cap_add"].is_null() && service["privileged"].is_null());
        let options = texts(&service["security_opt"]);
        assert_eq!(options, ["no-new-privileges:true"], "{name}");
        let user = service["user"].as_str().context("a user")?;
        let id: u32 = user.split(':').next().unwrap_or("").parse()?;
        assert!(id > 0, "{name} runs as {user}");
        let image = service["image"].as_str().context("an image")?;
        assert!(is_pinned(image), "{name}: {image}");
        for port in texts(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port}");
        }
        let alone = service["network_mode"] == "none";
        assert!(alone || !texts(&service["networks"]).is_empty(), "{name}");
        if !is_done_once(service) {
            let check = &service["healthcheck"];
            let interval = check["interval"].as_str().context("an interval")?;
            let seconds: u32 = interval.trim_end_matches('s').parse()?;
            assert!(seconds <= 5, "{name}: {interval}");
            assert_eq!(service["restart"], "unless-stopped", "{name}");
        }
    }
    // What holds the data is reached by nobody from outside.
    for (name, networks) in [("postgres", ["inside"]), ("migrate", ["inside"])] {
        assert_eq!(texts(&file["services"][name]["networks"]), networks);
    }
    assert_eq!(file["networks"]["inside"]["internal"], true);
    // No password of the repository's own.
    let text = read("docker-compose.yml")?;
    assert!(text.contains("POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?"));
    assert!(!text.contains("POSTGRES_PASSWORD:-"));
    Ok(())
}

#[test]
fn services_wait_for_what_they_need() -> anyhow::Result<()> {
    let file = file()?;
    let services = services(&file)?;
    let mut waits = 0;
    for (name, service) in services {
        for (needed, how) in service["depends_on"].as_object().into_iter().flatten() {
            let needed_service = services.get(needed).context("a service")?;
            let expected = if is_done_once(needed_service) {
                "service_completed_successfully"
            } else {
                "service_healthy"
            };
            assert_eq!(how["condition"], expected, "{name} waits for {needed}");
            waits += 1;
        }
    }
    assert_eq!(waits, 5);
    // The demo starts by itself, without the product, and the other way round.
    assert_eq!(texts(&file["services"]["demo"]["profiles"]), ["demo"]);
    assert!(file["services"]["demo"]["depends_on"].is_null());
    Ok(())
}

#[test]
fn the_program_understands_what_it_is_told() -> anyhow::Result<()> {
    let file = file()?;
    let built: Vec<String> = stages()?.into_iter().map(|(name, _)| name).collect();
    let version = env!("CARGO_PKG_VERSION");
    let mut ours = 0;
    for (name, service) in services(&file)? {
        let image = service["image"].as_str().context("an image")?;
        if service["build"].is_null() {
            // The same servers as in the Dockerfile and on Kubernetes.
            let kubernetes =
                read("k8s/base/nats.yaml")? + &read("k8s/overlays/trial/postgres.yaml")?;
            assert!(kubernetes.contains(&format!("image: {image}\n")), "{image}");
            let dockerfile = read("Dockerfile")?;
            assert!(dockerfile.contains(image), "{image}");
            continue;
        }
        ours += 1;
        assert!(image.ends_with(&format!(":{version}")), "{image}");
        let target = service["build"]["target"].as_str().context("a target")?;
        assert!(
            built.iter().any(|stage| stage == target),
            "{name}: {target}"
        );
        let command = texts(&service["command"]);
        assert!(
            !command.is_empty() && is_a_command(&command)?,
            "{name}: {command:?}"
        );
        let environment: BTreeMap<String, String> = service["environment"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                // A number or a truth of YAML is not what the program is given.
                let value = value
                    .as_str()
                    .with_context(|| format!("{name} is no text"))?;
                Ok((name.clone(), value.to_owned()))
            })
            .collect::<anyhow::Result<_>>()?;
        settings(&environment).context(name.clone())?;
        if !is_done_once(service) {
            let test = texts(&service["healthcheck"]["test"]);
            assert_eq!(test, ["CMD", PROGRAM, "healthcheck"], "{name}");
        }
    }
    ensure!(ours == 4, "{ours} of the services are the product's");
    // Only who makes keys, or the database's owner, writes where keys are.
    let product = texts(&file["services"]["kommunlots"]["volumes"]);
    assert!(product.contains(&"keys:/keys:ro"), "{product:?}");
    let bus = texts(&file["services"]["nats"]["volumes"]);
    assert!(bus.contains(&"bus:/bus:ro"), "{bus:?}");
    Ok(())
}
