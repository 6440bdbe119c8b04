//! All SQL of routing.

mod agreements;
mod cases;
mod closures;
mod log;

pub(crate) use agreements::{Version, add_version, latest_version, versions_after};
pub(crate) use cases::{
    cases, cases_for_update, pauses_over, registered_between, save_cases, waiting,
};
pub(crate) use closures::{answers, save_answers};
pub(crate) use log::{Line, lines, write};

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
