//! Standard output, whose reader may leave before the end, as `head` does.

use std::{
    fmt::Display,
    io::{ErrorKind, Write},
};

/// Prints a line.
///
/// # Errors
/// When it cannot be written, but for a reader that has left.
pub(crate) fn line(text: impl Display) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints a formatted line; see [`line`].
macro_rules! say {
    ($($text:tt)*) => { $crate::output::line(format_args!($($text)*)) };
}
pub(crate) use say;
