//! A chunk of messages sorted out.

use std::collections::HashMap;

use super::{Positions, message::Received};

/// A chunk sorted out: what comes next for each source, and where something is missing.
pub(super) struct Line<'a, E> {
    /// To apply, in order.
    pub(super) bodies: Vec<&'a Received<E>>,
    /// The last number of each source in `bodies`.
    pub(super) reached: HashMap<String, u64>,
    /// The first number missing, by source.
    pub(super) gaps: HashMap<String, u64>,
    /// Had before.
    pub(super) skipped: u64,
}

impl<'a, E> Line<'a, E> {
    pub(super) fn sort(received: &'a [Received<E>], positions: &Positions) -> Self {
        let mut line = Self {
            bodies: Vec::new(),
            reached: HashMap::new(),
            gaps: HashMap::new(),
            skipped: 0,
        };
        for message in received {
            let (Some(source), Some(sequence)) = (&message.source, message.sequence) else {
                // It has no place in any line: kept as a dead letter, and in nobody's way.
                line.bodies.push(message);
                continue;
            };
            let at = line
                .reached
                .get(source)
                .or_else(|| positions.get(source))
                .copied()
                .unwrap_or(0);
            if sequence <= at {
                line.skipped += 1;
            } else if sequence == at + 1 {
                line.reached.insert(source.clone(), sequence);
                line.bodies.push(message);
            } else {
                line.gaps.insert(source.clone(), at + 1);
            }
        }
        line
    }

    /// What caused the last event that is being traced.
    pub(super) fn cause(&self) -> Option<&str> {
        self.bodies
            .iter()
            .rev()
            .find_map(|r| r.traceparent.as_deref())
    }

    /// A span for each traced event, as a child of what caused it; ends with the transaction.
    pub(super) fn spans(&self, service: &'static str) -> Vec<tracing::Span> {
        self.bodies
            .iter()
            .filter_map(|r| r.traceparent.as_deref())
            .take(64)
            .map(|traceparent| {
                let span = tracing::info_span!("apply", service);
                crate::telemetry::continue_from(&span, traceparent);
                span
            })
            .collect()
    }
}
