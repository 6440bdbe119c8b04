//! What clients may send, and what it means.

use std::{borrow::Cow, collections::BTreeMap};

use domain::{
    CaseType, Channel, ContactEvent, ContactId, ContactWhat, Department, Guide, Opinion,
    Pseudonyms, QueueName, RosaGroup, TurnedAway, Zone,
};
use jiff::{SignedDuration, Timestamp};
use platform::{
    http::{FieldError, object},
    mail::Address,
};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use utoipa::ToSchema;

/// Clocks may differ by this much; what lies further ahead is a mistake.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// No system that could send us anything is older: 1999-12-01, when the first Asterisk was written.
const EARLIEST: i64 = 944_006_400;

/// Something that happened to a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactInput {
    /// Your own name for the contact, 1-128 characters, the same in each of its events. It stays in intake.
    #[schema(example = "1612162948.3002", min_length = 1, max_length = 128)]
    pub contact: String,
    /// What happened.
    pub event: ContactKind,
    /// When it happened.
    #[serde(deserialize_with = "time")]
    #[schema(example = "2026-11-23T08:02:28+01:00")]
    pub at: Timestamp,
    /// The channel.
    pub channel: Channel,
    /// The queue.
    #[schema(example = "vaxel")]
    pub queue: QueueName,
    /// The department it is for, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<Department>,
    /// Seconds waited, for `answered`, `abandoned` and `turned_away`; needed only where `queued` is not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 31_622_400)]
    pub waited_s: Option<u32>,
    /// Why, for `turned_away` and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<TurnedAway>,
    /// The system that knows the contact by that name; `api` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "pbx", max_length = 32)]
    pub system: Option<String>,
}

/// What can be told of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactKind {
    /// It came into the queue.
    Queued,
    /// A guide took it.
    Answered,
    /// The citizen left first.
    Abandoned,
    /// It was offered and not answered; give the `reason`.
    TurnedAway,
    /// The conversation is over.
    Ended,
}

/// A PBX has restarted: who waited in it is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestartInput {
    /// The PBX, as its contacts name it in `system`.
    #[schema(example = "pbx")]
    pub system: String,
    /// When it restarted.
    #[serde(deserialize_with = "time")]
    pub at: Timestamp,
}

/// A contact event, and the name by which its system knows the contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) system: String,
    pub(crate) reference: String,
    pub(crate) event: ContactEvent,
}

/// What this installation knows that input does not say.
#[derive(Debug)]
pub(crate) struct Installation {
    /// The department of each queue.
    pub(crate) queue_departments: BTreeMap<String, Department>,
    pub(crate) pseudonyms: Pseudonyms,
}

impl ContactInput {
    /// What it means here, or which field is wrong.
    pub(crate) fn parse(self, here: &Installation, now: Timestamp) -> Result<Told, FieldError> {
        let system = self.system.unwrap_or_else(|| "api".to_owned());
        check_text("contact", &self.contact, 128)?;
        check_text("system", &system, 32)?;
        check_time("at", self.at, now)?;
        let waited_s = self.waited_s;
        if waited_s.is_some_and(|s| s > 31_622_400) {
            return Err(FieldError::new(
                "waited_s",
                "must be at most a year, in seconds",
            ));
        }
        if waited_s.is_some() && matches!(self.event, ContactKind::Queued | ContactKind::Ended) {
            return Err(FieldError::new(
                "waited_s",
                "belongs to answered, abandoned and turned_away only; leave it out",
            ));
        }
        let what = match (self.event, self.reason) {
            (ContactKind::TurnedAway, Some(reason)) => ContactWhat::TurnedAway { reason, waited_s },
            (ContactKind::TurnedAway, None) => {
                return Err(FieldError::new(
                    "reason",
                    "is missing; turned_away needs one, such as timed_out",
                ));
            }
            (_, Some(_)) => {
                return Err(FieldError::new(
                    "reason",
                    "belongs to turned_away only; leave it out",
                ));
            }
            (ContactKind::Queued, None) => ContactWhat::Queued,
            (ContactKind::Answered, None) => ContactWhat::Answered { waited_s },
            (ContactKind::Abandoned, None) => ContactWhat::Abandoned { waited_s },
            (ContactKind::Ended, None) => ContactWhat::Ended,
        };
        let department = self
            .department
            .or_else(|| here.queue_departments.get(self.queue.as_str()).cloned());
        let event = ContactEvent {
            contact: ContactId::derive(
                &here.pseudonyms,
                &system,
                &self.contact,
                self.queue.as_str(),
            ),
            at: whole_microseconds(self.at),
            channel: self.channel,
            queue: self.queue,
            department,
            what,
        };
        Ok(Told {
            system,
            reference: self.contact,
            event,
        })
    }
}

impl RestartInput {
    /// Whether it can be taken, or which field is wrong.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), FieldError> {
        check_text("system", &self.system, 32)?;
        check_time("at", self.at, now)
    }
}

/// A case to register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseInput {
    /// The case type, as the agreements name it.
    #[serde(rename = "type")]
    #[schema(example = "bygglov")]
    pub(crate) case_type: CaseType,
    /// ROSA group 1-6.
    pub(crate) rosa_group: RosaGroup,
    /// The department it is about.
    #[schema(example = "bygg")]
    pub(crate) department: Department,
    /// Complaint or praise, where it is one.
    #[serde(default)]
    pub(crate) opinion: Option<Opinion>,
    /// Whether it is urgent.
    #[serde(default)]
    pub(crate) urgent: bool,
    /// The secrecy zone, where it belongs to one.
    #[serde(default)]
    pub(crate) zone: Option<Zone>,
    /// What it is about, at most 20,000 characters. Stays in intake.
    #[serde(default)]
    #[schema(max_length = 20_000)]
    pub(crate) text: Option<String>,
    /// How to reach the citizen. Stays in intake.
    #[serde(default, deserialize_with = "object")]
    pub(crate) citizen: Option<Citizen>,
    /// The contact it came from.
    #[serde(default, deserialize_with = "object")]
    pub(crate) contact: Option<ContactRef>,
    /// Whether to forward it to the department at once.
    #[serde(default)]
    pub(crate) forward: bool,
    /// Who registers it, by the pseudonym that the centre has given its guide: never a name. Reminders name it to the guides.
    #[serde(default)]
    #[schema(example = "v07")]
    pub(crate) guide: Option<Guide>,
}

/// Who asks for a case to be forwarded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForwardInput {
    /// The guide's pseudonym, as in a registration; whoever registered the case unless given.
    #[serde(default)]
    #[schema(example = "v07")]
    pub(crate) guide: Option<Guide>,
}

/// How to reach a citizen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Citizen {
    /// Name.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub(crate) name: Option<String>,
    /// E-mail address.
    #[serde(default)]
    #[schema(max_length = 254)]
    pub(crate) email: Option<String>,
    /// Telephone number.
    #[serde(default)]
    #[schema(max_length = 32)]
    pub(crate) phone: Option<String>,
    /// Whether they ask to be told by e-mail when the case is forwarded, late and closed. Needs `email`.
    #[serde(default)]
    pub(crate) notify: bool,
}

/// A contact, by the name its system gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactRef {
    /// The name that was sent as `contact`.
    pub(crate) reference: String,
    /// The queue it stood in.
    pub(crate) queue: QueueName,
    /// The system; `api` unless given.
    #[serde(default)]
    pub(crate) system: Option<String>,
}

impl CaseInput {
    /// Checks what the types do not.
    pub(crate) fn check(&self) -> Result<(), FieldError> {
        if let Some(text) = &self.text {
            check_free("text", text, 20_000)?;
        }
        if let Some(citizen) = &self.citizen {
            for (field, value, most) in [
                ("citizen.name", &citizen.name, 200),
                ("citizen.email", &citizen.email, 254),
                ("citizen.phone", &citizen.phone, 32),
            ] {
                if let Some(value) = value {
                    check_text(field, value, most)?;
                }
            }
            if citizen
                .email
                .as_ref()
                .is_some_and(|e| !plausible_address(e))
            {
                return Err(FieldError::new(
                    "citizen.email",
                    "must be an e-mail address, such as namn@example.org",
                ));
            }
            citizen.check_notify()?;
        }
        if let Some(contact) = &self.contact {
            check_text("contact.reference", &contact.reference, 128)?;
            check_text(
                "contact.system",
                contact.system.as_deref().unwrap_or("api"),
                32,
            )?;
        }
        Ok(())
    }
}

impl Citizen {
    /// Who asks to be told must be reachable.
    fn check_notify(&self) -> Result<(), FieldError> {
        let wrong = match &self.email {
            _ if !self.notify => return Ok(()),
            None => "is missing; citizen.notify needs an address to tell, or must be left out",
            Some(email) if Address::new("", email).is_err() => {
                "is no address that mail can be sent to; mend it, or leave citizen.notify out"
            }
            Some(_) => return Ok(()),
        };
        Err(FieldError::new("citizen.email", wrong))
    }
}

impl ContactRef {
    /// The contact.
    pub(crate) fn id(&self, here: &Installation) -> ContactId {
        let system = self.system.as_deref().unwrap_or("api");
        ContactId::derive(
            &here.pseudonyms,
            system,
            &self.reference,
            self.queue.as_str(),
        )
    }
}

/// Reads a time; the error says how one looks rather than how reading failed.
fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let text = Cow::<str>::deserialize(from)?;
    text.parse().map_err(|_| {
        D::Error::custom("must be a time with its offset, such as 2026-11-23T08:02:28+01:00")
    })
}

/// Only the mail server can tell whether an address exists; this catches a slip of the hand.
fn plausible_address(text: &str) -> bool {
    text.split_once('@')
        .is_some_and(|(local, host)| !local.is_empty() && host.contains('.') && !text.contains(' '))
}

fn check_text(field: &str, text: &str, most: usize) -> Result<(), FieldError> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(FieldError::new(
            field,
            format!("must be 1 to {most} characters without control characters"),
        ));
    }
    check_free(field, text, most)
}

fn check_free(field: &str, text: &str, most: usize) -> Result<(), FieldError> {
    if text.chars().count() > most {
        return Err(FieldError::new(
            field,
            format!("must be at most {most} characters"),
        ));
    }
    if text.contains('\0') {
        return Err(FieldError::new(field, "must not hold the character U+0000"));
    }
    Ok(())
}

fn check_time(field: &str, at: Timestamp, now: Timestamp) -> Result<(), FieldError> {
    if at.as_second() < EARLIEST {
        return Err(FieldError::new(
            field,
            "is before December 1999; is it in seconds since 1970, or the year wrong",
        ));
    }
    if at.duration_since(now) > AHEAD {
        return Err(FieldError::new(
            field,
            format!("lies in the future; the time here is {now}"),
        ));
    }
    Ok(())
}

/// The database keeps microseconds; what is compared with it must not have more.
fn whole_microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}
