//! What is asked about agreements, and about where cases went.

use std::path::PathBuf;

use clap::Subcommand;
use jiff::civil::Date;
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub(crate) enum AgreementsCommand {
    /// Tell what is wrong in a folder of agreements, by file and line
    Check {
        /// The folder: municipality.toml, and a file for each department
        dir: PathBuf,
    },
    /// Make a folder's agreements a new version, from a day on
    ///
    /// Nothing is overwritten: cases registered before that day keep the version they have.
    Apply {
        /// The folder
        dir: PathBuf,
        /// First day, today or later, such as 2027-01-01; any day for the first version
        #[arg(long, value_name = "DAY")]
        valid_from: Date,
        /// Who decided it, such as "Kommunstyrelsen § 12"
        #[arg(long, value_name = "WHO")]
        approved_by: String,
    },
    /// Show the version in force, another one, or a folder
    #[command(disable_version_flag = true)]
    Show {
        /// Number of the version; the one in force without it
        #[arg(long, value_name = "N", conflicts_with = "dir")]
        version: Option<i64>,
        /// A folder to show instead
        dir: Option<PathBuf>,
    },
    /// Tell what a folder changes in the version in force, or in another folder
    Diff {
        /// The folder; the old one where two are given
        dir: PathBuf,
        /// The new folder
        #[arg(value_name = "NEW_DIR")]
        other: Option<PathBuf>,
    },
    /// Write a made-up municipality's folder, to begin from
    Example {
        /// The folder
        dir: PathBuf,
    },
    /// List the versions
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RoutingCommand {
    /// Explain where a case is, and why
    Explain {
        /// The case's id, as its registration answered it
        #[arg(value_parser = case_id)]
        case: Uuid,
    },
    /// Try a folder's agreements on cases that have come in, and tell what would have been different
    DryRun {
        /// The folder
        dir: PathBuf,
        /// First day on which the cases were registered; 29 days before the last without it
        #[arg(long, value_name = "DAY")]
        from: Option<Date>,
        /// Last day; today without it
        #[arg(long, value_name = "DAY")]
        to: Option<Date>,
    },
}

pub(super) fn case_id(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| {
        "give the case's id as its registration answered it, such as 0198a0de-7c1e-7000-8000-000000000001; its number will \
         not do"
            .to_owned()
    })
}
