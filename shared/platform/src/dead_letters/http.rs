//! `<service>/dead-letters`: what could not be applied, and sending it again. A service mounts it under its own prefix.

use std::{fmt, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    routing::{delete, get, post},
};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use utoipa::{OpenApi, ToSchema};

use super::{Again, DeadLetter, Letter, Wanted};
use crate::{
    Problem,
    auth::{Keys, Scope},
    http::NeedsKey,
};

/// How a service sends one of its dead letters again.
pub type SendAgain = Arc<dyn Fn(Letter) -> BoxFuture<'static, anyhow::Result<Again>> + Send + Sync>;

/// A service's way of sending again, as [`Keeper`] holds it.
pub fn send_again_with<F, Done>(send: F) -> SendAgain
where
    F: Fn(Letter) -> Done + Send + Sync + 'static,
    Done: Future<Output = anyhow::Result<Again>> + Send + 'static,
{
    Arc::new(move |letter| Box::pin(send(letter)))
}

/// A service that keeps dead letters.
#[derive(Clone)]
pub struct Keeper {
    /// The database that holds them.
    pub pool: PgPool,
    /// Who may.
    pub keys: Keys,
    /// How one is sent again.
    pub again: SendAgain,
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeper")
    }
}

/// `<prefix>/dead-letters` and what is below it.
pub fn router(prefix: &str, keeper: Keeper) -> Router {
    Router::new()
        .route(&format!("{prefix}/dead-letters"), get(list))
        .route(&format!("{prefix}/dead-letters/{{id}}"), delete(discard))
        .route(
            &format!("{prefix}/dead-letters/{{id}}/send-again"),
            post(send_again),
        )
        .with_state(keeper)
}

/// These paths in the OpenAPI document, without the prefix.
#[derive(Debug, OpenApi)]
#[openapi(paths(list, discard, send_again))]
pub struct DeadLettersApi;

/// A dead letter that is none any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SentAgain {
    /// Its number.
    pub id: i64,
    /// What its sender was answered, where senders are answered: a closure may be refused though it can be read.
    pub answer: Option<String>,
}

/// A dead letter that was thrown away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Discarded {
    /// Its number.
    pub id: i64,
}

fn away(error: sqlx::Error) -> Problem {
    Problem::away("the database", &error)
}

/// The dead letters, oldest first, at most a thousand; those after the last of them are asked for with `after`.
///
/// Needs the scope `operate`.
#[utoipa::path(
    get,
    path = "/dead-letters",
    tag = "operations",
    security(("key" = [])),
    params(Wanted),
    responses(
        (status = 200, body = Vec<DeadLetter>),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
async fn list(
    State(keeper): State<Keeper>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Vec<DeadLetter>>, Problem> {
    keeper.keys.require(&headers, Scope::Operate).await?;
    let Query(wanted) = wanted.map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "the query cannot be read",
            format!(
                "{}; ask with stream, department and after",
                error.body_text()
            ),
        )
    })?;
    super::list(&keeper.pool, &wanted)
        .await
        .map(Json)
        .map_err(away)
}

/// Throw a dead letter away, as what holds personal data or will never be of use.
///
/// It is gone for good. Needs the scope `operate`.
#[utoipa::path(
    delete,
    path = "/dead-letters/{id}",
    tag = "operations",
    security(("key" = [])),
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = Discarded),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
async fn discard(
    State(keeper): State<Keeper>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Discarded>, Problem> {
    keeper.keys.require(&headers, Scope::Operate).await?;
    let id: i64 = id.parse().map_err(|_| unknown())?;
    let mut connection = keeper.pool.acquire().await.map_err(away)?;
    let gone = super::take(&mut connection, id).await.map_err(away)?;
    gone.ok_or_else(unknown)?;
    tracing::info!(id, "a dead letter was thrown away by hand");
    Ok(Json(Discarded { id }))
}

/// Apply a dead letter with the program as it is now.
///
/// It is removed when that succeeds. Needs the scope `operate`.
#[utoipa::path(
    post,
    path = "/dead-letters/{id}/send-again",
    tag = "operations",
    security(("key" = [])),
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = SentAgain),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
async fn send_again(
    State(keeper): State<Keeper>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<SentAgain>, Problem> {
    keeper.keys.require(&headers, Scope::Operate).await?;
    // What is no number is no dead letter either.
    let letter = match id.parse() {
        Ok(id) => super::find(&keeper.pool, id).await.map_err(away)?,
        Err(_) => None,
    };
    let letter = letter.ok_or_else(unknown)?;
    let id = letter.id;
    match (keeper.again)(letter)
        .await
        .map_err(|e| Problem::internal(&e))?
    {
        Again::Applied(answer) => Ok(Json(SentAgain { id, answer })),
        Again::Unknown => Err(unknown()),
        Again::Refused(reason) => Err(Problem::new(
            StatusCode::CONFLICT,
            "it still cannot be applied",
            format!("{reason}; it stays a dead letter"),
        )),
    }
}

fn unknown() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no such dead letter",
        "list them to see their numbers",
    )
}
