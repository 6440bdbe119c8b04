//! Closures that departments' own systems send: over the bus, or by webhook. A department closes what it has, an id has one
//! effect whichever way it comes, and everything is answered.

mod again;
mod decide;
mod inbox;
mod pace;
mod read;
mod secrets;
mod settle;
mod signature;
mod webhook;
mod weed;

pub(crate) use again::send_again;
pub(crate) use inbox::Inbox;
pub(crate) use pace::Pace;
pub use read::{MOST, Readable, Unreadable, Wrong, read};
pub use secrets::{NewSecret, NoSecret, WebhookSecret, new_secret, revoke_secret, secrets};
pub use webhook::ClosuresApi;
pub(crate) use webhook::router;
pub(crate) use weed::weed;
