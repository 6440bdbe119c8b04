//! All SQL of reminder.

mod agreements;
mod digests;
mod happened;
mod plans;

pub(crate) use agreements::{add_version, latest_version, versions_after};
pub(crate) use digests::{
    DigestKind, HeadsLate, add_heads_late, digests_sent, mark_digest, take_heads_late, was_sent,
    weed_digests,
};
pub(crate) use happened::{add_happened, histories};
pub(crate) use plans::{
    Listed, Which, due_plans, due_plans_for_update, list, mark_listed, next_look, plan,
    plans_for_update, save_plans, weed_plans,
};

fn impossible(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

fn unwritable(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Encode(Box::new(error))
}
