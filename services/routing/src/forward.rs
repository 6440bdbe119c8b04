//! Handing a case to a department group.

use domain::{
    Agreements, CaseWhat, Department, Forwarding, GroupId, NewsOf, Routed, Words, in_force,
    local_day,
};
use platform::mail::{Address, Mail};
use uuid::Uuid;

use crate::{
    case::{Case, State},
    link::{LIFE, Link},
    versions,
    work::Work,
};

/// Where a case is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum To {
    /// Where the agreements send such a case of a department.
    Department(Department),
    /// A group of a department, by name.
    Group(Department, GroupId),
    /// The registrator, who finds out.
    Registrator,
    /// The group that had it last.
    Same,
}

impl To {
    fn route(self, agreements: &Agreements, case: &Case) -> Routed {
        match self {
            Self::Department(department) => agreements.route(&case.to_route(department)),
            Self::Group(department, group) => {
                agreements.route_to_group(&case.to_route(department), &group)
            }
            Self::Registrator => {
                agreements.route_to_registrator(&case.to_route(case.about.clone()))
            }
            Self::Same => {
                let department = case.department.as_ref().unwrap_or(&case.about).clone();
                let routed = agreements.route(&case.to_route(department.clone()));
                match &case.group_id {
                    Some(_) if case.rule.as_ref() == Some(&routed.rule) => routed,
                    Some(_) if is_at_registrator(agreements, case) => {
                        Self::Registrator.route(agreements, case)
                    }
                    Some(group) if *group != routed.group => {
                        Self::Group(department, group.clone()).route(agreements, case)
                    }
                    _ => routed,
                }
            }
        }
    }
}

/// Whether the registrator's group has a case.
pub(crate) fn is_at_registrator(agreements: &Agreements, case: &Case) -> bool {
    let registrator = &agreements.registrator;
    case.is_at(&registrator.department) && case.group_id.as_ref() == Some(&registrator.group)
}

/// Hands `case` on as the agreements it is bound to say, with `first` as the beginning of the explanation. Without any
/// agreements it waits for some.
pub(crate) fn forward(work: &mut Work<'_>, mut case: Case, to: To, first: Vec<Words>) {
    let versions = work.versions.clone();
    let Some(version) = versions::of(&versions, &case) else {
        case.wanted = true;
        work.put(case);
        return;
    };
    let routed = to.route(&version.content, &case);
    let at = work.next(&case);
    let working_time = version.content.working_time(&routed.department);
    let due = working_time.add(at, routed.limit_working_hours.duration());
    let mut why = first;
    why.push(Words {
        swedish: format!(
            "version {} av överenskommelserna, från {}",
            version.version, version.valid_from
        ),
        english: format!(
            "version {} of the agreements, from {}",
            version.version, version.valid_from
        ),
    });
    why.extend(routed.why);
    if due.is_none() {
        why.push(Words {
            swedish: "förvaltningen har inte öppet så många timmar på tio år: ingen tidsgräns"
                .to_owned(),
            english:
                "the department is not open for that many hours within ten years: no time limit"
                    .to_owned(),
        });
    }
    case.state = State::Open;
    case.department = Some(routed.department.clone());
    case.group_id = Some(routed.group.clone());
    case.agreement = Some(version.version);
    case.rule = Some(routed.rule.clone());
    case.why = Some(why);
    case.zone = routed.zone;
    // Later ones are no more of the centre's time.
    let centre_working_s = (case.turn == 0).then(|| {
        let office = version.content.office_time();
        office.between(case.registered_at, at).as_secs()
    });
    case.turn += 1;
    case.forwarded_at = Some(at);
    case.due = due;
    (case.taken_at, case.closed_at, case.outcome) = (None, None, None);
    case.promised = None;
    (case.paused_at, case.paused_until, case.pause_reason) = (None, None, None);
    case.paused_s = 0;
    (case.wanted, case.undecided) = (false, false);
    // From here on it is where the agreements say, also if it came with an import.
    case.historical = None;
    case.changed_at = at;

    let forwarding = Forwarding {
        case_type: case.case_type.clone(),
        group: routed.group.clone(),
        agreement: case.agreement,
        rule: routed.rule,
        registered_at: case.registered_at,
        centre_working_s,
        due,
        guide: case.guide.clone(),
        imported: false,
        historical: None,
    };
    work.tell(&case, CaseWhat::Forwarded(forwarding));
    let news = NewsOf::Forwarded {
        case: case.id,
        case_type: case.case_type.clone(),
        group: routed.group.clone(),
        due,
        urgent: case.urgent,
        zone: case.zone.clone(),
    };
    work.tell_department(&routed.department, at, news);
    let who = format!("{}/{}", routed.department, routed.group);
    work.note(&case, "forwarded", who, None);
    // The rule and the limit are those of its version; a mailbox is where it is now.
    let current = in_force(&versions, local_day(work.now)).into_iter();
    let mut places = current.chain([version]);
    let to = places.find_map(|v| address(&v.content, &routed.department, &routed.group));
    if let Some(to) = to {
        let mail = mail(work, &case, to);
        work.mails.push(mail);
    } else {
        tracing::error!(
            case = %case.id,
            department = %routed.department,
            group = %routed.group,
            "the group has no address that mail can be sent to; the case is forwarded without one"
        );
    }
    work.put(case);
}

/// A group's mailbox, if there is such a group.
fn address(agreements: &Agreements, department: &Department, group: &GroupId) -> Option<Address> {
    let group = agreements.departments.get(department)?.groups.get(group)?;
    Address::new(&group.name, &group.email).ok()
}

/// Tells a group that it has a case. Nothing of what a citizen said: only a link.
fn mail(work: &Work<'_>, case: &Case, to: Address) -> Mail {
    let link = Link {
        case: case.id,
        turn: case.turn,
        expires: work.now + LIFE,
    };
    let due = case.due.map_or_else(
        || "Ingen tidsgräns är satt. (No time limit is set.)".to_owned(),
        |due| {
            let due = local(due);
            format!("Det ska vara avslutat senast {due}. (It is to be closed by {due}.)")
        },
    );
    let urgent = if case.urgent {
        (
            "Brådskande: ",
            "Ärendet är brådskande. (The case is urgent.)\n\n",
        )
    } else {
        ("", "")
    };
    Mail {
        // Once for each forwarding, whatever restarts.
        id: Uuid::new_v5(&case.id.0, format!("forwarded {}", case.turn).as_bytes()),
        to,
        subject: format!("{}Nytt ärende: {} (New case)", urgent.0, case.case_type),
        body: format!(
            "{}Ett ärende av typen {} har vidareskickats till er grupp. (A case has been forwarded to your group.)\n\n\
             {due}\n\n\
             Öppna ärendet, ta det och avsluta det här: (Open, take and close the case here:)\n{}\n\n\
             Länken gäller till och med {} och bara så länge er grupp har ärendet. (The link works until that day, and only \
             while your group has the case.)\n",
            urgent.1,
            case.case_type,
            work.desk.address_of(&link),
            domain::local_day(link.expires),
        ),
    }
}

/// A local time as people in Sweden write it, such as `2026-11-23 16:30`.
pub(crate) fn local(at: jiff::Timestamp) -> String {
    at.to_zoned(domain::stockholm())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}
