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
    let product = setting.product("all").await?;
    bare::prepare(&product).await?;
    let number = Arc::new(AtomicU64::new(0));
    let (mut measured, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..setting.scale.rounds {
        measured.push(send(&product, setting.scale.round, &number).await?);
        product.until_applied(PATIENCE).await?;
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
    Ok(vec![Row {
        what: format!("Cases registered over HTTP on {CONNECTIONS} connections, `kommunlots all`"),
        unit: "cases/s",
        measured,
        limit,
        limit_is: format!("pgbench, case and event only, {CONNECTIONS} clients"),
        target: Target::AtLeast(5_000.0),
        note: "each with a text, the citizen's name and telephone number, and an Idempotency-Key: five rows in one \
               transaction; figures and wall run beside"
            .to_owned(),
    }])
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
