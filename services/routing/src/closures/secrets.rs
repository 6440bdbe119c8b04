//! What departments sign webhooks with, as `kommunlots closure` makes and revokes it.

use std::collections::BTreeSet;

use domain::Department;
use jiff::Timestamp;
use rand::RngCore;
use sqlx::PgPool;

use super::signature::Secret;
use crate::store;

pub use crate::store::WebhookSecret;

/// A new secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSecret {
    /// Its number.
    pub id: i64,
    /// The secret, `whsec_` and base64. It is shown this once.
    pub shown: String,
    /// Numbers of the department's older ones, which are good until they are revoked.
    pub older: Vec<i64>,
}

/// Why no secret was made.
#[derive(Debug, thiserror::Error)]
pub enum NoSecret {
    /// No version of the agreements names the department.
    #[error("the agreements name no department {0}; they name {1}")]
    UnknownDepartment(Department, String),
    /// No agreements have been applied.
    #[error(
        "there are no agreements yet; apply some with `kommunlots agreements apply`, so that the department is known"
    )]
    NoAgreements,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Makes a secret for a department that the agreements name. It is stored as it is, since a signature is checked by making it
/// again.
///
/// # Errors
/// When the department is not known, or the database fails.
pub async fn new_secret(
    pool: &PgPool,
    department: &Department,
    now: Timestamp,
) -> Result<NewSecret, NoSecret> {
    let known: BTreeSet<Department> = store::versions_after(pool, 0)
        .await?
        .into_iter()
        .flat_map(|version| {
            let registrator = version.content.registrator.department;
            version.content.departments.into_keys().chain([registrator])
        })
        .collect();
    if known.is_empty() {
        return Err(NoSecret::NoAgreements);
    }
    if !known.contains(department) {
        let known: Vec<&str> = known.iter().map(Department::as_str).collect();
        return Err(NoSecret::UnknownDepartment(
            department.clone(),
            known.join(", "),
        ));
    }
    let mut secret = Secret(vec![0; 32]);
    rand::rng().fill_bytes(&mut secret.0);
    let older = secrets(pool)
        .await?
        .into_iter()
        .filter(|s| s.department == department.as_str() && s.revoked_at.is_none())
        .map(|s| s.id)
        .collect();
    let id = store::add_webhook_secret(pool, department, &secret.0, now).await?;
    Ok(NewSecret {
        id,
        shown: secret.shown(),
        older,
    })
}

/// Every department's secrets, without the secrets themselves.
///
/// # Errors
/// When the database fails.
pub async fn secrets(pool: &PgPool) -> Result<Vec<WebhookSecret>, sqlx::Error> {
    store::list_webhook_secrets(pool).await
}

/// Makes a secret no good, and returns whose it was; `None` where no good one has this number.
///
/// # Errors
/// When the database fails.
pub async fn revoke_secret(
    pool: &PgPool,
    id: i64,
    now: Timestamp,
) -> Result<Option<String>, sqlx::Error> {
    store::revoke_webhook_secret(pool, id, now).await
}
