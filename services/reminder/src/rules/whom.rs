//! Who is told of a step, and what a step sends, as parts of sentences.

use domain::{FollowUpStep, Words};

use super::{terms::Terms, words::words};

/// Who is told of a step, as part of a sentence that begins with its time.
pub(super) struct Whom {
    /// `påminns gruppen Handläggare`.
    pub(super) is_told: Words,
    /// `påmindes gruppen Handläggare`.
    pub(super) was_told: Words,
}

/// Who is told of a step.
pub(super) fn whom(step: FollowUpStep, terms: &Terms) -> Whom {
    let Terms {
        department, group, ..
    } = terms;
    let (swedish, english, reminded) = match step {
        FollowUpStep::Share | FollowUpStep::Limit | FollowUpStep::Promised => (
            format!("gruppen {group}"),
            format!("the group {group}"),
            true,
        ),
        FollowUpStep::ContactPerson => (
            format!("kontaktpersonen på {department}"),
            format!("the contact person of {department}"),
            false,
        ),
        FollowUpStep::Heads => (
            format!("förvaltningschefen på {department} och kontaktcenters enhetschef"),
            format!("the head of {department} and the centre's unit head"),
            false,
        ),
    };
    let (is, was) = if reminded {
        ("påminns", "påmindes")
    } else {
        ("underrättas", "underrättades")
    };
    let (is_english, was_english) = match (step, reminded) {
        (FollowUpStep::Heads, _) => ("are told", "were told"),
        (_, true) => ("is reminded", "was reminded"),
        (_, false) => ("is told", "was told"),
    };
    Whom {
        is_told: words(format!("{is} {swedish}"), format!("{english} {is_english}")),
        was_told: words(
            format!("{was} {swedish}"),
            format!("{english} {was_english}"),
        ),
    }
}

/// What a step sends.
pub(super) fn message(step: FollowUpStep) -> Words {
    let (swedish, english) = match step {
        FollowUpStep::Share => (
            "den första påminnelsen till gruppen",
            "the first reminder to the group",
        ),
        FollowUpStep::Limit => (
            "påminnelsen till gruppen när tidsgränsen gick ut",
            "the reminder to the group when the time limit passed",
        ),
        FollowUpStep::Promised => (
            "påminnelsen till gruppen om tiden som den lovade",
            "the reminder to the group of the time that it promised",
        ),
        FollowUpStep::ContactPerson => (
            "underrättelsen till kontaktpersonen",
            "the notice to the contact person",
        ),
        FollowUpStep::Heads => ("underrättelsen till cheferna", "the notice to the heads"),
    };
    words(swedish.to_owned(), english.to_owned())
}
