//! A product that nobody uses leaves the machine alone.

use std::time::Duration;

use crate::harness::{Product, database};

/// Transactions a second that looking for work may come to, over all services. Each looks about once a second; whoever spins
/// comes to hundreds.
const MOST: i64 = 60;

#[tokio::test]
async fn an_idle_product_hardly_asks_its_database() -> anyhow::Result<()> {
    let product = Product::start()?;
    let mut database = database(&product.data()).await?;
    let mut transactions = async || -> anyhow::Result<i64> {
        // Sessions tell of what they did with a second's delay.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let query = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
        Ok(sqlx::query_scalar(query).fetch_one(&mut database).await?)
    };
    let before = transactions().await?;
    let seconds = 5;
    tokio::time::sleep(Duration::from_secs(seconds - 2)).await;
    let each = (transactions().await? - before) / i64::try_from(seconds)?;
    assert!(each < MOST, "{each} transactions a second");
    Ok(())
}
