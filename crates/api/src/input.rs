//! From what travels to what the services take: each field through the parser of its type, and an error that names it.

use std::fmt::Display;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use stratora_actix::{ApiError, JsonBody};
use stratora_auth::{Password, Role, Username};
use stratora_clock::Timestamp;
use stratora_keys::{ComponentKind, Hostname, Name};
use stratora_port::{Cursor, Limit, PageRequest};

/// A JSON body that may be left out. One that is sent has to read.
pub(crate) struct OptionalJsonBody<T>(pub(crate) Option<T>);

impl<T: DeserializeOwned + 'static> FromRequest for OptionalJsonBody<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let headers = request.headers();
        let has_length = headers.get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0");
        if has_length || headers.contains_key(TRANSFER_ENCODING) || headers.contains_key(CONTENT_TYPE) {
            let body = JsonBody::<T>::from_request(request, payload);
            Box::pin(async { Ok(Self(Some(body.await?.0))) })
        } else {
            Box::pin(async { Ok(Self(None)) })
        }
    }
}

/// 422 for `field`, in the words of its parser.
pub(crate) fn refused(field: &'static str) -> impl Fn(&dyn Display) -> ApiError {
    move |reason| {
        let reason = reason.to_string();
        let sentence = if reason.starts_with("must") { format!("{field} {reason}") } else { reason };
        ApiError::invalid_field(field, capitalised(&sentence))
    }
}

fn capitalised(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).chain(['.']).collect())
}

pub(crate) fn username(text: &str) -> Result<Username, ApiError> {
    Username::parse(text).map_err(|reason| refused("username")(&reason))
}

pub(crate) fn password(field: &'static str, text: &str) -> Result<Password, ApiError> {
    Password::parse(text).map_err(|reason| refused(field)(&reason))
}

pub(crate) fn role(text: &str) -> Result<Role, ApiError> {
    text.parse().map_err(|reason: stratora_auth::UnknownRole| refused("role")(&reason))
}

pub(crate) fn component_kind(text: &str) -> Result<ComponentKind, ApiError> {
    kind_of_component("kind", text)
}

/// The same where the field has another name.
pub(crate) fn kind_of_component(field: &'static str, text: &str) -> Result<ComponentKind, ApiError> {
    ComponentKind::parse(text).ok_or_else(|| refused(field)(&"must be agent or collector"))
}

pub(crate) fn component_name(text: &str) -> Result<Name, ApiError> {
    Name::parse(text).map_err(|reason| refused("name")(&reason))
}

pub(crate) fn hostname(text: impl Into<String>) -> Result<Hostname, ApiError> {
    Hostname::parse(text).map_err(|reason| refused("hostname")(&reason))
}

/// 400 for a query parameter.
pub(crate) fn bad_parameter(message: &'static str) -> ApiError {
    ApiError::bad_request("invalid_query", message)
}

pub(crate) fn time(text: &str) -> Result<Timestamp, ApiError> {
    text.parse().map_err(|_| bad_parameter("Send from and until as RFC 3339 times, such as 2026-01-31T12:00:00Z."))
}

pub(crate) fn page(limit: Option<u16>, cursor: Option<&str>) -> Result<PageRequest, ApiError> {
    let limit =
        limit.map_or(Ok(Limit::default()), Limit::new).map_err(|_| bad_parameter("Send a limit from 1 to 200."))?;
    let after = cursor
        .map(Cursor::parse)
        .transpose()
        .map_err(|_| bad_parameter("Send as cursor the next_cursor of an earlier page of this list."))?;
    Ok(PageRequest { limit, after })
}

/// A text to search for; NUL and the other controls match nothing and are refused before the store sees them.
pub(crate) fn search_text(text: Option<String>) -> Result<Option<String>, ApiError> {
    match text {
        Some(text) if text.chars().nth(200).is_some() || text.contains(char::is_control) => {
            Err(bad_parameter("Send as q a text of at most 200 characters without control characters."))
        }
        Some(text) if text.is_empty() => Ok(None),
        other => Ok(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_sentence_that_names_the_field() {
        let error = component_name("").unwrap_err();
        assert_eq!(error.status(), 422);
        assert_eq!(capitalised("name must not be empty"), "Name must not be empty.");
    }

    #[test]
    fn limits_outside_their_range_are_bad_requests() {
        for limit in [0, 201, u16::MAX] {
            assert_eq!(page(Some(limit), None).unwrap_err().status(), 400);
        }
        assert_eq!(page(None, Some("%%")).unwrap_err().status(), 400);
    }
}
