//! Single events, each in a request of its own, beside pgbench.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{PATIENCE, Setting, rate};
use crate::{
    bare, events, pgbench,
    product::Product,
    table::{Row, Target},
};

const CONNECTIONS: usize = 64;

pub(crate) async fn measure(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let intake = of_role(setting, "intake", Target::Share(0.25)).await?;
    let all = of_role(setting, "all", Target::None).await?;
    Ok(vec![intake, all])
}

async fn of_role(setting: &Setting, role: &str, target: Target) -> anyhow::Result<Row> {
    let product = setting.product(role).await?;
    bare::prepare(&product).await?;
    let number = Arc::new(AtomicU64::new(0));
    let (mut measured, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..setting.scale.rounds {
        measured.push(send(&product, setting.scale.round, &number).await?);
        match role {
            "intake" => product.until_published(PATIENCE).await?,
            _ => product.until_applied(PATIENCE).await?,
        }
        limit.push(
            pgbench::commits(
                &product,
                bare::CONTACT_AND_EVENT,
                CONNECTIONS,
                setting.scale.round,
            )
            .await?,
        );
    }
    Ok(Row {
        what: format!("Single POSTs on {CONNECTIONS} connections, `kommunlots {role}`"),
        unit: "requests/s",
        measured,
        limit,
        limit_is: format!("pgbench, {CONNECTIONS} clients"),
        target,
        note: "each request one event of a new contact; pgbench commits a contact and an event in one prepared statement".to_owned(),
    })
}

async fn send(product: &Product, time: Duration, number: &Arc<AtomicU64>) -> anyhow::Result<f64> {
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        open.push(product.connect().await?);
    }
    let month_ago = events::now() - jiff::SignedDuration::from_hours(30 * 24);
    rate(open, |mut connection, began| {
        let number = number.clone();
        async move {
            let (mut body, mut done) = (String::new(), 0);
            while began.elapsed() < time {
                body.clear();
                events::arrival(
                    &mut body,
                    "single",
                    number.fetch_add(1, Ordering::Relaxed),
                    month_ago,
                );
                connection
                    .post("/intake/contacts", "application/json", "", body.as_bytes())
                    .await?;
                done += 1;
            }
            Ok(done)
        }
    })
    .await
}
