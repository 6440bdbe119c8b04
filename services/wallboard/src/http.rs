//! The page, its socket, and the latest frame.

use std::{sync::LazyLock, time::Duration};

use axum::{
    Router,
    extract::{
        Path, State,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code},
    },
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use platform::Problem;
use prometheus::IntGauge;
use rust_embed::RustEmbed;
use tokio_util::sync::CancellationToken;

use crate::frames::Frames;

/// A browser that does not take a frame for this long is gone or hangs; it will come back.
const PATIENCE: Duration = Duration::from_secs(10);

static VIEWERS: LazyLock<IntGauge> = LazyLock::new(|| {
    #[expect(
        clippy::unwrap_used,
        reason = "the name is a literal, used once; a test scrapes it"
    )]
    let gauge = IntGauge::new(
        "kommunlots_wallboard_viewers",
        "Browsers that follow the wallboard.",
    )
    .unwrap();
    #[expect(clippy::unwrap_used, reason = "see above")]
    prometheus::register(Box::new(gauge.clone())).unwrap();
    gauge
});

#[derive(RustEmbed)]
#[folder = "page/"]
struct Page;

#[derive(Clone)]
struct Wallboard {
    frames: Frames,
    stop: CancellationToken,
}

pub(crate) fn router(frames: Frames, stop: CancellationToken) -> Router {
    VIEWERS.set(0);
    Router::new()
        .route("/", get(async || Redirect::temporary("/wallboard")))
        .route("/wallboard", get(async || file("index.html")))
        .route(
            "/wallboard/assets/{name}",
            get(async |Path(name): Path<String>| file(&name)),
        )
        .route("/wallboard/board.json", get(latest))
        .route("/wallboard/ws", get(socket))
        .with_state(Wallboard { frames, stop })
}

const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'self'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    // A new version of the page must reach the wall without anybody clearing a cache.
    (header::CACHE_CONTROL, "no-cache"),
];

fn file(name: &str) -> Response {
    let Some(file) = Page::get(name) else {
        return Problem::new(
            StatusCode::NOT_FOUND,
            "no such file",
            "the page is at /wallboard",
        )
        .into_response();
    };
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    (HEADERS, [(header::CONTENT_TYPE, kind)], file.data).into_response()
}

async fn latest(State(wallboard): State<Wallboard>) -> Response {
    match &*wallboard.frames.follow().borrow() {
        Some(frame) => (
            [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")],
            frame.text().to_string(),
        )
            .into_response(),
        None => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "no board yet",
            "metrics has told no board since this wallboard started; look at /health/ready and at metrics' log",
        )
        .into_response(),
    }
}

async fn socket(State(wallboard): State<Wallboard>, upgrade: WebSocketUpgrade) -> Response {
    // Viewers send nothing: small buffers keep thousands of them cheap.
    upgrade
        .read_buffer_size(4_096)
        .write_buffer_size(0)
        .max_message_size(4_096)
        .on_upgrade(move |socket| show(socket, wallboard))
}

/// Sends the latest frame whenever it changes; a slow browser skips to the latest.
async fn show(mut socket: WebSocket, wallboard: Wallboard) {
    VIEWERS.inc();
    let mut frames = wallboard.frames.follow();
    frames.mark_changed();
    loop {
        tokio::select! {
            () = wallboard.stop.cancelled() => {
                let bye = CloseFrame { code: close_code::AWAY, reason: Utf8Bytes::from_static("restarting") };
                let _ = socket.send(Message::Close(Some(bye))).await;
                break;
            }
            changed = frames.changed() => {
                if changed.is_err() {
                    break;
                }
                let frame = frames.borrow_and_update().clone();
                let Some(frame) = frame else { continue };
                match tokio::time::timeout(PATIENCE, socket.send(Message::Text(frame.text()))).await {
                    Ok(Ok(())) => {}
                    _ => break,
                }
            }
            received = socket.recv() => match received {
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    VIEWERS.dec();
}
