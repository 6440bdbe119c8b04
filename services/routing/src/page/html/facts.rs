//! What kind of case it is, how it stands, and when it is due.

use domain::{Opinion, Words};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::document::{Symbol, both, symbol, time};
use crate::{
    case::{Case, State},
    page::terms::{Clock, Terms, length},
};

/// The marks beside the heading: state, and whatever makes the case special.
pub(super) fn marks(terms: &Terms<'_>, now: Timestamp) -> Markup {
    let case = terms.case;
    let late = case.state != State::Closed && matches!(terms.clock(now), Clock::Late(_));
    html! {
        ul.marks {
            (state(case))
            @if late {
                li.mark.late { (symbol(Symbol::Late)) span { (both("Försenat", "overdue")) } }
            }
            @if case.urgent {
                li.mark.urgent { (symbol(Symbol::Urgent)) span { (both("Brådskande", "urgent")) } }
            }
            @match case.opinion {
                Some(Opinion::Complaint) => li.mark { (both("Klagomål", "complaint")) },
                Some(Opinion::Praise) => li.mark { (both("Beröm", "praise")) },
                None => {}
            }
            @if let Some(zone) = terms.zone() {
                li.mark.zone { (symbol(Symbol::Lock)) span { (zone) " " span.en lang="en" { "secrecy zone" } } }
            }
        }
    }
}

fn state(case: &Case) -> Markup {
    let (class, sign, swedish, english) = match (case.state, case.taken_at) {
        (State::Closed, _) => ("closed", Symbol::Closed, "Avslutat", "closed"),
        (State::Paused, _) => ("paused", Symbol::Paused, "Pausat", "paused"),
        (_, Some(_)) => ("taken", Symbol::Taken, "Taget", "taken"),
        (_, None) => (
            "open",
            Symbol::Open,
            "Väntar på handläggare",
            "waits for an officer",
        ),
    };
    html! {
        li class={ "mark " (class) } data-state=(class) { (symbol(sign)) span { (both(swedish, english)) } }
    }
}

/// When it is to be closed by, and how much time that is.
pub(super) fn due(terms: &Terms<'_>, now: Timestamp) -> Markup {
    let case = terms.case;
    let clock = terms.clock(now);
    let class = match clock {
        Clock::Late(_) => "due late",
        Clock::Stands(_) => "due stands",
        Clock::NoLimit | Clock::Left(_) => "due",
    };
    html! {
        section class={ "card " (class) } aria-labelledby="due" {
            h2 #due { (both("Ska vara avslutat senast", "To be closed by")) }
            @if let Some(due) = case.due {
                p.when { (time(due)) }
            }
            p.left { (left(clock)) }
            @if let Some(promised) = case.promised {
                p { (both("Ni har lovat att det är klart", "You have promised it will be done")) " " (time(promised)) }
            }
            @if case.state == State::Paused && let Some(until) = case.paused_until {
                p {
                    (both("Klockan går igen av sig själv", "The clock goes on by itself")) " " (time(until))
                    @if let Some(reason) = case.pause_reason {
                        br; (both(reason.swedish(), reason.english()))
                    }
                }
            }
        }
    }
}

fn left(clock: Clock) -> Markup {
    let so_much = |time: Option<SignedDuration>, swedish: &str, english: &str| {
        // Less than a minute is not worth a figure.
        let time = time.filter(|t| t.as_mins() > 0).map(length);
        time.map(
            |Words {
                 swedish: s,
                 english: e,
             }| both(&format!("{s} {swedish}"), &format!("{e} {english}")),
        )
    };
    match clock {
        Clock::NoLimit => {
            html! { span { (both("Ingen tidsgräns är satt", "no time limit is set")) } }
        }
        Clock::Left(time) => html! {
            span {
                (so_much(time, "arbetstid kvar", "of working time left")
                    .unwrap_or_else(|| both("Tidsgränsen har inte passerat", "the limit has not passed")))
            }
        },
        Clock::Stands(time) => html! {
            (symbol(Symbol::Paused))
            span {
                (both("Klockan står", "the clock stands"))
                @if let Some(time) = so_much(time, "arbetstid kvar", "of working time left") { ", " (time) }
            }
        },
        Clock::Late(time) => html! {
            (symbol(Symbol::Late))
            span {
                b { (both("Försenat", "overdue")) }
                @if let Some(time) = so_much(time, "arbetstid över", "of working time past the limit") { ", " (time) }
            }
        },
    }
}

/// The case's particulars.
pub(super) fn particulars(terms: &Terms<'_>) -> Markup {
    let case = terms.case;
    html! {
        dl.facts {
            dt { (both("Typ", "Type")) } dd { (case.case_type) }
            @if let (Some(department), Some(group)) = (&case.department, &case.group_id) {
                dt { (both("Grupp", "Group")) } dd { (terms.name_of_group(department, group)) }
            }
            dt { (both("Registrerat", "Registered")) } dd { (time(case.registered_at)) }
            @if let Some(at) = case.forwarded_at {
                dt { (both("Kom till er", "Came to you")) } dd { (time(at)) }
            }
            @if let Some(at) = case.taken_at {
                dt { (both("Taget", "Taken")) } dd { (time(at)) }
            }
        }
        @if let Some(why) = case.why.as_ref().filter(|w| !w.is_empty()) {
            details {
                summary { (both("Varför hos er?", "Why with you?")) }
                ul.plain { @for words in why { li { (super::document::words(words)) } } }
            }
        }
    }
}
