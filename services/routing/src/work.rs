//! One transaction's work on cases: what they were, what they become, and what is told, mailed and logged of it.
//!
//! Whoever changes a case does it here, so that a case, its events and its mails are one transaction.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use domain::{CaseEvent, CaseId, CaseWhat, Department, News, NewsOf, WorkingTime};
use jiff::{SignedDuration, Timestamp};
use platform::{
    event_log::{self, NewEvent},
    mail::{self, Mail},
};
use sqlx::PgConnection;

use crate::{
    Desk,
    case::Case,
    source_of_department,
    store::{self, Line, Reason, Version},
    versions,
};

/// Work under way. Nothing of it is stored before [`Work::save`].
pub(crate) struct Work<'a> {
    pub(crate) desk: &'a Desk,
    /// The product's time, one for all of it.
    pub(crate) now: Timestamp,
    pub(crate) versions: Arc<Vec<Version>>,
    pub(crate) cases: HashMap<CaseId, Case>,
    /// What caused it.
    pub(crate) traceparent: Option<String>,
    changed: Vec<CaseId>,
    events: Vec<CaseEvent>,
    pub(crate) news: Vec<News>,
    pub(crate) mails: Vec<Mail>,
    pub(crate) log: Vec<Line>,
}

impl<'a> Work<'a> {
    /// Begins with the cases of `ids` that are known; nobody else changes them until the transaction on `connection` ends.
    pub(crate) async fn begin(
        desk: &'a Desk,
        connection: &mut PgConnection,
        ids: &[CaseId],
    ) -> Result<Self, sqlx::Error> {
        let cases = store::cases_for_update(&mut *connection, ids).await?;
        Self::with(desk, connection, cases).await
    }

    /// The same with those of `ids` that `department` has: whoever names others' cases does not make those wait.
    pub(crate) async fn begin_at(
        desk: &'a Desk,
        connection: &mut PgConnection,
        ids: &[CaseId],
        department: &Department,
    ) -> Result<Self, sqlx::Error> {
        let cases = store::cases_at_for_update(&mut *connection, ids, department).await?;
        Self::with(desk, connection, cases).await
    }

    async fn with(
        desk: &'a Desk,
        connection: &mut PgConnection,
        cases: HashMap<CaseId, Case>,
    ) -> Result<Self, sqlx::Error> {
        Ok(Self {
            desk,
            now: desk.clock.now(),
            versions: desk.versions.all(connection).await?,
            cases,
            traceparent: None,
            changed: Vec::new(),
            events: Vec::new(),
            news: Vec::new(),
            mails: Vec::new(),
            log: Vec::new(),
        })
    }

    /// When the next change of a case is: now, but later than its last, so that its events tell their order.
    pub(crate) fn next(&self, case: &Case) -> Timestamp {
        self.now
            .max(case.changed_at + SignedDuration::from_micros(1))
    }

    /// Puts a case back as it has become.
    pub(crate) fn put(&mut self, case: Case) {
        self.changed.push(case.id);
        self.cases.insert(case.id, case);
    }

    /// Tells of a case, under the department that has it.
    pub(crate) fn tell(&mut self, case: &Case, what: CaseWhat) {
        self.events.push(CaseEvent {
            case: case.id,
            at: case.changed_at,
            department: case
                .department
                .clone()
                .unwrap_or_else(|| case.about.clone()),
            what,
        });
    }

    /// Logs a line of a case.
    pub(crate) fn note(
        &mut self,
        case: &Case,
        what: &'static str,
        who: String,
        note: Option<String>,
    ) {
        self.log.push(Line {
            case: case.id,
            at: case.changed_at,
            what,
            who,
            note,
            reason: (what == "forwarded").then(|| Reason {
                rule: case.rule.clone().unwrap_or_default(),
                why: case.why.clone().unwrap_or_default(),
            }),
        });
    }

    /// Tells a case's department, if it has a system that listens.
    pub(crate) fn tell_department(&mut self, department: &Department, at: Timestamp, what: NewsOf) {
        if self.desk.departments.contains(department) {
            self.news.push(News {
                department: department.clone(),
                at,
                what,
            });
        }
    }

    /// The working time in which a case's limits are counted; `None` for an import's.
    pub(crate) fn working_time(&self, case: &Case) -> Option<WorkingTime> {
        let version = versions::numbered(&self.versions, case.agreement?)?;
        Some(version.content.working_time(case.department.as_ref()?))
    }

    /// Writes everything. The caller commits, and then calls [`Desk::wake`].
    pub(crate) async fn save(mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.changed.sort_unstable();
        self.changed.dedup();
        let changed: Vec<&Case> = self
            .changed
            .iter()
            .filter_map(|id| self.cases.get(id))
            .collect();
        store::save_cases(connection, &changed).await?;
        store::write(connection, &self.log).await?;
        mail::enqueue(connection, &self.mails, self.now).await?;
        let event = |e: serde_json::Error| sqlx::Error::Encode(Box::new(e));
        // Sources in one order everywhere: the row of each is locked until the commit.
        let mut by_source: BTreeMap<String, Vec<NewEvent>> = BTreeMap::new();
        for told in &self.events {
            by_source
                .entry(self.desk.source.clone())
                .or_default()
                .push(NewEvent::new(told, self.traceparent.clone()).map_err(event)?);
        }
        for told in &self.news {
            by_source
                .entry(source_of_department(&told.department))
                .or_default()
                .push(NewEvent::new(told, self.traceparent.clone()).map_err(event)?);
        }
        for (source, events) in &by_source {
            event_log::append(connection, source, events).await?;
        }
        Ok(())
    }
}
