//! A lease: of a service's processes one works, and the others stand by and take over when it dies or stands still.
//!
//! **Invariant:** a transaction that has passed [`Leading::check`] is committed before another process holds the lease, or
//! not at all. A process that was stopped and wakes finds that it has lost the lease, and writes nothing.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long a lease lasts that is not prolonged.
const LASTS: Duration = Duration::from_secs(6);
/// How often its holder prolongs it.
const PROLONG: Duration = Duration::from_secs(2);
/// How often a standby looks whether it is needed.
const STANDBY: Duration = Duration::from_secs(1);
/// How long the database may take to answer about a lease.
const PATIENCE: Duration = Duration::from_secs(2);
/// What works is given this long to end when the lease is lost; it can write nothing by then.
const FAREWELL: Duration = Duration::from_secs(5);
/// A transaction that rests for so long belongs to a process that stands still; see [`pool`].
pub const REST: Duration = Duration::from_secs(3);

// A standby works ten seconds after the holder died or stood still, at the latest: the lease had been prolonged at that very
// moment, then the standby looks, and is answered. What the holder had begun has been ended by then, so it waits for nothing.
const _: () = assert!(
    LASTS.as_millis() + STANDBY.as_millis() + PATIENCE.as_millis() <= 10_000
        && REST.as_millis() <= LASTS.as_millis()
);

/// The lease, held by this process.
#[derive(Debug, Clone)]
pub struct Leading {
    name: &'static str,
    epoch: i64,
    ended: CancellationToken,
}

impl Leading {
    /// Cancelled when the lease is lost, or the process is to stop.
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// Makes sure, early in a transaction, that it is committed under this lease or not at all.
    ///
    /// # Errors
    /// When the lease is lost, or the database fails.
    pub async fn check(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        // The epoch is part of a key, so that `take`, which changes it, waits for this lock; `prolong` changes no key and does
        // not. With `FOR SHARE` it would have to wait, and under load there is always somebody to wait for.
        let held: Option<bool> = sqlx::query_scalar(
            "SELECT true FROM lease WHERE name = $1 AND epoch = $2 AND until > clock_timestamp() FOR KEY SHARE",
        )
        .bind(self.name)
        .bind(self.epoch)
        .fetch_optional(connection)
        .await?;
        held.map(drop).ok_or_else(|| {
            sqlx::Error::Protocol(format!(
                "the lease {} is lost: another process works now",
                self.name
            ))
        })
    }
}

/// A pool like `pool`, of at most `connections`, for transactions under a lease. The server ends those that rest for longer
/// than `rest`, so that nobody waits for the locks of a process that stands still; a client that takes nothing for so long is
/// cut off likewise.
pub fn pool(pool: &PgPool, connections: u32, rest: Duration) -> PgPool {
    let rest = rest.as_millis();
    let limits = [
        ("idle_in_transaction_session_timeout", rest),
        ("tcp_user_timeout", rest),
    ];
    let options = (*pool.connect_options()).clone().options(limits);
    pool.options()
        .clone()
        .max_connections(connections)
        .connect_lazy_with(options)
}

/// Runs `work` whenever this process holds the lease `name`, until `stop`. `work` ends when [`Leading::ended`] is cancelled;
/// what does not is dropped.
///
/// # Errors
/// When `work` fails, or ends by itself.
pub async fn lead<F>(
    pool: PgPool,
    name: &'static str,
    stop: CancellationToken,
    work: impl Fn(Leading) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let holder = Uuid::new_v4();
    let mut failing = false;
    loop {
        let taken = within(take(&pool, name, holder)).await;
        let epoch = match taken {
            Ok(Some(epoch)) => epoch,
            Ok(None) => {
                failing = false;
                if !pause(STANDBY, &stop).await {
                    return Ok(());
                }
                continue;
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(lease = name, %error, "cannot ask for the lease; trying again");
                }
                if !pause(STANDBY, &stop).await {
                    return Ok(());
                }
                continue;
            }
        };
        failing = false;
        tracing::info!(lease = name, epoch, "this process has the lease, and works");
        let leading = Leading {
            name,
            epoch,
            ended: stop.child_token(),
        };
        let mut working = std::pin::pin!(work(leading.clone()));
        let done = tokio::select! {
            done = &mut working => Some(done),
            () = until_lost(&pool, &leading) => None,
        };
        match done {
            None => {
                tracing::warn!(lease = name, epoch, "the lease is lost; standing by");
                leading.ended.cancel();
                // It can write nothing any more, so what comes of it says nothing.
                let _ = tokio::time::timeout(FAREWELL, working).await;
            }
            Some(done) => {
                // Whoever stands by need not wait. If the database is away it will have to.
                let _ = within(give_up(&pool, &leading)).await;
                done?;
                anyhow::ensure!(
                    stop.is_cancelled(),
                    "what works under the lease {name} has ended by itself"
                );
                return Ok(());
            }
        }
    }
}

/// Returns when the lease is another's, or could not be prolonged for as long as it lasts.
async fn until_lost(pool: &PgPool, leading: &Leading) {
    let mut held_since = Instant::now();
    loop {
        tokio::time::sleep(PROLONG).await;
        let asked = Instant::now();
        match within(prolong(pool, leading)).await {
            Ok(true) => held_since = asked,
            Ok(false) => return,
            Err(error) if held_since.elapsed() > LASTS => {
                tracing::warn!(lease = leading.name, %error, "the lease could not be prolonged");
                return;
            }
            Err(_) => {}
        }
    }
}

async fn within<T>(asking: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(answer) => answer,
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

/// False when it is to stop.
async fn pause(time: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(time) => true,
        () = stop.cancelled() => false,
    }
}

/// Takes a lease that nobody holds, or that was given to this process although it did not hear of it.
async fn take(pool: &PgPool, name: &str, holder: Uuid) -> Result<Option<i64>, sqlx::Error> {
    let sql = "INSERT INTO lease AS l (name, holder, epoch, until) VALUES ($1, $2, 1, clock_timestamp() + $3 * interval '1 s')
               ON CONFLICT (name) DO UPDATE SET holder = $2, epoch = l.epoch + 1, until = excluded.until
               WHERE l.until <= clock_timestamp() OR l.holder = $2
               RETURNING epoch";
    sqlx::query_scalar(sql)
        .bind(name)
        .bind(holder)
        .bind(LASTS.as_secs_f64())
        .fetch_optional(pool)
        .await
}

/// Prolongs it; false when it is another's. One that has run out, and that nobody has taken, goes on.
async fn prolong(pool: &PgPool, leading: &Leading) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE lease SET until = clock_timestamp() + $3 * interval '1 s' WHERE name = $1 AND epoch = $2",
    )
    .bind(leading.name)
    .bind(leading.epoch)
    .bind(LASTS.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn give_up(pool: &PgPool, leading: &Leading) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE lease SET until = '-infinity' WHERE name = $1 AND epoch = $2")
        .bind(leading.name)
        .bind(leading.epoch)
        .execute(pool)
        .await
        .map(drop)
}
