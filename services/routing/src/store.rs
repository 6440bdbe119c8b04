//! All SQL of routing.

mod agreements;
mod cases;
mod closures;
mod dry_run;
mod log;
mod webhook_secrets;

pub(crate) use agreements::{Version, add_alone, add_version, latest_version, versions_after};
pub(crate) use cases::{
    cases, cases_at_for_update, cases_for_update, import_alone, pauses_over, save_cases, waiting,
};
pub(crate) use closures::{Answered, answered, forget_answered, save_answered};
pub(crate) use dry_run::alike;
pub(crate) use log::{Happened, History, Line, Reason, history, noted_after, write};
pub use webhook_secrets::WebhookSecret;
pub(crate) use webhook_secrets::{
    add_webhook_secret, list_webhook_secrets, revoke_webhook_secret, webhook_secrets,
};

fn impossible(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

fn unwritable(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Encode(Box::new(error))
}

/// What links are signed with: `new`, unless there is a key already.
pub(crate) async fn link_key(pool: &sqlx::PgPool, new: &[u8]) -> Result<Vec<u8>, sqlx::Error> {
    sqlx::query("INSERT INTO link_key (key) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(new)
        .execute(pool)
        .await?;
    sqlx::query_scalar("SELECT key FROM link_key")
        .fetch_one(pool)
        .await
}
