//! How intake's outcomes become problems.

use axum::http::StatusCode;
use platform::Problem;

use crate::cases::Reply;

/// What a request about a case is told when it was not done.
pub(crate) fn not_done(reply: &Reply) -> Problem {
    match reply {
        Reply::Unknown => Problem::unknown_case(),
        Reply::Refused(reason) => Problem::new(
            StatusCode::CONFLICT,
            "the case does not allow it now",
            *reason,
        ),
        Reply::OtherRequest => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the Idempotency-Key was used for another request",
            "use a new key for each new request, and the same key only to repeat the very same one",
        ),
        Reply::Done(_) => Problem::internal(&"a done request was reported as not done"),
    }
}
