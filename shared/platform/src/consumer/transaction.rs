//! The transaction in which events have their effect and the positions move.

use sqlx::{Acquire, PgConnection, Postgres, Transaction};

use super::{
    Apply, Consumer, Failure, Positions,
    line::Line,
    message::{Body, Received},
};
use crate::{database::Kept, dead_letters, meters, seldom};

/// A message and its event.
type Readable<'a, E> = (&'a Received<E>, &'a E);

impl<A: Apply> Consumer<A> {
    /// Applies the line and moves the positions, all or nothing.
    pub(super) async fn transaction(
        &self,
        kept: &mut Kept,
        line: &Line<'_, A::Event>,
        positions: &Positions,
    ) -> anyhow::Result<()> {
        if line.bodies.is_empty() {
            return Ok(());
        }
        let readable: Vec<Readable<'_, A::Event>> = line
            .bodies
            .iter()
            .filter_map(|r| Some((*r, r.event()?)))
            .collect();
        let events: Vec<&A::Event> = readable.iter().map(|(_, event)| *event).collect();

        let mut connection = kept.take().await?;
        let mut transaction = self.begin(&mut connection, line, positions).await?;
        match self.apply.apply(&mut transaction, &events).await {
            Ok(()) => {}
            Err(Failure::Retry(error)) => return Err(error),
            // One of them cannot be applied: find it, and let the others pass.
            Err(Failure::Reject(_)) => {
                transaction.rollback().await?;
                transaction = self.begin(&mut connection, line, positions).await?;
                self.apply_each(&mut transaction, &readable).await?;
            }
        }
        for received in &line.bodies {
            if let Body::Unreadable(reason) = &received.body {
                self.reject(&mut transaction, received, reason).await?;
            }
        }
        transaction.commit().await?;
        kept.put(connection);
        Ok(())
    }

    async fn begin<'a>(
        &self,
        connection: &'a mut PgConnection,
        line: &Line<'_, A::Event>,
        positions: &Positions,
    ) -> anyhow::Result<Transaction<'a, Postgres>> {
        let mut transaction = connection.begin().await?;
        for (source, reached) in &line.reached {
            let before = positions.get(source).copied().unwrap_or(0);
            self.move_position(&mut transaction, source, before, *reached)
                .await?;
        }
        Ok(transaction)
    }

    async fn apply_each(
        &self,
        transaction: &mut PgConnection,
        readable: &[Readable<'_, A::Event>],
    ) -> anyhow::Result<()> {
        for (received, event) in readable {
            let mut attempt = transaction.begin().await?;
            match self.apply.apply(&mut attempt, &[*event]).await {
                Ok(()) => attempt.commit().await?,
                Err(Failure::Retry(error)) => return Err(error),
                Err(Failure::Reject(reason)) => {
                    attempt.rollback().await?;
                    self.reject(transaction, received, &reason).await?;
                }
            }
        }
        Ok(())
    }

    /// Moves a position, if nobody else has: two active consumers would otherwise apply an event twice.
    async fn move_position(
        &self,
        transaction: &mut PgConnection,
        source: &str,
        before: u64,
        reached: u64,
    ) -> anyhow::Result<()> {
        let statement = if before == 0 {
            "INSERT INTO position AS p (source, sequence) VALUES ($1, $3)
             ON CONFLICT (source) DO UPDATE SET sequence = $3 WHERE p.sequence = $2"
        } else {
            "UPDATE position SET sequence = $3 WHERE source = $1 AND sequence = $2"
        };
        let moved = sqlx::query(statement)
            .bind(source)
            .bind(i64::try_from(before)?)
            .bind(i64::try_from(reached)?)
            .execute(transaction)
            .await?
            .rows_affected();
        anyhow::ensure!(
            moved == 1,
            "another process has moved the position of {source}; is a second one running"
        );
        Ok(())
    }

    async fn reject(
        &self,
        transaction: &mut PgConnection,
        received: &Received<A::Event>,
        reason: &str,
    ) -> anyhow::Result<()> {
        let (service, stream) = (self.service, Self::STREAM.name());
        seldom::tell(
            &format!("dead letters of {service} from {stream}"),
            || {
                tracing::error!(
                    service,
                    source = received.source.as_deref(),
                    sequence = received.sequence,
                    reason,
                    "an event could not be applied and is a dead letter"
                );
            },
            move |more| {
                tracing::error!(service, stream, more, "more events are dead letters");
            },
        );
        meters::DEAD_LETTERS
            .with_label_values(&[service, stream])
            .inc();
        let letter = dead_letters::New {
            stream: Self::STREAM.name(),
            subject: &received.subject,
            source: received.source.as_deref(),
            sequence: received.sequence,
            reason,
            payload: &received.payload,
        };
        Ok(dead_letters::insert(transaction, &letter, self.clock.now()).await?)
    }
}
