//! What sources say of themselves, beside what has come of them.

use std::collections::HashMap;

use super::{
    Apply, Consumer, Positions,
    beat::{Beat, Before, Lately},
};
use crate::{
    heartbeat::{Heartbeat, TellAgain, tell_again_subject},
    meters, seldom,
};

/// Each source's last heartbeats.
pub(super) type Heard = HashMap<String, Lately>;

impl<A: Apply> Consumer<A> {
    /// Compares what a source says it has told with what has been applied. An age that grows although the source lives
    /// means that its events do not come through, or that it cannot see what it tells of.
    pub(super) async fn heartbeat(
        &self,
        beat: Heartbeat,
        positions: &Positions,
        heard: &mut Heard,
    ) {
        let now = Before {
            told: beat.last,
            applied: positions.get(&beat.source).copied().unwrap_or(0),
        };
        match heard.entry(beat.source.clone()).or_default().read(now) {
            Beat::Whole if !beat.blind => self.progress.heard(&beat.source),
            Beat::Whole | Beat::UnderWay => {}
            Beat::TailLost => self.ask_again(&beat.source, now.applied + 1).await,
            Beat::Forgotten => self.forgotten(&beat.source, now),
        }
    }

    pub(super) async fn ask_again(&self, source: &str, from: u64) {
        if !self.progress.may_ask(source) {
            return;
        }
        tracing::warn!(
            service = self.service,
            source,
            from,
            "events are missing; asking the source to tell them again"
        );
        meters::GAPS
            .with_label_values(&[self.service, Self::STREAM.name()])
            .inc();
        let Ok(wish) = serde_json::to_vec(&TellAgain { from }) else {
            return;
        };
        if let Err(error) = self
            .bus
            .client
            .request(tell_again_subject(source), wish.into())
            .await
        {
            tracing::warn!(service = self.service, source, %error, "the source did not answer; asking again at its next heartbeat");
        }
    }

    fn forgotten(&self, source: &str, now: Before) {
        let (service, named) = (self.service, source.to_owned());
        seldom::tell(
            &format!("{source} knows fewer events than {service} has applied"),
            || {
                tracing::error!(
                    service,
                    source,
                    told = now.told,
                    applied = now.applied,
                    "the source knows fewer events than were applied, so its next ones would be taken for known; \
                     was its database restored from an older backup? restore this service's to the same moment"
                );
            },
            move |more| {
                tracing::error!(
                    service,
                    source = named,
                    more,
                    "the source still knows fewer events than were applied"
                );
            },
        );
    }
}
