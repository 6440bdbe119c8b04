//! The OpenAPI document: as committed, as served, and as the routes answer.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::harness::{Product, contact, kommunlots};

fn printed() -> anyhow::Result<String> {
    let output = kommunlots().arg("openapi").output()?;
    ensure!(output.status.success(), "{output:?}");
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn the_committed_document_is_the_one_made_from_the_types() -> anyhow::Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let committed = std::fs::read_to_string(file).context("docs/openapi.json")?;
    assert!(
        committed == printed()?,
        "docs/openapi.json is not what the types say; run `kommunlots openapi > docs/openapi.json`"
    );
    Ok(())
}

/// A body that the operation takes.
fn body(path: &str) -> Value {
    match path {
        "/intake/contacts" => contact("1", "queued", "2021-02-01T08:00:00Z"),
        "/intake/restarts" => json!({ "system": "pbx", "at": "2021-02-01T08:00:00Z" }),
        "/intake/cases" => json!({ "type": "bygglov", "rosa_group": 1, "department": "bygg" }),
        "/routing/agreements" => json!({
            "valid_from": "2021-02-01", "approved_by": "nämnden § 1", "content": routing::agreements::example(),
        }),
        "/routing/history" => json!({
            "system": "castor", "case": "1", "registered_at": "2019-11-25T08:02:28+01:00", "case_type": "Bygglov",
            "department_code": "ISD",
        }),
        "/routing/agreements/dry-run" | "/reminder/simulate" => {
            json!({ "content": routing::agreements::example() })
        }
        _ => Value::Null,
    }
}

fn object<'a>(of: &'a Value, name: &str) -> anyhow::Result<&'a Map<String, Value>> {
    of[name].as_object().with_context(|| name.to_owned())
}

/// Whether a schema of the document fits a value, as far as required fields and unknown ones go.
fn fits(document: &Value, schema: &Value, value: &Value) -> anyhow::Result<()> {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        let schema = document
            .pointer(pointer)
            .with_context(|| pointer.to_owned())?;
        return fits(document, schema, value);
    }
    if schema["type"] == "array" {
        let items = value.as_array().context("an array")?;
        return items
            .iter()
            .try_for_each(|item| fits(document, &schema["items"], item));
    }
    let Some(properties) = schema["properties"].as_object() else {
        return Ok(());
    };
    let value = value.as_object().context("an object")?;
    for required in schema["required"].as_array().into_iter().flatten() {
        let name = required.as_str().context("a name")?;
        ensure!(value.contains_key(name), "{name} is missing");
    }
    for (name, inner) in value {
        let property = properties
            .get(name)
            .with_context(|| format!("{name} is not documented"))?;
        if !inner.is_null() {
            fits(document, property, inner)?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_route_answers_as_documented() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let document: Value = serde_json::from_str(&printed()?)?;
    assert_eq!(api.get("/openapi.json").await?.1, document);

    let (_, case) = api.post("/intake/cases", &body("/intake/cases")).await?;
    let case = case["id"].as_str().context("a case")?;
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    // Resolving comes after registering; the rest in the document's order.
    for (path, operations) in object(&document, "paths")? {
        for (method, operation) in operations.as_object().context("operations")? {
            let what = format!("{method} {path}");
            seen.insert(what.clone());
            let place = path.replace("/dead-letters/{id}", "/dead-letters/1");
            let place = place.replace("/mail/{id}", "/mail/0198a0de-7c1e-5000-8000-000000000001");
            let place = place.replace("{id}", case);
            let place = place.replace("{version}", "1");
            let place = place.replace("{department}", "bygg");
            let place = match path.as_str() {
                "/figures" | "/figures/followup" | "/figures/forwarded" | "/figures/handling" => {
                    format!("{place}?from=2021-02-01&to=2021-02-28")
                }
                _ => place,
            };
            let method: Method = method.to_uppercase().parse()?;
            let lines = path == "/routing/history";
            let kind = if lines {
                "application/x-ndjson"
            } else {
                "application/json"
            };
            let headers = [("content-type", kind)];
            let sent = if method == Method::GET {
                String::new()
            } else {
                body(path).to_string()
            };
            let (status, answer) = api
                .send(method.clone(), &place, &headers, sent.clone())
                .await?;
            let documented = &operation["responses"][status.as_str()];
            assert!(documented.is_object(), "{what} answered {status}: {answer}");
            for (_, content) in documented["content"].as_object().into_iter().flatten() {
                if let Err(error) = fits(&document, &content["schema"], &answer) {
                    wrong.push(format!(
                        "{what} answers {status} otherwise than documented: {error:#}"
                    ));
                }
            }
            // Signed rather than sent with a key; `closures_webhook.rs` tries it.
            if path == "/routing/closures/{department}" {
                continue;
            }
            // What needs a key says so, and is refused without.
            let needs_key = operation["security"]
                .as_array()
                .is_some_and(|s| !s.is_empty());
            let without = api
                .with_key(None)
                .send(method, &place, &headers, sent)
                .await?
                .0;
            assert_eq!(
                without.as_u16() == 401,
                needs_key,
                "{what}: {without} without a key"
            );
            // A signature is of one department: there is nothing else it might not do.
            if needs_key && !operation["security"][0]["signature"].is_array() {
                let absent = |status: &&str| operation["responses"][*status].is_null();
                for status in ["401", "403"].iter().filter(|s| absent(s)) {
                    wrong.push(format!("{what} does not document {status}"));
                }
            }
        }
    }
    let expected = [
        "delete /figures/dead-letters/{id}",
        "delete /intake/dead-letters/{id}",
        "delete /reminder/dead-letters/{id}",
        "delete /routing/dead-letters/{id}",
        "get /figures",
        "get /figures/dead-letters",
        "get /figures/definitions",
        "get /figures/followup",
        "get /figures/forwarded",
        "get /figures/handling",
        "get /figures/positions",
        "get /intake/cases/{id}",
        "get /intake/dead-letters",
        "get /intake/mail",
        "get /intake/sources",
        "get /reminder/cases",
        "get /reminder/cases/{id}/plan",
        "get /reminder/dead-letters",
        "get /reminder/mail",
        "get /reminder/sources",
        "get /routing/agreements",
        "get /routing/agreements/{version}",
        "get /routing/cases/{id}",
        "get /routing/dead-letters",
        "get /routing/mail",
        "get /routing/sources",
        "post /figures/dead-letters/{id}/send-again",
        "post /intake/cases",
        "post /intake/cases/{id}/forward",
        "post /intake/cases/{id}/repeat-contact",
        "post /intake/cases/{id}/resolve",
        "post /intake/contacts",
        "post /intake/dead-letters/{id}/send-again",
        "post /intake/mail/retry",
        "post /intake/mail/{id}/retry",
        "post /intake/restarts",
        "post /reminder/dead-letters/{id}/send-again",
        "post /reminder/mail/retry",
        "post /reminder/mail/{id}/retry",
        "post /reminder/simulate",
        "post /routing/agreements",
        "post /routing/agreements/dry-run",
        "post /routing/closures/{department}",
        "post /routing/dead-letters/{id}/send-again",
        "post /routing/history",
        "post /routing/mail/retry",
        "post /routing/mail/{id}/retry",
    ];
    let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
    assert_eq!(seen, expected);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
