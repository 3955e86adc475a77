//! Identifiers in paths. Exactly one text names a resource; anything else names nothing.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use newtype_uuid::{TypedUuid, TypedUuidKind};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::ApiError;
use crate::visit::Visit;

/// The `{id}` of the route's path: a lower-case hyphenated UUID, else 404.
#[derive(Debug)]
pub struct PathId<K: TypedUuidKind>(pub TypedUuid<K>);

impl<K: TypedUuidKind> FromRequest for PathId<K> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Visit::read(request, Visit::id).flatten().map(Self))
    }
}

/// The UUID that is written in exactly this way (RFC 9562 §4).
pub(crate) fn canonical(text: &str) -> Option<Uuid> {
    // Of the spellings that are parsed only this one is as long.
    let may_be_canonical = text.len() == Hyphenated::LENGTH && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    if may_be_canonical { Uuid::try_parse(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_of_a_uuid_is_an_identifier() {
        let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        assert!(canonical(id).is_some());
        for other in [
            &id.to_uppercase(),
            &id.replacen('e', "E", 1),
            &id.replace('-', ""),
            &format!("{{{id}}}"),
            &format!("urn:uuid:{id}"),
            &format!("0{id}"),
            // As long as an identifier.
            &format!("{:0<36}", id.replace('-', "")),
            &format!("{{{}}}", &id[..34]),
            &format!("urn:uuid:{}", &id[..27]),
            &id.replace('-', "0"),
            &format!("{id}/"),
            "..",
            "1'--",
            "１",
            "",
            &"a".repeat(10_000),
        ] {
            assert_eq!(canonical(other), None, "{other}");
        }
    }
}
