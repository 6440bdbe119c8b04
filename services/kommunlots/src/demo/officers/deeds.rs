//! What officers do on a case's page, and when. Pure; the same case at the same department is dealt with the same.

use domain::FollowUpStep;
use jiff::{Timestamp, civil::Date};
use rand::{Rng, rngs::StdRng};

use crate::demo::{
    departments::DEPARTMENTS,
    hours,
    random::chance,
    rhythm::{self, dice, minutes},
};

/// Who decides where a case belongs that nobody else can place.
const REGISTRATOR: &str = "kansli";
/// Of all cases so many are sent back, so many of those to where they belong; of the others nobody knows.
const BOUNCED: f64 = 0.04;
const KNOWN: f64 = 0.7;
/// So many wait for the citizen.
const PAUSED: f64 = 0.06;
/// Of so many a day is promised, and mostly kept.
const PROMISED: f64 = 0.08;
const KEPT: f64 = 0.75;

/// Something done on a case's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Take,
    /// They wait for the citizen, until this day at the longest.
    Pause(Date),
    Resume,
    /// It is to be done on this day.
    Promise(Date),
    /// It belongs to another department; `None` where nobody knows to which.
    Bounce(Option<&'static str>),
    Close,
}

impl Deed {
    /// The form's place below the link, and its fields.
    pub(super) fn form(self) -> (&'static str, String) {
        match self {
            Self::Take => ("take", String::new()),
            Self::Pause(until) => ("pause", format!("reason=citizen&until={until}")),
            Self::Resume => ("resume", String::new()),
            Self::Promise(until) => ("promise", format!("until={until}")),
            Self::Bounce(to) => ("bounce", format!("belongs_to={}", to.unwrap_or("unknown"))),
            Self::Close => ("close", "outcome=done".to_owned()),
        }
    }
}

/// What is done with a case that a department got `now` with the limit `due`. One that is not `alone` has a system, which
/// closes it.
pub(super) fn plan(
    case: &str,
    department: &str,
    alone: bool,
    (now, due): (Timestamp, Option<Timestamp>),
) -> Vec<(Timestamp, Deed)> {
    let mut rng = dice(case, department);
    let soon = now + minutes(&mut rng, 10, 120);
    let soon = rhythm::at_work(&mut rng, department, soon);
    let close = due.and_then(|due| rhythm::done(&mut rng, department, now, due));
    let close = close
        .filter(|_| alone)
        .map(|at| at.max(soon + minutes(&mut rng, 1, 30)));
    if chance(&mut rng, BOUNCED) {
        // Where nobody knows, the registrator must.
        let known = chance(&mut rng, KNOWN) || department == REGISTRATOR;
        let to = known.then(|| elsewhere(&mut rng, department));
        return vec![(soon, Deed::Bounce(to.flatten()))];
    }
    if alone && close.is_none() {
        // It is forgotten.
        return Vec::new();
    }
    let mut deeds = vec![(soon, Deed::Take)];
    let then = soon + minutes(&mut rng, 1, 20);
    let today = hours::local(then).date();
    if chance(&mut rng, PAUSED) {
        let until = hours::weekday_after(hours::weekday_after(today));
        let answered = then + minutes(&mut rng, 3 * 60, 30 * 60);
        let answered = rhythm::at_work(&mut rng, department, answered);
        deeds.extend([(then, Deed::Pause(until)), (answered, Deed::Resume)]);
        // Its limit is later now, as it is.
        let later = close.map(|at| at + answered.duration_since(then));
        let later = later.map(|at| rhythm::at_work(&mut rng, department, at));
        deeds.extend(later.map(|at| (at, Deed::Close)));
    } else if chance(&mut rng, PROMISED) {
        let day = hours::weekday_after(today);
        deeds.push((then, Deed::Promise(day)));
        let morning = hours::at(day, 9 * 60) + minutes(&mut rng, 0, 300);
        let at = if chance(&mut rng, KEPT) {
            rhythm::at_work(&mut rng, department, morning)
        } else {
            rhythm::cleared(&mut rng, department, hours::at(day, 17 * 60))
        };
        deeds.extend(close.map(|_| (at, Deed::Close)));
    } else {
        deeds.extend(close.map(|at| (at, Deed::Close)));
    }
    deeds
}

/// When a forgotten case is closed after a letter of `step`, if that finds it.
pub(super) fn found(
    case: &str,
    department: &str,
    step: FollowUpStep,
    now: Timestamp,
) -> Option<Timestamp> {
    // Each letter is another chance.
    let mut rng = dice(case, &format!("{department} {now}"));
    rhythm::found(&mut rng, department, step, now)
}

/// Another department.
fn elsewhere(rng: &mut StdRng, department: &str) -> Option<&'static str> {
    let others = DEPARTMENTS.iter().map(|d| d.label);
    let others: Vec<&str> = others.filter(|label| *label != department).collect();
    others
        .get(rng.random_range(0..others.len().max(1)))
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn officers_do_all_that_the_page_offers_and_in_its_order() {
        let now = hours::at("2026-11-23".parse().unwrap(), 10 * 60);
        let due = now + jiff::SignedDuration::from_hours(72);
        let (mut bounced, mut known, mut paused, mut promised, mut forgotten) = (0, 0, 0, 0, 0);
        for case in 0..2_000 {
            let deeds = plan(&case.to_string(), "kultur", true, (now, Some(due)));
            assert_eq!(
                deeds,
                plan(&case.to_string(), "kultur", true, (now, Some(due)))
            );
            assert!(deeds.is_sorted_by_key(|(at, _)| *at), "{deeds:?}");
            forgotten += usize::from(deeds.is_empty());
            for (at, deed) in &deeds {
                match deed {
                    Deed::Bounce(to) => {
                        bounced += 1;
                        known += usize::from(to.is_some());
                        assert_ne!(*to, Some("kultur"));
                    }
                    Deed::Pause(until) => {
                        paused += 1;
                        assert!(hours::at(*until, 0) > *at);
                    }
                    Deed::Promise(day) => {
                        promised += 1;
                        assert!(hours::is_weekday(*day) && hours::at(*day, 8 * 60) > *at);
                    }
                    Deed::Take | Deed::Resume | Deed::Close => {}
                }
            }
            let closed = deeds
                .iter()
                .filter(|(_, deed)| *deed == Deed::Close)
                .count();
            let open = deeds.is_empty() || matches!(deeds[0].1, Deed::Bounce(_));
            assert_eq!(closed, usize::from(!open), "{deeds:?}");
            // A system closes what its officers only work with.
            let with_system = plan(&case.to_string(), "kultur", false, (now, Some(due)));
            assert!(with_system.iter().all(|(_, deed)| *deed != Deed::Close));
        }
        assert!((50..120).contains(&bounced) && (30..bounced).contains(&known));
        assert!((60..200).contains(&paused), "{paused}");
        assert!((80..240).contains(&promised), "{promised}");
        assert!((60..200).contains(&forgotten), "{forgotten}");
    }
}
