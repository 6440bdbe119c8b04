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

/// The namespace of every id that is derived from a name.
const NAMESPACE: Uuid = Uuid::from_u128(0x6b6f_6d6d_756e_4c6f_b473_4b4e_0000_0001);

/// Joins with a separator that no part can hold, so that different parts never give the same name.
fn named(parts: &[&str]) -> Uuid {
    Uuid::new_v5(&NAMESPACE, parts.join("\u{1f}").as_bytes())
}

impl ContactId {
    /// The contact that `system` (a PBX, a mail server, a desk) knows by `reference` and that stood in `queue`.
    ///
    /// A call that overflows to another queue is offered there too, so it is another contact; one that returns to the
    /// same queue is still the same. The same reference gives the same id at any time, which makes reading a log twice
    /// harmless; and since the id cannot be turned back, it is a pseudonym fit for the bus.
    pub fn derive(system: &str, reference: &str, queue: &str) -> Self {
        Self(named(&["contact", system, reference, queue]))
    }
}

impl EventId {
    /// The event of kind `kind` that happened to `subject` at `at`.
    pub fn derive(subject: Uuid, kind: &str, at: jiff::Timestamp) -> Self {
        let mut buffer = Uuid::encode_buffer();
        let subject: &str = subject.hyphenated().encode_lower(&mut buffer);
        Self(named(&[
            "event",
            subject,
            kind,
            &at.as_microsecond().to_string(),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(
            ContactId::derive("a", "bc", "q"),
            ContactId::derive("ab", "c", "q")
        );
        assert_eq!(
            ContactId::derive("a", "b", "q"),
            ContactId::derive("a", "b", "q")
        );
    }
}
