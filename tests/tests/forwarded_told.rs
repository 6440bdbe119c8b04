//! Tells of forwarded cases as routing does, for tests of those who listen.

use async_nats::{HeaderMap, jetstream};
use domain::{CaseEvent, CaseId, CaseWhat, Envelope, Event, Forwarding};
use jiff::Timestamp;
use uuid::Uuid;

use crate::harness::{Product, bus_address};

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
    let seed = std::fs::read_to_string(product.data().join(format!("nats/keys/{service}.nk")))?;
    let client = async_nats::ConnectOptions::with_nkey(seed.trim().to_owned())
        .custom_inbox_prefix(format!("_INBOX_{service}"))
        .connect(bus_address(&product.data())?)
        .await?;
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
