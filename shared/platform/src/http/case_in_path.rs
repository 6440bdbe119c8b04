//! The case that a path names.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use domain::CaseId;
use uuid::Uuid;

use super::Problem;

/// The case that a path names as `{id}`. What is no id is no case either.
#[derive(Debug, Clone, Copy)]
pub struct CaseInPath(pub CaseId);

impl<S: Send + Sync> FromRequestParts<S> for CaseInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(id) = Path::<Uuid>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::unknown_case())?;
        Ok(Self(CaseId(id)))
    }
}
