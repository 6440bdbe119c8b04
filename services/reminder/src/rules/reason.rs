//! Why a step is taken, in words.

use domain::{FollowUpStep, ReminderSteps, Words};
use jiff::{SignedDuration, Timestamp};

use super::words::{hours, moment, words, working_hours};

/// What a plan's steps are measured by. Lengths are on the case's clock.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measures {
    pub(super) limit: SignedDuration,
    /// What the clock shows when the group has promised to be done, and when that is.
    pub(super) promise: Option<(SignedDuration, Timestamp)>,
    pub(super) steps: ReminderSteps,
}

impl Measures {
    /// The group is first reminded then.
    pub(super) fn share_of_limit(&self) -> SignedDuration {
        // To the second: more is not meant by a share. A share that is no number is no time before the limit.
        let seconds = (self.limit.as_secs_f64() * self.steps.first_at_share).round();
        SignedDuration::try_from_secs_f64(seconds).unwrap_or(self.limit)
    }

    /// What the steps above the group are counted from: the limit or, where it comes later, the promise.
    pub(super) fn base(&self) -> SignedDuration {
        self.limit.max(
            self.promised_after_limit()
                .map_or(self.limit, |(promise, _)| promise),
        )
    }

    /// Whether the first reminder is left out: who has promised a day is not asked how it goes before it.
    pub(super) fn promised_after_share(&self) -> bool {
        let share = self.share_of_limit();
        self.promise.is_some_and(|(promise, _)| share <= promise)
    }

    /// The promise, where it comes after the limit.
    pub(super) fn promised_after_limit(&self) -> Option<(SignedDuration, Timestamp)> {
        self.promise.filter(|(reading, _)| *reading > self.limit)
    }
}

/// Why a step is taken while the case's clock shows `reading`. Within a sentence, and without a word of the case's content.
pub(super) fn reason(step: FollowUpStep, measures: &Measures, reading: SignedDuration) -> Words {
    let promise = measures.promised_after_limit().map(|(_, at)| moment(at));
    match (step, promise) {
        (FollowUpStep::Share, _) => {
            let share = share(measures, reading);
            let (gone, limit) = (hours(reading), working_hours(measures.limit));
            words(
                format!(
                    "{} tidsgränsen ({} av {}) har gått",
                    share.swedish, gone.swedish, limit.swedish
                ),
                format!(
                    "{} of the time limit ({} of {}) has passed",
                    share.english, gone.english, limit.english
                ),
            )
        }
        (FollowUpStep::Limit, promise) => {
            let limit = working_hours(measures.limit);
            let (swedish, english) = promise.map_or_else(Default::default, |at| {
                (
                    format!("; gruppen har lovat att vara klar {}", at.swedish),
                    format!("; the group has promised to be done by {}", at.english),
                )
            });
            words(
                format!("tidsgränsen ({}) har gått ut{swedish}", limit.swedish),
                format!("the time limit ({}) has passed{english}", limit.english),
            )
        }
        (FollowUpStep::Promised, _) => {
            let promise = measures.promise.map(|(_, at)| moment(at));
            let (swedish, english) = promise.map_or_else(Default::default, |at| {
                (format!(" ({})", at.swedish), format!(" ({})", at.english))
            });
            words(
                format!(
                    "tiden som gruppen lovade{swedish} har passerat, och ärendet är inte avslutat"
                ),
                format!(
                    "the time that the group promised{english} has passed, and the case is not closed"
                ),
            )
        }
        (FollowUpStep::ContactPerson | FollowUpStep::Heads, promise) => {
            let since = working_hours(reading - measures.base());
            let (swedish, english) = promise.map_or_else(
                || {
                    (
                        "tidsgränsen gick ut".to_owned(),
                        "the time limit passed".to_owned(),
                    )
                },
                |at| {
                    (
                        format!("tiden som gruppen lovade ({}) passerade", at.swedish),
                        format!("the time that the group promised ({}) passed", at.english),
                    )
                },
            );
            words(
                format!(
                    "{swedish} för {} sedan, och ärendet är inte avslutat",
                    since.swedish
                ),
                format!(
                    "{english} {} ago, and the case is not closed",
                    since.english
                ),
            )
        }
    }
}

/// When a step comes, of one that is still to come: the end of a sentence, with what joins it to its beginning.
pub(super) fn when(step: FollowUpStep, measures: &Measures) -> Words {
    let after = |length| {
        let length = working_hours(length);
        let from = match measures.promised_after_limit() {
            Some(_) => (
                "tiden som gruppen har lovat",
                "the time that the group has promised",
            ),
            None => ("tidsgränsen", "the time limit"),
        };
        words(
            format!(", {} efter {}", length.swedish, from.0),
            format!(", {} after {}", length.english, from.1),
        )
    };
    match step {
        FollowUpStep::Share => {
            let reason = reason(step, measures, measures.share_of_limit());
            words(
                format!(" när {}", reason.swedish),
                format!(" when {}", reason.english),
            )
        }
        FollowUpStep::Limit => {
            let limit = working_hours(measures.limit);
            words(
                format!(" när tidsgränsen ({}) har gått ut", limit.swedish),
                format!(" when the time limit ({}) has passed", limit.english),
            )
        }
        FollowUpStep::Promised => words(
            " när tiden som gruppen har lovat är inne".to_owned(),
            " when the time that the group has promised has come".to_owned(),
        ),
        FollowUpStep::ContactPerson => {
            after(measures.steps.contact_person_after_working_hours.duration())
        }
        FollowUpStep::Heads => after(measures.steps.heads_after_working_hours.duration()),
    }
}

/// The share of the limit at which the group is first reminded: `halva` and `half`, `60 % av` and `60 %`; with what tells
/// that it was a while ago, where it was.
fn share(measures: &Measures, reading: SignedDuration) -> Words {
    let percent = (measures.steps.first_at_share * 100.0).round();
    let (swedish, english) = if percent == 50.0 {
        ("halva".to_owned(), "half".to_owned())
    } else {
        (format!("{percent} % av"), format!("{percent} %"))
    };
    if hours(reading) == hours(measures.share_of_limit()) {
        words(swedish, english)
    } else {
        words(format!("mer än {swedish}"), format!("more than {english}"))
    }
}
