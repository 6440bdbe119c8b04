//! Hands out what no event carries, to whom the bus lets ask for it: the agreements, which name people, and links to cases.

use domain::{AgreementsAnswer, AgreementsRequest, LinksAnswer, LinksRequest};
use platform::{bus, event_log};
use tokio_util::sync::CancellationToken;

use crate::{
    Desk, SERVICE,
    case::State,
    link::{LIFE, Link},
    store,
};

/// Hands out versions of the agreements, one by one, until `stop`.
///
/// # Errors
/// When the bus connection is closed for good.
pub(crate) async fn agreements(desk: Desk, stop: CancellationToken) -> anyhow::Result<()> {
    let bus = desk.bus.clone();
    bus::answer(bus, SERVICE, stop, |asked| version(desk.clone(), asked)).await
}

async fn version(
    desk: Desk,
    AgreementsRequest { after }: AgreementsRequest,
) -> Result<AgreementsAnswer, sqlx::Error> {
    let mut connection = desk.pool.acquire().await?;
    let all = desk.versions.all(&mut connection).await?;
    let next = all.iter().find(|version| version.version > after);
    Ok(next.map_or(AgreementsAnswer::Latest, |version| {
        AgreementsAnswer::Next(Box::new(version.clone()))
    }))
}

/// Hands out links to cases that are at a group, and how much has been told of all, until `stop`.
///
/// # Errors
/// When the bus connection is closed for good.
pub(crate) async fn links(desk: Desk, stop: CancellationToken) -> anyhow::Result<()> {
    let bus = desk.bus.clone();
    bus::answer(bus, SERVICE, stop, |asked| links_to(desk.clone(), asked)).await
}

async fn links_to(
    desk: Desk,
    LinksRequest { cases }: LinksRequest,
) -> Result<LinksAnswer, sqlx::Error> {
    let asked = cases.get(..cases.len().min(LinksRequest::MOST));
    let known = store::cases(&desk.pool, asked.unwrap_or_default()).await?;
    let expires = desk.clock.now() + LIFE;
    let at_groups = known
        .values()
        .filter(|case| matches!(case.state, State::Open | State::Paused));
    let links = at_groups.map(|case| {
        let link = Link {
            case: case.id,
            turn: case.turn,
            expires,
        };
        (case.id, desk.address_of(&link))
    });
    let links = links.collect();
    // Read last: whoever has applied so much knows the turn that each link is for.
    let source = desk.source.clone();
    let sources = event_log::sources(&desk.pool).await?;
    let told = sources.get(&source).copied().unwrap_or(0);
    Ok(LinksAnswer::Links {
        links,
        source,
        told,
    })
}
