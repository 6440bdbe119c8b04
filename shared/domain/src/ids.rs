//! Ids the compiler can tell apart.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// One contact: one attempt to reach the municipality.
    ContactId
);
id!(
    /// One case.
    CaseId
);
id!(
    /// One event. Equal ids mean the same event, however often it is told.
    EventId
);

/// The namespace of ids that are derived from other ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x6b6f_6d6d_756e_4c6f_b473_4b4e_0000_0001);

/// Joins with a separator that no part can hold, so that different parts never give the same name.
fn named(namespace: &Uuid, parts: &[&str]) -> Uuid {
    Uuid::new_v5(namespace, parts.join("\u{1f}").as_bytes())
}

/// What makes one installation's contact ids its own: random, and known to intake alone. Without it nobody could tell
/// by trying which telephone number a contact's id came from.
#[derive(Clone, Copy)]
pub struct Pseudonyms(pub Uuid);

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms(..)")
    }
}

impl ContactId {
    /// The contact that `system` (a PBX, a mail server, a desk) knows by `reference` and that stood in `queue`.
    ///
    /// A call that overflows to another queue is offered there too, so it is another contact; one that returns to the
    /// same queue is still the same. The same reference gives the same id at any time, which makes reading a log twice
    /// harmless; and since the id cannot be turned back, it is a pseudonym fit for the bus.
    pub fn derive(with: &Pseudonyms, system: &str, reference: &str, queue: &str) -> Self {
        Self(named(&with.0, &["contact", system, reference, queue]))
    }
}

impl CaseId {
    /// The case that `system`, an older system that was exported, knows by `number`. The same number gives the same id at
    /// any time, which makes reading an export twice harmless.
    ///
    /// Who knows the number can tell the id: it must be a case's number, and not a citizen's.
    pub fn of_import(system: &str, number: &str) -> Self {
        Self(named(&NAMESPACE, &["case", system, number]))
    }
}

impl EventId {
    /// The event of kind `kind` that happened to `subject` at `at`.
    ///
    /// A UUID of version 8 that begins with the time, as version 7 does: events are stored in about the order of time, and
    /// an index over ids that come in order costs the same however long it grows.
    pub fn derive(subject: Uuid, kind: &str, at: jiff::Timestamp) -> Self {
        let mut buffer = Uuid::encode_buffer();
        let subject: &str = subject.hyphenated().encode_lower(&mut buffer);
        let at_us = at.as_microsecond().to_string();
        let mut bytes = named(&NAMESPACE, &["event", subject, kind, &at_us]).into_bytes();
        bytes[..6].copy_from_slice(&at.as_millisecond().to_be_bytes()[2..]);
        bytes[6] = 0x80 | (bytes[6] & 0x0f);
        Self(Uuid::from_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together_and_installations_differ() {
        let with = Pseudonyms(Uuid::from_u128(1));
        let other = Pseudonyms(Uuid::from_u128(2));
        assert_ne!(
            ContactId::derive(&with, "a", "b", "q"),
            ContactId::derive(&other, "a", "b", "q")
        );
        assert_ne!(
            ContactId::derive(&with, "a", "bc", "q"),
            ContactId::derive(&with, "ab", "c", "q")
        );
        assert_eq!(
            ContactId::derive(&with, "a", "b", "q"),
            ContactId::derive(&with, "a", "b", "q")
        );
    }

    #[test]
    fn event_ids_follow_time_and_tell_happenings_apart() {
        let at = |text: &str| text.parse().unwrap();
        let early = EventId::derive(Uuid::nil(), "contact.queued", at("2021-02-01T08:00:00Z"));
        let late = EventId::derive(Uuid::nil(), "contact.queued", at("2021-02-01T08:00:01Z"));
        let other = EventId::derive(Uuid::nil(), "contact.ended", at("2021-02-01T08:00:00Z"));
        assert!(early < late);
        assert_ne!(early, other);
        assert_eq!(early.0.get_version_num(), 8);
    }
}
