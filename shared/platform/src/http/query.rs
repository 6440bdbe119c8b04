//! What a query asks for.

use std::collections::BTreeMap;

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};

use super::{FieldError, Problem};

/// A query's fields by their names, each given once: which of two was meant, nobody can tell.
#[derive(Debug)]
pub struct QueryFields(pub BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for QueryFields {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let wrong = |field: &str, reason| Problem::wrong_query(FieldError::new(field, reason));
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| wrong("", "cannot be read; it must be percent-encoded UTF-8"))?;
        let mut fields = BTreeMap::new();
        for (name, value) in pairs {
            if fields.contains_key(&name) {
                return Err(wrong(&name, "is given more than once; give it once"));
            }
            fields.insert(name, value);
        }
        Ok(Self(fields))
    }
}
