//! The writer of `CASES`: cases, their content, their events, and what each request was answered, in one transaction.

use std::collections::HashMap;

use domain::{CaseEvent, CaseId, CaseWhat, ContactId, Event};
use jiff::{SignedDuration, Timestamp};
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
    writer::{Write, Writer, own_pool},
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
    let write = move || Cases {
        pool: own_pool(&pool),
        source,
    };
    Writer::start(write, tasks, stop)
}

impl Write for Cases {
    type Job = Job;
    type Reply = Reply;

    fn events(_: &Job) -> usize {
        1
    }

    async fn commit(&self, jobs: &[Job]) -> Result<Vec<Reply>, sqlx::Error> {
        let mut transaction = event_log::begin(&self.pool, &self.source.name).await?;
        let mut turn = Turn::begin(&mut transaction, jobs).await?;
        let mut replies: Vec<Reply> = jobs.iter().map(|job| turn.answer(job)).collect();
        let numbers = store::insert_cases(&mut transaction, &turn.registered).await?;
        let views = replies.iter_mut().filter_map(|reply| match reply {
            Reply::Done(view) => Some(view),
            _ => None,
        });
        for view in views.chain(turn.answers.iter_mut().map(|a| &mut a.view)) {
            view.number = numbers.get(&view.id).copied().unwrap_or(view.number);
        }
        let events = turn
            .events
            .iter()
            .map(|(event, traceparent)| NewEvent::new(event, traceparent.clone()));
        let events: Vec<NewEvent> = events
            .collect::<Result<_, _>>()
            .map_err(|e| sqlx::Error::Encode(Box::new(e)))?;
        store::update_states(&mut transaction, &turn.changed).await?;
        store::save_answers(&mut transaction, &turn.answers).await?;
        event_log::append(&mut transaction, &self.source.name, &events).await?;
        transaction.commit().await?;

        self.source.wake.notify_one();
        meters::COMMITTED
            .with_label_values(&[CaseEvent::STREAM.name()])
            .inc_by(events.len() as u64);
        Ok(replies)
    }
}

/// One transaction's worth of requests: what was there before, and what has come of them so far.
struct Turn<'a> {
    /// What requests with a key were answered, before and in this turn.
    answered: HashMap<(KeyId, String), Answered>,
    /// The cases that requests are about.
    cases: HashMap<CaseId, CaseNow>,
    /// Cases to insert; they get their numbers then.
    registered: Vec<&'a NewCase>,
    events: Vec<(CaseEvent, Option<String>)>,
    changed: HashMap<CaseId, (State, Timestamp)>,
    answers: Vec<Answered>,
}

impl<'a> Turn<'a> {
    async fn begin(connection: &mut PgConnection, jobs: &[Job]) -> Result<Self, sqlx::Error> {
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
            registered: Vec::new(),
            events: Vec::new(),
            changed: HashMap::new(),
            answers: Vec::new(),
        })
    }

    fn answer(&mut self, job: &'a Job) -> Reply {
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
            Ask::Register(case) => self.register(job, case),
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

    fn register(&mut self, job: &Job, case: &'a NewCase) -> Reply {
        let input = &case.input;
        let what = CaseWhat::Registered {
            case_type: input.case_type.clone(),
            rosa_group: input.rosa_group,
            opinion: input.opinion,
            urgent: input.urgent,
            zone: input.zone.clone(),
            contact: case.contact,
        };
        let event = CaseEvent {
            case: case.id,
            at: case.at,
            department: input.department.clone(),
            what,
        };
        self.events.push((event, job.traceparent.clone()));
        self.registered.push(case);
        Reply::Done(CaseView {
            id: case.id,
            // Given by the database when it is inserted.
            number: 0,
            state: State::Registered,
            registered_at: case.at,
        })
    }

    fn change(&mut self, job: &Job, id: CaseId, change: Change) -> Reply {
        let Some(case) = self.cases.get_mut(&id) else {
            return Reply::Unknown;
        };
        match change.from(case.view.state) {
            Err(reason) => Reply::Refused(reason),
            Ok(state) => {
                // The order in which changes are made is the order that their times tell, also of those asked at once.
                let next = case.changed_at + SignedDuration::from_micros(1);
                let at = job.now.max(next);
                (case.view.state, case.changed_at) = (state, at);
                self.changed.insert(id, (state, at));
                let event = CaseEvent {
                    case: id,
                    at,
                    department: case.department.clone(),
                    what: change.event(),
                };
                self.events.push((event, job.traceparent.clone()));
                Reply::Done(case.view.clone())
            }
        }
    }
}
