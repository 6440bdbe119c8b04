//! `POST /routing/history`: cases of an older system, many as NDJSON.

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
};
use domain::CaseId;
use jiff::Timestamp;
use platform::{
    Problem,
    auth::Scope,
    http::{FieldError, NeedsKey, read_body, read_value},
    telemetry,
};

use super::Routing;
use crate::{
    Desk,
    history::{Counts, HistoryInput, Past, Place, place, take},
    store::{self, Version},
    work::Work,
};

const NDJSON: &str = "application/x-ndjson";
/// Cases in one request, which are one transaction.
const MOST: usize = 1_000;
/// Wrong lines named in one answer.
const NAMED: usize = 20;

/// Take an older system's cases in.
///
/// Cases as `application/x-ndjson`, one a line, at most 1,000. They are taken all or none, and the answer comes when they are
/// durable. Nobody is told of them by mail. The same case (system and number) can be sent again: what is known of it stays as
/// it is, but if it has been closed since then it is closed here. Needs the scope `operate`.
#[utoipa::path(
    post,
    path = "/routing/history",
    tag = "routing",
    security(("key" = [])),
    request_body(content((String = "application/x-ndjson"))),
    responses(
        (status = 200, body = Counts),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        NeedsKey,
    )
)]
pub(crate) async fn post(
    State(routing): State<Routing>,
    request: Request,
) -> Result<Json<Counts>, Problem> {
    let headers = request.headers().clone();
    routing.keys.require(&headers, Scope::Operate).await?;
    if !is_ndjson(&headers) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the content type is not known here",
            "send cases as application/x-ndjson with one case a line",
        ));
    }
    let body = read_body(request).await?;
    let past = read_lines(&body, routing.desk.clock.now())?;
    let counts = take_all(&routing.desk, past).await?;
    routing.desk.wake();
    Ok(Json(counts))
}

fn is_ndjson(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    value.is_some_and(|v| v.split(';').next().unwrap_or("").trim() == NDJSON)
}

/// Cases by their line.
fn read_lines(body: &[u8], now: Timestamp) -> Result<Vec<(usize, Past)>, Problem> {
    let lines = body.split(|b| *b == b'\n').zip(1..);
    let lines = lines.filter(|(line, _)| !line.iter().all(u8::is_ascii_whitespace));
    all_or_errors(lines, |(line, n)| {
        let read = || read_value::<HistoryInput>(line)?.parse(now);
        read().map(|past| (n, past)).map_err(|e| e.on_line(n))
    })
}

/// Every result, or the first errors.
fn all_or_errors<T, U>(
    from: impl IntoIterator<Item = T>,
    each: impl Fn(T) -> Result<U, FieldError>,
) -> Result<Vec<U>, Problem> {
    let (mut all, mut errors) = (Vec::new(), Vec::new());
    for item in from {
        match each(item) {
            Ok(_) if all.len() == MOST => {
                let reason = format!("has more than {MOST} lines; send them in several requests");
                return Err(Problem::invalid(vec![FieldError::new("", reason)]));
            }
            Ok(one) => all.push(one),
            Err(error) => errors.push(error),
        }
        if errors.len() == NAMED {
            break;
        }
    }
    if errors.is_empty() {
        Ok(all)
    } else {
        Err(Problem::invalid(errors))
    }
}

async fn take_all(desk: &Desk, past: Vec<(usize, Past)>) -> Result<Counts, Problem> {
    let mut connection = desk
        .pool
        .acquire()
        .await
        .map_err(|e| Problem::of_database(&e))?;
    let versions = desk.versions.all(&mut connection).await;
    let versions = versions.map_err(|e| Problem::of_database(&e))?;
    let placed = all_or_errors(past, |(line, past)| placed(line, past, &versions))?;
    store_all(desk, &mut connection, placed)
        .await
        .map_err(|e| Problem::of_database(&e))
}

fn placed(line: usize, past: Past, versions: &[Version]) -> Result<(Past, Place), FieldError> {
    let place = place(&past, versions).map_err(|e| e.on_line(line))?;
    Ok((past, place))
}

async fn store_all(
    desk: &Desk,
    connection: &mut sqlx::PgConnection,
    placed: Vec<(Past, Place)>,
) -> Result<Counts, sqlx::Error> {
    let mut transaction = sqlx::Connection::begin(connection).await?;
    store::import_alone(&mut transaction).await?;
    let ids: Vec<CaseId> = placed.iter().map(|(past, _)| past.id).collect();
    let mut work = Work::begin(desk, &mut transaction, &ids).await?;
    work.traceparent = telemetry::traceparent();
    let mut counts = Counts::default();
    for (past, place) in placed {
        take(&mut work, past, place, &mut counts);
    }
    work.save(&mut transaction).await?;
    transaction.commit().await?;
    Ok(counts)
}
