//! The board: the handful of figures that every wallboard shows.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{Channel, Department};

/// What metrics publishes: the board, when it was made, and how fresh its sources were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoardMessage {
    /// When the board was made, by the product's clock.
    pub as_of: Timestamp,
    /// Seconds of the product's clock in a real second; a demo runs faster.
    pub clock_speed: f64,
    /// How far each source has been applied to these very figures.
    pub sources: Vec<SourceAge>,
    /// The figures.
    pub board: Board,
}

impl BoardMessage {
    /// The subject it is published on, outside the streams: only the latest matters.
    pub const SUBJECT: &str = "board";
    /// The subject on which the latest can be asked for.
    pub const ASK: &str = "board.now";
}

/// The figures of a wallboard. `None` is "no data" (*ingen uppgift*), never zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Board {
    /// The local day the daily figures belong to.
    pub day: Date,
    /// Each channel's queue, in the order of [`Channel::ALL`].
    pub queues: Vec<Queue>,
    /// Answer rate today, all channels.
    pub answer_rate: AnswerRate,
    /// Cases today.
    pub cases: Cases,
    /// Forwarded cases now.
    pub forwarded: Forwarded,
}

/// One channel's queue now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// The channel.
    pub channel: Channel,
    /// Contacts waiting; `None` where the channel has never been heard of.
    pub waiting: Option<u32>,
    /// Since when the one who has waited longest waits; `None` where nobody does.
    pub longest_since: Option<Timestamp>,
}

/// Answer rate against its target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerRate {
    /// 0-1; `None` where nothing counts yet.
    pub value: Option<f64>,
    /// 0-1.
    pub target: f64,
    /// How it stands against the target.
    pub state: RateState,
    /// Decided contacts.
    pub offered: i64,
    /// Answered.
    pub answered: i64,
    /// Abandoned, short ones included.
    pub abandoned: i64,
    /// Short abandons.
    pub short_abandoned: i64,
    /// Id and version of the definition.
    pub definition: String,
}

/// How a rate stands against its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateState {
    /// At or above the target.
    Met,
    /// Below it.
    Below,
    /// Nothing counts yet.
    Unknown,
}

/// Cases today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cases {
    /// Registered; `None` where cases have never been heard of.
    pub registered: Option<i64>,
    /// Resolved; likewise.
    pub resolved: Option<i64>,
}

/// Forwarded cases now, without those of an import: nobody was told of them, and an older system's leftovers must not
/// hide what came today.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Forwarded {
    /// Open; `None` until one has been heard of.
    pub open: Option<i64>,
    /// Past their limit and open; likewise.
    pub overdue: Option<i64>,
    /// Open, and their department's head has been told; `None` until a step of any follow-up has been heard of.
    #[serde(default)]
    pub escalated: Option<i64>,
    /// Departments with open cases, at most [`Forwarded::DEPARTMENTS`]: first the one whose case has been overdue for the
    /// longest, and after those with overdue ones the one whose case is oldest.
    #[serde(default)]
    pub departments: Vec<ForwardedAt>,
    /// Departments with open cases that are not among those.
    #[serde(default)]
    pub more: usize,
}

impl Forwarded {
    /// Departments on a board at the most.
    pub const DEPARTMENTS: usize = 8;
}

/// One department's forwarded cases now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardedAt {
    /// The department that has them.
    pub department: Department,
    /// Open, at least one.
    pub open: i64,
    /// Past their limit and open.
    pub overdue: i64,
    /// Open, and its head has been told, since they were forwarded to it; `None` as in [`Forwarded`].
    #[serde(default)]
    pub escalated: Option<i64>,
    /// When the oldest was forwarded to it.
    pub oldest_forwarded_at: Timestamp,
    /// When the oldest of the overdue ones was; `None` where none is.
    #[serde(default)]
    pub oldest_overdue_forwarded_at: Option<Timestamp>,
    /// The earliest limit; that of a paused case only where it had passed before. `None` where there is none.
    pub oldest_due: Option<Timestamp>,
}

/// How far a source has been applied, and how long ago it was last heard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceAge {
    /// The source, such as `intake/CONTACTS`.
    pub source: String,
    /// The last number applied.
    pub sequence: u64,
    /// Real seconds since it last said that it lives and sees what it tells of; `None` where it never has since metrics
    /// started.
    pub age_s: Option<f64>,
}
