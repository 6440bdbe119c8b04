//! Tells of forwarded cases as routing and reminder do, for tests of those who listen.

use std::path::Path;

use async_nats::{Client, HeaderMap, jetstream};
use domain::{
    CaseEvent, CaseId, CaseWhat, Envelope, Event, FollowUpStep, Forwarding, StepTaken, Words,
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    faults_outside::Outside,
    harness::{Api, Product, bus_address},
};

/// Publishes events with routing's key, numbered from `first` on, as another replica of it would under a source of its own.
pub(crate) async fn routing_tells(
    product: &Product,
    numbered: (&str, u64),
    events: &[CaseEvent],
) -> anyhow::Result<()> {
    told_by("routing", product, numbered, events).await
}

/// The same with another service's key.
pub(crate) async fn told_by(
    service: &str,
    product: &Product,
    (source, first): (&str, u64),
    events: &[CaseEvent],
) -> anyhow::Result<()> {
    let keys = product.data().join("nats/keys");
    let bus = connect(service, &bus_address(&product.data())?, &keys).await?;
    tell(bus, (source, first), events).await
}

/// A connection with a service's key.
pub(crate) async fn connect(service: &str, address: &str, keys: &Path) -> anyhow::Result<Client> {
    let seed = std::fs::read_to_string(keys.join(format!("{service}.nk")))?;
    let options = async_nats::ConnectOptions::with_nkey(seed.trim().to_owned())
        .custom_inbox_prefix(format!("_INBOX_{service}"));
    Ok(options.connect(address).await?)
}

pub(crate) async fn tell(
    client: Client,
    (source, first): (&str, u64),
    events: &[CaseEvent],
) -> anyhow::Result<()> {
    let bus = jetstream::new(client);
    for (sequence, event) in (first..).zip(events) {
        let envelope = Envelope {
            specversion: "1.0".to_owned(),
            id: event.id(),
            source: source.to_owned(),
            kind: event.kind().to_owned(),
            time: event.at,
            datacontenttype: "application/json".to_owned(),
            sequence,
            traceparent: None,
            data: event.clone(),
        };
        let mut headers = HeaderMap::new();
        headers.insert("Kommunlots-Source", source);
        headers.insert("Kommunlots-Sequence", sequence.to_string().as_str());
        let payload = serde_json::to_vec(&envelope)?.into();
        bus.publish_with_headers(event.subject(), headers, payload)
            .await?
            .await?;
    }
    Ok(())
}

/// Routing and metrics by themselves: nobody follows up what is told of, so that a test can.
pub(crate) struct Centre {
    pub(crate) metrics: Product,
    _routing: Product,
    // Last, since the others stand on it.
    pub(crate) outside: Outside,
}

impl Centre {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let outside = Outside::start().await?;
        Ok(Self {
            _routing: outside.service("routing")?,
            metrics: outside.service("metrics")?,
            outside,
        })
    }

    /// What anybody may ask metrics.
    pub(crate) fn api(&self) -> Api {
        Api::new(&self.metrics.base, None)
    }

    pub(crate) async fn bus(&self, service: &str) -> anyhow::Result<Client> {
        let address = self.outside.nats()?.url();
        connect(service, &address, &self.outside.keys()).await
    }

    /// Publishes events as `service`, `routing` or `reminder`, under a source of it, numbered from `first` on.
    pub(crate) async fn tell(
        &self,
        service: &str,
        (source, first): (&str, u64),
        events: &[CaseEvent],
    ) -> anyhow::Result<()> {
        tell(self.bus(service).await?, (source, first), events).await
    }
}

/// A step of the follow-up, as reminder tells it.
pub(crate) fn followed_up(step: FollowUpStep, due: Timestamp) -> anyhow::Result<CaseWhat> {
    let taken = StepTaken {
        step,
        to: step.to().to_vec(),
        group: "handlaggare".parse()?,
        due,
        reason: Words {
            swedish: "hela tidsgränsen har gått".to_owned(),
            english: "the whole limit has passed".to_owned(),
        },
    };
    Ok(match step {
        FollowUpStep::Share | FollowUpStep::Promised => CaseWhat::Reminded(taken),
        FollowUpStep::Limit => CaseWhat::Overdue(taken),
        FollowUpStep::ContactPerson | FollowUpStep::Heads => CaseWhat::Escalated(taken),
    })
}

/// An event of the case with this number.
pub(crate) fn of_case(
    case: u128,
    department: &str,
    at: Timestamp,
    what: CaseWhat,
) -> anyhow::Result<CaseEvent> {
    Ok(CaseEvent {
        case: CaseId(Uuid::from_u128(case)),
        at,
        department: department.parse()?,
        what,
    })
}

/// A forwarding with a limit.
pub(crate) fn due(what: CaseWhat, limit: Timestamp) -> CaseWhat {
    match what {
        CaseWhat::Forwarded(forwarding) => CaseWhat::Forwarded(Forwarding {
            due: Some(limit),
            ..forwarding
        }),
        other => other,
    }
}
