//! What is asked about the follow-up of forwarded cases.

use std::path::PathBuf;

use clap::Subcommand;
use uuid::Uuid;

use super::routing::case_id;

#[derive(Debug, Subcommand)]
pub(crate) enum ReminderCommand {
    /// Tell what has happened to a forwarded case, and what comes next
    Plan {
        /// The case's id, as its registration answered it
        #[arg(value_parser = case_id)]
        case: Uuid,
    },
    /// List forwarded cases that are not closed, those with the earliest limit first
    Cases {
        /// Only those of a department
        #[arg(long, value_name = "LABEL")]
        department: Option<String>,
        /// Only those that a guide forwarded
        #[arg(long, value_name = "GUIDE")]
        guide: Option<String>,
        /// Only those that are late
        #[arg(long)]
        late: bool,
        /// So many at the most, 1-1000
        #[arg(long, value_name = "N", default_value_t = 200)]
        limit: u32,
    },
    /// Tell what a folder's agreements would have sent in the last days, before anyone is bothered
    Simulate {
        /// The folder
        #[arg(long, value_name = "DIR")]
        agreements: PathBuf,
        /// The last so many days, today included
        #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
    },
}
