//! `POST /intake/contacts`: one contact event as JSON, or many as NDJSON.

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
};
use platform::{
    Problem,
    auth::Scope,
    http::{NeedsKey, read_body, read_value},
    telemetry,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::Intake;
use crate::{
    contacts::Job,
    input::{ContactInput, Told},
};

/// The media type of many events, one a line.
pub const NDJSON: &str = "application/x-ndjson";
/// Wrong lines named in one answer.
const NAMED: usize = 20;

/// How many events were new, and how many had been told before.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Taken {
    /// New, and durable now.
    pub(crate) taken: usize,
    /// Told before, by its contact, queue, what and when; nothing changed, also where the rest differs.
    pub(crate) known: usize,
}

/// Tell contact events.
///
/// One event as `application/json`, or many as `application/x-ndjson`, at most 8 MiB. Many are taken all or none. The
/// answer comes when they are durable. An event is known by its contact, queue, what (with the reason why it was turned away)
/// and when: it can be sent again without effect, so after an error or no answer, send the same again. For the same reason
/// nothing can be corrected: what else was told first, such as `waited_s`, stands. Needs the scope `contacts:write`.
#[utoipa::path(
    post,
    path = "/intake/contacts",
    tag = "contacts",
    security(("key" = [])),
    request_body(content((ContactInput = "application/json"), (String = "application/x-ndjson"))),
    responses(
        (status = 200, body = Taken),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn post(
    State(intake): State<Intake>,
    request: Request,
) -> Result<Json<Taken>, Problem> {
    let headers = request.headers().clone();
    intake.keys.require(&headers, Scope::ContactsWrite).await?;
    let body = read_body(request).await?;
    let told = match media_type(&headers) {
        "application/json" => vec![read(&intake, &body).map_err(|e| Problem::invalid(vec![e]))?],
        NDJSON => read_lines(&intake, &body)?,
        _ => {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the content type is not known here",
                "send one event as application/json, or many as application/x-ndjson with one event a line",
            ));
        }
    };
    let job = Job {
        told,
        traceparent: telemetry::traceparent(),
        ..Job::default()
    };
    let counts = intake
        .contacts
        .write(job)
        .await
        .map_err(|e| Problem::of_database(&e))?;
    Ok(Json(Taken {
        taken: counts.taken,
        known: counts.known,
    }))
}

fn media_type(headers: &HeaderMap) -> &str {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or("");
    value.split(';').next().unwrap_or("").trim()
}

fn read(intake: &Intake, json: &[u8]) -> Result<Told, platform::http::FieldError> {
    let input: ContactInput = read_value(json)?;
    input.parse(&intake.installation, intake.clock.now())
}

fn read_lines(intake: &Intake, body: &[u8]) -> Result<Vec<Told>, Problem> {
    let (mut told, mut errors) = (Vec::new(), Vec::new());
    for (n, line) in body.split(|b| *b == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match read(intake, line) {
            Ok(event) => told.push(event),
            Err(error) if errors.len() < NAMED => errors.push(error.on_line(n + 1)),
            Err(_) => break,
        }
    }
    if errors.is_empty() {
        Ok(told)
    } else {
        Err(Problem::invalid(errors))
    }
}
