//! One process or several: the same paths and the same figures.

use embedded::{Guard, Nats, Postgres};
use platform::bus::{self, ServerConfig};
use serde_json::{Value, json};

use crate::harness::{Api, Product, contact, eventually, program};

/// What is told to both.
fn told() -> Vec<Value> {
    let mut email = contact("e", "answered", "2021-02-02T08:00:00Z");
    email["channel"] = json!("email");
    email["department"] = json!("skola");
    vec![
        contact("1", "queued", "2021-02-01T08:00:00Z"),
        contact("1", "answered", "2021-02-01T08:01:10Z"),
        contact("2", "queued", "2021-02-01T23:30:00Z"),
        contact("2", "abandoned", "2021-02-01T23:30:10Z"),
        email,
    ]
}

async fn figures(api: &Api, by: &str) -> anyhow::Result<Value> {
    let (_, mut rows) = api
        .get(&format!("/figures?from=2021-02-01&to=2021-02-28{by}"))
        .await?;
    for row in rows.as_array_mut().into_iter().flatten() {
        row["as_of"] = Value::Null;
    }
    Ok(rows)
}

#[tokio::test]
async fn services_in_processes_of_their_own_are_the_same_product() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let guard = Guard::program(program());
    let postgres = Postgres::start(&folder.path().join("postgres"), &guard).await?;
    let keys = folder.path().join("keys");
    let rights = [intake::rights(), metrics::rights(), wallboard::rights()];
    let nats = Nats::start(&folder.path().join("nats"), &guard, |place| {
        let config = ServerConfig {
            listen: place.listen,
            store: &place.store_dir,
            keys: &keys,
            monitor: None,
            tls: None,
        };
        bus::render(config, &rights, &[])
    })
    .await?;
    let (database, bus, keys) = (postgres.url(), nats.url(), keys.display().to_string());
    let environment = [
        ("KOMMUNLOTS_DATABASE_URL", database.as_str()),
        ("KOMMUNLOTS_NATS_URL", bus.as_str()),
        ("KOMMUNLOTS_NATS_KEYS", keys.as_str()),
    ];
    // All at once: each brings the database up to date, and waits for what it lacks.
    let start = |role: &'static str| {
        let environment = environment.map(|(n, v)| (n.to_owned(), v.to_owned()));
        tokio::task::spawn_blocking(move || {
            let environment = environment
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .collect::<Vec<_>>();
            Product::run(&[role], &environment)
        })
    };
    let (mut intake, mut metrics, mut wallboard) = {
        let (i, m, w) = tokio::try_join!(start("intake"), start("metrics"), start("wallboard"))?;
        (i?, m?, w?)
    };
    let key = intake.command(&[
        "key",
        "new",
        "--name",
        "test",
        "--scope",
        "contacts:write",
        "--scope",
        "cases:write",
        "--scope",
        "operate",
    ])?;
    let api = |product: &Product| Api::new(&product.base, Some(key.trim()));
    let apart = [api(&intake), api(&metrics), api(&wallboard)];
    let all = Product::start()?;
    let together = all.api()?;

    apart[0].contacts(&told()).await?;
    together.contacts(&told()).await?;
    together.until_figures_hold_all().await?;
    for by in ["", "&by=day", "&by=queue", "&by=channel", "&by=department"] {
        let expected = figures(&together, by).await?;
        assert!(expected.as_array().is_some_and(|rows| !rows.is_empty()));
        eventually("the figures are the same", async || {
            let found = figures(&apart[1], by).await?;
            anyhow::ensure!(found == expected, "{by}: {found} instead of {expected}");
            Ok(())
        })
        .await?;
    }
    eventually("the boards are the same", async || {
        let (ours, theirs) = (together.board().await?, apart[2].board().await?);
        anyhow::ensure!(ours["board"] == theirs["board"], "{ours} and {theirs}");
        Ok(())
    })
    .await?;

    // Each path is served by one of the three as it is by the one; each serves what every process does.
    for (path, who) in [
        ("/intake/sources", 0),
        ("/figures/definitions", 1),
        ("/figures/positions", 1),
        ("/figures/dead-letters", 1),
        ("/wallboard", 2),
        ("/wallboard/board.json", 2),
    ] {
        for (n, process) in apart.iter().enumerate() {
            let (status, _) = process.get(path).await?;
            assert_eq!(
                status.as_u16(),
                if n == who { 200 } else { 404 },
                "{path} at {n}"
            );
        }
        assert_eq!(together.get(path).await?.0.as_u16(), 200, "{path}");
    }
    for path in ["/health/live", "/health/ready", "/metrics", "/openapi.json"] {
        for process in apart.iter().chain([&together]) {
            assert_eq!(process.get(path).await?.0.as_u16(), 200, "{path}");
        }
    }

    // What a process does not serve is not taken for nothing.
    let asked = [
        "dead-letters",
        "list",
        "--url",
        &metrics.base,
        "--key",
        key.trim(),
    ];
    let error = metrics.command(&asked).err().map(|e| e.to_string());
    let says = |text| error.as_ref().is_some_and(|e| e.contains(text));
    assert!(
        says("kept by intake and routing and reminder is not known"),
        "{error:?}"
    );

    // The wallboard outlives metrics, and says how old its board is.
    assert_eq!(metrics.stop()?, Some(0));
    assert_eq!(apart[2].get("/wallboard/board.json").await?.0.as_u16(), 200);
    metrics.start_again()?;
    assert_eq!(wallboard.stop()?, Some(0));
    assert_eq!(intake.stop()?, Some(0));
    assert_eq!(metrics.stop()?, Some(0));
    nats.server.stop().await;
    postgres.server.stop().await;
    Ok(())
}
