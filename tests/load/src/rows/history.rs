//! What an event costs with a short and with a long history.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use sqlx::Executor;

use super::{PATIENCE, Setting, rate};
use crate::{
    events, process,
    product::Product,
    stats::median,
    table::{Row, Target, number},
};

const CONNECTIONS: usize = 2;
const SIZE: u64 = 500;

/// One round on one history, in microseconds an event.
struct Cost {
    cpu: f64,
    of_product: f64,
    wall: f64,
}

pub(crate) async fn measure(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let [few, many] = setting.scale.histories;
    let (small, large) = (setting.product("all").await?, setting.product("all").await?);
    for (product, contacts) in [(&small, few), (&large, many)] {
        let began = Instant::now();
        fill(product, contacts).await?;
        eprintln!(
            "         {} contacts filled in {:.0} s",
            number(contacts as f64),
            began.elapsed().as_secs_f64()
        );
    }
    let (mut costs, mut next) = ([Vec::new(), Vec::new()], 0);
    for _ in 0..setting.scale.rounds {
        for (product, costs) in [&small, &large].into_iter().zip(&mut costs) {
            let cost = cost(product, next, setting.scale.new_events).await?;
            eprintln!(
                "         CPU {:.1} µs an event ({:.1} of them the product's own), wall {:.1} µs",
                cost.cpu, cost.of_product, cost.wall
            );
            costs.push(cost);
        }
        next += setting.scale.new_events;
    }
    let of =
        |which: usize, what: fn(&Cost) -> f64| costs[which].iter().map(what).collect::<Vec<f64>>();
    let row = |what: &str, value: fn(&Cost) -> f64, target, note| Row {
        what: format!(
            "{what} an event with {} contacts in history",
            number(many as f64)
        ),
        unit: "µs",
        measured: of(1, value),
        limit: of(0, value),
        limit_is: format!("with {} contacts", number(few as f64)),
        target,
        note,
    };
    let own = |which| number(median(&of(which, |c| c.of_product)));
    let note = format!(
        "CPU of the product and its PostgreSQL, user and system, for the same {} events of whole calls (batches of {SIZE} on \
         {CONNECTIONS} connections), until the figures hold them; {} µs of it is the product's own process, {} µs with the \
         short history; the history came over the batch API, one event a contact, then VACUUM ANALYZE; a checkpoint \
         before each round, autovacuum off in both",
        number(setting.scale.new_events as f64),
        own(1),
        own(0)
    );
    Ok(vec![
        row("CPU time", |c| c.cpu, Target::AtMostTimes(1.2), note),
        row(
            "Wall time",
            |c| c.wall,
            Target::AtMostTimes(1.2),
            "the same rounds".to_owned(),
        ),
    ])
}

/// A year of decided contacts, through the front door.
async fn fill(product: &Product, contacts: u64) -> anyhow::Result<()> {
    let year_ago = events::now() - SignedDuration::from_hours(24 * 365);
    let apart = 360 * 24 * 3600 * 1_000_000 / i64::try_from(contacts.max(1))?;
    // In parts, so that the figures are never far behind and the bus need not keep the whole of it in flight.
    let part = 50_000;
    for first in (0..contacts).step_by(part) {
        let until = contacts.min(first + part as u64);
        post(product, first..until, move |text, n| {
            let at = year_ago + SignedDuration::from_micros(apart * i64::try_from(n).unwrap_or(0));
            events::answered(text, "history", n, at);
        })
        .await?;
        product.until_applied(PATIENCE).await?;
    }
    for statement in [
        "ALTER SYSTEM SET autovacuum = off",
        "SELECT pg_reload_conf()",
        "VACUUM ANALYZE",
    ] {
        product.pool.execute(statement).await?;
    }
    Ok(())
}

async fn cost(product: &Product, first: u64, count: u64) -> anyhow::Result<Cost> {
    product.pool.execute("CHECKPOINT").await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let postgres = product.postgres_pid()?;
    let cpu = || {
        (
            process::cpu_of(product.pid()),
            process::cpu_of_tree(postgres),
        )
    };
    let (before, began) = (cpu(), Instant::now());
    let now: Timestamp = events::now();
    post(product, first..first + count, move |text, n| {
        let later = SignedDuration::from_micros(i64::try_from(n - first).unwrap_or(0));
        events::of_calls(text, "new", n, now + later);
    })
    .await?;
    product.until_applied(PATIENCE).await?;
    let (wall, after) = (began.elapsed().as_secs_f64(), cpu());
    let each = |seconds: f64| seconds * 1e6 / count as f64;
    Ok(Cost {
        cpu: each(after.0 - before.0 + after.1 - before.1),
        of_product: each(after.0 - before.0),
        wall: each(wall),
    })
}

/// Posts the events of a range, in batches.
async fn post(
    product: &Product,
    range: std::ops::Range<u64>,
    line: impl Fn(&mut String, u64) + Send + Sync + 'static,
) -> anyhow::Result<()> {
    let (next, line) = (Arc::new(AtomicU64::new(range.start)), Arc::new(line));
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        open.push(product.connect().await?);
    }
    rate(open, |mut connection, _| {
        let (next, line) = (next.clone(), line.clone());
        async move {
            let mut body = String::new();
            loop {
                let first = next.fetch_add(SIZE, Ordering::Relaxed);
                if first >= range.end {
                    return Ok(0);
                }
                body.clear();
                for n in first..range.end.min(first + SIZE) {
                    line(&mut body, n);
                }
                connection
                    .post(
                        "/intake/contacts",
                        "application/x-ndjson",
                        "",
                        body.as_bytes(),
                    )
                    .await?;
            }
        }
    })
    .await?;
    Ok(())
}
