//! The writer of `CASES`: cases, their content, their events, and what each request was answered, in one transaction.

use std::collections::HashMap;

use domain::{CaseEvent, CaseId, CaseWhat, Event};
use jiff::Timestamp;
use platform::{
    auth::KeyId,
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
    store::{self, Answered, CaseNow},
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
    Register(CaseId, Box<CaseInput>),
    Change(CaseId, Change),
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
    pool: PgPool,
    source: Source,
}

pub(crate) fn start(
    pool: PgPool,
    source: Source,
    tasks: &mut JoinSet<anyhow::Result<()>>,
    stop: &CancellationToken,
) -> CaseWriter {
    Writer::start(Cases { pool, source }, tasks, stop)
}

impl Write for Cases {
    type Job = Job;
    type Reply = Reply;

    fn events(_: &Job) -> usize {
        1
    }

    async fn commit(&self, jobs: &[Job]) -> Result<Vec<Reply>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let last = event_log::lock(&mut transaction, &self.source.name).await?;
        let mut turn = Turn::begin(&mut transaction, jobs).await?;
        let replies: Vec<Reply> = jobs.iter().map(|job| turn.answer(job)).collect();
        let events = turn
            .events
            .iter()
            .map(|(event, traceparent)| NewEvent::new(event, traceparent.clone()));
        let events: Vec<NewEvent> = events
            .collect::<Result<_, _>>()
            .map_err(|e| sqlx::Error::Encode(Box::new(e)))?;
        store::update_states(&mut transaction, &turn.changed).await?;
        store::save_answers(&mut transaction, &turn.answers).await?;
        event_log::append(&mut transaction, &self.source.name, last, &events).await?;
        transaction.commit().await?;

        self.source.wake.notify_one();
        meters::COMMITTED
            .with_label_values(&[CaseEvent::STREAM.name()])
            .inc_by(events.len() as u64);
        Ok(replies)
    }
}

/// One transaction's worth of requests: what was there before, and what has come of them so far.
struct Turn {
    /// What requests with a key were answered, before and in this turn.
    answered: HashMap<(KeyId, String), Answered>,
    /// The cases that requests are about.
    cases: HashMap<CaseId, CaseNow>,
    /// Numbers of the cases registered in this turn.
    numbers: HashMap<CaseId, i64>,
    events: Vec<(CaseEvent, Option<String>)>,
    changed: HashMap<CaseId, (State, Timestamp)>,
    answers: Vec<Answered>,
}

impl Turn {
    async fn begin(connection: &mut PgConnection, jobs: &[Job]) -> Result<Self, sqlx::Error> {
        let keys: Vec<&Idempotency> = jobs.iter().filter_map(|j| j.idempotency.as_ref()).collect();
        let answered = store::answers(connection, &keys).await?;
        let mut asked: Vec<_> = answered.iter().map(Answered::place).collect();
        let (mut new, mut about) = (Vec::new(), Vec::new());
        for job in jobs {
            match &job.ask {
                Ask::Register(id, input) => {
                    // The same key twice in one turn registers once.
                    if let Some(i) = &job.idempotency {
                        let place = (i.api_key, i.key.clone());
                        if asked.contains(&place) {
                            continue;
                        }
                        asked.push(place);
                    }
                    new.push((*id, input.as_ref(), job.now));
                }
                Ask::Change(id, _) => about.push(*id),
            }
        }
        Ok(Self {
            answered: answered.into_iter().map(|a| (a.place(), a)).collect(),
            cases: store::cases_for_update(connection, &about).await?,
            numbers: store::insert_cases(connection, &new).await?,
            events: Vec::new(),
            changed: HashMap::new(),
            answers: Vec::new(),
        })
    }

    fn answer(&mut self, job: &Job) -> Reply {
        if let Some(idempotency) = &job.idempotency
            && let Some(before) = self
                .answered
                .get(&(idempotency.api_key, idempotency.key.clone()))
        {
            return if before.idempotency.request == idempotency.request {
                Reply::Done(before.view.clone())
            } else {
                Reply::OtherRequest
            };
        }
        let reply = match &job.ask {
            Ask::Register(id, input) => self.register(job, *id, input),
            Ask::Change(id, change) => self.change(job, *id, *change),
        };
        // Only what was done is remembered: a refusal may be otherwise tomorrow.
        if let (Reply::Done(view), Some(idempotency)) = (&reply, &job.idempotency) {
            let answer = Answered {
                idempotency: idempotency.clone(),
                view: view.clone(),
                at: job.now,
            };
            self.answered.insert(answer.place(), answer.clone());
            self.answers.push(answer);
        }
        reply
    }

    fn register(&mut self, job: &Job, id: CaseId, input: &CaseInput) -> Reply {
        let Some(number) = self.numbers.get(&id) else {
            return Reply::Unknown;
        };
        let what = CaseWhat::Registered {
            case_type: input.case_type.clone(),
            rosa_group: input.rosa_group,
            opinion: input.opinion,
            urgent: input.urgent,
            zone: input.zone.clone(),
            contact: input.contact_id(),
        };
        let event = CaseEvent {
            case: id,
            at: job.now,
            department: input.department.clone(),
            what,
        };
        self.events.push((event, job.traceparent.clone()));
        Reply::Done(CaseView {
            id,
            number: *number,
            state: State::Registered,
            registered_at: job.now,
        })
    }

    fn change(&mut self, job: &Job, id: CaseId, change: Change) -> Reply {
        let Some(case) = self.cases.get_mut(&id) else {
            return Reply::Unknown;
        };
        match change.from(case.view.state) {
            Err(reason) => Reply::Refused(reason),
            Ok(state) => {
                case.view.state = state;
                self.changed.insert(id, (state, job.now));
                let event = CaseEvent {
                    case: id,
                    at: job.now,
                    department: case.department.clone(),
                    what: change.event(),
                };
                self.events.push((event, job.traceparent.clone()));
                Reply::Done(case.view.clone())
            }
        }
    }
}
