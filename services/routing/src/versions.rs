//! The versions of the agreements, and which one a case is bound to.

use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use domain::{bound, in_force, numbered};
use sqlx::PgConnection;

use crate::{
    case::Case,
    store::{self, Version},
};

/// Every version, kept in memory: they are few, never change, and every case needs one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Versions(Arc<Mutex<Arc<Vec<Version>>>>);

impl Versions {
    /// Every version there is now, in the order they were applied.
    pub(crate) async fn all(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Arc<Vec<Version>>, sqlx::Error> {
        let known = self.known();
        let last = known.last().map_or(0, |v| v.version);
        if store::latest_version(&mut *connection).await? == last {
            return Ok(known);
        }
        let mut all = known.to_vec();
        all.extend(store::versions_after(connection, last).await?);
        let all = Arc::new(all);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = all.clone();
        Ok(all)
    }

    fn known(&self) -> Arc<Vec<Version>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The version that a case keeps to: the one it is bound to or, where it is bound to none yet, the one of its day.
pub(crate) fn of<'v>(versions: &'v [Version], case: &Case) -> Option<&'v Version> {
    match case.agreement {
        Some(version) => numbered(versions, version),
        None => bound(versions, case.registered_at),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn version(version: i64, valid_from: &str) -> Version {
        Version {
            version,
            valid_from: valid_from.parse().unwrap(),
            approved_by: "nämnden".to_owned(),
            applied_at: Timestamp::UNIX_EPOCH,
            content: crate::agreements::example(),
        }
    }

    #[test]
    fn the_old_version_holds_until_the_new_one_begins() {
        let versions = [
            version(1, "2026-01-01"),
            version(2, "2027-01-01"),
            version(3, "2027-01-01"),
            version(4, "2026-06-01"),
        ];
        let on = |day: &str| in_force(&versions, day.parse().unwrap()).map(|v| v.version);
        assert_eq!(on("2025-12-31"), Some(1), "before the first, the first");
        assert_eq!(on("2026-05-31"), Some(1));
        assert_eq!(on("2026-06-01"), Some(4), "though applied last");
        assert_eq!(on("2026-12-31"), Some(4));
        assert_eq!(
            on("2027-01-01"),
            Some(3),
            "of two from one day, the later applied"
        );
        assert_eq!(in_force(&[], "2027-01-01".parse().unwrap()), None);
    }
}
