//! Cases registered over HTTP.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{PATIENCE, Setting, rate};
use crate::{
    bare, pgbench,
    product::Product,
    table::{Row, Target},
};

const CONNECTIONS: usize = 8;

pub(crate) async fn measure(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    Ok(vec![
        of_role(setting, "intake", Target::AtLeast(5_000.0)).await?,
        of_role(setting, "all", Target::None).await?,
    ])
}

async fn of_role(setting: &Setting, role: &str, target: Target) -> anyhow::Result<Row> {
    let product = setting.product(role).await?;
    bare::prepare(&product).await?;
    let number = Arc::new(AtomicU64::new(0));
    let (mut measured, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..setting.scale.rounds {
        measured.push(send(&product, setting.scale.round, &number).await?);
        // What is under way would otherwise take its share of the other's round.
        match role {
            "intake" => product.until_published(PATIENCE).await?,
            _ => product.until_applied(PATIENCE).await?,
        }
        limit.push(
            pgbench::commits(
                &product,
                bare::CASE_AND_EVENT,
                CONNECTIONS,
                setting.scale.round,
            )
            .await?,
        );
    }
    Ok(Row {
        what: format!("Cases registered over HTTP on {CONNECTIONS} connections, `kommunlots {role}`"),
        unit: "cases/s",
        measured,
        limit,
        limit_is: format!("pgbench, case and event only, {CONNECTIONS} clients"),
        target,
        note: "each with a text, the citizen's name and telephone number, and an Idempotency-Key: five rows in one \
               transaction, against pgbench's two; the relay runs beside, and in `all` routing, reminder, figures and wall"
            .to_owned(),
    })
}

async fn send(product: &Product, time: Duration, number: &Arc<AtomicU64>) -> anyhow::Result<f64> {
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        open.push(product.connect().await?);
    }
    rate(open, |mut connection, began| {
        let number = number.clone();
        async move {
            let mut done = 0;
            while began.elapsed() < time {
                let n = number.fetch_add(1, Ordering::Relaxed);
                let key = format!("idempotency-key: load-{n}\r\n");
                let body = format!(
                    r#"{{"type":"bygglov","rosa_group":3,"department":"bygg","urgent":false,"text":"Jag undrar hur det går med mitt bygglov för altanen, ärende {n}. Ni sade att någon skulle ringa i förra veckan.","citizen":{{"name":"Test Testsson","phone":"070-{n:07}"}}}}"#
                );
                connection.post("/intake/cases", "application/json", &key, body.as_bytes()).await?;
                done += 1;
            }
            Ok(done)
        }
    })
    .await
}
