//! The writer of `CASES`: cases, their content, their events, and what each request was answered, in one transaction.

use std::collections::HashMap;

use domain::{CaseEvent, CaseId, CaseWhat, ContactId, Streamed};
use jiff::{SignedDuration, Timestamp};
use platform::{
    auth::KeyId,
    database::is_duplicate,
    event_log::{self, NewEvent},
    meters,
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::{
    Source,
    input::CaseInput,
    rules::{Change, State},
    store::{self, Answered, CaseNow, Written},
    writer::{Write, Writer},
};

/// One request about a case.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) ask: Ask,
    pub(crate) now: Timestamp,
    pub(crate) idempotency: Option<Idempotency>,
    pub(crate) traceparent: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Ask {
    Register(Box<NewCase>),
    Change(CaseId, Change),
}

/// A case to register.
#[derive(Debug)]
pub(crate) struct NewCase {
    pub(crate) id: CaseId,
    pub(crate) input: CaseInput,
    pub(crate) contact: Option<ContactId>,
    pub(crate) at: Timestamp,
}

impl NewCase {
    /// The state it begins in.
    pub(crate) fn state(&self) -> State {
        if self.input.forward {
            State::ForwardRequested
        } else {
            State::Registered
        }
    }
}

/// The key that a client gave its request, and what it asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Idempotency {
    pub(crate) api_key: KeyId,
    pub(crate) key: String,
    /// A hash of the request.
    pub(crate) request: Vec<u8>,
}

/// A case as its guide sees it, without content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CaseView {
    /// Its id.
    pub(crate) id: CaseId,
    /// Its number, for saying aloud.
    pub(crate) number: i64,
    /// How it stands.
    pub(crate) state: State,
    /// When it came in.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) registered_at: Timestamp,
}

/// What a request comes to.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Done(CaseView),
    /// There is no such case.
    Unknown,
    /// The case does not allow it now.
    Refused(&'static str),
    /// Another request was made with this idempotency key.
    OtherRequest,
}

pub(crate) type CaseWriter = Writer<Cases>;

pub(crate) struct Cases {
    source: Source,
}

pub(crate) fn start(
    pool: PgPool,
    source: Source,
    tasks: &mut JoinSet<anyhow::Result<()>>,
    stop: &CancellationToken,
) -> CaseWriter {
    Writer::start(Cases { source }, pool, tasks, stop)
}

impl Write for Cases {
    type Job = Job;
    type Reply = Reply;

    fn events(_: &Job) -> usize {
        1
    }

    async fn commit(
        &self,
        connection: &mut PgConnection,
        jobs: &[Job],
    ) -> Result<Vec<Reply>, sqlx::Error> {
        // A new case is about nothing that is there already, unless its request was made before.
        if jobs.iter().all(|job| matches!(job.ask, Ask::Register(_))) {
            match self.write(connection, jobs, Turn::default()).await {
                Err(error) if is_duplicate(&error) => {}
                done => return Ok(self.told(done?)),
            }
        }
        let mut transaction = event_log::begin(connection, &self.source.name).await?;
        let turn = Turn::look(&mut transaction, jobs).await?;
        let done = self.write(&mut transaction, jobs, turn).await?;
        transaction.commit().await?;
        Ok(self.told(done))
    }
}

/// What was done: the replies, and how many events it made.
type Done = (Vec<Reply>, usize);

impl Cases {
    /// Answers every job and writes what comes of it, in one statement.
    async fn write<'a>(
        &self,
        connection: &mut PgConnection,
        jobs: &'a [Job],
        mut turn: Turn<'a>,
    ) -> Result<Done, sqlx::Error> {
        let mut replies: Vec<Reply> = jobs
            .iter()
            .map(|job| turn.answer(job))
            .collect::<Result<_, _>>()?;
        let numbers = store::save(connection, &self.source.name, &turn.written).await?;
        for reply in &mut replies {
            if let Reply::Done(view) = reply {
                view.number = numbers.get(&view.id).copied().unwrap_or(view.number);
            }
        }
        Ok((replies, turn.written.events.len()))
    }

    /// Lets the events be published, once they are durable.
    fn told(&self, (replies, events): Done) -> Vec<Reply> {
        self.source.wake.notify_one();
        meters::COMMITTED
            .with_label_values(&[CaseEvent::STREAM.name()])
            .inc_by(events as u64);
        replies
    }
}

/// One transaction's worth of requests: what was there before, and what has come of them so far.
#[derive(Default)]
struct Turn<'a> {
    /// What requests with a key were answered, before and in this turn.
    answered: HashMap<(KeyId, String), Answered>,
    /// The cases that requests are about.
    cases: HashMap<CaseId, CaseNow>,
    /// What is to be written.
    written: Written<'a>,
}

impl<'a> Turn<'a> {
    /// Begins with what there is of all that the jobs are about.
    async fn look(connection: &mut PgConnection, jobs: &[Job]) -> Result<Self, sqlx::Error> {
        let keys: Vec<&Idempotency> = jobs.iter().filter_map(|j| j.idempotency.as_ref()).collect();
        let about = jobs.iter().filter_map(|job| match &job.ask {
            Ask::Change(id, _) => Some(*id),
            Ask::Register(_) => None,
        });
        let about: Vec<CaseId> = about.collect();
        let answered = store::answers(connection, &keys).await?;
        Ok(Self {
            answered: answered.into_iter().map(|a| (a.place(), a)).collect(),
            cases: store::cases_for_update(connection, &about).await?,
            written: Written::default(),
        })
    }

    fn answer(&mut self, job: &'a Job) -> Result<Reply, sqlx::Error> {
        if let Some(idempotency) = &job.idempotency
            && let Some(before) = self
                .answered
                .get(&(idempotency.api_key, idempotency.key.clone()))
        {
            return Ok(if before.idempotency.request == idempotency.request {
                Reply::Done(before.view.clone())
            } else {
                Reply::OtherRequest
            });
        }
        let reply = match &job.ask {
            Ask::Register(case) => self.register(job, case)?,
            Ask::Change(id, change) => self.change(job, *id, change)?,
        };
        // Only what was done is remembered: a refusal may be otherwise tomorrow.
        if let (Reply::Done(view), Some(idempotency)) = (&reply, &job.idempotency) {
            let answer = Answered {
                idempotency: idempotency.clone(),
                view: view.clone(),
                at: job.now,
            };
            self.answered.insert(answer.place(), answer.clone());
            self.written.answers.push(answer);
        }
        Ok(reply)
    }

    fn tell(&mut self, event: &CaseEvent, job: &Job) -> Result<(), sqlx::Error> {
        let event = NewEvent::new(event, job.traceparent.clone());
        self.written
            .events
            .push(event.map_err(|e| sqlx::Error::Encode(Box::new(e)))?);
        Ok(())
    }

    fn register(&mut self, job: &Job, case: &'a NewCase) -> Result<Reply, sqlx::Error> {
        let input = &case.input;
        let what = CaseWhat::Registered {
            case_type: input.case_type.clone(),
            rosa_group: input.rosa_group,
            opinion: input.opinion,
            urgent: input.urgent,
            zone: input.zone.clone(),
            contact: case.contact,
            forward: input.forward,
            guide: input.guide.clone(),
        };
        let event = CaseEvent {
            case: case.id,
            at: case.at,
            department: input.department.clone(),
            what,
        };
        self.tell(&event, job)?;
        self.written.registered.push(case);
        Ok(Reply::Done(CaseView {
            id: case.id,
            // Given by the database when it is inserted.
            number: 0,
            state: case.state(),
            registered_at: case.at,
        }))
    }

    fn change(&mut self, job: &Job, id: CaseId, change: &Change) -> Result<Reply, sqlx::Error> {
        let Some(case) = self.cases.get_mut(&id) else {
            return Ok(Reply::Unknown);
        };
        let state = match change.from(case.view.state) {
            Err(reason) => return Ok(Reply::Refused(reason)),
            Ok(state) => state,
        };
        // The order in which changes are made is the order that their times tell, also of those asked at once.
        let next = case.changed_at + SignedDuration::from_micros(1);
        let at = job.now.max(next);
        (case.view.state, case.changed_at) = (state, at);
        let view = case.view.clone();
        let event = CaseEvent {
            case: id,
            at,
            department: case.department.clone(),
            what: change.event(),
        };
        self.written.changed.insert(id, (state, at));
        self.tell(&event, job)?;
        Ok(Reply::Done(view))
    }
}
