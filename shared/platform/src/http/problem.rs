//! What went wrong with a request (RFC 9457).

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoResponses, ToSchema};

use crate::database::may_pass;

/// An answer of `application/problem+json`: what is wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// In short; the same for every problem of its kind.
    #[schema(value_type = String)]
    pub title: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// In particular, with what to do.
    #[schema(value_type = String)]
    pub detail: Cow<'static, str>,
    /// Each field that is wrong.
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// A field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// The line of an NDJSON body, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The field's path, such as `citizen.email`; empty for the whole.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

impl FieldError {
    /// `field` is wrong because of `reason`.
    pub fn new(field: &str, reason: impl Into<String>) -> Self {
        Self {
            line: None,
            field: field.to_owned(),
            reason: reason.into(),
        }
    }

    /// The same, on a line of a batch.
    #[must_use]
    pub fn on_line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }
}

impl Problem {
    /// A problem of any kind.
    pub fn new(
        status: StatusCode,
        title: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            title: title.into(),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// The request's content is wrong.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let first = errors.first().map_or_else(String::new, |e| {
            let line = e.line.map_or_else(String::new, |n| format!("line {n}: "));
            let field = if e.field.is_empty() {
                "the body"
            } else {
                &e.field
            };
            format!("{line}{field}: {}; ", e.reason)
        });
        Self {
            errors,
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "the content is not valid",
                format!("{first}nothing was stored"),
            )
        }
    }

    /// What is asked for is wrong, in the query of a request that changes nothing.
    pub fn wrong_query(error: FieldError) -> Self {
        let field = match error.field.as_str() {
            "" => "the query",
            field => field,
        };
        let detail = format!("{field}: {}", error.reason);
        Self {
            errors: vec![error],
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "the query is not valid",
                detail,
            )
        }
    }

    /// Something we need is away. The cause is logged here, and not told to the caller.
    pub fn away(what: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::warn!(%error, "{what} is away");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not available now",
            format!(
                "{what} cannot be reached; what became of the request is not known, so send the same again"
            ),
        )
    }

    /// A read or write that failed: the database is away, or the fault is ours.
    pub fn of_database(error: &sqlx::Error) -> Self {
        if may_pass(error) {
            Self::away("the database", error)
        } else {
            Self::internal(error)
        }
    }

    /// There is no case with the id that a path names.
    pub fn unknown_case() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no such case",
            "look at the id that the registration answered; of one registered just now a service may hear in a moment",
        )
    }

    /// A fault of ours. The cause is logged here, and not told to the caller.
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "internal error");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal error",
            "the fault is ours and has been logged",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}

/// How a request that needs a key can be refused, for the OpenAPI document.
#[derive(Debug, IntoResponses)]
pub enum NeedsKey {
    /// No valid key.
    #[response(status = 401, content_type = "application/problem+json")]
    NoKey(Problem),
    /// The key lacks the scope.
    #[response(status = 403, content_type = "application/problem+json")]
    NoScope(Problem),
    /// Something that is needed is away; send the same request again.
    #[response(status = 503, content_type = "application/problem+json")]
    Away(Problem),
}
