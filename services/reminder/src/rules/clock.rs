//! A case's own clock: the department's working time since the case was forwarded to it, pauses not counted.

use domain::{PauseReason, WorkingTime};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The clock of one case at one department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CaseClock {
    /// It began to go then.
    pub(super) started: Timestamp,
    /// When it stood, in the order of time. Only the last may still last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pauses: Vec<Pause>,
}

/// A time during which a clock stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pause {
    /// It stopped then.
    pub(super) at: Timestamp,
    /// It goes on then at the latest.
    pub(super) until: Timestamp,
    /// Why.
    pub(super) reason: PauseReason,
    /// What it showed.
    pub(super) reading: SignedDuration,
    /// It went on then; `None` while it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) resumed: Option<Timestamp>,
}

impl CaseClock {
    /// A clock that begins to go.
    pub(super) fn start(at: Timestamp) -> Self {
        Self {
            started: at,
            pauses: Vec::new(),
        }
    }

    /// The pause that lasts now.
    pub(super) fn standing(&self) -> Option<&Pause> {
        self.pauses.last().filter(|pause| pause.resumed.is_none())
    }

    /// Since when it goes without a pause, and what it showed then; `None` while it stands.
    pub(super) fn going(&self) -> Option<(Timestamp, SignedDuration)> {
        match self.pauses.last() {
            None => Some((self.started, SignedDuration::ZERO)),
            Some(pause) => pause.resumed.map(|at| (at, pause.reading)),
        }
    }

    /// What it shows at an instant, also one to come if it goes on as it does now.
    pub(super) fn reading(&self, working_time: &WorkingTime, at: Timestamp) -> SignedDuration {
        let (mut since, mut reading) = (self.started, SignedDuration::ZERO);
        for pause in &self.pauses {
            if at <= pause.at {
                break;
            }
            match pause.resumed {
                Some(resumed) if resumed < at => (since, reading) = (resumed, pause.reading),
                _ => return pause.reading,
            }
        }
        reading + working_time.between(since, at)
    }

    /// Stops it, if it goes.
    pub(super) fn stop(
        &mut self,
        working_time: &WorkingTime,
        (at, until): (Timestamp, Timestamp),
        reason: PauseReason,
    ) -> bool {
        let Some((since, _)) = self.going() else {
            return false;
        };
        // Clocks of two machines may differ; a clock never goes backwards.
        let at = at.max(since);
        self.pauses.push(Pause {
            at,
            until,
            reason,
            reading: self.reading(working_time, at),
            resumed: None,
        });
        true
    }

    /// Lets it go on, if it stands.
    pub(super) fn go_on(&mut self, at: Timestamp) -> bool {
        match self.pauses.last_mut() {
            Some(pause) if pause.resumed.is_none() => {
                pause.resumed = Some(at.max(pause.at));
                true
            }
            _ => false,
        }
    }
}
