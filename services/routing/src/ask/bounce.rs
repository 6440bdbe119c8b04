//! A case sent back as sent to the wrong place: where it goes then.

use domain::{Bounce, CaseWhat, Department, GroupId, NewsOf, Words};

use super::{Refused, go_on, refused};
use crate::{
    case::Case,
    forward::{To, forward, is_at_registrator},
    versions,
    work::Work,
};

/// Where a case is said to belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) department: Department,
    /// A group by name; else the one that the agreements name.
    pub(crate) group: Option<GroupId>,
}

impl Place {
    /// Whether that is where it comes from.
    fn has(&self, case: &Case) -> bool {
        case.is_at(&self.department) && (self.group.is_none() || self.group == case.group_id)
    }

    /// `gata`, or `kansli/ekonomi`.
    pub(crate) fn label(&self) -> String {
        match &self.group {
            Some(group) => format!("{}/{group}", self.department),
            None => self.department.to_string(),
        }
    }
}

impl From<Place> for To {
    fn from(Place { department, group }: Place) -> Self {
        match group {
            Some(group) => Self::Group(department, group),
            None => Self::Department(department),
        }
    }
}

/// Sends a case to where it belongs; to the registrator where nobody says, or where it has been sent back before since it was
/// last opened or the registrator last sent it on. The registrator itself must say.
pub(super) fn bounce(
    work: &mut Work<'_>,
    mut case: Case,
    who: &str,
    belongs_to: Option<Place>,
    note: Option<String>,
) -> Result<(), Refused> {
    let belongs_to = belongs_to.filter(|place| !place.has(&case));
    let registrator = versions::of(&work.versions, &case)
        .is_some_and(|version| is_at_registrator(&version.content, &case));
    if registrator && belongs_to.is_none() {
        return Err(refused(
            "ni är registrator, och ärendet kommer hit när ingen annan vet: välj vart det hör",
            "you are the registrator, who gets the case when nobody else knows: choose where it belongs",
        ));
    }
    go_on(work, &mut case);
    let from = case.department.clone();
    let bounce = Bounce {
        case_type: case.case_type.clone(),
        rule: case.rule.clone().unwrap_or_default(),
        belongs_to: belongs_to.as_ref().map(|place| place.department.clone()),
    };
    work.tell(&case, CaseWhat::Bounced(bounce));
    work.note(&case, "bounced", who.to_owned(), note);
    if let Some(from) = &from {
        work.tell_department(from, case.changed_at, NewsOf::Bounced { case: case.id });
    }
    let from = from.map(String::from).unwrap_or_default();
    let mut why = vec![if registrator {
        Words {
            swedish: "registrator skickade det vidare".to_owned(),
            english: "the registrator sent it on".to_owned(),
        }
    } else {
        Words {
            swedish: format!("{from} skickade tillbaka det som felskickat"),
            english: format!("{from} sent it back as sent to the wrong place"),
        }
    }];
    // A second round is a question that somebody must answer. Whoever does begins anew.
    case.bounces = if registrator { 0 } else { case.bounces + 1 };
    let to = match belongs_to {
        Some(place) if case.bounces <= 1 => place.into(),
        Some(place) => {
            let place = place.label();
            why.push(Words {
                swedish: format!(
                    "{from} ansåg att det hör till {place}, men det har skickats tillbaka förut"
                ),
                english: format!(
                    "{from} said that it belongs to {place}, but it has been sent back before"
                ),
            });
            To::Registrator
        }
        None => {
            why.push(Words {
                swedish: "vart det hör sades inte".to_owned(),
                english: "where it belongs was not said".to_owned(),
            });
            To::Registrator
        }
    };
    forward(work, case, to, why);
    Ok(())
}
