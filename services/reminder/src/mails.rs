//! The words of mails. Swedish with English beside; never a word of a case's content or of a citizen.

mod lists;

use domain::{FollowUpStep, Role, StepTaken};
use jiff::Timestamp;
use platform::mail::{Address, Mail};
use uuid::Uuid;

use crate::rules::{Plan, Terms, local};

pub(crate) use lists::{Listing, of_contact_person, of_guides, of_heads_late};

/// The mail of a step to whoever has `role`. The link is for the group alone.
pub(crate) fn of_step(
    plan: &Plan,
    terms: &Terms,
    told: &StepTaken,
    role: Role,
    to: Address,
    link: Option<&String>,
    now: Timestamp,
) -> Mail {
    let case_type = plan.case_type();
    let due = local(told.due);
    let limit = if told.due <= now {
        format!("Ärendet skulle ha varit avslutat senast {due}. (It was to be closed by then.)")
    } else {
        format!("Ärendet ska vara avslutat senast {due}. (It is to be closed by then.)")
    };
    Mail {
        // Once for each step of each forwarding to each role, whatever restarts.
        id: Uuid::new_v5(
            &plan.case().0,
            format!(
                "{} {role:?} {}",
                told.step.as_str(),
                plan.forwarded_at().as_microsecond()
            )
            .as_bytes(),
        ),
        to,
        subject: subject(told.step, case_type.as_str(), &terms.department),
        body: format!(
            "{}\n\nVarför ni får det här: {}. (Why you get this: {}.)\n\n{limit}\n\n{}\n\nÄrendets id (the case's id): {}\n",
            what(plan, terms),
            told.reason.swedish,
            told.reason.english,
            expected(role, &terms.group, link),
            plan.case(),
        ),
    }
}

fn subject(step: FollowUpStep, case_type: &str, department: &str) -> String {
    match step {
        FollowUpStep::Share => format!("Påminnelse: {case_type} (Reminder)"),
        FollowUpStep::Limit => format!("Försenat ärende: {case_type} (Overdue case)"),
        FollowUpStep::Promised => {
            format!("Den utlovade dagen har passerat: {case_type} (The promised day has passed)")
        }
        FollowUpStep::ContactPerson | FollowUpStep::Heads => {
            format!("Försenat ärende hos {department}: {case_type} (Overdue case)")
        }
    }
}

fn what(plan: &Plan, terms: &Terms) -> String {
    format!(
        "Ett ärende av typen {} ligger hos {}, {} sedan {}. (A case is there since then.)",
        plan.case_type(),
        terms.department,
        terms.group,
        local(plan.forwarded_at()),
    )
}

/// What is expected of who gets the mail.
fn expected(role: Role, group: &str, link: Option<&String>) -> String {
    match (role, link) {
        (Role::Group, Some(link)) => format!(
            "Öppna ärendet, och avsluta det, pausa det eller skicka tillbaka det här: (Open the case, and close it, pause it or \
             send it back here:)\n{link}"
        ),
        (Role::Group, None) => {
            "Öppna ärendet med länken i mejlet som kom när det vidareskickades. (Open the case with the link in the mail that \
             came when it was forwarded.)"
                .to_owned()
        }
        (Role::ContactPerson, _) => format!(
            "Ta upp det med gruppen {group}, som ska avsluta ärendet. Görs ingenting får förvaltningschefen och kontaktcenters \
             enhetschef veta det. (Take it up with the group, which is to close the case. If nothing is done, the heads are told.)"
        ),
        (Role::DepartmentHead | Role::UnitHead, _) => format!(
            "Gruppen {group} och förvaltningens kontaktperson har påmints. Se till att någon tar hand om ärendet. (The group and \
             the contact person have been reminded. See to it that somebody takes care of the case.)"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_group_gets_the_link() {
        let link = "https://lots.kommun.example/routing/case/x".to_owned();
        assert!(expected(Role::Group, "Bygglov", Some(&link)).contains(&link));
        for role in [Role::ContactPerson, Role::DepartmentHead, Role::UnitHead] {
            assert!(
                !expected(role, "Bygglov", Some(&link)).contains("http"),
                "{role:?}"
            );
        }
        assert!(expected(Role::Group, "Bygglov", None).contains("när det vidareskickades"));
    }

    #[test]
    fn subjects_tell_the_steps_apart() {
        let subjects = FollowUpStep::ALL.map(|step| subject(step, "bygglov", "Byggförvaltningen"));
        assert!(subjects.iter().all(|s| s.contains("bygglov")));
        assert!(subjects[0].starts_with("Påminnelse"));
        assert!(subjects[1].starts_with("Försenat"));
        assert_ne!(subjects[1], subjects[2]);
        assert_ne!(subjects[1], subjects[3]);
    }
}
