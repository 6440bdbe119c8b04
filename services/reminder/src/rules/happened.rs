//! What has happened to a case since it was forwarded, in sentences.

use domain::FollowUpStep;
use jiff::{SignedDuration, Timestamp};

use super::{
    clock::Pause,
    outline::{OutlineLine, OutlineState},
    plan::{Done, Ending, Follow, How, Plan, Promised, Turn},
    reason::Measures,
    terms::Terms,
    whom::{message, whom},
    words::{capital, moment, small, words, working_hours},
};

/// A step that comes so much later than planned is told to be late.
const LATE: SignedDuration = SignedDuration::from_mins(30);

impl Plan {
    /// What has happened, in the order of time.
    pub(super) fn happened(&self, terms: &Terms) -> Vec<OutlineLine> {
        let mut lines: Vec<OutlineLine> = self.earlier.iter().map(earlier).collect();
        let first = lines.len();
        lines.push(self.began(terms));
        lines.extend(self.officer.map(|at| {
            line(
                at,
                "tog en handläggare ärendet".to_owned(),
                "an officer took the case".to_owned(),
            )
        }));
        for pause in &self.clock.pauses {
            lines.push(paused(pause));
            lines.extend(pause.resumed.map(|at| went_on(pause, at, terms)));
        }
        lines.extend(self.promise.as_ref().map(|p| self.promised_line(p, terms)));
        lines.extend(self.done.iter().map(|done| behind(done, terms)));
        lines.extend(self.ended.as_ref().map(|ended| {
            let (swedish, english) = ending(&ended.how);
            line(
                ended.at,
                format!("{swedish}. Uppföljningen slutar där"),
                format!("{english}. The follow-up ends there"),
            )
        }));
        lines[first..].sort_by_key(|line| line.at);
        lines
    }

    fn began(&self, terms: &Terms) -> OutlineLine {
        let again = matches!(
            self.earlier.last(),
            Some(Turn {
                how: Some(Ending::Closed(_)),
                ..
            })
        );
        let what = if again {
            (
                "öppnades ärendet igen och vidareskickades",
                "the case was opened anew and forwarded",
            )
        } else {
            ("vidareskickades ärendet", "the case was forwarded")
        };
        let limit = match self.follow {
            Follow::Limit { length, .. } => {
                let (hours, at) = (
                    working_hours(length),
                    terms
                        .working_time
                        .add(self.clock.started, length)
                        .map(moment),
                );
                at.map_or_else(
                    || {
                        (
                            format!(", med tidsgränsen {}", hours.swedish),
                            format!(", with a time limit of {}", hours.english),
                        )
                    },
                    |at| {
                        (
                            format!(
                                ", med tidsgränsen {}, alltså till {}",
                                hours.swedish, at.swedish
                            ),
                            format!(
                                ", with a time limit of {}, that is until {}",
                                hours.english, at.english
                            ),
                        )
                    },
                )
            }
            Follow::Imported { .. } | Follow::NoLimit => Default::default(),
        };
        let (department, group) = (&terms.department, &terms.group);
        line(
            self.clock.started,
            format!("{} till gruppen {group} på {department}{}", what.0, limit.0),
            format!("{} to the group {group} of {department}{}", what.1, limit.1),
        )
    }

    fn promised_line(&self, promise: &Promised, terms: &Terms) -> OutlineLine {
        let at = moment(promise.promised);
        let reminded = self.done.iter().any(|d| d.step == FollowUpStep::Share);
        let measures = self.measures(terms, &self.clock);
        let left_out = measures
            .as_ref()
            .is_some_and(Measures::promised_after_share);
        let after = measures.is_some_and(|m| m.promised_after_limit().is_some());
        let first = if reminded || !left_out {
            ("", "")
        } else {
            (
                " Den första påminnelsen utgår därför.",
                " So the first reminder is left out.",
            )
        };
        let then = if after {
            (
                " Tidsgränsen står kvar, men det som följer efter den räknas från den lovade tiden",
                " The time limit stays, but what comes after it is counted from the promised time",
            )
        } else {
            (
                " Det är inom tidsgränsen, så det som följer efter den ändras inte",
                " That is within the time limit, so what comes after it does not change",
            )
        };
        line(
            promise.at,
            format!(
                "lovade gruppen att vara klar {}.{}{}",
                at.swedish, first.0, then.0
            ),
            format!(
                "the group promised to be done by {}.{}{}",
                at.english, first.1, then.1
            ),
        )
    }
}

fn earlier(turn: &Turn) -> OutlineLine {
    let (from, until) = (moment(turn.from), moment(turn.until));
    let (swedish, english) = turn.how.as_ref().map_or_else(
        || {
            (
                "vidareskickades det".to_owned(),
                "it was forwarded elsewhere".to_owned(),
            )
        },
        ending_of_it,
    );
    let steps = match turn.steps {
        0 => (
            "utan att någon behövde påminnas".to_owned(),
            "and nobody had to be reminded".to_owned(),
        ),
        1 => ("efter ett steg".to_owned(), "after one step".to_owned()),
        steps => (
            format!("efter {steps} steg"),
            format!("after {steps} steps"),
        ),
    };
    OutlineLine {
        at: Some(turn.from),
        state: OutlineState::Happened,
        step: None,
        words: words(
            format!(
                "Från {} var ärendet hos {} på {}; {} {swedish}, {}.",
                from.swedish, turn.group, turn.department, until.swedish, steps.0
            ),
            format!(
                "From {} the case was at {} of {}; on {} {english}, {}.",
                from.english, turn.group, turn.department, until.english, steps.1
            ),
        ),
    }
}

fn ending(how: &Ending) -> (String, String) {
    match how {
        Ending::Closed(outcome) => (
            format!("avslutades ärendet ({})", small(outcome.swedish())),
            format!("the case was closed ({})", outcome.english()),
        ),
        Ending::Bounced => (
            "skickade gruppen tillbaka ärendet som felskickat".to_owned(),
            "the group sent the case back as sent to the wrong place".to_owned(),
        ),
    }
}

fn ending_of_it(how: &Ending) -> (String, String) {
    match how {
        Ending::Closed(outcome) => (
            format!("avslutades det ({})", small(outcome.swedish())),
            format!("it was closed ({})", outcome.english()),
        ),
        Ending::Bounced => (
            "skickades det tillbaka som felskickat".to_owned(),
            "it was sent back as sent to the wrong place".to_owned(),
        ),
    }
}

fn paused(pause: &Pause) -> OutlineLine {
    let until = moment(pause.until);
    line(
        pause.at,
        format!(
            "pausades ärendet ({}), som längst till {}; klockan stannade",
            small(pause.reason.swedish()),
            until.swedish
        ),
        format!(
            "the case was paused ({}), until {} at the longest; its clock stopped",
            pause.reason.english(),
            until.english
        ),
    )
}

fn went_on(pause: &Pause, at: Timestamp, terms: &Terms) -> OutlineLine {
    let stood = working_hours(terms.working_time.between(pause.at, at));
    line(
        at,
        format!("gick klockan vidare; den hade stått i {}", stood.swedish),
        format!("the clock went on; it had stood for {}", stood.english),
    )
}

fn behind(done: &Done, terms: &Terms) -> OutlineLine {
    let planned = moment(done.planned);
    let (state, words) = match &done.how {
        How::Taken(why) => {
            let (at, whom) = (moment(done.at), whom(done.step, terms).was_told);
            let late = if done.at.duration_since(done.planned) < LATE {
                Default::default()
            } else {
                (
                    format!(" Det skulle ha skett {}.", planned.swedish),
                    format!(" That should have been on {}.", planned.english),
                )
            };
            let words = words(
                format!(
                    "{} {}: {}.{}",
                    capital(&at.swedish),
                    whom.swedish,
                    why.swedish,
                    late.0
                ),
                format!(
                    "On {} {}: {}.{}",
                    at.english, whom.english, why.english, late.1
                ),
            );
            (OutlineState::Happened, words)
        }
        How::Missed => {
            let what = message(done.step);
            let words = words(
                format!(
                    "{}, som skulle ha kommit {}, hoppades över, eftersom ett senare steg redan var aktuellt.",
                    capital(&what.swedish),
                    planned.swedish
                ),
                format!(
                    "{}, which should have come on {}, was left out, since a later step was due already.",
                    capital(&what.english),
                    planned.english
                ),
            );
            (OutlineState::Missed, words)
        }
    };
    OutlineLine {
        at: Some(done.at),
        state,
        step: Some(done.step),
        words,
    }
}

/// A sentence that begins with its time; both parts lack that and the full stop.
fn line(at: Timestamp, swedish: String, english: String) -> OutlineLine {
    let time = moment(at);
    OutlineLine {
        at: Some(at),
        state: OutlineState::Happened,
        step: None,
        words: words(
            format!("{} {swedish}.", capital(&time.swedish)),
            format!("On {} {english}.", time.english),
        ),
    }
}
