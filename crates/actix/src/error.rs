//! The errors that callers see, in one shape: a status, a stable code, a sentence to act on. [`Envelope`](crate::Envelope)
//! writes the body, because only it knows the request's identifier.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::header::{self, HeaderName, HeaderValue, TryIntoHeaderPair};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use stratora_audit::RequestId;
use stratora_port::{Cause, StoreError};

/// An error on its way to the caller. Its source is for the log only.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ApiError(Box<Details>);

/// On the heap: every request would carry room for an error that few of them meet.
#[derive(Debug, thiserror::Error)]
#[error("{code}")]
struct Details {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    field: Option<&'static str>,
    headers: Vec<(HeaderName, HeaderValue)>,
    source: Option<Cause>,
}

/// The generic words for a status: for errors that actix itself makes.
fn generic(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        401 => ("unauthenticated", "Sign in, or send the credential that this endpoint takes."),
        403 => ("forbidden", "You are not allowed to do this."),
        404 => ("not_found", "There is nothing at this address, or nothing that you may see."),
        405 => ("method_not_allowed", "Use one of the methods that the Allow header names."),
        408 => ("request_timeout", "The request did not arrive in time. Send it again."),
        409 => ("conflict", "The request does not fit the present state. Look at it and try again."),
        413 => ("payload_too_large", "Send a smaller body."),
        415 => ("unsupported_media_type", "Send the body in the media type that this endpoint documents."),
        422 => ("invalid_value", "A value is not allowed. See the documentation of this endpoint."),
        429 => ("rate_limited", "Too many requests. Wait for as long as the Retry-After header says."),
        502 | 503 => ("unavailable", "The service cannot answer at the moment. Try again later."),
        code if code >= 500 => {
            ("internal", "Something went wrong on the server. Quote the request id to its operator.")
        }
        _ => ("bad_request", "The request is malformed. See the documentation of this endpoint."),
    }
}

impl ApiError {
    /// An error with a code and a sentence of its own.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self(Box::new(Details { status, code, message, field: None, headers: Vec::new(), source: None }))
    }

    /// The generic error of that status.
    pub fn of_status(status: StatusCode) -> Self {
        let (code, message) = generic(status);
        Self::new(status, code, message)
    }

    /// 400: the request does not read.
    pub fn bad_request(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 401 `unauthenticated`, with the challenge that RFC 9110 §11.6.1 demands.
    pub fn unauthenticated() -> Self {
        Self::of_status(StatusCode::UNAUTHORIZED).with_header((header::WWW_AUTHENTICATE, "Bearer"))
    }

    /// 403 with the code `forbidden`.
    pub fn forbidden() -> Self {
        Self::of_status(StatusCode::FORBIDDEN)
    }

    /// 404 with the code `not_found`.
    pub fn not_found() -> Self {
        Self::of_status(StatusCode::NOT_FOUND)
    }

    /// 405 with `Allow`.
    pub fn method_not_allowed(allowed: &[Method]) -> Self {
        let names: Vec<_> = allowed.iter().map(Method::as_str).collect();
        Self::of_status(StatusCode::METHOD_NOT_ALLOWED).with_header((header::ALLOW, names.join(", ")))
    }

    /// 409: what is asked does not fit the present state.
    pub fn conflict(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// 413: the body is larger than `limit` bytes.
    pub fn payload_too_large(limit: usize) -> Self {
        let (code, _) = generic(StatusCode::PAYLOAD_TOO_LARGE);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, code, format!("Send a body of at most {limit} bytes."))
    }

    /// 415 with what would be taken instead.
    pub fn unsupported_media_type(message: &'static str) -> Self {
        let (code, _) = generic(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, message)
    }

    /// 422: a well-formed value is not allowed.
    pub fn invalid_field(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", message);
        error.0.field = Some(field);
        error
    }

    /// 429 with a code and a sentence of its own; without a time when waiting does not help.
    pub fn throttled(code: &'static str, message: impl Into<Cow<'static, str>>, retry_after: Option<Duration>) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, code, message);
        match retry_after {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }

    /// 503 `busy`: the server works to capacity.
    pub fn busy(retry_after: Duration) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "The server is busy. Try again in a moment.")
            .with_retry_after(retry_after)
    }

    /// 503 `unavailable`: something that the server depends on is away.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        /// Long enough for a store to come back, short enough for a person to wait.
        const RETRY_AFTER: Duration = Duration::from_secs(5);
        Self::of_status(StatusCode::SERVICE_UNAVAILABLE).with_retry_after(RETRY_AFTER).caused_by(cause)
    }

    /// 500 `internal`.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::of_status(StatusCode::INTERNAL_SERVER_ERROR).caused_by(cause)
    }

    /// The same error with one more header. A header that cannot be sent is left out.
    #[must_use]
    pub fn with_header(mut self, header: impl TryIntoHeaderPair) -> Self {
        self.0.headers.extend(header.try_into_pair());
        self
    }

    /// The same error with a `Retry-After`: whole seconds, rounded up, at least 1, so that whoever waits as told is not too early.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        self.with_header((header::RETRY_AFTER, whole_seconds(wait).max(1)))
    }

    /// The same error with a cause for the log.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Cause>) -> Self {
        self.0.source = Some(cause.into());
        self
    }

    /// Its status.
    pub const fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Its stable code.
    pub const fn code(&self) -> &'static str {
        self.0.code
    }

    /// The body that callers see.
    pub(crate) fn body(&self, request_id: RequestId) -> stratora_wire::Error {
        stratora_wire::Error {
            error: self.0.code.to_owned(),
            message: self.0.message.clone().into_owned(),
            request_id: request_id.to_string(),
            field: self.0.field.map(str::to_owned),
        }
    }
}

/// Seconds, rounded up.
pub(crate) fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

/// The status decides: an error of the store is never the caller's.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::unavailable(error),
            StoreError::Corrupt { .. } => Self::internal(error),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.0.status);
        for (name, value) in &self.0.headers {
            response.headers_mut().append(name.clone(), value.clone());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry_after(wait: Duration) -> String {
        let response = ApiError::busy(wait).error_response();
        response.headers().get(header::RETRY_AFTER).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn the_time_to_wait_is_rounded_up_and_never_zero() {
        assert_eq!(retry_after(Duration::ZERO), "1");
        assert_eq!(retry_after(Duration::from_millis(1)), "1");
        assert_eq!(retry_after(Duration::from_secs(2)), "2");
        assert_eq!(retry_after(Duration::from_micros(2_000_001)), "3");
    }

    #[test]
    fn the_cause_of_an_error_is_not_in_its_body() {
        let error = ApiError::unavailable("postgres://secret@db refused");
        let body = serde_json::to_string(&error.body(RequestId::from_uuid(uuid::Uuid::nil()))).unwrap();
        assert!(!body.contains("secret"), "{body}");
        assert!(body.starts_with(r#"{"error":"unavailable","message":"#), "{body}");
    }
}
