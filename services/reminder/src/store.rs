//! All SQL of reminder.

mod agreements;
mod digests;
mod happened;
mod heads_late;
mod plans;

pub(crate) use agreements::{
    add_version, latest_version, plans_follow, unfollowed_version, versions_after,
};
pub(crate) use digests::{DigestKind, digests_sent, mark_digest, was_sent, weed_digests};
pub(crate) use happened::{add_happened, histories};
pub(crate) use heads_late::{HeadsLate, add_heads_late, any_heads_late, take_heads_late};
pub(crate) use plans::{
    Listed, Which, due_plans, due_plans_for_update, list, mark_listed, next_look,
    open_plans_for_update, plan, plans_for_update, save_plans, weed_plans,
};

fn impossible(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

fn unwritable(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Encode(Box::new(error))
}
