//! The schemas of what passes between the product and a department's system, and the check of a closure before it is sent.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use anyhow::{Context, ensure};
use boon::{Compiler, Schemas};
use serde_json::{Value, json};

use crate::harness::kommunlots;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Whether a message is as the committed schema `name` says.
pub(crate) fn fits(name: &str, message: &Value) -> anyhow::Result<()> {
    let file = docs().join(format!("schemas/{name}.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.enable_format_assertions();
    let resource = format!("{name}.json");
    let added = compiler.add_resource(&resource, schema);
    added.map_err(|e| anyhow::anyhow!("{e}"))?;
    let compiled = compiler.compile(&resource, &mut schemas);
    let compiled = compiled.map_err(|e| anyhow::anyhow!("{e}"))?;
    let valid = schemas.validate(message, compiled);
    valid.map_err(|e| anyhow::anyhow!("{e}\n{message}"))
}

fn example(name: &str) -> anyhow::Result<Value> {
    let file = docs().join(format!("examples/messages/{name}.json"));
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

#[test]
fn the_committed_schemas_are_those_made_from_the_types_and_fit_the_examples() -> anyhow::Result<()>
{
    let told = ["forwarded", "reminded", "closed", "bounced", "answer"];
    for name in [&["closure"], &told[..]].concat() {
        let output = kommunlots().args(["schema", name]).output()?;
        ensure!(output.status.success(), "{output:?}");
        let committed = std::fs::read(docs().join(format!("schemas/{name}.json")))?;
        assert!(
            committed == output.stdout,
            "docs/schemas/{name}.json is not what the types say; run `kommunlots schema {name} > docs/schemas/{name}.json`"
        );
        fits(name, &example(name)?)?;
    }
    for (schema, other) in told.iter().flat_map(|s| told.map(|o| (s, o))) {
        assert_eq!(fits(schema, &example(other)?).is_ok(), *schema == other);
    }
    Ok(())
}

/// Whatever the schema allows can be read, and nothing else: an integrator may trust either.
#[test]
fn the_schema_and_the_reader_agree() -> anyhow::Result<()> {
    let good = example("closure")?;
    let values = [
        Value::Null,
        json!(""),
        json!("a"),
        json!("å"),
        json!("two words"),
        json!("1.0"),
        json!("x".repeat(128)),
        json!("x".repeat(129)),
        json!("x".repeat(513)),
        json!("application/json;charset=utf-8"),
        json!("application/jsonx"),
        json!("2026-11-23T09:12:00Z"),
        json!("done"),
        json!("0192f0c4-5d7e-7c3a-9f10-2b6d1e8a4c55"),
        json!("0192F0C4-5D7E-7C3A-9F10-2B6D1E8A4C55"),
        json!("0192f0c45d7e7c3a9f102b6d1e8a4c55"),
        json!("urn:uuid:0192f0c4-5d7e-7c3a-9f10-2b6d1e8a4c55"),
        json!(1),
        json!(true),
        json!([]),
        json!({}),
        json!({ "case": "0192f0c4-5d7e-7c3a-9f10-2b6d1e8a4c55", "outcome": "withdrawn" }),
        json!({ "case": "0192f0c4-5d7e-7c3a-9f10-2b6d1e8a4c55", "outcome": "done", "note": "x" }),
        json!({ "outcome": "done" }),
    ];
    let mut messages = vec![json!([]), json!({}), Value::Null];
    let outer = [
        "specversion",
        "id",
        "source",
        "type",
        "time",
        "datacontenttype",
        "dataschema",
        "subject",
        "data",
        "data_base64",
        "traceparent",
        "Extension",
        "two words",
        "",
    ];
    for name in outer {
        let mut without = good.clone();
        without.as_object_mut().context("an object")?.remove(name);
        messages.push(without);
        for value in &values {
            let mut changed = good.clone();
            changed[name] = value.clone();
            messages.push(changed);
        }
    }
    for name in ["case", "outcome", "note"] {
        for value in &values {
            let mut changed = good.clone();
            changed["data"][name] = value.clone();
            messages.push(changed);
        }
    }
    let (mut read, mut refused) = (0, 0);
    for message in messages {
        let fit = fits("closure", &message);
        match routing::closures::read(message.to_string().as_bytes()) {
            Ok(_) => {
                read += 1;
                assert!(fit.is_ok(), "only the reader takes {message}: {fit:?}");
            }
            Err(unreadable) => {
                refused += 1;
                assert!(
                    fit.is_err(),
                    "only the schema takes {message}: {unreadable:?}"
                );
            }
        }
    }
    assert!(read > 20 && refused > 100, "{read} read, {refused} refused");
    Ok(())
}

/// `kommunlots closure check`, given a message.
fn check(message: &str) -> anyhow::Result<Output> {
    let mut child = kommunlots()
        .args(["closure", "check", "-", "--department", "bygg"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().context("its standard input")?;
    input.write_all(message.as_bytes())?;
    drop(input);
    Ok(child.wait_with_output()?)
}

#[test]
fn a_closure_is_checked_before_it_is_sent() -> anyhow::Result<()> {
    let good = check(&example("closure")?.to_string())?;
    let said = String::from_utf8(good.stdout)?;
    ensure!(good.status.success(), "{said}");
    for part in ["2026-00417", "DEPT_BYGG", "out.bygg.closure", "Åtgärdat"] {
        assert!(said.contains(part), "{part}: {said}");
    }

    // Everything that is wrong, and what would be right; put in, it is.
    let wrong = check("{}")?;
    let said = String::from_utf8(wrong.stderr)?;
    assert_eq!(wrong.status.code(), Some(1), "{said}");
    let right: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .collect();
    assert_eq!(right.len(), 5, "{said}");
    let mended = check(&format!("{{ {} }}", right.join(", ")))?;
    ensure!(mended.status.success(), "{mended:?}");

    // What the bus would refuse, and what readers of JSON would understand differently.
    let example = example("closure")?.to_string();
    let large = check(&format!("{example}{}", " ".repeat(65_536)))?;
    assert_eq!(large.status.code(), Some(1));
    let said = String::from_utf8(large.stderr)?;
    assert!(
        said.contains("may be at most 65536 with its headers"),
        "{said}"
    );
    let twice = example.replace("\"outcome\":", "\"outcome\":\"declined\",\"outcome\":");
    let twice = check(&twice)?;
    assert_eq!(twice.status.code(), Some(1));
    let said = String::from_utf8(twice.stderr)?;
    assert!(said.contains("data.outcome: står flera gånger"), "{said}");

    let file = docs().join("examples/messages/closure.json");
    let output = kommunlots().args(["closure", "check"]).arg(file).output()?;
    ensure!(output.status.success(), "{output:?}");
    Ok(())
}
