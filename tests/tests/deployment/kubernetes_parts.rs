//! What objects of k8s/ say of each other.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use serde_json::{Map, Value};

use super::{
    is_a_command,
    kubernetes::{OVERLAYS, built, name, workloads},
    read, texts,
};

pub(super) fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|o| o["kind"] == kind).collect()
}

fn labels(workload: &Value) -> &Value {
    &workload["spec"]["template"]["metadata"]["labels"]
}

/// Whether pods with `labels` are meant.
fn selects(selector: &Value, labels: &Value) -> bool {
    let wanted = selector["matchLabels"].as_object();
    let all = wanted.into_iter().flatten().all(|(n, v)| labels[n] == *v);
    let list = selector["matchExpressions"].as_array();
    all && list.into_iter().flatten().all(|expression| {
        let label = expression["key"]
            .as_str()
            .map_or(&Value::Null, |key| &labels[key]);
        let among = texts(&expression["values"]).iter().any(|v| label == v);
        if expression["operator"] == "In" {
            among
        } else {
            !among
        }
    })
}

/// The workloads that a selector means, by name.
pub(super) fn selected(selector: &Value, objects: &[Value]) -> BTreeSet<String> {
    let meant = workloads(objects).filter(|w| selects(selector, labels(w)));
    meant
        .filter_map(|w| Some(w["metadata"]["name"].as_str()?.to_owned()))
        .collect()
}

pub(super) fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

/// Collects what `value` names as Secret or ConfigMap.
fn named(value: &Value, found: &mut BTreeSet<(&'static str, String)>) {
    let Value::Object(map) = value else {
        if let Value::Array(list) = value {
            list.iter().for_each(|value| named(value, found));
        }
        return;
    };
    let name = |map: &Map<String, Value>, field: &str| Some(map.get(field)?.as_str()?.to_owned());
    for (key, value) in map {
        let text = match (key.as_str(), value) {
            ("secretKeyRef" | "secret", Value::Object(below)) => {
                let text = name(below, "name").or_else(|| name(below, "secretName"));
                text.map(|text| ("Secret", text))
            }
            ("configMapRef" | "configMap", Value::Object(below)) => {
                name(below, "name").map(|text| ("ConfigMap", text))
            }
            ("tls", Value::Array(list)) => {
                let first = list.first().and_then(Value::as_object);
                let text = first.and_then(|first| name(first, "secretName"));
                text.map(|text| ("Secret", text))
            }
            _ => None,
        };
        found.extend(text);
        named(value, found);
    }
}

#[test]
fn what_an_operator_must_make_is_in_the_readme() -> anyhow::Result<()> {
    let readme = read("k8s/README.md")?;
    for overlay in OVERLAYS {
        let objects = built(overlay)?;
        let mut wanted = BTreeSet::new();
        objects.iter().for_each(|object| named(object, &mut wanted));
        assert!(wanted.len() >= 11, "{overlay}: {wanted:?}");
        for (kind, name) in wanted {
            let is_here = of_kind(&objects, kind)
                .iter()
                .any(|o| o["metadata"]["name"] == name);
            assert!(
                is_here || readme.contains(&name),
                "{overlay}: {kind} {name}"
            );
        }
    }
    // Its commands are the program's.
    let lines = readme.replace("\\\n", " ");
    let commands = lines
        .lines()
        .filter_map(|line| line.strip_prefix("$ kommunlots "));
    let mut count = 0;
    for command in commands {
        let arguments: Vec<&str> = command.split_whitespace().collect();
        assert!(is_a_command(&arguments)?, "{command}");
        count += 1;
    }
    ensure!(count == 2, "{count} commands");
    Ok(())
}

#[test]
fn services_and_budgets_mean_the_pods_that_are_there() -> anyhow::Result<()> {
    for overlay in OVERLAYS {
        let objects = built(overlay)?;
        for service in of_kind(&objects, "Service") {
            let selector = serde_json::json!({ "matchLabels": service["spec"]["selector"] });
            let meant = selected(&selector, &objects);
            assert_eq!(meant.len(), 1, "{overlay}: {}: {meant:?}", name(service));
            let workload = workloads(&objects)
                .find(|w| meant.iter().any(|m| w["metadata"]["name"] == *m))
                .context("a workload")?;
            let ports = workload["spec"]["template"]["spec"]["containers"][0]["ports"].as_array();
            for port in service["spec"]["ports"].as_array().into_iter().flatten() {
                let there = ports
                    .into_iter()
                    .flatten()
                    .any(|p| p["name"] == port["targetPort"]);
                assert!(there, "{}: {port}", name(service));
            }
            // Its variables would be taken for settings, should a pod ever ask for them.
            let name = service["metadata"]["name"].as_str().context("a name")?;
            assert!(!name.starts_with("kommunlots"), "{name}");
        }
        let mut kept = BTreeSet::new();
        for budget in of_kind(&objects, "PodDisruptionBudget") {
            let meant = selected(&budget["spec"]["selector"], &objects);
            assert_eq!(meant.len(), 1, "{overlay}: {}: {meant:?}", name(budget));
            assert_eq!(budget["spec"]["maxUnavailable"], 1);
            kept.extend(meant);
        }
        let all = [
            "intake",
            "metrics",
            "nats",
            "reminder",
            "routing",
            "wallboard",
        ];
        assert_eq!(kept, set(&all), "{overlay}");
        for workload in workloads(&objects) {
            let meant = selected(&workload["spec"]["selector"], &objects);
            if workload["kind"] != "Job" {
                assert_eq!(meant.len(), 1, "{}: {meant:?}", name(workload));
            }
        }
    }
    Ok(())
}

#[test]
fn only_what_may_be_many_is_many_and_spread() -> anyhow::Result<()> {
    let objects = built("production")?;
    let mut scaled = BTreeSet::new();
    for scaler in of_kind(&objects, "HorizontalPodAutoscaler") {
        let target = &scaler["spec"]["scaleTargetRef"];
        let is_target =
            |w: &&Value| w["kind"] == target["kind"] && w["metadata"]["name"] == target["name"];
        let workload = workloads(&objects)
            .find(is_target)
            .context("what it scales")?;
        assert!(workload["spec"]["replicas"].is_null(), "{}", name(workload));
        scaled.insert(target["name"].as_str().context("a name")?.to_owned());
        if target["name"] == "intake" {
            // A source that is gone is waited for.
            let down = &scaler["spec"]["behavior"]["scaleDown"]["selectPolicy"];
            assert_eq!(down, "Disabled");
        }
    }
    assert_eq!(scaled, set(&["intake", "wallboard"]));
    for workload in workloads(&objects).filter(|w| w["kind"] != "Job") {
        let spread = workload["spec"]["template"]["spec"]["topologySpreadConstraints"].as_array();
        let many = workload["spec"]["replicas"] != 1;
        assert_eq!(
            many,
            spread.is_some_and(|s| s.len() == 2),
            "{}",
            name(workload)
        );
        for constraint in spread.into_iter().flatten() {
            let own = selects(&constraint["labelSelector"], labels(workload));
            assert!(own, "{}", name(workload));
        }
        let one = ["routing", "metrics", "nats"];
        let alone = one.iter().any(|n| workload["metadata"]["name"] == *n);
        assert_eq!(alone, !many, "{}", name(workload));
        if alone && workload["kind"] == "Deployment" {
            assert_eq!(workload["spec"]["strategy"]["type"], "Recreate");
        }
    }
    // A replica of intake is a source with a name that it keeps.
    let intake = workloads(&objects).find(|w| w["metadata"]["name"] == "intake");
    assert_eq!(intake.context("intake")?["kind"], "StatefulSet");
    Ok(())
}
