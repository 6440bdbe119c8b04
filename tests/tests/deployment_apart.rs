//! The services as a deployment runs them: processes of their own, each with its own key to the bus and its own login to the
//! database, both over TLS, on the configuration that `kommunlots nats-config` writes.

mod ground;

use std::{fs, os::unix::fs::PermissionsExt};

use anyhow::{Context, ensure};
use async_nats::ConnectOptions;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::{
    closures::{System, closure},
    deployment::PROBED,
    harness::{Api, Product, eventually},
};
use ground::{Ground, operator};

/// Who has a login.
const WITH_DATABASE: [&str; 4] = ["intake", "metrics", "reminder", "routing"];

async fn case_of(intake: &Api, department: &str) -> anyhow::Result<String> {
    let case =
        json!({ "type": "annat", "rosa_group": 4, "department": department, "forward": true });
    let (status, case) = intake.post("/intake/cases", &case).await?;
    ensure!(status == StatusCode::CREATED, "{status}: {case}");
    Ok(case["id"].as_str().context("an id")?.to_owned())
}

async fn until(api: &Api, path: &str, holds: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
    eventually(path, async || {
        let (_, found) = api.get(path).await?;
        ensure!(holds(&found), "{found}");
        Ok(())
    })
    .await
}

/// Registers a case of `department`, which closes it from its own system.
async fn whole_way(
    ground: &Ground,
    department: &str,
    [intake, routing, metrics]: [&Api; 3],
) -> anyhow::Result<()> {
    let mut system = System::on(ground.department(department).await?, department).await?;
    let case = case_of(intake, department).await?;
    system
        .told("a case came", |m| {
            m["event"] == "forwarded" && m["case"] == case.as_str()
        })
        .await?;
    system.send(closure("1", &case, "done").to_string()).await?;
    assert_eq!(system.answer("1").await?["result"], "accepted");
    until(routing, &format!("/routing/cases/{case}"), |c| {
        c["state"] == "closed"
    })
    .await?;
    until(intake, &format!("/intake/cases/{case}"), |c| {
        c["state"] == "closed"
    })
    .await?;
    let days = "from=2021-01-01&to=2199-12-31&by=department";
    until(metrics, &format!("/figures/forwarded?{days}"), |rows| {
        let mut rows = rows.as_array().into_iter().flatten();
        rows.any(|row| row["key"] == department && row["closed"] == 1)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_goes_its_whole_way_between_services_apart() -> anyhow::Result<()> {
    let mut ground = Ground::start().await?;

    // Before the database is there, a service says what is missing, and changes nothing.
    let error = ground
        .service("intake")
        .err()
        .context("it started")?
        .to_string();
    assert!(
        error.contains("intake.password; kommunlots migrate makes it"),
        "{error}"
    );
    let said = ground.migrate()?;
    assert!(said.contains("a login of its own"), "{said}");

    let mut routing = ground.service("routing")?;
    let (intake, metrics) = (ground.service("intake")?, ground.service("metrics")?);
    let (reminder, wallboard) = (ground.service("reminder")?, ground.service("wallboard")?);
    let new = ["key", "new", "--name", "test"];
    let scopes = ["cases:write", "cases:read", "agreements:write"];
    let scopes = scopes.map(|scope| ["--scope", scope]).concat();
    let key = operator(
        &[&new[..], &scopes].concat(),
        &[("KOMMUNLOTS_DATABASE_URL", &ground.owner)],
    )?;
    let key = key.trim();
    let api = |product: &Product| Api::new(&product.base, Some(key));
    let apis = [api(&intake), api(&routing), api(&metrics)];
    let three = [&apis[0], &apis[1], &apis[2]];

    ground.apply(&routing, key, "2021-01-01")?;
    whole_way(&ground, "bygg", three).await?;
    until(&api(&wallboard), "/wallboard/board.json", |frame| {
        frame["board"].is_object()
    })
    .await?;

    for product in [&intake, &routing, &reminder, &metrics, &wallboard] {
        for path in PROBED {
            let (status, said) = api(product).get(path).await?;
            assert_eq!(status, StatusCode::OK, "{path}: {said}");
        }
    }
    let healthz = format!("http://{}/healthz", ground.monitor);
    assert_eq!(reqwest::get(&healthz).await?.status(), StatusCode::OK);
    // Without the authority's certificate, nobody is taken for the bus.
    let seed = fs::read_to_string(ground.keys().join("departments/bygg.nk"))?;
    let stranger = ConnectOptions::with_nkey(seed.trim().to_owned()).connect(ground.bus());
    assert!(stranger.await.is_err());
    each_speaks_to_the_database_as_itself(&ground).await?;

    // Migrating again changes neither passwords nor what runs.
    let before = WITH_DATABASE.map(|service| password(&ground, service).ok());
    ground.migrate()?;
    assert_eq!(
        WITH_DATABASE.map(|service| password(&ground, service).ok()),
        before
    );

    // A department is added, as k8s/README.md says: the configuration is made again, and the bus started again with it.
    let agreements = ground.path("agreements");
    fs::copy(
        agreements.join("kultur.toml"),
        agreements.join("parker.toml"),
    )?;
    ground.start_the_bus_again().await?;
    ground.department("parker").await?;
    assert_eq!(routing.stop()?, Some(0));
    routing.start_again()?;
    let today = domain::local_day(platform::Clock::real().now());
    ground.apply(&routing, key, &today.to_string())?;
    whole_way(&ground, "parker", three).await?;
    // Its closures have ids of their own, and the old department's key is as good as before.
    ground.department("bygg").await?;

    for mut product in [intake, routing, reminder, metrics, wallboard] {
        assert_eq!(product.stop()?, Some(0));
    }
    ground.nats.server.stop().await;
    ground.postgres.server.stop().await;
    Ok(())
}

fn password(ground: &Ground, service: &str) -> anyhow::Result<String> {
    let file = ground.keys().join(format!("{service}.password"));
    let mode = fs::metadata(&file)?.permissions().mode() & 0o777;
    ensure!(mode == 0o600, "{}: {mode:o}", file.display());
    Ok(fs::read_to_string(&file)?)
}

/// With its own login, and that reaches its own schema alone.
async fn each_speaks_to_the_database_as_itself(ground: &Ground) -> anyhow::Result<()> {
    let mut admin = PgConnection::connect(&ground.postgres.url()).await?;
    let who: Vec<(String, bool)> = sqlx::query_as(
        "SELECT DISTINCT usename::text, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)
         WHERE application_name LIKE 'kommunlots %' ORDER BY 1",
    )
    .fetch_all(&mut admin)
    .await?;
    let encrypted = ground.database.contains("verify-full");
    let logins = WITH_DATABASE.map(|s| (format!("kommunlots_{s}_login"), encrypted));
    assert_eq!(who, logins);

    for service in WITH_DATABASE {
        let login = format!(
            "//kommunlots_{service}_login:{}@",
            password(ground, service)?
        );
        let url = ground.database.replacen("//", &login, 1);
        let mut own = PgConnection::connect(&url).await?;
        let denied = |error: sqlx::Error| match error {
            sqlx::Error::Database(error) => error.code().is_some_and(|code| code == "42501"),
            _ => false,
        };
        // Before it takes its role it has nothing; then its own.
        let position = format!("SELECT count(*) FROM {service}._sqlx_migrations");
        let refused = own.execute(AssertSqlSafe(position.clone())).await;
        assert!(refused.is_err_and(denied), "{service}");
        own.execute(AssertSqlSafe(format!("SET ROLE kommunlots_{service}")))
            .await?;
        own.execute(AssertSqlSafe(position)).await?;
        let insert = "INSERT INTO access.api_key (id, name, hash, scopes, created_at) VALUES (gen_random_uuid(), 'x', '', '{}', now())";
        assert!(own.execute(insert).await.is_err_and(denied), "{service}");
        for other in WITH_DATABASE.iter().filter(|other| **other != service) {
            let theirs = format!("SELECT count(*) FROM {other}._sqlx_migrations");
            let refused = own.execute(AssertSqlSafe(theirs)).await;
            assert!(refused.is_err_and(denied), "{service} reads {other}");
            let refused = own
                .execute(AssertSqlSafe(format!("SET ROLE kommunlots_{other}")))
                .await;
            assert!(refused.is_err_and(denied), "{service} becomes {other}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_service_does_not_start_on_a_database_that_is_behind() -> anyhow::Result<()> {
    let ground = Ground::start().await?;
    ground.migrate()?;
    let mut owner = PgConnection::connect(&ground.owner).await?;
    owner
        .execute("DELETE FROM metrics._sqlx_migrations WHERE version > 1")
        .await?;
    let error = ground
        .service("metrics")
        .err()
        .context("it started")?
        .to_string();
    assert!(
        error.contains("the schema metrics is at migration 1 of"),
        "{error}"
    );
    assert!(error.contains("run kommunlots migrate"), "{error}");
    // A password that is none is not taken for one.
    fs::write(ground.keys().join("intake.password"), "\n")?;
    let error = ground
        .service("intake")
        .err()
        .context("it started")?
        .to_string();
    assert!(
        error.contains("intake.password must hold one line"),
        "{error}"
    );
    ground.nats.server.stop().await;
    ground.postgres.server.stop().await;
    Ok(())
}
