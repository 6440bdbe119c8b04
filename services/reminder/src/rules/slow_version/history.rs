//! Any history of a case.

use domain::{ReminderSteps, WorkingHours};
use proptest::{collection, prelude::*, sample::select};

/// What is done to a case or to the service, and where it begins.
#[derive(Debug, Clone)]
pub(super) struct History {
    /// Which of the beginnings.
    pub(super) begin: usize,
    pub(super) looks: Looks,
    /// So many minutes later, whether the service was down in them and still is, and what happens then.
    pub(super) acts: Vec<(i64, bool, Act)>,
}

/// When the service looks at the case.
#[derive(Debug, Clone, Copy)]
pub(super) enum Looks {
    /// Each so many minutes.
    Each(i64),
    /// When the plan has said that something is due.
    WhenThePlanSays,
}

/// What happens.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    /// Forwarded, anew or after a closing: by which hours and steps, and with a limit of how many hours.
    Forward {
        hours: usize,
        limit: i64,
        steps: ReminderSteps,
    },
    /// For so many minutes at the most; nothing but [`Act::Resume`] ends it here.
    Pause(i64),
    Resume,
    /// In so many minutes.
    Promise(i64),
    Close,
    Bounce,
    Officer,
    Restart,
    /// Other agreements, from today or tomorrow on: by which hours people are there, and other names. The case's limit and
    /// steps stay as they were.
    Agree {
        hours: usize,
        tomorrow: bool,
    },
    ToldAgain,
    /// The clock is set back by so many minutes for one look.
    ClockBack(i64),
}

fn forward() -> impl Strategy<Value = Act> {
    (0..3usize, 1..30i64, steps()).prop_map(|(hours, limit, steps)| Act::Forward {
        hours,
        limit,
        steps,
    })
}

fn act() -> impl Strategy<Value = Act> {
    let length = || prop_oneof![1..600i64, 1..20_000i64];
    prop_oneof![
        1 => forward(),
        5 => length().prop_map(Act::Pause),
        6 => Just(Act::Resume),
        3 => length().prop_map(Act::Promise),
        1 => Just(Act::Close),
        1 => Just(Act::Bounce),
        1 => Just(Act::Officer),
        2 => Just(Act::Restart),
        2 => (0..3usize, any::<bool>()).prop_map(|(hours, tomorrow)| Act::Agree { hours, tomorrow }),
        2 => Just(Act::ToldAgain),
        3 => length().prop_map(Act::ClockBack),
    ]
}

fn steps() -> impl Strategy<Value = ReminderSteps> {
    let hours = |hours: u32| WorkingHours::try_from(hours).unwrap();
    let share = select(&[0.25, 0.5, 0.75][..]);
    (share, 1..12u32, 1..12u32).prop_map(move |(first_at_share, contact_person, more)| {
        ReminderSteps {
            first_at_share,
            contact_person_after_working_hours: hours(contact_person),
            heads_after_working_hours: hours(contact_person + more),
        }
    })
}

/// A case that is forwarded, and what follows.
pub(super) fn history() -> impl Strategy<Value = History> {
    let wait = || prop_oneof![1..60i64, 1..1_500i64, 1..9_000i64];
    let each = select(&[5, 13, 60, 177, 600][..]).prop_map(Looks::Each);
    let looks = prop_oneof![3 => each, 1 => Just(Looks::WhenThePlanSays)];
    let down = proptest::bool::weighted(0.25);
    let acts = collection::vec((wait(), down, act()), 0..16);
    (0..2usize, looks, 1..30_000i64, forward(), acts).prop_map(
        |(begin, looks, first, forward, mut acts)| {
            acts.insert(0, (first, false, forward));
            History { begin, looks, acts }
        },
    )
}
