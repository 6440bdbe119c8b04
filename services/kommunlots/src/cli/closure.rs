//! The command line of what departments' systems send and are told.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use domain::Department;

#[derive(Debug, Subcommand)]
pub(crate) enum ClosureCommand {
    /// Tell everything that is wrong with a closure, before it is sent; exits with 1 when something is
    ///
    /// The reader is the product's own. Nothing is sent, and no connection is needed; whether the department has the case open
    /// is only told by the answer to a closure that was sent.
    Check {
        /// The file, or - for standard input
        file: PathBuf,
        /// The department that will send it, such as bygg
        #[arg(long)]
        department: Option<Department>,
    },
    /// Make a secret that a department signs webhooks with, and print it this once
    ///
    /// It is stored as it is, since a signature is checked by making it again. The department's older secrets stay good until
    /// they are revoked, so that its system can change over in its own time.
    Secret {
        /// The department, as the agreements name it
        department: Department,
    },
    /// List webhook secrets by number and department, without the secrets themselves
    Secrets,
    /// Make a webhook secret no good, at once
    Revoke {
        /// Its number
        id: i64,
    },
}

/// A kind of message that passes between the product and a department's system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// A closure as a department's system sends it
    Closure,
    /// `out.<department>.forwarded`: a case is the department's now
    Forwarded,
    /// `out.<department>.reminded`: a case is followed up
    Reminded,
    /// `out.<department>.closed`: a case was closed another way than over the bus
    Closed,
    /// `out.<department>.bounced`: a case was sent back
    Bounced,
    /// `out.<department>.closure`: what came of a closure
    Answer,
}
