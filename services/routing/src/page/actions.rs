//! `POST /routing/case/{token}/{action}`: what an officer does. Done or not done, it is answered by the page.

use axum::{
    body::Bytes,
    extract::{
        Path, State,
        rejection::{BytesRejection, PathRejection},
    },
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use platform::telemetry;

use super::{
    Stop, doer,
    form::{self, Action, Form, Wrong},
    html::Said,
    show,
    terms::Terms,
};
use crate::{
    Desk,
    ask::{Ask, ask},
    link::Link,
    store,
    work::Work,
};

/// What came of a form.
enum Came {
    /// It is done, now or by the same form before.
    Done,
    /// Nothing has changed.
    NotDone(Vec<Wrong>),
}

pub(super) async fn post(
    State(desk): State<Desk>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Stop> {
    let Path((token, action)) = path.map_err(|_| Stop::Unknown)?;
    let link = Link::verify(&token, &desk.link_key, desk.clock.now())?;
    let action: Action = action.parse().map_err(|()| Stop::Unknown)?;
    if !is_ours(&headers, &desk.public_url) {
        return Err(Stop::OtherSite);
    }
    let form = Form::read(&body.map_err(|_| Stop::TooLarge)?);
    match act(&desk, link, action, &form).await? {
        Came::Done => {
            let address = format!("/routing/case/{token}?done={}", action.as_str());
            Ok(Redirect::to(&address).into_response())
        }
        Came::NotDone(wrong) => {
            let said = Said::NotDone {
                action,
                wrong,
                form,
            };
            show(&desk, &token, link, said).await
        }
    }
}

/// Does it in one transaction, which holds the case: of two at once, the second sees what the first has done.
async fn act(desk: &Desk, link: Link, action: Action, form: &Form) -> Result<Came, Stop> {
    let mut transaction = desk.pool.begin().await?;
    let mut work = Work::begin(desk, &mut transaction, &[link.case]).await?;
    work.traceparent = telemetry::traceparent();
    let case = work.cases.get(&link.case).cloned().ok_or(Stop::Unknown)?;
    if case.turn != link.turn {
        return Err(Stop::Elsewhere { bounced: false });
    }
    let wish = match form::read(action, form, &Terms::of(&case, &work.versions)) {
        Ok(wish) => wish,
        Err(wrong) => return Ok(Came::NotDone(wrong)),
    };
    if let Ask::Note(note) = &wish {
        let after = form.get("after").parse().unwrap_or(i64::MAX);
        if store::noted_after(&mut *transaction, case.id, after, note).await? {
            return Ok(Came::Done);
        }
    }
    if let Err(words) = ask(&mut work, case.id, &doer(&case), wish) {
        return Ok(Came::NotDone(vec![Wrong { field: None, words }]));
    }
    work.save(&mut transaction).await?;
    transaction.commit().await?;
    desk.wake();
    Ok(Came::Done)
}

/// Whether a form comes from a page of ours, as far as its browser says. The link alone is the right to act, so another
/// site would have to know it; but a form of another site is never meant.
///
/// Our pages give no referrer, so browsers send their forms with `Origin: null`.
fn is_ours(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: header::HeaderName| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    let fetched = text(header::HeaderName::from_static("sec-fetch-site"));
    if let Some(site) = fetched {
        return matches!(site, "same-origin" | "none");
    }
    match text(header::ORIGIN) {
        None | Some("null") => true,
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            let public = public_url
                .strip_prefix(origin)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            public || (host.is_some() && host == text(header::HOST))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_other_sites_are_told_by_what_browsers_say() {
        let ours = |said: &[(&'static str, &'static str)]| {
            let headers = said
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect();
            is_ours(&headers, "https://kommunlots.example")
        };
        for good in [
            &[][..],
            &[("origin", "null")],
            &[("origin", "https://kommunlots.example")],
            &[
                ("origin", "http://127.0.0.1:8080"),
                ("host", "127.0.0.1:8080"),
            ],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[("sec-fetch-site", "none")],
        ] {
            assert!(ours(good), "{good:?}");
        }
        for bad in [
            &[("origin", "https://other.example")][..],
            &[("origin", "https://kommunlots.exampl")],
            &[("origin", "other"), ("host", "other")],
            &[("sec-fetch-site", "cross-site"), ("origin", "null")],
            &[("sec-fetch-site", "same-site")],
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://kommunlots.example"),
            ],
        ] {
            assert!(!ours(bad), "{bad:?}");
        }
    }
}
