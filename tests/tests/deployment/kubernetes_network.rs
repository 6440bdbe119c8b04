//! Who reaches whom on Kubernetes.

use std::collections::BTreeSet;

use anyhow::Context;
use serde_json::{Map, Value};

use super::{
    kubernetes::{OVERLAYS, built, name},
    kubernetes_parts::{of_kind, selected, set},
    read, texts,
};

/// Who reaches a port of whom, or anybody outside, by the policies.
fn reaching(objects: &[Value], way: &str, port: u64) -> BTreeSet<String> {
    let list = if way == "Egress" { "egress" } else { "ingress" };
    let mut found = BTreeSet::new();
    for policy in of_kind(objects, "NetworkPolicy") {
        let rules = policy["spec"][list].as_array();
        let ports = rules
            .into_iter()
            .flatten()
            .flat_map(|r| r["ports"].as_array().into_iter().flatten());
        if ports.into_iter().any(|p| p["port"] == port) {
            found.extend(selected(&policy["spec"]["podSelector"], objects));
        }
    }
    found
}

#[test]
fn nothing_reaches_anything_it_does_not_need() -> anyhow::Result<()> {
    for overlay in OVERLAYS {
        let objects = built(overlay)?;
        let nothing = of_kind(&objects, "NetworkPolicy").into_iter().find(|p| {
            p["spec"]["podSelector"]
                .as_object()
                .is_some_and(Map::is_empty)
                && texts(&p["spec"]["policyTypes"]) == ["Ingress", "Egress"]
                && p["spec"]["ingress"].is_null()
                && p["spec"]["egress"].is_null()
        });
        assert!(nothing.is_some(), "{overlay} denies nothing");
        let services = ["intake", "metrics", "reminder", "routing", "wallboard"];
        let publishing = ["intake", "metrics", "migrate", "reminder", "routing"];
        assert_eq!(reaching(&objects, "Egress", 4222), set(&services));
        assert_eq!(reaching(&objects, "Egress", 5432), set(&publishing));
        assert_eq!(
            reaching(&objects, "Egress", 465),
            set(&["intake", "reminder", "routing"])
        );
        assert_eq!(reaching(&objects, "Ingress", 4222), set(&["nats"]));
        assert_eq!(reaching(&objects, "Ingress", 8080), set(&services));
        // A rule without peers is anybody: only towards what stands outside the cluster.
        for policy in of_kind(&objects, "NetworkPolicy") {
            for rule in policy["spec"]["ingress"].as_array().into_iter().flatten() {
                assert!(rule["from"].is_array(), "{}", name(policy));
            }
        }
    }
    Ok(())
}

#[test]
fn the_ingress_gives_each_path_to_the_service_that_serves_it() -> anyhow::Result<()> {
    let objects = built("production")?;
    let ingress = of_kind(&objects, "Ingress");
    let ingress = ingress.first().context("an ingress")?;
    let rules = ingress["spec"]["rules"][0]["http"]["paths"]
        .as_array()
        .context("paths")?;
    let services = of_kind(&objects, "Service");
    let served = |path: &str| -> Option<String> {
        let rule = rules.iter().find(|rule| {
            let prefix = rule["path"].as_str().unwrap_or("?");
            match rule["pathType"].as_str() {
                Some("Exact") => path == prefix,
                _ => {
                    path == prefix
                        || path
                            .strip_prefix(prefix)
                            .is_some_and(|r| r.starts_with('/'))
                }
            }
        });
        Some(rule?["backend"]["service"]["name"].as_str()?.to_owned())
    };
    for rule in rules {
        let wanted = &rule["backend"]["service"];
        let service = services
            .iter()
            .find(|s| s["metadata"]["name"] == wanted["name"]);
        let service = service.with_context(|| format!("there is no Service {wanted}"))?;
        assert_eq!(service["spec"]["ports"][0]["name"], wanted["port"]["name"]);
    }
    let openapi: Value = serde_json::from_str(&read("docs/openapi.json")?)?;
    let mut paths: Vec<&str> = openapi["paths"]
        .as_object()
        .context("paths")?
        .keys()
        .map(String::as_str)
        .collect();
    // Those that are for browsers, and so are not in the document.
    paths.extend([
        "/wallboard/ws",
        "/wallboard/main.js",
        "/routing/case/link",
        "/reminder/sources",
    ]);
    for path in paths {
        let first = path.split('/').nth(1).context("a first part")?;
        let expected = if first == "figures" { "metrics" } else { first };
        assert_eq!(served(path).as_deref(), Some(expected), "{path}");
    }
    assert_eq!(served("/").as_deref(), Some("wallboard"));
    assert!(served("/openapi.json").is_some());
    // What is for the cluster and for Prometheus is not for everybody.
    for inside in ["/metrics", "/health/ready", "/health/live"] {
        assert_eq!(served(inside), None, "{inside}");
    }
    Ok(())
}
