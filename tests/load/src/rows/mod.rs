//! The rows, in groups that share a product.

mod batch;
mod cases;
mod closures;
mod history;
mod import;
mod latency;
mod reminder;
mod singles;
mod sustained;

use std::{
    future::Future,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::bail;
use domain::Agreements;
use tokio::task::JoinSet;

use crate::{product::Product, scale::Scale, table::Row};

/// The groups, in the order in which they are measured.
pub(crate) const NAMES: [&str; 9] = [
    "batch",
    "singles",
    "sustained",
    "cases",
    "closures",
    "reminder",
    "latency",
    "import",
    "history",
];

/// The longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(900);

/// What every group needs.
pub(crate) struct Setting {
    pub(crate) program: PathBuf,
    pub(crate) scale: Scale,
    pub(crate) keep: bool,
}

impl Setting {
    async fn product(&self, role: &str) -> anyhow::Result<Product> {
        Product::start(&self.program, role, self.keep).await
    }
}

pub(crate) async fn measure(name: &str, setting: &Setting) -> anyhow::Result<Vec<Row>> {
    match name {
        "batch" => batch::measure(setting).await,
        "singles" => singles::measure(setting).await,
        "sustained" => sustained::measure(setting).await,
        "cases" => cases::measure(setting).await,
        "closures" => closures::measure(setting).await,
        "reminder" => reminder::measure(setting).await,
        "latency" => latency::measure(setting).await,
        "import" => import::measure(setting).await,
        "history" => history::measure(setting).await,
        _ => bail!("there is no group {name}"),
    }
}

/// Puts agreements in force.
async fn apply(product: &Product, content: &Agreements) -> anyhow::Result<()> {
    let agreements = serde_json::json!({
        "valid_from": "2026-01-01",
        "approved_by": "the benchmark",
        "content": content,
    });
    let mut connection = product.connect().await?;
    connection
        .post(
            "/routing/agreements",
            "application/json",
            "",
            agreements.to_string().as_bytes(),
        )
        .await?;
    Ok(())
}

/// Runs workers until each has ended, and returns what they did together per second.
async fn rate<W, F>(
    workers: impl IntoIterator<Item = W>,
    work: impl Fn(W, Instant) -> F,
) -> anyhow::Result<f64>
where
    F: Future<Output = anyhow::Result<u64>> + Send + 'static,
{
    let (mut tasks, began) = (JoinSet::new(), Instant::now());
    for worker in workers {
        tasks.spawn(work(worker, began));
    }
    let mut done = 0;
    while let Some(task) = tasks.join_next().await {
        done += task??;
    }
    Ok(done as f64 / began.elapsed().as_secs_f64())
}
