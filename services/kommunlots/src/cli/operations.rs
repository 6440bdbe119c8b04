//! What operations ask about what did not go as it should: dead letters, mails that were not taken.

use std::{fmt, str::FromStr};

use clap::Subcommand;
use domain::Department;
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetters {
    /// List them, oldest first, at most a thousand of each service
    List {
        /// Only those that came on this stream, such as IN_BYGG
        #[arg(long)]
        stream: Option<String>,
        /// Only those of this department: its closures, and events of its cases
        #[arg(long)]
        department: Option<Department>,
        /// Only those of the same service that come after this one, such as routing/1000
        #[arg(long, value_name = "ID")]
        after: Option<Kept<i64>>,
    },
    /// Throw them away for good: what holds personal data, or will never be of use
    Discard {
        /// As the list has them, such as metrics/12
        #[arg(required = true)]
        id: Vec<Kept<i64>>,
    },
    /// Apply them with the program as it is now
    ///
    /// A closure is settled as if its department had just sent it, and answered on the bus where it came that way.
    SendAgain {
        /// As the list has them, such as metrics/12
        #[arg(required_unless_present = "all")]
        id: Vec<Kept<i64>>,
        /// All of them
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// List them, oldest first: neither whom they are to nor what they say
    List,
    /// Try them again now; one that was given up gets all its attempts anew
    Retry {
        /// As the list has them, such as routing/0198a0de-7c1e-5000-8000-000000000001
        #[arg(required_unless_present = "all")]
        id: Vec<Kept<Uuid>>,
        /// All of them
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

/// Something that a service keeps, such as `metrics/12`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept<I> {
    pub(crate) service: String,
    pub(crate) id: I,
}

impl<I: FromStr> FromStr for Kept<I> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split_once('/')
            .and_then(|(service, id)| {
                Some(Self {
                    service: service.to_owned(),
                    id: id.parse().ok()?,
                })
            })
            .ok_or_else(|| {
                "write it as `list` does: the service, a slash and its number there".to_owned()
            })
    }
}

impl<I: fmt::Display> fmt::Display for Kept<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_keeps_is_read_as_it_is_listed() {
        let kept: Kept<i64> = "metrics/12".parse().unwrap();
        assert_eq!((kept.service.as_str(), kept.id), ("metrics", 12));
        assert_eq!(kept.to_string(), "metrics/12");
        for wrong in ["12", "metrics/", "metrics/x", "metrics", ""] {
            let error = wrong.parse::<Kept<i64>>().unwrap_err();
            assert!(error.contains("slash"), "{wrong}: {error}");
        }
    }
}
