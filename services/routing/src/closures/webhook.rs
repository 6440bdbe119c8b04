//! `POST /routing/closures/{department}`: closures of departments that cannot speak NATS.
//!
//! The closure's id is the CloudEvent's, as on the bus: the same closure by both ways has one effect. `webhook-id` is signed
//! with the body and may be the same or another; a message that is sent again has the same body, and so the same closure's id.
//! The five minutes are of the product's clock, which a demo lets run faster.

use std::time::Duration;

use axum::{
    Json, Router, body,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use domain::{ClosedBy, ClosureAnswer, ClosureMessage, ClosureResult, Department};
use platform::{Problem, database::is_duplicate, telemetry};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, SecurityScheme},
};

use super::{
    read::MOST,
    settle::{Sender, Sent, Settled},
    signature::{Doubt, Secret, Signed},
};
use crate::{Desk, store};

/// Another way may bring the same closure at the same moment; the next attempt knows it.
const ATTEMPTS: usize = 3;

/// The webhook's path.
pub(crate) fn router(desk: Desk) -> Router {
    Router::new()
        .route("/routing/closures/{department}", post(close))
        .with_state(desk)
}

/// The webhook's part of the OpenAPI document.
#[derive(Debug, OpenApi)]
#[openapi(paths(close), modifiers(&Signature))]
pub struct ClosuresApi;

struct Signature;

impl Modify for Signature {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let header = ApiKeyValue::with_description(
            "webhook-signature",
            "Signed with a secret made with `kommunlots closure secret`, as standardwebhooks.com has it.",
        );
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(header));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("signature", scheme);
    }
}

/// Close a case, as a department's own system.
///
/// Signed as standardwebhooks.com has it, with a secret made by `kommunlots closure secret`: `webhook-signature` holds `v1,` and
/// the base64 of HMAC-SHA256 over `webhook-id.webhook-timestamp.body`; several are separated by spaces. The timestamp, seconds
/// since 1970, may be five minutes off. The closure's id is the `id` in the body: the same id again, by any way, is answered the
/// same again and changes nothing.
#[utoipa::path(
    post,
    path = "/routing/closures/{department}",
    tag = "departments",
    security(("signature" = [])),
    params(
        ("department" = String, Path, description = "the department, such as bygg"),
        ("webhook-id" = String, Header, description = "an id of the message, the same when it is sent again"),
        ("webhook-timestamp" = String, Header, description = "seconds since 1970 when it was signed"),
    ),
    request_body(content = ClosureMessage, content_type = "application/cloudevents+json", description = "a closure, as docs/schemas/closure.json describes it"),
    responses(
        (status = 200, body = ClosureAnswer, description = "the case is closed, or was already"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "not signed as it must be"),
        (status = 409, body = ClosureAnswer, description = "refused"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = ClosureAnswer, description = "it cannot be read; it is kept as a dead letter"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "too many that changed nothing; `retry-after` says for how many seconds to wait"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
async fn close(
    State(desk): State<Desk>,
    department: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, content) = request.into_parts();
    let signed = Signed::read(&parts.headers, desk.clock.now()).map_err(doubtful)?;
    let payload = body::to_bytes(content, MOST).await.map_err(unreadable)?;
    // What is no label is no department, and neither is told apart from one without a secret.
    let department: Option<Department> = department.ok().and_then(|Path(d)| d.parse().ok());
    let secrets = match &department {
        Some(department) => store::webhook_secrets(&desk.pool, department)
            .await
            .map_err(|error| Problem::of_database(&error))?,
        None => Vec::new(),
    };
    let secrets: Vec<Secret> = secrets.into_iter().map(Secret).collect();
    signed.verify(&payload, &secrets).map_err(doubtful)?;
    let department = department.ok_or_else(|| doubtful(Doubt::Signature))?;
    let sender = Sender {
        department,
        way: ClosedBy::Webhook,
    };
    if let Some(wait) = desk.pace.wait(&sender.department) {
        return Ok(too_many(wait));
    }
    let sent = [Sent::new(payload, None)];
    let answer = settle(&desk, &sender, &sent)
        .await
        .map_err(|error| Problem::of_database(&error))?;
    let status = match (&sent[0].read, answer.result) {
        (Err(_), _) => StatusCode::UNPROCESSABLE_ENTITY,
        (Ok(_), ClosureResult::Refused) => StatusCode::CONFLICT,
        (Ok(_), ClosureResult::Accepted | ClosureResult::AlreadyClosed) => StatusCode::OK,
    };
    Ok((status, Json(answer)).into_response())
}

async fn settle(
    desk: &Desk,
    sender: &Sender,
    sent: &[Sent; 1],
) -> Result<ClosureAnswer, sqlx::Error> {
    let mut attempt = 1;
    let settled = loop {
        match settle_once(desk, sender, sent).await {
            Err(error) if is_duplicate(&error) && attempt < ATTEMPTS => attempt += 1,
            done => break done?,
        }
    };
    desk.wake();
    sender.settled(desk, sent, &settled);
    settled
        .answers
        .into_iter()
        .next()
        .ok_or_else(|| sqlx::Error::Protocol("a closure without an answer".into()))
}

async fn settle_once(
    desk: &Desk,
    sender: &Sender,
    sent: &[Sent; 1],
) -> Result<Settled, sqlx::Error> {
    let mut transaction = desk.pool.begin().await?;
    let cause = telemetry::traceparent();
    let settled = sender.settle(desk, &mut transaction, sent, cause).await?;
    transaction.commit().await?;
    Ok(settled)
}

/// The same for a department that does not exist, one without a secret, and a wrong signature.
fn doubtful(doubt: Doubt) -> Problem {
    let detail = match doubt {
        Doubt::Header(name) => format!(
            "the header {name} is missing or cannot be read; send webhook-id, webhook-timestamp (seconds since 1970) and \
             webhook-signature"
        ),
        Doubt::Time => {
            "webhook-timestamp is more than five minutes off; sign the message anew when it is sent, and look at the clock"
                .to_owned()
        }
        Doubt::Signature => {
            "no signature is right; sign webhook-id.webhook-timestamp.body with the department's secret, byte for byte as it \
             is sent"
                .to_owned()
        }
    };
    Problem::new(StatusCode::UNAUTHORIZED, "not signed as it must be", detail)
}

/// The department has sent too many closures that changed nothing.
fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs() + 1;
    let problem = Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too many closures that change nothing",
        format!(
            "look at why they are refused, and send again in {seconds} seconds; nothing was stored"
        ),
    );
    ([(header::RETRY_AFTER, seconds.to_string())], problem).into_response()
}

fn unreadable(error: axum::Error) -> Problem {
    // It is either too large or broke off.
    tracing::debug!(%error, "a webhook's body could not be read");
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "the body is too large",
        "send one closure of at most 64 KiB in each request; nothing was stored",
    )
}
