//! Asterisk's queue_log: its lines, and following it live.

mod files;
mod follow;
mod line;
mod meters;

pub(crate) use follow::Follower;
pub use line::{Line, read_line};
