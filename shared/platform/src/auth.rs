//! API keys with scopes. No write without one.

mod issued;

use std::{
    collections::HashMap,
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context;
use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use jiff_sqlx::ToSqlx;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{Clock, Problem};
pub use issued::{Issued, is_good, issued, new_key, revoke};

/// A revoked key is refused after this time at the latest.
const REMEMBERED: Duration = Duration::from_secs(10);

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Tell contact events.
    ContactsWrite,
    /// Register cases and change their state.
    CasesWrite,
    /// Read a case's state, how it was routed, and the agreements.
    CasesRead,
    /// Add versions of the agreements.
    AgreementsWrite,
    /// Look at dead letters and at mails that wait or were given up, and send them again.
    Operate,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 5] = [
        Self::ContactsWrite,
        Self::CasesWrite,
        Self::CasesRead,
        Self::AgreementsWrite,
        Self::Operate,
    ];

    /// The scope's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ContactsWrite => "contacts:write",
            Self::CasesWrite => "cases:write",
            Self::CasesRead => "cases:read",
            Self::AgreementsWrite => "agreements:write",
            Self::Operate => "operate",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or_else(|| {
                format!(
                    "there is no scope {text}; the scopes are {}",
                    Self::ALL.map(Scope::as_str).join(", ")
                )
            })
    }
}

/// Who a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub Uuid);

type Hash = [u8; 32];

/// Since when it is remembered, whose it is, and its scopes.
type Remembered = (Instant, KeyId, Vec<String>);

/// Checks keys against the database, and remembers the good ones for some seconds.
#[derive(Debug, Clone)]
pub struct Keys {
    pool: PgPool,
    clock: Clock,
    known: Arc<Mutex<HashMap<Hash, Remembered>>>,
}

impl Keys {
    /// Keys as `pool`'s database holds them; `clock` dates their use.
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        Self {
            pool,
            clock,
            known: Arc::default(),
        }
    }

    /// Who sent a request, if the key in `headers` has the scope.
    ///
    /// # Errors
    /// 401 without a good key, 403 without the scope, 503 when the database is away.
    pub async fn require(&self, headers: &HeaderMap, scope: Scope) -> Result<KeyId, Problem> {
        let token = headers
            .get(AUTHORIZATION)
            .and_then(|v| v.to_str().ok())
            .and_then(bearer)
            .ok_or_else(unauthorized)?;
        let hash: Hash = Sha256::digest(token.trim()).into();
        let (id, scopes) = match self.remembered(&hash) {
            Some(found) => found,
            None => self.look_up(hash).await?,
        };
        if scopes.iter().any(|s| s == scope.as_str()) {
            Ok(id)
        } else {
            Err(Problem::new(
                StatusCode::FORBIDDEN,
                "the key lacks a scope",
                format!(
                    "this needs a key with the scope {}; make one with kommunlots key new",
                    scope.as_str()
                ),
            ))
        }
    }

    fn remembered(&self, hash: &Hash) -> Option<(KeyId, Vec<String>)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, id, scopes) = known.get(hash)?;
        (since.elapsed() < REMEMBERED).then(|| (*id, scopes.clone()))
    }

    async fn look_up(&self, hash: Hash) -> Result<(KeyId, Vec<String>), Problem> {
        let row: Option<(Uuid, Vec<String>)> = sqlx::query_as(
            "SELECT id, scopes FROM access.api_key WHERE hash = $1 AND revoked_at IS NULL",
        )
        .bind(&hash[..])
        .fetch_optional(&self.pool)
        .await
        .map_err(|error| Problem::away("the database", &error))?;
        let (id, scopes) = row.ok_or_else(unauthorized)?;
        let used = sqlx::query("SELECT access.key_used($1, $2)")
            .bind(id)
            .bind(self.clock.now().to_sqlx())
            .execute(&self.pool)
            .await;
        if let Err(error) = used {
            // It says when the key was used last, and decides nothing.
            tracing::warn!(%error, "cannot note that a key was used");
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (since, ..)| since.elapsed() < REMEMBERED);
        known.insert(hash, (Instant::now(), KeyId(id), scopes.clone()));
        Ok((KeyId(id), scopes))
    }
}

/// The token of an `Authorization` header. The name of its scheme may be in any case (RFC 9110).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn unauthorized() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "no valid key",
        "send the header `Authorization: Bearer <key>`; make a key with kommunlots key new",
    )
}

/// Writes a secret to a file that only its owner may read: all of it or nothing, also if the process is killed meanwhile.
///
/// # Errors
/// When the file or its folder cannot be written.
pub fn write_secret(file: &Path, secret: &str) -> anyhow::Result<()> {
    let folder = file.parent().filter(|f| !f.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    // A folder that is made for it is its owner's alone, too; one that is there stays as it is.
    let made = || {
        if let Some(above) = folder.parent() {
            std::fs::create_dir_all(above)?;
        }
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
    };
    made().with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let write = || {
        // A temporary file can be read by its owner only.
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        draft.write_all(secret.as_bytes())?;
        draft.as_file().sync_all()?;
        draft.persist(file)?;
        anyhow::Ok(())
    };
    write().with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn a_schemes_name_may_be_in_any_case() {
        for value in ["Bearer kl_1", "bearer kl_1", "BEARER kl_1"] {
            assert_eq!(bearer(value), Some("kl_1"), "{value}");
        }
        for value in ["Basic kl_1", "kl_1", "Bearerkl_1", ""] {
            assert_eq!(bearer(value), None, "{value}");
        }
    }
}
