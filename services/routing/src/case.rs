//! A case as routing knows it.

use domain::{
    CaseId, CaseOutcome, CaseToRoute, CaseType, Department, GroupId, Guide, Historical, Opinion,
    PauseReason, RosaGroup, Words, Zone,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
// Intake has a state of its own in the same document.
#[schema(as = RoutedState)]
pub enum State {
    /// At the centre; intake owns it.
    Centre,
    /// At a department, open.
    Open,
    /// At a department, which waits for somebody else.
    Paused,
    /// Ended by the department.
    Closed,
}

/// A case. Its fields are the columns of `routed_case`, by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) id: CaseId,
    pub(crate) state: State,
    pub(crate) case_type: CaseType,
    pub(crate) rosa_group: RosaGroup,
    /// The department it is about, as the guide registered it.
    pub(crate) about: Department,
    pub(crate) urgent: bool,
    pub(crate) opinion: Option<Opinion>,
    pub(crate) zone: Option<Zone>,
    pub(crate) registered_at: Timestamp,
    /// The guide who asked for it to be forwarded, or else registered it.
    pub(crate) guide: Option<Guide>,
    /// The department that has it.
    pub(crate) department: Option<Department>,
    pub(crate) group_id: Option<GroupId>,
    /// The version of the agreements it is bound to.
    pub(crate) agreement: Option<i64>,
    pub(crate) rule: Option<String>,
    pub(crate) why: Option<Vec<Words>>,
    /// Counts its forwardings.
    pub(crate) turn: i32,
    /// How often it has been sent back since it was last opened: first forwarded, or opened anew.
    pub(crate) bounces: i32,
    pub(crate) forwarded_at: Option<Timestamp>,
    pub(crate) due: Option<Timestamp>,
    pub(crate) taken_at: Option<Timestamp>,
    /// The group has promised to be done by then.
    pub(crate) promised: Option<Timestamp>,
    pub(crate) paused_at: Option<Timestamp>,
    pub(crate) paused_until: Option<Timestamp>,
    pub(crate) pause_reason: Option<PauseReason>,
    /// Working seconds of this turn's pauses that are over.
    pub(crate) paused_s: i64,
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) outcome: Option<CaseOutcome>,
    /// To be forwarded, as soon as there are agreements that say where.
    pub(crate) wanted: bool,
    /// Registered when there were no agreements, and not resolved since: whether the centre may have it is not decided.
    pub(crate) undecided: bool,
    pub(crate) imported: bool,
    /// Where it was in an older system, for what the agreements do not know.
    pub(crate) historical: Option<Historical>,
    pub(crate) changed_at: Timestamp,
}

impl Case {
    /// A case that was registered at the centre.
    pub(crate) fn new(id: CaseId, registered_at: Timestamp, route: CaseToRoute) -> Self {
        Self {
            id,
            state: State::Centre,
            case_type: route.case_type,
            rosa_group: route.rosa_group,
            about: route.department,
            urgent: route.urgent,
            opinion: route.opinion,
            zone: route.zone,
            registered_at,
            guide: None,
            department: None,
            group_id: None,
            agreement: None,
            rule: None,
            why: None,
            turn: 0,
            bounces: 0,
            forwarded_at: None,
            due: None,
            taken_at: None,
            promised: None,
            paused_at: None,
            paused_until: None,
            pause_reason: None,
            paused_s: 0,
            closed_at: None,
            outcome: None,
            wanted: false,
            undecided: false,
            imported: false,
            historical: None,
            changed_at: registered_at,
        }
    }

    /// What the agreements need to know to send it to `department`.
    pub(crate) fn to_route(&self, department: Department) -> CaseToRoute {
        CaseToRoute {
            department,
            case_type: self.case_type.clone(),
            rosa_group: self.rosa_group,
            urgent: self.urgent,
            opinion: self.opinion,
            zone: self.zone.clone(),
        }
    }

    /// Whether `department` has it, open or closed.
    pub(crate) fn is_at(&self, department: &Department) -> bool {
        self.department.as_ref() == Some(department)
    }
}
