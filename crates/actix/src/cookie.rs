//! The cookies. All are bound to this host and to HTTPS by their prefix (RFC 6265bis §4.1.3.2) and out of reach of scripts;
//! none but that of a sign-in on its way is ever sent along by other sites.

use std::time::Duration;

use actix_web::http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use stratora_auth::{CookieToken, DeviceKey, KnownDevice};
use stratora_clock::Timestamp;
use stratora_token::Secret;

/// A `Set-Cookie` field, for a response's builder.
pub type SetCookie = (HeaderName, HeaderValue);

/// What a request's `Cookie` fields say under one name.
#[derive(Debug)]
pub(crate) enum Presented<T> {
    /// Nothing.
    Absent,
    /// Exactly one value.
    One(T),
    /// Several values, of which any may be someone else's.
    Ambiguous,
}

/// The cookie that carries a session.
#[derive(Debug, Clone, Copy)]
pub struct SessionCookie;

impl SessionCookie {
    /// Its name.
    pub const NAME: &'static str = "__Host-stratora_session";

    /// Sets it for as long as the session may last.
    pub fn issue(token: &CookieToken, lifetime: Duration) -> SetCookie {
        set_cookie(Self::NAME, &token.0.expose(), lifetime)
    }

    /// Removes it.
    pub fn clear() -> SetCookie {
        set_cookie(Self::NAME, "", Duration::ZERO)
    }

    /// The secret in it; `One(None)` when it cannot be one.
    pub(crate) fn read(headers: &HeaderMap) -> Presented<Option<Secret>> {
        match presented(headers, Self::NAME) {
            Presented::Absent => Presented::Absent,
            Presented::One(value) => Presented::One(Secret::parse(value).ok()),
            Presented::Ambiguous => Presented::Ambiguous,
        }
    }
}

/// The cookie by which a browser that has signed in before is known.
#[derive(Debug, Clone, Copy)]
pub struct DeviceCookie;

impl DeviceCookie {
    /// Its name.
    pub const NAME: &'static str = "__Host-stratora_device";
    /// As long as the server knows the device.
    const LIFETIME: Duration = Duration::from_hours(365 * 24);

    /// Sets it.
    pub fn issue(key: &DeviceKey, device: KnownDevice) -> SetCookie {
        set_cookie(Self::NAME, &key.seal(device), Self::LIFETIME)
    }

    /// Removes it.
    pub fn clear() -> SetCookie {
        set_cookie(Self::NAME, "", Duration::ZERO)
    }

    /// The device it names. One that was changed, expired or sent twice names none.
    pub fn read(headers: &HeaderMap, key: &DeviceKey, now: Timestamp) -> Option<KnownDevice> {
        match presented(headers, Self::NAME) {
            Presented::One(value) => key.open(value, now),
            Presented::Absent | Presented::Ambiguous => None,
        }
    }
}

/// The cookie of a sign-in through a provider that is on its way, under a label of its own. `Lax`: the way back from a
/// provider that has shown a page is a navigation from another site, on which a `Strict` cookie stays at home.
#[derive(Debug, Clone, Copy)]
pub struct TransactionCookie;

impl TransactionCookie {
    /// What its names begin with.
    pub const PREFIX: &'static str = "__Host-stratora_oidc_";
    /// How many a browser may hold: somebody who starts more has given up on the others.
    const MAX: usize = 5;

    /// Sets the one with that label.
    pub fn issue(label: &str, binding: &Secret, lifetime: Duration) -> SetCookie {
        let name = format!("{}{label}", Self::PREFIX);
        set_cookie_of(&name, &binding.expose(), lifetime, "Lax")
    }

    /// Removes the one with that label.
    pub fn clear(label: &str) -> SetCookie {
        set_cookie_of(&format!("{}{label}", Self::PREFIX), "", Duration::ZERO, "Lax")
    }

    /// The secret in the one with that label. One that was sent twice holds none.
    pub fn read(headers: &HeaderMap, label: &str) -> Option<Secret> {
        match presented(headers, &format!("{}{label}", Self::PREFIX)) {
            Presented::One(value) => Secret::parse(value).ok(),
            Presented::Absent | Presented::Ambiguous => None,
        }
    }

    /// Removes all that the browser holds, if it holds as many as it may.
    pub fn make_room(headers: &HeaderMap) -> Vec<SetCookie> {
        let names = pairs(headers).filter_map(|pair| std::str::from_utf8(pair).ok()?.split_once('='));
        let labels = names.filter_map(|(name, _)| name.strip_prefix(Self::PREFIX));
        // A label that is none of ours would not name a cookie.
        let labels: Vec<_> = labels.filter(|label| label.bytes().all(|byte| byte.is_ascii_alphanumeric())).collect();
        if labels.len() < Self::MAX { Vec::new() } else { labels.into_iter().map(Self::clear).collect() }
    }
}

fn set_cookie(name: &str, value: &str, lifetime: Duration) -> SetCookie {
    set_cookie_of(name, value, lifetime, "Strict")
}

/// `value` is base64url or empty.
fn set_cookie_of(name: &str, value: &str, lifetime: Duration, same_site: &str) -> SetCookie {
    let seconds = lifetime.as_secs();
    let field = format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite={same_site}");
    let mut field = HeaderValue::try_from(field).unwrap_or_else(|_| unreachable!("cookies are printable ASCII"));
    field.set_sensitive(true);
    (SET_COOKIE, field)
}

/// All `Cookie` fields are one list: HTTP/2 splits it (RFC 9113 §8.2.3), and so may a proxy.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(COOKIE).flat_map(|line| line.as_bytes().split(|byte| *byte == b';')).map(<[u8]>::trim_ascii)
}

fn presented<'a>(headers: &'a HeaderMap, name: &str) -> Presented<&'a str> {
    let mut found = Presented::Absent;
    for pair in pairs(headers) {
        let Some(value) = pair.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"=")) else {
            continue;
        };
        found = match found {
            // What is not text is no value of ours, and refused where it is parsed.
            Presented::Absent => Presented::One(std::str::from_utf8(value).unwrap_or_default()),
            Presented::One(_) | Presented::Ambiguous => Presented::Ambiguous,
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use stratora_token::OsEntropy;

    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn a_session_cookie_reads_back_and_has_every_protection() {
        let token = CookieToken(Secret::generate(&OsEntropy).unwrap());
        let (name, value) = SessionCookie::issue(&token, Duration::from_hours(24));
        let field = value.to_str().unwrap();
        let (pair, attributes) = field.split_once("; ").unwrap();
        assert_eq!(name, SET_COOKIE);
        assert_eq!(attributes, "Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Strict");
        assert!(value.is_sensitive());
        let sent = headers(&[&format!("other=1; {pair}")]);
        assert!(matches!(SessionCookie::read(&sent), Presented::One(Some(secret)) if secret.matches(&token.0)));
    }

    #[test]
    fn clearing_names_the_same_cookie_and_ends_it() {
        let (_, value) = SessionCookie::clear();
        let cleared = "__Host-stratora_session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict";
        assert_eq!(value.to_str().unwrap(), cleared);
    }

    #[test]
    fn the_cookie_of_a_sign_in_on_its_way_comes_along_from_other_sites_and_is_one_of_few() {
        let binding = Secret::generate(&OsEntropy).unwrap();
        let (_, value) = TransactionCookie::issue("0a1b2c3d", &binding, Duration::from_mins(10));
        let (pair, attributes) = value.to_str().unwrap().split_once("; ").unwrap();
        assert_eq!(attributes, "Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax");
        let sent = headers(&[pair]);
        assert!(TransactionCookie::read(&sent, "0a1b2c3d").is_some_and(|secret| secret.matches(&binding)));
        assert!(TransactionCookie::read(&sent, "0a1b2c3e").is_none());
        assert!(TransactionCookie::read(&headers(&[pair, pair]), "0a1b2c3d").is_none(), "sent twice");
        let many: Vec<_> = (0..5).map(|n| format!("{}0000000{n}=x", TransactionCookie::PREFIX)).collect();
        assert!(TransactionCookie::make_room(&headers(&[&many[..4].join("; ")])).is_empty());
        assert_eq!(TransactionCookie::make_room(&headers(&[&many.join("; ")])).len(), 5);
    }

    #[test]
    fn two_session_cookies_are_ambiguous_wherever_they_stand() {
        for lines in [
            &["__Host-stratora_session=a; __Host-stratora_session=b"][..],
            &["__Host-stratora_session=a", "__Host-stratora_session=a"],
            &["x=1; __Host-stratora_session=a", "__Host-stratora_session=; y=2"],
        ] {
            assert!(matches!(SessionCookie::read(&headers(lines)), Presented::Ambiguous), "{lines:?}");
        }
    }

    #[test]
    fn names_that_only_resemble_the_session_cookie_are_not_it() {
        for line in ["__host-stratora_session=a", "__Host-stratora_session2=a", "x__Host-stratora_session=a", "é=1", ""]
        {
            assert!(matches!(SessionCookie::read(&headers(&[line])), Presented::Absent), "{line:?}");
        }
        assert!(matches!(SessionCookie::read(&headers(&["__Host-stratora_session=\u{e9}"])), Presented::One(None)));
    }
}
