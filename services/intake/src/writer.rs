//! Group commit: whatever is asked while one transaction commits goes into the next one together.
//!
//! A commit waits for the disk; a hundred requests that wait for the same commit cost as much as one.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use platform::database::{Kept, is_duplicate, may_pass};
use sqlx::{PgConnection, PgPool};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Events in one transaction at the most.
const MOST: usize = 5_000;

/// How long a commit waits for company at the most; a commit itself takes about as long or longer.
const PATIENCE: Duration = Duration::from_micros(500);
/// How often it looks whether all have come.
const LOOK: Duration = Duration::from_micros(20);

/// What one stream's writer does.
pub(crate) trait Write: Send + Sync + 'static {
    /// One request's work.
    type Job: Send + Sync + 'static;
    /// What its request is told.
    type Reply: Send + 'static;

    /// How many events a job makes.
    fn events(job: &Self::Job) -> usize;

    /// Does every job in one transaction and returns their replies in the same order.
    fn commit(
        &self,
        connection: &mut PgConnection,
        jobs: &[Self::Job],
    ) -> impl Future<Output = Result<Vec<Self::Reply>, sqlx::Error>> + Send;
}

/// A connection like those of `pool` that belongs to the writer's own thread.
fn own_connection(pool: &PgPool) -> Kept {
    let options = pool.options().clone().max_connections(2);
    Kept::new(options.connect_lazy_with((*pool.connect_options()).clone()))
}

/// Hands jobs to a writer.
pub(crate) struct Writer<W: Write>(mpsc::Sender<Queued<W>>);

impl<W: Write> Clone for Writer<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Queued<W: Write> {
    job: W::Job,
    reply: oneshot::Sender<Result<W::Reply, Arc<sqlx::Error>>>,
}

impl<W: Write> Writer<W> {
    /// Starts a writer on a thread of its own: a round trip to the database is then not handed from
    /// thread to thread, which would cost more than the round trip, and a transaction is several of them. Once `stop` is
    /// given it ends after the transaction under way.
    pub(crate) fn start(
        write: W,
        pool: PgPool,
        tasks: &mut JoinSet<anyhow::Result<()>>,
        stop: &CancellationToken,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(1_024);
        let stop = stop.clone();
        tasks.spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async { run(write, own_connection(&pool), receiver, stop).await })
        });
        Self(sender)
    }

    /// Does a job; returns when it is durable.
    pub(crate) async fn write(&self, job: W::Job) -> Result<W::Reply, Arc<sqlx::Error>> {
        let closed = || Arc::new(sqlx::Error::PoolClosed);
        let (reply, answer) = oneshot::channel();
        self.0
            .send(Queued { job, reply })
            .await
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

async fn run<W: Write>(
    write: W,
    mut kept: Kept,
    mut receiver: mpsc::Receiver<Queued<W>>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut together = 1;
    loop {
        let first = tokio::select! {
            biased;
            first = receiver.recv() => first,
            () = stop.cancelled() => return Ok(()),
        };
        let Some(first) = first else { return Ok(()) };
        // Who was answered by the last commit is about to ask again; a moment's patience puts all of them into one commit.
        // The thread is the writer's own, and the shortest sleep of the runtime is a millisecond.
        let until = Instant::now() + PATIENCE;
        while receiver.len() + 1 < together && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
        let mut events = W::events(&first.job);
        let (mut jobs, mut replies) = (vec![first.job], vec![first.reply]);
        while events < MOST
            && let Ok(next) = receiver.try_recv()
        {
            events += W::events(&next.job);
            jobs.push(next.job);
            replies.push(next.reply);
        }
        let committed = jobs.len();
        let results = commit(&write, &mut kept, jobs).await;
        // Those who came meanwhile wait already.
        together = committed + receiver.len();
        for (reply, result) in replies.into_iter().zip(results) {
            // Who asked may have gone; what was asked is done all the same.
            let _ = reply.send(result);
        }
    }
}

async fn commit<W: Write>(
    write: &W,
    kept: &mut Kept,
    jobs: Vec<W::Job>,
) -> Vec<Result<W::Reply, Arc<sqlx::Error>>> {
    match attempt(write, kept, &jobs).await {
        Ok(replies) => replies.into_iter().map(Ok).collect(),
        Err(error) if may_pass(&error) => {
            let error = Arc::new(error);
            jobs.iter().map(|_| Err(error.clone())).collect()
        }
        // One of them is refused by the database: the others must not suffer for it.
        Err(_) => {
            let mut replies = Vec::with_capacity(jobs.len());
            for job in &jobs {
                replies.push(commit_one(write, kept, job).await.map_err(Arc::new));
            }
            replies
        }
    }
}

async fn commit_one<W: Write>(
    write: &W,
    kept: &mut Kept,
    job: &W::Job,
) -> Result<W::Reply, sqlx::Error> {
    let job = std::slice::from_ref(job);
    let mut replies = match attempt(write, kept, job).await {
        // Another replica was told the same at the same moment: now it is known.
        Err(error) if is_duplicate(&error) => attempt(write, kept, job).await?,
        replies => replies?,
    };
    replies.pop().ok_or(sqlx::Error::RowNotFound)
}

async fn attempt<W: Write>(
    write: &W,
    kept: &mut Kept,
    jobs: &[W::Job],
) -> Result<Vec<W::Reply>, sqlx::Error> {
    let mut connection = kept.take().await?;
    let replies = write.commit(&mut connection, jobs).await?;
    kept.put(connection);
    Ok(replies)
}
