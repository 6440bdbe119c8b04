//! What one citizen comes with, and what becomes of it: drawn when the day is planned, so that the queues decide when
//! it is dealt with but not how.

use rand::Rng;
use rand::rngs::StdRng;
use serde::Serialize;

use super::departments::{CaseType, DEPARTMENTS, Department, LEAK};
use super::random::{chance, weighted};

const COMPLAINTS: f64 = 0.03;
const PRAISE: f64 = 0.01;
/// A complaint is urgent more often than other cases; an officer is then phoned.
const URGENT_COMPLAINTS: f64 = 0.15;
/// Of information and advice: answered on the spot, with nothing worth registering.
const UNREGISTERED: f64 = 0.20;
const ANONYMOUS: f64 = 0.15;

/// What a contact is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Matter {
    pub(super) department: &'static str,
    /// The phone queue of the department.
    pub(super) queue: &'static str,
    pub(super) outcome: Outcome,
    pub(super) case: NewCase,
}

/// What the guide does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Answers, and registers nothing.
    Unregistered,
    Resolved,
    Forwarded,
}

/// The body of a case's registration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct NewCase {
    #[serde(rename = "type")]
    case_type: &'static str,
    rosa_group: u8,
    department: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    opinion: Option<Opinion>,
    urgent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'static str>,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    citizen: Option<Citizen>,
    /// Filled in by the centre, when the contact has its reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contact: Option<ContactOf>,
    /// Whether the guide asks at once for it to be forwarded.
    pub(super) forward: bool,
    /// The pseudonym of the guide who registers it, filled in as the contact is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) guide: Option<String>,
}

/// The contact a case came in by.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ContactOf {
    pub(super) reference: String,
    pub(super) queue: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Opinion {
    Complaint,
    Praise,
}

/// A citizen who cannot be mistaken for a real one: a number for a name, an address under example.org (RFC 2606), and a
/// phone number from the series that PTS keeps for fiction.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Citizen {
    name: String,
    email: String,
    phone: String,
    /// Every third asks to be told by e-mail.
    notify: bool,
}

impl Citizen {
    fn draw(rng: &mut StdRng) -> Self {
        let number: u32 = rng.random_range(1000..10_000);
        let phone = match number % 2 {
            0 => format!("031-390 06 {:02}", number % 50),
            _ => format!("070-174 06 {:02}", 5 + number % 95),
        };
        Citizen {
            name: format!("Invånare {number}"),
            email: format!("invanare{number}@example.org"),
            phone,
            notify: number.is_multiple_of(3),
        }
    }
}

impl Matter {
    /// An ordinary citizen's matter.
    pub(super) fn draw(rng: &mut StdRng) -> Self {
        let department = weighted(rng, DEPARTMENTS, |department| department.weight)
            .expect("there are departments");
        let case_type = weighted(rng, department.case_types, |case_type| case_type.weight)
            .expect("a department has case types");
        Self::about(rng, department, case_type)
    }

    /// A call about the burst water main.
    pub(super) fn leak(rng: &mut StdRng) -> Self {
        let (department, case_type) = DEPARTMENTS
            .iter()
            .flat_map(|department| {
                department
                    .case_types
                    .iter()
                    .map(move |case| (department, case))
            })
            .find(|(_, case_type)| case_type.label == LEAK)
            .expect("leaks are a case type");
        Self::about(rng, department, case_type)
    }

    fn about(rng: &mut StdRng, department: &Department, case_type: &CaseType) -> Self {
        let opinion = match rng.random::<f64>() {
            lot if lot < COMPLAINTS => Some(Opinion::Complaint),
            lot if lot < COMPLAINTS + PRAISE => Some(Opinion::Praise),
            _ => None,
        };
        let urgent = match opinion {
            Some(Opinion::Complaint) => chance(rng, URGENT_COMPLAINTS),
            Some(Opinion::Praise) => false,
            None => chance(rng, case_type.urgent),
        };
        let outcome = match opinion {
            _ if urgent => Outcome::Forwarded,
            Some(Opinion::Praise) if case_type.rosa_group < 5 => Outcome::Resolved,
            // Opinions are always registered; in group 1 and 2 there is often nothing to register.
            None if case_type.rosa_group <= 2 && chance(rng, UNREGISTERED) => Outcome::Unregistered,
            _ if chance(rng, case_type.resolved) => Outcome::Resolved,
            _ => Outcome::Forwarded,
        };
        let about = case_type.texts[rng.random_range(0..case_type.texts.len())];
        let text = match opinion {
            Some(Opinion::Complaint) => format!("Klagomål: har väntat länge på besked. {about}"),
            Some(Opinion::Praise) => {
                format!("Beröm för ett snabbt och vänligt svar. Gällde: {about}")
            }
            None => about.to_owned(),
        };
        Matter {
            department: department.label,
            queue: department.queue,
            outcome,
            case: NewCase {
                case_type: case_type.label,
                rosa_group: case_type.rosa_group,
                department: department.label,
                opinion,
                urgent,
                zone: case_type.zone,
                text,
                citizen: (!chance(rng, ANONYMOUS)).then(|| Citizen::draw(rng)),
                contact: None,
                forward: outcome == Outcome::Forwarded,
                guide: None,
            },
        }
    }
}
