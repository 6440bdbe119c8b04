//! Contact events over the batch API, beside a bare program that inserts the same rows.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};

use super::{PATIENCE, Setting, rate};
use crate::{
    bare, events,
    product::Product,
    stats::median,
    table::{Row, Target, number},
};

/// Events in a request, and rows in a bare transaction.
const SIZE: u64 = 500;

pub(crate) async fn measure(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let intake = of_role(setting, "intake", Target::Share(0.5)).await?;
    let all = of_role(setting, "all", Target::None).await?;
    Ok(vec![intake, all])
}

/// One number of connections, round by round.
#[derive(Debug, Clone, Default)]
struct Tried {
    connections: usize,
    measured: Vec<f64>,
    limit: Vec<f64>,
}

async fn of_role(setting: &Setting, role: &str, target: Target) -> anyhow::Result<Row> {
    let product = setting.product(role).await?;
    bare::prepare(&product).await?;
    let number_of_contact = Arc::new(AtomicU64::new(0));
    let mut by_connections = Vec::new();
    let mut drains = Vec::new();
    for connections in [1, 2, 4] {
        let (mut measured, mut limit) = (Vec::new(), Vec::new());
        for _ in 0..setting.scale.rounds {
            measured.push(
                send(
                    &product,
                    connections,
                    setting.scale.round,
                    &number_of_contact,
                )
                .await?,
            );
            // What is under way would otherwise take its share of the bare program's round.
            let drain = Instant::now();
            match role {
                "intake" => product.until_published(PATIENCE).await?,
                _ => product.until_applied(PATIENCE).await?,
            }
            drains.push(drain.elapsed().as_secs_f64());
            limit.push(
                bare::batches(&product, connections, SIZE as usize, setting.scale.round).await?,
            );
        }
        eprintln!(
            "         {role}, {connections} connections: {} /s, bare {} /s, behind for {:.1} s afterwards",
            number(median(&measured)),
            number(median(&limit)),
            drains.last().copied().unwrap_or(0.0)
        );
        by_connections.push(Tried {
            connections,
            measured,
            limit,
        });
    }
    let best = |of: fn(&Tried) -> f64| {
        let best = by_connections.iter().max_by(|a, b| of(a).total_cmp(&of(b)));
        best.cloned().unwrap_or_default()
    };
    let ours = best(|tried| median(&tried.measured));
    let bares = best(|tried| median(&tried.limit));
    let each: Vec<String> = by_connections
        .iter()
        .map(|tried| {
            let (measured, limit) = (median(&tried.measured), median(&tried.limit));
            format!(
                "{}: {} against {}",
                tried.connections,
                number(measured),
                number(limit)
            )
        })
        .collect();
    Ok(Row {
        what: format!("Durable contact events over the batch API, `kommunlots {role}`"),
        unit: "events/s",
        measured: ours.measured,
        limit: bares.limit,
        limit_is: format!("bare inserts, {} connection(s)", bares.connections),
        target,
        note: format!(
            "NDJSON of {SIZE} events a request, each a new contact that comes into a queue; best with {} connection(s), \
             against the bare program's best; by connections, {}; the {} was behind for {:.1} s (median) after a \
             round of {:.1} s",
            ours.connections,
            each.join("; "),
            if role == "intake" { "bus" } else { "wall" },
            median(&drains),
            setting.scale.round.as_secs_f64()
        ),
    })
}

/// Events per second answered 2xx on so many connections.
async fn send(
    product: &Product,
    connections: usize,
    time: Duration,
    number: &Arc<AtomicU64>,
) -> anyhow::Result<f64> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(product.connect().await?);
    }
    let began_at: Timestamp = events::now() - SignedDuration::from_hours(30 * 24);
    rate(open, |mut connection, began| {
        let number = number.clone();
        async move {
            let (mut body, mut done) = (String::new(), 0);
            while began.elapsed() < time {
                body.clear();
                let first = number.fetch_add(SIZE, Ordering::Relaxed);
                for n in first..first + SIZE {
                    events::arrival(&mut body, "batch", n, began_at);
                }
                connection
                    .post(
                        "/intake/contacts",
                        "application/x-ndjson",
                        "",
                        body.as_bytes(),
                    )
                    .await?;
                done += SIZE;
            }
            Ok(done)
        }
    })
    .await
}
