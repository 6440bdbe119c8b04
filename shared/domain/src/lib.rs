//! The language of a municipal contact centre, without any I/O: ids, labels, events and their subjects, the folds that
//! turn events into facts, the definitions of figures, and the board. Time is handed in everywhere.
//!
//! **Invariant:** nothing in this crate reads a clock, a file, a socket or a database.

mod agreement;
mod board;
mod case;
mod channel;
mod contact;
mod contact_event;
mod content;
mod department;
mod event;
mod figures;
mod follow_up;
mod forwarded_facts;
mod forwarding;
mod handed_out;
mod ids;
mod labels;
mod local_day;
mod working_time;

pub use agreement::{
    Agreements, AgreementsVersion, CaseToRoute, CaseTypeAgreement, DepartmentAgreement, Depth,
    Group, Person, Registrator, ReminderSteps, Routed, Rule, SecrecyZone, Targets, Words,
    WorkingHours, bound, in_force, numbered, weekday,
};
pub use board::{
    AnswerRate, Board, BoardMessage, Cases, Forwarded, ForwardedAt, Queue, RateState, SourceAge,
};
pub use case::{CaseCell, CaseEvent, CaseFacts, CaseSums, CaseWhat, Opinion, RosaGroup};
pub use channel::Channel;
pub use contact::{ContactCell, ContactFacts, ContactSums, Left, LeftHow, Outcome, TookIt};
pub use contact_event::{ContactEvent, ContactWhat, TurnedAway};
pub use content::{Content, ContentAnswer, ContentRequest};
pub use department::{
    CaseClosure, ClosureAnswer, ClosureMessage, ClosureResult, News, NewsOf, account,
    answer_schema, bounced_schema, closed_schema, closure_schema, forwarded_schema, in_stream,
    in_subject, out_stream, out_subjects, reminded_schema,
};
pub use event::{Envelope, Event, Question, Stream, Streamed};
pub use figures::{
    CASES, CONTACTS, Definition, FOLLOW_UP, FORWARDED, HANDLING, SERVICE_LEVEL_SECONDS,
    SHORT_ABANDON_SECONDS, definitions,
};
pub use follow_up::{FollowUpStep, Promise, Role, StepTaken};
pub use forwarded_facts::{ForwardedFacts, ForwardedSpan, ForwardedState};
pub use forwarding::{Bounce, CaseOutcome, ClosedBy, Closing, Forwarding, Historical, PauseReason};
pub use handed_out::{AgreementsAnswer, AgreementsRequest, LinksAnswer, LinksRequest};
pub use ids::{CaseId, ContactId, EventId, Pseudonyms};
pub use labels::{
    CaseType, Department, GroupId, Guide, HistoricalName, InvalidLabel, QueueName, Zone,
};
pub use local_day::{local_day, start_of_day, stockholm};
pub use working_time::{
    CivilSpan, Closure, DayHours, DayKind, InvalidHours, OpeningHours, WorkingTime, day_kind,
};
