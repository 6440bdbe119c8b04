//! What every event has: its stream, its subject, its kind, and the envelope it travels in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{CaseEvent, ContactEvent, ContactWhat, EventId};

/// The streams of the bus. A source is one writer on one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Contact events: `contact.<channel>.<what>`.
    Contacts,
    /// Case events: `case.<department>.<what>`.
    Cases,
}

impl Stream {
    /// Every stream.
    pub const ALL: [Stream; 2] = [Self::Contacts, Self::Cases];

    /// The stream's name on the bus.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contacts => "CONTACTS",
            Self::Cases => "CASES",
        }
    }

    /// The subjects it holds.
    pub fn subjects(self) -> &'static str {
        match self {
            Self::Contacts => "contact.*.*",
            Self::Cases => "case.*.*",
        }
    }
}

/// An event: something that happened, told once by the service that owns the fact.
pub trait Event: Serialize + DeserializeOwned {
    /// What happened, such as `contact.queued`; the CloudEvents `type`.
    fn kind(&self) -> &'static str;
    /// The subject it is published on.
    fn subject(&self) -> String;
    /// When it happened, as told by whoever saw it.
    fn at(&self) -> Timestamp;
    /// Its id: the same happening always gets the same id.
    fn id(&self) -> EventId;
}

/// A question that one service asks another; its answer is for nobody else, and no stream holds either.
pub trait Question: Serialize + DeserializeOwned {
    /// Where it is asked.
    const SUBJECT: &str;
    /// What is answered.
    type Answer: Serialize + DeserializeOwned;
    /// What stands for no answer.
    fn away() -> Self::Answer;
}

/// An event of one of the streams that services consume.
pub trait Streamed: Event {
    /// The stream it belongs to.
    const STREAM: Stream;
}

impl Streamed for ContactEvent {
    const STREAM: Stream = Stream::Contacts;
}

impl Streamed for CaseEvent {
    const STREAM: Stream = Stream::Cases;
}

impl Event for ContactEvent {
    fn kind(&self) -> &'static str {
        self.what.kind()
    }

    fn subject(&self) -> String {
        // `contact.queued` on the phone is `contact.phone.queued`.
        format!(
            "contact.{}.{}",
            self.channel.as_str(),
            &self.kind()["contact.".len()..]
        )
    }

    fn at(&self) -> Timestamp {
        self.at
    }

    fn id(&self) -> EventId {
        match self.what {
            // It may be turned away for two reasons within a second, which is as exact as a PBX is.
            ContactWhat::TurnedAway { reason, .. } => {
                let kind = format!("{}.{}", self.kind(), reason.as_str());
                EventId::derive(self.contact.0, &kind, self.at)
            }
            _ => EventId::derive(self.contact.0, self.kind(), self.at),
        }
    }
}

impl Event for CaseEvent {
    fn kind(&self) -> &'static str {
        self.what.kind()
    }

    fn subject(&self) -> String {
        format!("case.{}.{}", self.department, &self.kind()["case.".len()..])
    }

    fn at(&self) -> Timestamp {
        self.at
    }

    fn id(&self) -> EventId {
        EventId::derive(self.case.0, self.kind(), self.at)
    }
}

/// CloudEvents 1.0 in structured JSON, with the extensions `sequence` and `traceparent`.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Envelope<T> {
    /// Always `1.0`.
    #[schemars(extend("const" = "1.0"))]
    pub specversion: String,
    /// Also the message's `Nats-Msg-Id`.
    #[schemars(with = "uuid::Uuid")]
    pub id: EventId,
    /// Who numbers: `<service instance>/<stream>`, such as `intake/CONTACTS`.
    pub source: String,
    /// The event's kind, such as `contact.queued`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened.
    pub time: Timestamp,
    /// Always `application/json`.
    #[schemars(extend("const" = "application/json"))]
    pub datacontenttype: String,
    /// Number within the source: 1, 2, 3 ... without gaps. A string on the wire, since CloudEvents integers end at 2³¹.
    #[serde(with = "number_as_text")]
    #[schemars(with = "String", regex(pattern = "^[1-9][0-9]*$"))]
    pub sequence: u64,
    /// W3C trace context of what caused the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The event itself.
    pub data: T,
}

impl<T> Envelope<T> {
    /// The media type of an envelope.
    pub const CONTENT_TYPE: &str = "application/cloudevents+json";
}

mod number_as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(number: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        std::borrow::Cow::<str>::deserialize(from)?
            .parse()
            .map_err(D::Error::custom)
    }
}
