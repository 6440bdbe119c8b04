//! What routing hands out over request and reply, and no event carries: the agreements, which name people, and links to
//! cases, which open them.

use serde::{Deserialize, Serialize};

use crate::{AgreementsVersion, CaseId, Question};

/// Asks routing for the next version of the agreements after one that is known. Only reminder may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementsRequest {
    /// The greatest number that is known; 0 where none is.
    pub after: i64,
}

impl Question for AgreementsRequest {
    const SUBJECT: &str = "routing.agreements";
    type Answer = AgreementsAnswer;

    fn away() -> AgreementsAnswer {
        AgreementsAnswer::Away
    }
}

/// What routing answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum AgreementsAnswer {
    /// The next version.
    Next(Box<AgreementsVersion>),
    /// There is none after it.
    Latest,
    /// Routing cannot say now, such as when its database is away.
    Away,
}

/// Asks routing for links to cases, for mails to the groups that have them, and how much it has told. Only reminder may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinksRequest {
    /// The cases, at most [`LinksRequest::MOST`].
    pub cases: Vec<CaseId>,
}

impl LinksRequest {
    /// So many cases in one request.
    pub const MOST: usize = 500;
}

impl Question for LinksRequest {
    const SUBJECT: &str = "routing.links";
    type Answer = LinksAnswer;

    fn away() -> LinksAnswer {
        LinksAnswer::Away
    }
}

/// What routing answers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum LinksAnswer {
    /// The cases that are at a group now, each with an address that is good for that group alone.
    Links {
        /// By case; one that is at no group is left out.
        links: Vec<(CaseId, String)>,
        /// The source on which routing tells of cases.
        source: String,
        /// The last number that it had committed there as it answered. Whoever has applied so much knows how each case stood,
        /// and whom its link is for.
        told: u64,
    },
    /// Routing cannot say now, such as when its database is away.
    Away,
}

impl std::fmt::Debug for LinksAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinksAnswer(..)")
    }
}
