//! A municipality of more departments than the product has connections to its database.

use std::{fs, path::Path};

use anyhow::ensure;
use reqwest::StatusCode;

use crate::{
    agreements::change,
    closures::{City, System, closure},
};

/// Departments beside the example's eight; routing has 24 connections.
const MORE: usize = 32;

/// Adds departments that are like the municipality's office but for their names.
fn grow(folder: &Path) -> anyhow::Result<()> {
    for n in 0..MORE {
        fs::copy(
            folder.join("kansli.toml"),
            folder.join(format!("namnd-{n}.toml")),
        )?;
        change(
            folder,
            &format!("namnd-{n}.toml"),
            "name = \"",
            &format!("name = \"Nämnd {n}: "),
        )?;
    }
    Ok(())
}

/// Over the bus the example's departments and all the others.
fn labels() -> Vec<String> {
    let own = [
        "bygg", "gata", "kansli", "kultur", "miljo", "skola", "social", "vard",
    ];
    let more = (0..MORE).map(|n| format!("namnd-{n}"));
    own.into_iter().map(str::to_owned).chain(more).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_departments_close_their_cases_over_the_bus() -> anyhow::Result<()> {
    let city = City::with(grow)?;
    let labels = labels();
    let mut cases = Vec::new();
    for label in &labels {
        cases.push([
            city.register(label, true).await?,
            city.register(label, true).await?,
        ]);
    }
    let mut systems = Vec::new();
    for (label, cases) in labels.iter().zip(&cases) {
        let mut system = System::connect(&city, label).await?;
        for case in cases {
            system
                .told("a case came", |m| {
                    m["event"] == "forwarded" && m["case"] == case.as_str()
                })
                .await?;
        }
        systems.push(system);
    }
    // All at once, and only then does anybody read.
    for (system, [one, other]) in systems.iter().zip(&cases) {
        system.send(closure("1", one, "done").to_string()).await?;
        system
            .send(closure("2", other, "declined").to_string())
            .await?;
    }
    for (system, label) in systems.iter_mut().zip(&labels) {
        for id in ["1", "2"] {
            let answer = system.answer(id).await?;
            assert_eq!(answer["result"], "accepted", "{label}: {answer}");
        }
        // Each department's numbers are its own, and none is missing.
        assert_eq!(system.numbers, [1, 2, 3, 4], "{label}");
    }
    let closed = city.closed().await?;
    assert_eq!(closed.len(), 2 * labels.len());
    assert!(closed.values().all(|times| *times == 1), "{closed:?}");
    // Whoever else needs the database gets it.
    let (status, sources) = city.api.get("/routing/sources").await?;
    ensure!(status == StatusCode::OK, "{status}: {sources}");
    let scrape = reqwest::get(format!("{}/metrics", city.api.base))
        .await?
        .text()
        .await?;
    for label in &labels {
        let stream = format!("OUT_{}", label.to_uppercase());
        let line = format!("kommunlots_events_published_total{{stream=\"{stream}\"}} 4");
        assert!(scrape.contains(&line), "{line}");
    }
    Ok(())
}
