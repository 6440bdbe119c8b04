//! Handing a case to a department group.

use domain::{CaseWhat, Department, Forwarding, NewsOf, Words};
use platform::mail::{Address, Mail};
use uuid::Uuid;

use crate::{
    case::{Case, State},
    link::{LIFE, Link},
    versions,
    work::Work,
};

/// Hands `case` to where the agreements it is bound to send a case of `department`, with `first` as the beginning of the
/// explanation. Without any agreements it waits for some.
pub(crate) fn forward(
    work: &mut Work<'_>,
    mut case: Case,
    department: Department,
    first: Option<Words>,
) {
    let versions = work.versions.clone();
    let bound = match case.agreement {
        Some(version) => versions::numbered(&versions, version),
        None => versions::bound(&versions, case.registered_at),
    };
    let Some(version) = bound else {
        case.wanted = true;
        work.put(case);
        return;
    };
    let routed = version.content.route(&case.to_route(department));
    let at = work.next(&case);
    let working_time = version.content.working_time(&routed.department);
    let due = working_time.add(at, routed.limit_working_hours.duration());
    let mut why: Vec<Words> = first.into_iter().collect();
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
    case.wanted = false;
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
    if let Some(to) = version
        .content
        .departments
        .get(&routed.department)
        .and_then(|d| d.groups.get(&routed.group))
        .and_then(|group| Address::new(&group.name, &group.email).ok())
    {
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
