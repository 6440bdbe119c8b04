//! Closures of one department, settled together in one transaction.

use std::collections::HashMap;

use axum::body::Bytes;
use domain::{
    CaseId, ClosedBy, ClosureAnswer, ClosureResult, Department, News, NewsOf, in_stream, in_subject,
};
use jiff::SignedDuration;
use platform::{
    dead_letters::{self, Letter, New, Room},
    meters, seldom,
};
use sqlx::PgConnection;

use super::{
    decide::{Decision, accepted, decide},
    read::{Readable, Unreadable, read},
};
use crate::{
    Desk, SERVICE,
    ask::{Ask, ask},
    store::{self, Answered},
    work::Work,
};

/// What stands for the stream of closures that came by webhook.
const WEBHOOK: &str = "WEBHOOK";

/// How much is kept of what a department sends and nobody can read. The rest is answered and counted.
const KEPT: Room = Room {
    letters: 1_000,
    bytes: 8 * 1024 * 1024,
};

/// What came of closures.
#[derive(Debug)]
pub(super) struct Settled {
    /// To each, in order.
    pub(super) answers: Vec<ClosureAnswer>,
    /// How many changed nothing.
    idle: usize,
    /// How many could not be read, and there was no room to keep them.
    not_kept: u64,
}

/// Who sent closures, as the bus or a signature told, and which way.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    pub(super) department: Department,
    pub(super) way: ClosedBy,
}

/// A closure as it was sent.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    /// Its number on the bus, if it came over the bus.
    pub(super) message: Option<u64>,
    pub(super) payload: Bytes,
    pub(super) read: Result<Readable, Unreadable>,
}

impl Sent {
    pub(super) fn new(payload: Bytes, message: Option<u64>) -> Self {
        let read = read(&payload);
        Self {
            message,
            payload,
            read,
        }
    }
}

impl Sender {
    /// Whoever sent a dead letter, as it was kept by [`Sender::keep`]; none when it is no closure.
    pub(super) fn of(letter: &Letter) -> Option<Self> {
        let department = letter.subject.strip_prefix("in.closure.")?.parse().ok()?;
        let way = if letter.stream == WEBHOOK {
            ClosedBy::Webhook
        } else {
            ClosedBy::Bus
        };
        Some(Self { department, way })
    }

    /// Settles closures within the transaction on `connection`, and returns the answer to each. What came over the bus is
    /// answered there too. The caller commits, and then calls [`Desk::wake`].
    pub(super) async fn settle(
        &self,
        desk: &Desk,
        connection: &mut PgConnection,
        sent: &[Sent],
        traceparent: Option<String>,
    ) -> Result<Settled, sqlx::Error> {
        let readable = || sent.iter().filter_map(|sent| sent.read.as_ref().ok());
        let mut cases: Vec<CaseId> = readable().map(|r| r.closure.case).collect();
        cases.sort_unstable();
        cases.dedup();
        let ids: Vec<&str> = readable().map(|r| r.id.as_str()).collect();
        let mut work = Work::begin_at(desk, connection, &cases, &self.department).await?;
        work.traceparent = traceparent;
        // Looked up when nobody else can close these cases: whoever closed one before has left the answer here.
        let mut before = store::answered(connection, &self.department, &ids).await?;
        let (mut fresh, mut answers) = (Vec::new(), Vec::with_capacity(sent.len()));
        let (mut room, mut not_kept) = (None, 0);
        for sent in sent {
            answers.push(match &sent.read {
                Ok(readable) => self.answer(&mut work, readable, &mut before, &mut fresh),
                Err(unreadable) => {
                    let subject = in_subject(&self.department);
                    let room = match &mut room {
                        Some(room) => room,
                        none => none.insert(KEPT.left(connection, &subject).await?),
                    };
                    if room.take(sent.payload.len()) {
                        self.keep(connection, &work, sent, unreadable).await?;
                    } else {
                        not_kept += 1;
                    }
                    unreadable.answer(sent.message)
                }
            });
        }
        if self.way == ClosedBy::Bus {
            self.tell(&mut work, &answers);
        }
        let fresh: Vec<(&str, &Answered)> = fresh
            .iter()
            .filter_map(|id: &&str| Some((*id, before.get(*id)?)))
            .collect();
        let closed = fresh
            .iter()
            .filter(|(_, a)| a.answer.result == ClosureResult::Accepted)
            .count();
        store::save_answered(connection, &self.department, &fresh, work.now).await?;
        work.save(connection).await?;
        Ok(Settled {
            idle: answers.len() - closed,
            answers,
            not_kept,
        })
    }

    /// Answers one closure, and adds it to those known; `fresh` gets the ids that are new.
    fn answer<'s>(
        &self,
        work: &mut Work<'_>,
        readable: &'s Readable,
        before: &mut HashMap<String, Answered>,
        fresh: &mut Vec<&'s str>,
    ) -> ClosureAnswer {
        let Readable { id, closure, .. } = readable;
        let case = work.cases.get(&closure.case);
        let decision = decide(closure, &self.department, before.get(id), case);
        let answer = |result, why| ClosureAnswer {
            closure: Some(id.clone()),
            case: Some(closure.case),
            message: None,
            result,
            why,
        };
        let answer = match decision {
            Decision::Again(same) => return same,
            Decision::IdUsedBefore(why) => return answer(ClosureResult::Refused, why),
            Decision::NotTheirs(why) => answer(ClosureResult::Refused, why),
            Decision::AlreadyClosed(why) => answer(ClosureResult::AlreadyClosed, why),
            Decision::Close => {
                let close = Ask::Close {
                    outcome: closure.outcome,
                    by: self.way,
                };
                match ask(work, closure.case, &self.who(), close) {
                    Ok(()) => answer(ClosureResult::Accepted, accepted(closure.outcome)),
                    Err(why) => answer(ClosureResult::Refused, why),
                }
            }
        };
        let known = Answered {
            closure: *closure,
            answer: answer.clone(),
        };
        before.insert(id.clone(), known);
        fresh.push(id);
        answer
    }

    /// As the case's log names it.
    fn who(&self) -> String {
        let way = match self.way {
            ClosedBy::Webhook => "webhook",
            _ => "bus",
        };
        format!("{} ({way})", self.department)
    }

    /// Publishes the answers. Each has an instant of its own, so that those to the same closure are different events.
    fn tell(&self, work: &mut Work<'_>, answers: &[ClosureAnswer]) {
        let mut at = work.now;
        for answer in answers {
            work.news.push(News {
                department: self.department.clone(),
                at,
                what: NewsOf::Closure(answer.clone()),
            });
            at += SignedDuration::from_micros(1);
        }
    }

    /// Keeps what cannot be read as a dead letter.
    async fn keep(
        &self,
        connection: &mut PgConnection,
        work: &Work<'_>,
        sent: &Sent,
        unreadable: &Unreadable,
    ) -> Result<(), sqlx::Error> {
        let letter = New {
            stream: &self.stream(),
            subject: &in_subject(&self.department),
            source: None,
            sequence: sent.message,
            reason: &unreadable.reason(),
            payload: &sent.payload,
        };
        dead_letters::insert(connection, &letter, work.now).await
    }

    /// Counts what has been settled and committed, and says what could not be read.
    pub(super) fn settled(&self, desk: &Desk, sent: &[Sent], settled: &Settled) {
        let stream = self.stream();
        desk.pace.spend(&self.department, settled.idle);
        meters::DEAD_LETTERS_NOT_KEPT
            .with_label_values(&[SERVICE, stream.as_str()])
            .inc_by(settled.not_kept);
        for sent in sent {
            let counter = match &sent.read {
                Ok(_) => &meters::APPLIED,
                Err(unreadable) => {
                    say_unreadable(&stream, sent.message, unreadable);
                    &meters::DEAD_LETTERS
                }
            };
            counter.with_label_values(&[SERVICE, stream.as_str()]).inc();
        }
    }

    /// Makes this sender's figures appear before the first closure.
    pub(super) fn touch(&self) {
        for counter in [
            &meters::APPLIED,
            &meters::DEAD_LETTERS,
            &meters::DEAD_LETTERS_NOT_KEPT,
        ] {
            counter.with_label_values(&[SERVICE, self.stream().as_str()]);
        }
    }

    /// Where it came from, for dead letters and figures: the department's stream, or `WEBHOOK`.
    pub(super) fn stream(&self) -> String {
        match self.way {
            ClosedBy::Webhook => WEBHOOK.to_owned(),
            _ => in_stream(&self.department),
        }
    }
}

/// Says that a closure could not be read. A department may send any number of them.
fn say_unreadable(stream: &str, message: Option<u64>, unreadable: &Unreadable) {
    let first = || {
        let reason = unreadable.reason();
        tracing::warn!(
            service = SERVICE,
            stream,
            message,
            reason,
            "a closure could not be read and is a dead letter"
        );
    };
    let of = stream.to_owned();
    let more = move |more| {
        tracing::warn!(
            service = SERVICE,
            stream = of,
            more,
            "more closures could not be read and are dead letters"
        );
    };
    seldom::tell(&format!("unreadable closures on {stream}"), first, more);
}
