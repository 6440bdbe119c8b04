//! Asterisk's queue_log: its lines, and following it live.

mod follow;
mod line;

pub(crate) use follow::Follower;
pub use line::{Line, read_line};
