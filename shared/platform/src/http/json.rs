//! Reading JSON objects.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{FieldError, Problem};

/// Reads a JSON body. The error names the field.
///
/// # Errors
/// 422 when `body` is not such an object.
pub fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    read_value(body).map_err(|error| Problem::invalid(vec![error]))
}

/// Reads one JSON object. The error names the field.
///
/// # Errors
/// When `json` is not such an object.
pub fn read_value<T: DeserializeOwned>(json: &[u8]) -> Result<T, FieldError> {
    // A derived reader would take an array too, as the fields in their order, which nobody documents.
    match json.iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'{') => {}
        Some(_) => return Err(FieldError::new("", "must be a JSON object")),
        None => return Err(FieldError::new("", "is empty; send a JSON object")),
    }
    // The plain reader is twice as fast; only what it refuses is read again to find where.
    if let Ok(value) = serde_json::from_slice(json) {
        return Ok(value);
    }
    let mut from = serde_json::Deserializer::from_slice(json);
    match serde_path_to_error::deserialize::<_, T>(&mut from) {
        Ok(_) => Err(FieldError::new(
            "",
            "has something after its end; send one JSON object",
        )),
        Err(error) => {
            // What broke off has no path but `?` or the field before it.
            let path = error.path().to_string();
            let path = path.trim_end_matches(['.', '?']);
            let reason = plain(error.inner());
            // A missing field is told of its parent.
            match reason
                .strip_prefix("missing field `")
                .and_then(|r| r.strip_suffix('`'))
            {
                Some(name) if path.is_empty() => Err(FieldError::new(name, "is missing")),
                Some(name) => Err(FieldError::new(&format!("{path}.{name}"), "is missing")),
                None => Err(FieldError::new(path, reason)),
            }
        }
    }
}

/// The error's words without the place in the text, which says nothing to who sent one line.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ")
        .map_or(text.clone(), |(words, _)| words.to_owned())
}

/// Reads a field that is an object or null, and no array either; for `deserialize_with`.
///
/// # Errors
/// When it is something else, or not such an object.
pub fn object<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Object<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }

        fn visit_unit<E>(self) -> Result<Option<T>, E> {
            Ok(None)
        }
    }

    from.deserialize_any(Object(PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        name: String,
        #[serde(default, deserialize_with = "object")]
        inner: Option<Inner>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        name: String,
    }

    #[test]
    fn an_array_is_no_object() {
        let read = |json: &str| read_value::<Outer>(json.as_bytes());
        let outer = |inner: Option<&str>| Outer {
            name: "a".to_owned(),
            inner: inner.map(|name| Inner {
                name: name.to_owned(),
            }),
        };
        assert_eq!(read(r#" {"name":"a"}"#), Ok(outer(None)));
        assert_eq!(read(r#"{"name":"a","inner":null}"#), Ok(outer(None)));
        let whole = r#"{"name":"a","inner":{"name":"b"}}"#;
        assert_eq!(read(whole), Ok(outer(Some("b"))));
        for (json, field, reason) in [
            ("", "", "is empty"),
            (" \n", "", "is empty"),
            (r#"["a"]"#, "", "must be a JSON object"),
            ("null", "", "must be a JSON object"),
            (r#"{"name":"a","inner":["b"]}"#, "inner", "a JSON object"),
            (r#"{"name":"a","inner":"b"}"#, "inner", "a JSON object"),
            (
                r#"{"name":"a","inner":{"name":1}}"#,
                "inner.name",
                "a string",
            ),
            (r#"{"name":"a","inner":{}}"#, "inner.name", "is missing"),
        ] {
            let error = read(json).expect_err(json);
            assert_eq!(error.field, field, "{json}: {error:?}");
            assert!(error.reason.contains(reason), "{json}: {error:?}");
        }
    }
}
