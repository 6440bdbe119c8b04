//! HTTP: problems, reading what is sent, and what every process serves.

mod case_in_path;
mod json;
mod problem;
mod query;

use std::time::Instant;

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequest, MatchedPath, Request},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    health::{self, Health},
    meters, telemetry,
};
pub use case_in_path::CaseInPath;
pub use json::{object, read_json, read_value};
pub use problem::{FieldError, NeedsKey, Problem};
pub use query::QueryFields;

/// The largest body taken, bytes.
pub const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// Serves `router`, and beside it health and metrics, until `stop`; then lets requests under way finish.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    health: Health,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let common = Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .with_state(health)
        .route("/metrics", get(metrics));
    let app = router
        .merge(common)
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(observe))
        .layer(DefaultBodyLimit::max(BODY_LIMIT));
    axum::serve(tcp_nodelay(listener), app)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await?;
    Ok(())
}

/// Small answers must not wait for the next packet.
fn tcp_nodelay(
    listener: TcpListener,
) -> impl axum::serve::Listener<Addr = std::net::SocketAddr, Io = tokio::net::TcpStream> {
    use axum::serve::ListenerExt;
    listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    })
}

/// A span and a measurement for each request.
async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "other".to_owned(), |p| p.as_str().to_owned());
    let span = tracing::info_span!("http", http.method = %method, http.route = route, http.status = tracing::field::Empty);
    if let Some(parent) = request
        .headers()
        .get("traceparent")
        .and_then(|v| v.to_str().ok())
    {
        telemetry::continue_from(&span, parent);
    }
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.status", response.status().as_u16());
    // Methods beyond these are a closed set too: `other`.
    let method = match method.as_str() {
        m @ ("GET" | "POST" | "PUT" | "DELETE" | "HEAD" | "OPTIONS" | "PATCH") => m.to_owned(),
        _ => "other".to_owned(),
    };
    meters::HTTP
        .with_label_values(&[method.as_str(), route.as_str(), response.status().as_str()])
        .observe(started.elapsed().as_secs_f64());
    response
}

async fn metrics() -> Response {
    match meters::scrape() {
        Ok(text) => ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

async fn not_found() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no such path",
        "the paths are listed in /openapi.json",
    )
}

async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "no such method here",
        "the methods are listed in /openapi.json",
    )
}

/// Reads a request's body, of at most [`BODY_LIMIT`] bytes. Called when it is known who asks, so that a stranger cannot
/// fill the memory.
///
/// # Errors
/// 413 when it is larger, 400 when it cannot be read.
pub async fn read_body(request: Request) -> Result<Bytes, Problem> {
    match Bytes::from_request(request, &()).await {
        Ok(body) => Ok(body),
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too large",
            "send at most 8 MiB at a time, in several requests if need be; nothing was stored",
        )),
        Err(error) => Err(Problem::new(
            error.status(),
            "the body could not be read",
            "the connection broke or the encoding is wrong; nothing was stored, so send the same request again",
        )),
    }
}

/// The request's idempotency key, if it has one.
///
/// # Errors
/// 400 when it is empty, longer than 200 characters, or not visible ASCII.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=200).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "the Idempotency-Key cannot be used",
            "send 1 to 200 visible ASCII characters, a new key for each new request",
        )),
    }
}
