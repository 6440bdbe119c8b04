//! What can happen to a contact.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Channel, ContactId, Department, QueueName};

/// Something that happened to a contact. Each event says which channel and queue it is about, so that events can be
/// applied in any order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactEvent {
    /// The contact.
    pub contact: ContactId,
    /// When it happened, as the PBX or the client saw it.
    pub at: Timestamp,
    /// The channel.
    pub channel: Channel,
    /// The queue it stood in.
    pub queue: QueueName,
    /// The department it is for, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<Department>,
    /// What happened.
    #[serde(flatten)]
    pub what: ContactWhat,
}

/// What happened to a contact.
///
/// `waited_s` is the wait in seconds as the sender measured it; it counts only where the arrival itself is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ContactWhat {
    /// It came into the queue.
    Queued,
    /// A guide took it (*besvarad*).
    Answered {
        /// Seconds waited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waited_s: Option<u32>,
    },
    /// The citizen left first (*avbruten*).
    Abandoned {
        /// Seconds waited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waited_s: Option<u32>,
    },
    /// It was offered and not answered, and the citizen did not simply hang up.
    TurnedAway {
        /// Why.
        reason: TurnedAway,
        /// Seconds waited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waited_s: Option<u32>,
    },
    /// The conversation is over.
    Ended,
    /// The PBX restarted while it waited: how it went is unknown, and stays so.
    Lost,
}

/// Why a contact left the queue without being answered or hanging up.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TurnedAway {
    /// Waited as long as the queue lets one wait.
    TimedOut,
    /// Pressed a key to leave the queue.
    PressedKey,
    /// The queue was full.
    QueueFull,
    /// Nobody staffed the queue.
    QueueEmpty,
    /// The queue was closed.
    Closed,
    /// Taken out of the queue by the PBX or an operator.
    Withdrawn,
}

impl TurnedAway {
    /// Its name, such as `timed_out`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::PressedKey => "pressed_key",
            Self::QueueFull => "queue_full",
            Self::QueueEmpty => "queue_empty",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl ContactWhat {
    /// The kind of event, such as `contact.queued`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Queued => "contact.queued",
            Self::Answered { .. } => "contact.answered",
            Self::Abandoned { .. } => "contact.abandoned",
            Self::TurnedAway { .. } => "contact.turned_away",
            Self::Ended => "contact.ended",
            Self::Lost => "contact.lost",
        }
    }
}
