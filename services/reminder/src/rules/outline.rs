//! A plan in sentences: how things are and what comes next. What has happened is in [`super::happened`].

use domain::{FollowUpStep, Words};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    plan::{Follow, Plan},
    reason::when,
    step::Ahead,
    terms::Terms,
    whom::{message, whom},
    words::{capital, hours, moment, words, working_hours},
};

/// A sentence of a plan's outline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OutlineLine {
    /// When it happened, or is to happen; null where the sentence is not about a moment.
    pub at: Option<Timestamp>,
    /// Whether it has happened.
    pub state: OutlineState,
    /// The step it is about, where it is about one.
    pub step: Option<FollowUpStep>,
    /// The sentence, with its time.
    pub words: Words,
}

/// Whether what a sentence tells has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutlineState {
    /// It has.
    Happened,
    /// It was to happen, and something else did.
    Missed,
    /// It is how things are.
    Holds,
    /// It is to happen, unless the case is closed before.
    Planned,
}

impl Plan {
    /// Everything that has happened, in the order of time, how things are, and what comes next: in sentences for those who
    /// do not know how a plan works. `now` tells what is past.
    pub(crate) fn outline(&self, terms: &Terms, now: Timestamp) -> Vec<OutlineLine> {
        let mut lines = self.happened(terms);
        match self.follow {
            _ if self.ended.is_some() => {}
            Follow::Imported { .. } => lines.push(holds(words(
                "Ärendet kom med en import från ett äldre system, så ingen påminns om det."
                    .to_owned(),
                "The case came with an import from an older system, so nobody is reminded of it."
                    .to_owned(),
            ))),
            Follow::NoLimit => lines.push(holds(words(
                "Ärendet har ingen tidsgräns, så det finns inget att påminna om.".to_owned(),
                "The case has no time limit, so there is nothing to remind of.".to_owned(),
            ))),
            Follow::Limit { due, .. } => {
                lines.push(holds(self.stands(terms, due, now)));
                self.comes(terms, now, &mut lines);
            }
        }
        lines
    }

    /// How the case stands by its limit.
    fn stands(&self, terms: &Terms, due: Timestamp, now: Timestamp) -> Words {
        let Some(measures) = self.measures(terms, &self.clock) else {
            return words(String::new(), String::new());
        };
        let reading = self.clock.reading(&terms.working_time, now);
        let (limit, at) = (working_hours(measures.limit), moment(due));
        if self.is_late(now) {
            let late = working_hours(reading - measures.limit);
            let by = if hours(reading - measures.limit) == hours(SignedDuration::ZERO) {
                Default::default()
            } else {
                (
                    format!(" med {}", late.swedish),
                    format!(" by {}", late.english),
                )
            };
            return words(
                format!(
                    "Tidsgränsen på {} gick ut {}, så ärendet är försenat{}.",
                    limit.swedish, at.swedish, by.0
                ),
                format!(
                    "The time limit of {} passed on {}, so the case is overdue{}.",
                    limit.english, at.english, by.1
                ),
            );
        }
        let gone = hours(reading);
        let gone = words(
            format!("{} av {} har gått", gone.swedish, limit.swedish),
            format!("{} of {} have passed", gone.english, limit.english),
        );
        if self.clock.standing().is_some() {
            words(
                format!(
                    "{}; tidsgränsen flyttas fram så länge ärendet är pausat.",
                    capital(&gone.swedish)
                ),
                format!(
                    "{}; the time limit moves for as long as the case is paused.",
                    capital(&gone.english)
                ),
            )
        } else {
            words(
                format!("Tidsgränsen går ut {}; {}.", at.swedish, gone.swedish),
                format!("The time limit passes on {}; {}.", at.english, gone.english),
            )
        }
    }

    /// What comes next; while it is paused, what comes if it goes on when the pause ends by itself.
    fn comes(&self, terms: &Terms, now: Timestamp, lines: &mut Vec<OutlineLine>) {
        let mut clock = self.clock.clone();
        let goes_on = clock.standing().map(|pause| pause.until.max(now));
        if let Some(goes_on) = goes_on {
            clock.go_on(goes_on);
        }
        let ahead = self.ahead(terms, &clock);
        if ahead.is_empty() {
            let all = self
                .done
                .iter()
                .any(|done| done.step == FollowUpStep::Heads);
            let (swedish, english) = if all {
                (
                    "Alla steg är tagna; ingen mer påminns.",
                    "All steps are taken; nobody else is reminded.",
                )
            } else {
                (
                    "Förvaltningen har inte öppet de närmaste åren, så inget steg kan tas.",
                    "The department is not open in the years to come, so no step can be taken.",
                )
            };
            lines.push(holds(words(swedish.to_owned(), english.to_owned())));
            return;
        }
        lines.push(holds(match goes_on.map(moment) {
            Some(at) => words(
                format!(
                    "Medan ärendet är pausat tas inget steg. Går det vidare först när pausen slutar, {}, kommer detta \
                     härnäst:",
                    at.swedish
                ),
                format!(
                    "No step is taken while the case is paused. If it goes on only when the pause ends, on {}, this comes \
                     next:",
                    at.english
                ),
            ),
            None => words(
                "Om ärendet inte avslutas eller pausas innan dess kommer detta härnäst:".to_owned(),
                "Unless the case is closed or paused before, this comes next:".to_owned(),
            ),
        }));
        // Of what is due already, the latest alone is taken, as soon as the department works.
        let past = ahead.iter().filter(|a| a.at <= now).count();
        let (skipped, rest) = ahead.split_at(past.saturating_sub(1));
        lines.extend(skipped.iter().map(skipped_line));
        for ahead in rest {
            let at = if ahead.at <= now {
                terms.next_work(now)
            } else {
                Some(ahead.at)
            };
            let Some((at, measures)) = at.zip(self.measures(terms, &clock)) else {
                continue;
            };
            let (time, when) = (moment(at), when(ahead.step, &measures));
            let whom = whom(ahead.step, terms);
            let words = words(
                format!(
                    "{} {}{}.",
                    capital(&time.swedish),
                    whom.is_told.swedish,
                    when.swedish
                ),
                format!(
                    "On {} {}{}.",
                    time.english, whom.is_told.english, when.english
                ),
            );
            lines.push(OutlineLine {
                at: Some(at),
                state: OutlineState::Planned,
                step: Some(ahead.step),
                words,
            });
        }
    }
}

fn skipped_line(ahead: &Ahead) -> OutlineLine {
    let (what, at) = (message(ahead.step), moment(ahead.at));
    OutlineLine {
        at: Some(ahead.at),
        state: OutlineState::Missed,
        step: Some(ahead.step),
        words: words(
            format!(
                "{}, som skulle ha kommit {}, hoppas över, eftersom ett senare steg redan är aktuellt.",
                capital(&what.swedish),
                at.swedish
            ),
            format!(
                "{}, which should have come on {}, is left out, since a later step is due already.",
                capital(&what.english),
                at.english
            ),
        ),
    }
}

fn holds(words: Words) -> OutlineLine {
    OutlineLine {
        at: None,
        state: OutlineState::Holds,
        step: None,
        words,
    }
}
