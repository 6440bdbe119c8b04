//! The case page behind the link in a mail: for an officer, in any browser, without JavaScript.
//!
//! The link is the right to see and to act; nothing else identifies who comes. So it stays out of other sites' hands
//! (no referrer), caches and logs: requests are logged and traced by their route's pattern, never by their path.
//!
//! **Invariant:** content is shown only after the view has been logged in the database.

mod actions;
#[cfg(test)]
mod example;
mod form;
mod html;
mod terms;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, RawQuery, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware,
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};

use domain::ContentRequest;
use platform::bus;

use crate::{
    Desk, case,
    link::{BadLink, Link},
    store::{self, Line},
};
use form::Action;
use html::{Said, Sheet};
use terms::Terms;

/// Bytes of a form at the most: a note of nothing but the longest characters, encoded, fits.
const BODY: usize = 64 * 1024;

/// Why a case is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The link was not made here, was altered, or its case is gone.
    Unknown,
    /// The link's time is over.
    Expired,
    /// The case has been forwarded anew since the link was made; `bounced` where that was done just now, by this link.
    Elsewhere { bounced: bool },
    /// A form of another website.
    OtherSite,
    /// The form is larger than any of ours can be, or broke off.
    TooLarge,
    /// The database cannot be used.
    Away,
}

impl From<BadLink> for Stop {
    fn from(bad: BadLink) -> Self {
        match bad {
            BadLink::Forged => Self::Unknown,
            BadLink::Expired => Self::Expired,
        }
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        tracing::warn!(%error, "the case page cannot use the database");
        Self::Away
    }
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Expired | Self::Elsewhere { .. } => StatusCode::GONE,
            Self::OtherSite => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Away => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, Html(html::stop(&self).into_string())).into_response()
    }
}

/// The page, its forms, and its style.
pub(crate) fn router(desk: Desk) -> Router {
    Router::new()
        .route("/routing/case/{token}", get(see))
        .route(
            "/routing/case/{token}/{action}",
            get(back).post(actions::post),
        )
        .route("/routing/case.css", get(style))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::map_response(guarded))
        .with_state(desk)
}

/// `GET /routing/case/{token}`
async fn see(
    State(desk): State<Desk>,
    token: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, Stop> {
    let Path(token) = token.map_err(|_| Stop::Unknown)?;
    let link = Link::verify(&token, &desk.link_key, desk.clock.now())?;
    let done = query.as_deref().and_then(|q| q.strip_prefix("done="));
    let said = match done.and_then(|action| action.parse().ok()) {
        Some(action) => Said::Done(action),
        None => Said::Nothing,
    };
    show(&desk, &token, link, said).await
}

/// Who loads the address of a form that came to nothing anew, without the form, gets the page.
async fn back(
    State(desk): State<Desk>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Redirect, Stop> {
    let Path((token, _)) = path.map_err(|_| Stop::Unknown)?;
    // Only what we have signed becomes part of an address.
    Link::verify(&token, &desk.link_key, desk.clock.now())?;
    Ok(Redirect::to(&format!("/routing/case/{token}")))
}

async fn style() -> impl IntoResponse {
    // Its address changes with it.
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, html::STYLE)
}

/// Shows the case of `link`, whose text is `token`. Logs the view first: no log, no content.
async fn show(desk: &Desk, token: &str, link: Link, said: Said) -> Result<Response, Stop> {
    let mut transaction = desk.pool.begin().await?;
    let case = store::cases(&mut *transaction, &[link.case]).await?;
    let case = case.into_values().next().ok_or(Stop::Unknown)?;
    if case.turn != link.turn {
        let bounced = matches!(said, Said::Done(Action::Bounce));
        return Err(Stop::Elsewhere { bounced });
    }
    let now = desk.clock.now();
    let versions = desk.versions.all(&mut transaction).await?;
    let history = store::history(&mut transaction, case.id).await?;
    let view = Line {
        case: case.id,
        at: now,
        what: "viewed",
        who: doer(&case),
        note: None,
        reason: None,
    };
    store::write(&mut transaction, &[view]).await?;
    transaction.commit().await?;
    let terms = Terms::of(&case, &versions);
    let content = match case.state {
        case::State::Closed => None,
        _ if !terms.may_see() => None,
        _ => Some(bus::ask(&desk.bus, &ContentRequest { case: case.id }).await),
    };
    let status = match &said {
        Said::NotDone { wrong, .. } if wrong.iter().all(|w| w.field.is_some()) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Said::NotDone { .. } => StatusCode::CONFLICT,
        Said::Nothing | Said::Done(_) => StatusCode::OK,
    };
    let sheet = Sheet {
        token,
        terms,
        now,
        content,
        history,
        said,
    };
    Ok((status, Html(html::sheet(&sheet).into_string())).into_response())
}

/// Who does something by the link: the department and group that have the case.
fn doer(case: &case::Case) -> String {
    match (&case.department, &case.group_id) {
        (Some(department), Some(group)) => format!("{department}/{group}"),
        _ => "link".to_owned(),
    }
}

/// Adds what keeps the page, and the link that is its address, out of everybody else's hands.
async fn guarded(mut response: Response) -> Response {
    let headers: &mut HeaderMap = response.headers_mut();
    let mut set = |name, value| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    // The link is in the address.
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(
        header::HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    response
}

#[cfg(test)]
mod tests;
