//! The overlays of k8s/, as Kustomize builds them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::Command,
};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use super::{
    Checker, PROBED, documents, finds_nothing, is_a_command, is_pinned, root, settings, tools,
};

/// Where the image has the program.
pub(super) const PROGRAM: &str = "/usr/local/bin/kommunlots";

pub(super) const OVERLAYS: [&str; 2] = ["production", "trial"];

/// What an overlay comes to.
pub(super) fn built(overlay: &str) -> anyhow::Result<Vec<Value>> {
    let mut kubectl = Command::new(tools()?.join("bin/kubectl"));
    kubectl
        .arg("kustomize")
        .arg(root().join("k8s/overlays").join(overlay));
    let (good, said) = finds_nothing(kubectl, "")?;
    ensure!(good, "{said}");
    documents(&said)
}

/// An object's kind and name.
pub(super) fn name(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    format!(
        "{} {}",
        text(&object["kind"]),
        text(&object["metadata"]["name"])
    )
}

/// What runs pods.
pub(super) fn workloads(objects: &[Value]) -> impl Iterator<Item = &Value> {
    let runs = |object: &&Value| object["spec"]["template"]["spec"]["containers"].is_array();
    objects.iter().filter(runs)
}

/// The program's own, of which there is one container each.
fn is_ours(workload: &Value) -> bool {
    workload["metadata"]["labels"]["app.kubernetes.io/name"] == "kommunlots"
}

fn container(workload: &Value) -> &Value {
    &workload["spec"]["template"]["spec"]["containers"][0]
}

/// The API of a version of Kubernetes.
struct Api {
    checker: Checker,
    folder: PathBuf,
}

impl Api {
    fn of(version: &str) -> anyhow::Result<Self> {
        let folder = tools()?
            .join("kubernetes_validate/kubernetes-json-schema")
            .join(format!("v{version}.0-local-strict"));
        let mut checker = Checker::default();
        let definitions = "https://kubernetes.io/api/_definitions.json";
        checker.read(definitions, &folder.join("_definitions.json"))?;
        Ok(Self { checker, folder })
    }

    /// What it says against an object. A kind that it does not know is an error too.
    fn check(&mut self, object: &Value) -> anyhow::Result<()> {
        let kind = object["kind"].as_str().context("a kind")?.to_lowercase();
        let api = object["apiVersion"].as_str().context("an apiVersion")?;
        let schema = match api.split_once('/') {
            None => format!("{kind}-{api}.json"),
            Some((group, api)) => {
                let group = group.split('.').next().unwrap_or(group);
                format!("{kind}-{group}-{api}.json")
            }
        };
        let file = self.folder.join(schema);
        self.checker
            .check(&file, object)
            .with_context(|| name(object))
    }
}

#[test]
fn kubernetes_knows_every_object_of_every_overlay() -> anyhow::Result<()> {
    let mut newest = Api::of("1.37")?;
    for overlay in OVERLAYS {
        let objects = built(overlay)?;
        assert!(objects.len() > 25, "{overlay}: {}", objects.len());
        for object in &objects {
            newest.check(object).context("on Kubernetes 1.37")?;
        }
    }
    let mut oldest = Api::of("1.30")?;
    for object in built("production")?.iter().chain(&built("trial")?) {
        oldest.check(object).context("on Kubernetes 1.30")?;
    }
    // It can find something: a field of another name, a wrong type, a kind that is not there.
    let objects = built("trial")?;
    let mut wrong = workloads(&objects).next().context("a workload")?.clone();
    wrong["spec"]["template"]["spec"]["containers"][0]["readinessprobe"] = Value::Null;
    assert!(newest.check(&wrong).is_err());
    let mut wrong = workloads(&objects).next().context("a workload")?.clone();
    wrong["spec"]["template"]["spec"]["enableServiceLinks"] = "no".into();
    assert!(newest.check(&wrong).is_err());
    let mut wrong = objects[0].clone();
    wrong["kind"] = "Name".into();
    assert!(newest.check(&wrong).is_err());
    Ok(())
}

#[test]
fn every_pod_is_restricted() -> anyhow::Result<()> {
    for overlay in OVERLAYS {
        let objects = built(overlay)?;
        for workload in workloads(&objects) {
            let name = name(workload);
            let pod = &workload["spec"]["template"]["spec"];
            for off in ["automountServiceAccountToken", "enableServiceLinks"] {
                assert_eq!(pod[off], false, "{name}: {off}");
            }
            for host in ["hostNetwork", "hostPID", "hostIPC"] {
                assert!(pod[host].is_null(), "{name}: {host}");
            }
            assert_eq!(pod["serviceAccountName"], "kommunlots", "{name}");
            let who = &pod["securityContext"];
            assert_eq!(who["runAsNonRoot"], true, "{name}");
            assert!(who["runAsUser"].as_u64().is_some_and(|id| id > 0), "{name}");
            assert_eq!(who["seccompProfile"]["type"], "RuntimeDefault", "{name}");
            for volume in pod["volumes"].as_array().into_iter().flatten() {
                assert!(volume["hostPath"].is_null(), "{name}: {volume}");
            }
            assert!(pod["initContainers"].is_null(), "{name}");
            for container in pod["containers"].as_array().into_iter().flatten() {
                let may = &container["securityContext"];
                assert_eq!(may["allowPrivilegeEscalation"], false, "{name}");
                assert_eq!(may["readOnlyRootFilesystem"], true, "{name}");
                assert_eq!(super::texts(&may["capabilities"]["drop"]), ["ALL"]);
                assert!(may["capabilities"]["add"].is_null(), "{name}");
                let image = container["image"].as_str().context("an image")?;
                assert!(is_pinned(image), "{name}: {image}");
                let memory = &container["resources"]["limits"]["memory"];
                assert!(memory.is_string(), "{name} may take all memory");
                if workload["kind"] != "Job" {
                    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
                        assert!(container[probe].is_object(), "{name}: {probe}");
                    }
                }
            }
        }
        let namespace = objects.iter().find(|o| o["kind"] == "Namespace");
        let namespace = namespace.context("a namespace")?;
        let enforced = &namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
        assert_eq!(enforced, "restricted");
        assert!(objects.iter().all(|o| o["kind"] != "Secret"), "{overlay}");
    }
    Ok(())
}

/// The environment of a service's container: what the cluster finds out is made up.
fn environment(workload: &Value, objects: &[Value]) -> anyhow::Result<BTreeMap<String, String>> {
    let mut environment = BTreeMap::new();
    let container = container(workload);
    for from in container["envFrom"].as_array().into_iter().flatten() {
        let wanted = &from["configMapRef"]["name"];
        let map = objects
            .iter()
            .find(|o| o["kind"] == "ConfigMap" && o["metadata"]["name"] == *wanted);
        let map = map.with_context(|| format!("there is no ConfigMap {wanted}"))?;
        for (name, value) in map["data"].as_object().into_iter().flatten() {
            let value = value
                .as_str()
                .with_context(|| format!("{name} is no text"))?;
            environment.insert(name.clone(), value.to_owned());
        }
    }
    for variable in container["env"].as_array().into_iter().flatten() {
        let name = variable["name"].as_str().context("a name")?;
        let from = &variable["valueFrom"];
        let value = match (&variable["value"], &from["secretKeyRef"], &from["fieldRef"]) {
            (Value::String(value), _, _) => value.clone(),
            (_, Value::Object(_), _) => match name {
                "KOMMUNLOTS_DATABASE_URL" => "postgres://host:5432/kommunlots".to_owned(),
                "KOMMUNLOTS_MAIL" => "smtps://user:password@host:465".to_owned(),
                other => bail!("what is {other}?"),
            },
            (_, _, field) => {
                ensure!(field["fieldPath"] == "metadata.name", "{field}");
                format!("{}-0", workload["metadata"]["name"].as_str().unwrap_or(""))
            }
        };
        environment.insert(name.to_owned(), value);
    }
    Ok(environment)
}

#[test]
fn the_program_understands_what_it_is_told() -> anyhow::Result<()> {
    for overlay in OVERLAYS {
        let objects = built(overlay)?;
        let mut commands = Vec::new();
        for workload in workloads(&objects).filter(|w| is_ours(w)) {
            let name = name(workload);
            let container = container(workload);
            assert!(container["command"].is_null(), "{name} runs the image's");
            let arguments = super::texts(&container["args"]);
            assert!(is_a_command(&arguments)?, "{name}: {arguments:?}");
            let environment = environment(workload, &objects).context(name.clone())?;
            settings(&environment).context(name.clone())?;
            assert_eq!(environment["KOMMUNLOTS_DATABASE_LOGINS"], "/keys");
            commands.push(arguments.join(" "));
            if workload["kind"] == "Job" {
                continue;
            }
            assert_eq!(environment["KOMMUNLOTS_MIGRATE"], "false", "{name}");
            assert_eq!(environment["KOMMUNLOTS_HTTP"], "0.0.0.0:8080", "{name}");
            let image = container["image"].as_str().context("an image")?;
            let version = format!("kommunlots:{}", env!("CARGO_PKG_VERSION"));
            assert!(image.ends_with(&version), "{image}");
            // Its own key, and nobody else's.
            let volumes = workload["spec"]["template"]["spec"]["volumes"].as_array();
            let secrets = volumes
                .into_iter()
                .flatten()
                .filter_map(|v| v["secret"]["secretName"].as_str());
            let own = format!("kommunlots-{}", arguments.join(" "));
            assert_eq!(secrets.collect::<Vec<_>>(), [own], "{name}");
        }
        commands.sort();
        let expected = [
            "intake",
            "metrics",
            "migrate",
            "reminder",
            "routing",
            "wallboard",
        ];
        assert_eq!(commands, expected, "{overlay}");
    }
    Ok(())
}

#[test]
fn probes_ask_for_what_the_product_serves() -> anyhow::Result<()> {
    let mut paths = BTreeSet::new();
    for workload in workloads(&built("production")?).filter(|w| is_ours(w)) {
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            let get = &container(workload)[probe]["httpGet"];
            if let Some(path) = get["path"].as_str() {
                ensure!(get["port"] == "http", "{get}");
                paths.insert(path.to_owned());
            }
        }
    }
    assert_eq!(paths, PROBED.map(str::to_owned).into());
    Ok(())
}
