//! `<service>/mail`: what waits and what was given up, and trying it again. A service mounts it under its own prefix.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tokio::sync::Notify;
use utoipa::{OpenApi, ToSchema};

use super::queue::{self, QueuedMail, Retry};
use crate::{
    Clock, Problem,
    auth::{Keys, Scope},
    http::NeedsKey,
};

/// A service's queue, and who may look at it.
#[derive(Debug, Clone)]
pub struct Queue {
    /// The database that holds it.
    pub pool: PgPool,
    /// Who may.
    pub keys: Keys,
    /// The clock of its mailer.
    pub clock: Clock,
    /// That of its mailer.
    pub wake: Arc<Notify>,
}

/// `<prefix>/mail` and what is below it.
pub fn router(prefix: &str, queue: Queue) -> Router {
    Router::new()
        .route(&format!("{prefix}/mail"), get(list))
        .route(&format!("{prefix}/mail/retry"), post(retry_all))
        .route(&format!("{prefix}/mail/{{id}}/retry"), post(retry))
        .with_state(queue)
}

/// These paths in the OpenAPI document, without the prefix.
#[derive(Debug, OpenApi)]
#[openapi(paths(list, retry_all, retry))]
pub struct MailApi;

/// How many mails are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Retried {
    /// So many.
    pub retried: u64,
}

fn away(error: sqlx::Error) -> Problem {
    Problem::away("the database", &error)
}

/// The mails that wait or were given up, oldest first, at most a thousand.
///
/// Neither whom they are to nor what they say. Those that were given up two weeks ago are no longer among them. Needs the
/// scope `operate`.
#[utoipa::path(
    get,
    path = "/mail",
    tag = "operations",
    security(("key" = [])),
    responses((status = 200, body = Vec<QueuedMail>), NeedsKey)
)]
async fn list(
    State(queue): State<Queue>,
    headers: HeaderMap,
) -> Result<Json<Vec<QueuedMail>>, Problem> {
    queue.keys.require(&headers, Scope::Operate).await?;
    queue::list(&queue.pool).await.map(Json).map_err(away)
}

/// Try every mail now that waits or was given up.
///
/// Needs the scope `operate`.
#[utoipa::path(
    post,
    path = "/mail/retry",
    tag = "operations",
    security(("key" = [])),
    responses((status = 200, body = Retried), NeedsKey)
)]
async fn retry_all(
    State(queue): State<Queue>,
    headers: HeaderMap,
) -> Result<Json<Retried>, Problem> {
    queue.keys.require(&headers, Scope::Operate).await?;
    let retried = queue::retry_all(&queue.pool, queue.clock.now())
        .await
        .map_err(away)?;
    queue.wake.notify_one();
    Ok(Json(Retried { retried }))
}

/// Try a mail now that waits or was given up.
///
/// Needs the scope `operate`.
#[utoipa::path(
    post,
    path = "/mail/{id}/retry",
    tag = "operations",
    security(("key" = [])),
    params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, body = Retried),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
async fn retry(
    State(queue): State<Queue>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Retried>, Problem> {
    queue.keys.require(&headers, Scope::Operate).await?;
    // What is no id is no mail either.
    let retry = match id.parse() {
        Ok(id) => queue::retry(&queue.pool, id, queue.clock.now())
            .await
            .map_err(away)?,
        Err(_) => Retry::Unknown,
    };
    let not = |detail: &'static str| {
        Problem::new(StatusCode::CONFLICT, "it cannot be tried again", detail)
    };
    match retry {
        Retry::Due => {
            queue.wake.notify_one();
            Ok(Json(Retried { retried: 1 }))
        }
        Retry::UnderWay => Err(not("it is being tried at this moment; look at the list")),
        Retry::Sent => Err(not("the mail server has taken it; ask there")),
        Retry::Weeded => Err(not(
            "it was given up so long ago that its address and text are weeded",
        )),
        Retry::Unknown => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "no such mail",
            "list them to see their ids",
        )),
    }
}
