//! The AsyncAPI document: as committed, as its own checker reads it, and as the examples and the bus have it.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, ensure};
use boon::{Compiler, Draft, Schemas};
use serde_json::Value;

use crate::harness::kommunlots;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where a tool of the tests is.
pub(crate) fn tool(name: &str, what: &str) -> anyhow::Result<PathBuf> {
    let place = std::env::var_os(name).map(PathBuf::from);
    place.filter(|place| place.exists()).with_context(|| {
        format!("{name} does not name {what}; run the tests with tests/run, which fetches it")
    })
}

/// Node.js in a folder where the packages of tests/tools/node are found.
pub(crate) fn node(folder: &Path) -> anyhow::Result<PathBuf> {
    let modules = tool(
        "KOMMUNLOTS_TEST_NODE_MODULES",
        "a folder with packages for Node.js",
    )?;
    std::os::unix::fs::symlink(modules, folder.join("node_modules"))?;
    tool("KOMMUNLOTS_TEST_NODE", "Node.js")
}

/// What AsyncAPI's own parser says of a document.
fn checked(document: &str) -> anyhow::Result<Output> {
    let folder = tempfile::tempdir()?;
    let node = node(folder.path())?;
    let checker = "check-asyncapi.mjs";
    fs::copy(
        root().join("tests/tools/node").join(checker),
        folder.path().join(checker),
    )?;
    fs::write(folder.path().join("asyncapi.json"), document)?;
    let arguments: [OsString; 2] = [checker.into(), "asyncapi.json".into()];
    Ok(Command::new(node)
        .args(arguments)
        .current_dir(folder.path())
        .output()?)
}

fn committed() -> anyhow::Result<String> {
    fs::read_to_string(root().join("docs/asyncapi.json")).context("docs/asyncapi.json")
}

#[test]
fn the_committed_document_is_the_one_made_from_the_types() -> anyhow::Result<()> {
    let output = kommunlots().arg("asyncapi").output()?;
    ensure!(output.status.success(), "{output:?}");
    assert!(
        committed()?.as_bytes() == output.stdout,
        "docs/asyncapi.json is not what the types say; run `kommunlots asyncapi > docs/asyncapi.json`"
    );
    Ok(())
}

#[test]
fn asyncapis_own_parser_finds_nothing_to_complain_of() -> anyhow::Result<()> {
    let good = checked(&committed()?)?;
    let said = String::from_utf8_lossy(&good.stdout);
    ensure!(
        good.status.success() && said.starts_with("good: 7 channels, 6 operations"),
        "{good:?}"
    );
    // It can find something.
    let wrong = committed()?.replace("\"action\": \"send\"", "\"action\": \"shout\"");
    let wrong = checked(&wrong)?;
    let said = String::from_utf8_lossy(&wrong.stdout);
    ensure!(
        wrong.status.code() == Some(1) && said.contains("operations.sendClosure.action"),
        "{wrong:?}"
    );
    Ok(())
}

/// Its schemas are rewritten for the draft that AsyncAPI reads, and must still say the same.
#[test]
fn its_schemas_fit_the_examples_and_nothing_else() -> anyhow::Result<()> {
    let document: Value = serde_json::from_str(&committed()?)?;
    let messages = document["components"]["messages"]
        .as_object()
        .context("messages")?;
    let fits = |schema: &str, message: &Value| -> anyhow::Result<bool> {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.set_default_draft(Draft::V7);
        compiler.enable_format_assertions();
        let added = compiler.add_resource("asyncapi.json", document.clone());
        added.map_err(|e| anyhow::anyhow!("{e}"))?;
        let compiled = compiler.compile(&format!("asyncapi.json{schema}"), &mut schemas);
        let compiled = compiled.map_err(|e| anyhow::anyhow!("{e}"))?;
        Ok(schemas.validate(message, compiled).is_ok())
    };
    let mut seen = 0;
    for (name, message) in messages {
        let schema = message["payload"]["$ref"].as_str().context("a schema")?;
        for example in message["examples"].as_array().context("examples")? {
            let example = &example["payload"];
            assert!(fits(schema, example)?, "{name}: {example}");
            seen += 1;
            if name == "stored" {
                continue;
            }
            for (field, _) in example["data"].as_object().context("data")? {
                let mut altered = example.clone();
                altered["data"][field] = Value::from(vec![1]);
                assert!(
                    !fits(schema, &altered)?,
                    "{name} with {field} of another type"
                );
            }
            for (other, message) in messages.iter().filter(|(other, _)| *other != name) {
                let schema = message["payload"]["$ref"].as_str().context("a schema")?;
                assert!(!fits(schema, example)?, "{name} is taken for {other}");
            }
        }
    }
    assert_eq!(seen, 8);
    Ok(())
}
