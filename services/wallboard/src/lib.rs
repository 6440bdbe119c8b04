//! Wallboard: shows the board to browsers.
//!
//! - owns: nothing
//! - consumes: `board`
//! - publishes: WebSocket frames

mod frames;
mod http;

use axum::Router;
use domain::BoardMessage;
use platform::{
    bus::{Bus, Rights},
    health::Health,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What the wallboard may do on the bus.
pub fn rights() -> Rights {
    Rights {
        service: "wallboard",
        publish: vec![BoardMessage::ASK.to_owned()],
        subscribe: vec![BoardMessage::SUBJECT.to_owned()],
        answers: false,
    }
}

/// Starts the wallboard's tasks; returns its HTTP paths, and what is done when it has its first board.
pub fn start(
    bus: Bus,
    health: &mut Health,
    tasks: &mut JoinSet<anyhow::Result<()>>,
    stop: &CancellationToken,
) -> (Router, impl Future<Output = ()> + use<>) {
    health.needs_bus("wallboard", &bus);
    let frames = frames::Frames::default();
    tasks.spawn(frames::run(bus, frames.clone(), stop.clone()));
    (http::router(frames.clone(), stop.clone()), frames.first())
}
