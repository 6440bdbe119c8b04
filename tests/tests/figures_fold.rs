//! The folds: any order and doubling of events gives the same facts, and sums by difference are sums from scratch.

use std::collections::BTreeMap;

use domain::{
    CaseEvent, CaseFacts, CaseId, CaseWhat, Channel, ContactCell, ContactEvent, ContactFacts,
    ContactId, ContactSums, ContactWhat, Department, Event, Outcome, RosaGroup, TurnedAway,
};
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

/// Few instants, around a local midnight, so that events often fall together and days differ.
fn instant() -> impl Strategy<Value = Timestamp> {
    (0..90i64).prop_map(|s| Timestamp::from_second(1_612_220_400 - 45 + s).expect("an instant"))
}

fn contact_what() -> impl Strategy<Value = ContactWhat> {
    let waited = || option::of(0..80u32);
    let reason = select(vec![
        TurnedAway::TimedOut,
        TurnedAway::QueueFull,
        TurnedAway::QueueEmpty,
        TurnedAway::PressedKey,
    ]);
    prop_oneof![
        3 => Just(ContactWhat::Queued),
        2 => waited().prop_map(|waited_s| ContactWhat::Answered { waited_s }),
        2 => waited().prop_map(|waited_s| ContactWhat::Abandoned { waited_s }),
        2 => (reason, waited()).prop_map(|(reason, waited_s)| ContactWhat::TurnedAway { reason, waited_s }),
        1 => Just(ContactWhat::Ended),
        1 => Just(ContactWhat::Lost),
    ]
}

fn department() -> impl Strategy<Value = Option<Department>> {
    option::of(select(vec!["bygg", "skola"]).prop_map(|d| d.parse().expect("a label")))
}

/// An event of the contact with this number.
fn contact_event(of: u128) -> impl Strategy<Value = ContactEvent> {
    (instant(), department(), contact_what()).prop_map(move |(at, department, what)| ContactEvent {
        contact: ContactId(Uuid::from_u128(of)),
        at,
        channel: Channel::Phone,
        queue: "vaxel".parse().expect("a label"),
        department,
        what,
    })
}

fn case_event() -> impl Strategy<Value = CaseEvent> {
    let registered = CaseWhat::Registered {
        case_type: "bygglov".parse().expect("a label"),
        rosa_group: RosaGroup::try_from(3).expect("a group"),
        opinion: None,
        urgent: false,
        zone: None,
        contact: None,
        forward: false,
        guide: None,
    };
    let whats = vec![
        registered,
        CaseWhat::Resolved,
        CaseWhat::RepeatContact,
        CaseWhat::ForwardRequested { guide: None },
    ];
    (instant(), select(whats)).prop_map(|(at, what)| CaseEvent {
        case: CaseId(Uuid::from_u128(1)),
        at,
        department: "bygg".parse().expect("a label"),
        what,
    })
}

/// The same happenings in another order, each at least once and some twice.
pub(crate) fn retold<E: Clone + std::fmt::Debug>(
    events: Vec<E>,
) -> impl Strategy<Value = (Vec<E>, Vec<E>)> {
    let count = events.len();
    vec(any::<prop::sample::Index>(), 0..=count).prop_flat_map(move |again| {
        let mut told = events.clone();
        told.extend(again.iter().map(|i| i.get(&events).clone()));
        (Just(events.clone()), Just(told).prop_shuffle())
    })
}

fn contact_facts(events: &[ContactEvent]) -> ContactFacts {
    let mut facts = ContactFacts::new(&events[0]);
    for event in events {
        facts.apply(event);
    }
    facts
}

fn case_facts(events: &[CaseEvent]) -> CaseFacts {
    let mut facts = CaseFacts::new(events[0].department.clone());
    for event in events {
        facts.apply(event);
    }
    facts
}

/// What is told of one call, at so many seconds.
fn told(what: &[(i64, ContactWhat)]) -> Vec<ContactEvent> {
    let event = |(at, what): &(i64, ContactWhat)| ContactEvent {
        contact: ContactId(Uuid::from_u128(1)),
        at: Timestamp::from_second(1_612_220_400 + at).expect("an instant"),
        channel: Channel::Phone,
        queue: "vaxel".parse().expect("a label"),
        department: None,
        what: what.clone(),
    };
    what.iter().map(event).collect()
}

/// A PBX writes whole seconds: who times out, comes back and leaves again within one must not wait for ever after, and who
/// came back and stayed must wait.
#[test]
fn who_comes_back_and_leaves_within_a_second_does_not_wait() {
    let left = |reason, waited_s| ContactWhat::TurnedAway {
        reason,
        waited_s: Some(waited_s),
    };
    let came = ContactWhat::Queued;
    let (timed_out, empty) = (TurnedAway::TimedOut, TurnedAway::QueueEmpty);
    let waits = told(&[
        (0, came.clone()),
        (30, left(timed_out, 30)),
        (30, came.clone()),
    ]);
    let since = Outcome::Waiting(waits[0].at);
    let mut gone = waits.clone();
    gone.extend(told(&[(30, left(empty, 0))]));
    // The same, where it came back a second after it had timed out.
    let later = told(&[
        (0, came.clone()),
        (29, left(timed_out, 29)),
        (30, came),
        (30, left(empty, 0)),
    ]);
    for (events, expected) in [
        (waits, since),
        (gone, Outcome::TurnedAway(Some(30_000))),
        (later, Outcome::TurnedAway(Some(30_000))),
    ] {
        // Every order of so few.
        for n in 0..4_usize.pow(4) {
            let order: Vec<usize> = (0..4).map(|place| n / 4_usize.pow(place) % 4).collect();
            let mut told: Vec<_> = order.iter().filter_map(|i| events.get(*i)).collect();
            told.extend(&events);
            let mut facts = ContactFacts::new(told[0]);
            told.iter().for_each(|event| facts.apply(event));
            assert_eq!(facts.outcome(), expected, "{told:?}");
        }
        let ids: std::collections::BTreeSet<_> = events.iter().map(Event::id).collect();
        assert_eq!(ids.len(), events.len(), "each is an event of its own");
    }
}

type Sums = BTreeMap<ContactCell, ContactSums>;

/// Without the longest wait: a maximum cannot be taken away from, which is the caller's work.
fn summed(sums: Sums) -> Sums {
    let without = |s: ContactSums| ContactSums {
        longest_wait_ms: None,
        ..s
    };
    let nothing = ContactSums::default();
    sums.into_iter()
        .map(|(cell, s)| (cell, without(s)))
        .filter(|(_, s)| *s != nothing)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_contacts_facts_do_not_depend_on_order_or_repetition(
        (events, told) in vec(contact_event(1), 1..9).prop_flat_map(retold),
    ) {
        let (facts, again) = (contact_facts(&events), contact_facts(&told));
        prop_assert_eq!(&facts, &again);
        prop_assert_eq!(facts.outcome(), again.outcome());
        prop_assert_eq!(facts.counted(), again.counted());
    }

    #[test]
    fn a_cases_facts_do_not_depend_on_order_or_repetition(
        (events, told) in vec(case_event(), 1..9).prop_flat_map(retold),
    ) {
        let (facts, again) = (case_facts(&events), case_facts(&told));
        prop_assert_eq!(&facts, &again);
        prop_assert_eq!(facts.counted(), again.counted());
        prop_assert!(facts.counted().iter().all(|(_, s)| s.registered + s.resolved == 1));
    }

    #[test]
    fn a_contact_is_counted_once_and_in_one_way(events in vec(contact_event(1), 1..9)) {
        if let Some((_, sums)) = contact_facts(&events).counted() {
            prop_assert_eq!(sums.offered, 1);
            prop_assert!(sums.answered + sums.abandoned <= 1);
            prop_assert!(sums.short_abandoned <= sums.abandoned && sums.answered_within <= sums.answered);
            prop_assert!(sums.waits_known <= sums.answered);
        }
    }

    #[test]
    fn sums_by_difference_are_sums_from_scratch(
        events in vec((0..5u128).prop_flat_map(contact_event), 0..40),
    ) {
        let mut facts: BTreeMap<ContactId, ContactFacts> = BTreeMap::new();
        let mut running = Sums::new();
        for event in &events {
            let known = facts.entry(event.contact).or_insert_with(|| ContactFacts::new(event));
            let before = known.counted();
            known.apply(event);
            for (counted, sign) in [(before, -1), (known.counted(), 1)] {
                if let Some((cell, sums)) = counted {
                    running.entry(cell).or_default().add(&sums, sign);
                }
            }
        }
        let mut scratch = Sums::new();
        for (cell, sums) in facts.values().filter_map(ContactFacts::counted) {
            scratch.entry(cell).or_default().add(&sums, 1);
        }
        for (cell, sums) in &scratch {
            prop_assert!(running[cell].longest_wait_ms >= sums.longest_wait_ms);
        }
        prop_assert_eq!(summed(running), summed(scratch));
    }

    #[test]
    fn an_event_comes_back_from_json_as_it_was(event in contact_event(1)) {
        let text = serde_json::to_string(&event)?;
        let back: ContactEvent = serde_json::from_str(&text)?;
        prop_assert_eq!(back.id(), event.id());
        prop_assert_eq!(back, event);
    }
}
