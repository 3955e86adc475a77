//! Reads the credential that a request presents. Each kind travels in one place only, and a request that presents two of
//! a kind presents none: which of them counts would otherwise be a matter of who reads it.

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use stratora_auth::Channel;
use stratora_keys::ApiKey;
use stratora_token::Secret;

use crate::SessionCookie;
use crate::cookie::Presented;

/// Where components send their key.
pub(crate) const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The secret of a session, and how it came.
pub(crate) struct SessionCredential {
    pub(crate) channel: Channel,
    pub(crate) secret: Secret,
    /// The cookie beside a bearer token, if there is exactly one. It authenticates nobody here.
    pub(crate) beside: Option<Secret>,
}

/// The session secret and its channel; `None` when there is none, or none that reads. `Authorization` decides alone as
/// soon as it is there: an invalid one never falls back to the cookie.
pub(crate) fn session(headers: &HeaderMap) -> Option<SessionCredential> {
    let cookie = || match SessionCookie::read(headers) {
        Presented::One(secret) => secret,
        Presented::Absent | Presented::Ambiguous => None,
    };
    match authorization(headers, "bearer") {
        Presented::One(token) => {
            let secret = Secret::parse(token?).ok()?;
            Some(SessionCredential { channel: Channel::Bearer, secret, beside: cookie() })
        }
        Presented::Ambiguous => None,
        Presented::Absent => Some(SessionCredential { channel: Channel::Cookie, secret: cookie()?, beside: None }),
    }
}

/// The key in the one `X-API-Key`.
pub(crate) fn key(headers: &HeaderMap) -> Option<ApiKey> {
    match only(headers, &X_API_KEY) {
        Presented::One(text) => ApiKey::parse(text?).ok(),
        Presented::Absent | Presented::Ambiguous => None,
    }
}

/// The key in the one `X-API-Key`, or in the `Authorization: Token` of `InfluxDB` writers, but not in both.
pub(crate) fn key_or_token(headers: &HeaderMap) -> Option<ApiKey> {
    match (only(headers, &X_API_KEY), authorization(headers, "token")) {
        (Presented::One(text), Presented::Absent) | (Presented::Absent, Presented::One(text)) => {
            ApiKey::parse(text?).ok()
        }
        _ => None,
    }
}

/// What follows `scheme` in `Authorization`; `One(None)` when it is of another scheme or no text.
fn authorization<'a>(headers: &'a HeaderMap, scheme: &str) -> Presented<Option<&'a str>> {
    match only(headers, &AUTHORIZATION) {
        Presented::One(text) => Presented::One(text.and_then(|text| {
            let (name, credential) = text.split_once(' ')?;
            // RFC 9110 §11.1: the name of a scheme is case-insensitive.
            name.eq_ignore_ascii_case(scheme).then_some(credential)
        })),
        other => other,
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Presented<Option<&'a str>> {
    let mut lines = headers.get_all(name);
    match (lines.next(), lines.next()) {
        (None, _) => Presented::Absent,
        (Some(line), None) => Presented::One(str::from_utf8(line.as_bytes()).ok()),
        (Some(_), Some(_)) => Presented::Ambiguous,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use stratora_token::OsEntropy;

    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.parse().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    fn secret() -> String {
        Secret::generate(&OsEntropy).unwrap().expose().to_string()
    }

    fn channel(lines: &[(&str, &str)]) -> Option<Channel> {
        session(&headers(lines)).map(|credential| credential.channel)
    }

    #[test]
    fn a_bearer_token_decides_alone_as_soon_as_it_is_there() {
        let (token, cookie) = (format!("Bearer {}", secret()), format!("__Host-stratora_session={}", secret()));
        assert_eq!(channel(&[("authorization", &token)]), Some(Channel::Bearer));
        assert_eq!(channel(&[("authorization", &token.replace("Bearer", "bEARER"))]), Some(Channel::Bearer));
        assert_eq!(channel(&[("cookie", &cookie)]), Some(Channel::Cookie));
        assert_eq!(channel(&[("authorization", &token), ("cookie", &cookie)]), Some(Channel::Bearer));
        for wrong in
            ["Bearer wrong", "Bearer", "", "Basic YTpi", "\u{e9}", &format!("{token} "), &token.replace(' ', "  ")]
        {
            assert_eq!(channel(&[("authorization", wrong), ("cookie", &cookie)]), None, "{wrong}");
        }
    }

    #[test]
    fn two_credentials_of_a_kind_are_none() {
        let token = format!("Bearer {}", secret());
        assert_eq!(channel(&[("authorization", &token), ("authorization", &token)]), None);
        let cookie = format!("__Host-stratora_session={}", secret());
        assert_eq!(channel(&[("cookie", &cookie), ("cookie", &cookie)]), None);
        let api_key = ApiKey::generate(&OsEntropy).unwrap().expose().to_string();
        assert!(key(&headers(&[("x-api-key", &api_key)])).is_some());
        assert!(key(&headers(&[("x-api-key", &api_key), ("x-api-key", &api_key)])).is_none());
    }

    #[test]
    fn a_key_travels_in_authorization_only_where_that_is_asked_for() {
        let api_key = ApiKey::generate(&OsEntropy).unwrap().expose().to_string();
        let token = format!("Token {api_key}");
        assert!(key(&headers(&[("authorization", &token)])).is_none());
        assert!(key_or_token(&headers(&[("authorization", &token)])).is_some());
        assert!(key_or_token(&headers(&[("x-api-key", &api_key)])).is_some());
        assert!(key_or_token(&headers(&[("x-api-key", &api_key), ("authorization", &token)])).is_none());
        assert!(key_or_token(&headers(&[("authorization", &format!("Bearer {api_key}"))])).is_none());
    }
}
