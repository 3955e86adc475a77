//! Same-origin checks. A browser attaches cookies to requests that any page makes; whoever comes with a cookie therefore
//! has to come from our own page, which browsers attest and scripts cannot forge.

use std::net::IpAddr;

use actix_web::http::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use actix_web::http::{Method, Uri};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The origin (RFC 6454 §6.2) of the address that people open in their browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalOrigin(String);

/// The text is not an `http` or `https` URL with a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a URL such as https://stratora.example.com")]
pub struct InvalidOrigin;

impl ExternalOrigin {
    /// The origin of `url`.
    ///
    /// # Errors
    /// [`InvalidOrigin`] when it is not an `http` or `https` URL, or holds user information.
    pub fn of(url: &str) -> Result<Self, InvalidOrigin> {
        let url: Uri = url.parse().map_err(|_| InvalidOrigin)?;
        let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else { return Err(InvalidOrigin) };
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(InvalidOrigin),
        };
        let host = authority.host();
        let port = authority.as_str().strip_prefix(host).ok_or(InvalidOrigin)?;
        let port = match (port, authority.port_u16()) {
            ("", _) => None,
            (_, Some(port)) if port != 0 => Some(port).filter(|port| *port != default_port),
            _ => return Err(InvalidOrigin),
        };
        if host.is_empty() {
            return Err(InvalidOrigin);
        }
        let origin = format!("{scheme}://{}", host.to_ascii_lowercase());
        Ok(Self(port.map_or_else(|| origin.clone(), |port| format!("{origin}:{port}"))))
    }

    /// As browsers write it in `Origin`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether browsers keep `Secure` cookies for it: it has HTTPS, or is this very machine.
    pub fn keeps_cookies(&self) -> bool {
        let Some((scheme, authority)) = self.0.split_once("://") else { return false };
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        scheme == "https" || matches!(host, "localhost" | "127.0.0.1" | "[::1]") || authority == "[::1]"
    }

    /// Whether a request with a cookie may go on. `Sec-Fetch-Site` alone decides where it is sent: every current browser
    /// does. Otherwise a method that changes something needs an `Origin` that is ours, or the loopback address at which
    /// the server is being spoken to.
    pub(crate) fn admits(&self, method: &Method, headers: &HeaderMap) -> bool {
        let is_safe = matches!(*method, Method::GET | Method::HEAD);
        match only(headers, &SEC_FETCH_SITE) {
            Only::One("same-origin") => true,
            Only::One("none" | "same-site") => is_safe,
            Only::Unclear | Only::One(_) => false,
            Only::Absent => is_safe || self.is_origin_of(headers),
        }
    }

    fn is_origin_of(&self, headers: &HeaderMap) -> bool {
        let Only::One(origin) = only(headers, &ORIGIN) else { return false };
        origin == self.0 || matches!(only(headers, &HOST), Only::One(host) if is_loopback_origin(origin, host))
    }
}

/// Whether `origin` is the loopback address `host`, which no page from elsewhere can have.
fn is_loopback_origin(origin: &str, host: &str) -> bool {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let Ok(parsed) = host.parse::<Uri>() else { return false };
    let name = parsed.host().unwrap_or_default().trim_matches(['[', ']']);
    authority == Some(host)
        && (name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()))
}

enum Only<'a> {
    Absent,
    One(&'a str),
    /// Several lines, or not text.
    Unclear,
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Only<'a> {
    let mut lines = headers.get_all(name);
    match (lines.next(), lines.next()) {
        (None, _) => Only::Absent,
        (Some(line), None) => line.to_str().map_or(Only::Unclear, Only::One),
        (Some(_), Some(_)) => Only::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn admits(method: &Method, headers: &[(&str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        ExternalOrigin::of("https://stratora.example.com").unwrap().admits(method, &map)
    }

    #[test]
    fn a_change_needs_proof_that_it_comes_from_our_own_page() {
        for (headers, admitted) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "SAME-ORIGIN")], false),
            (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://stratora.example.com")], false),
            (&[], false),
            (&[("origin", "https://stratora.example.com")], true),
            (&[("origin", "https://stratora.example.com:8443")], false),
            (&[("origin", "http://stratora.example.com")], false),
            (&[("origin", "https://stratora.example.com.evil.test")], false),
            (&[("origin", "https://evil.test"), ("host", "evil.test")], false),
            (&[("origin", "null")], false),
            (&[("origin", "https://stratora.example.com"), ("origin", "https://stratora.example.com")], false),
            (&[("origin", "http://localhost:8080"), ("host", "localhost:8080")], true),
            (&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")], true),
            (&[("origin", "http://[::1]:8080"), ("host", "[::1]:8080")], true),
            (&[("origin", "http://localhost:3000"), ("host", "localhost:8080")], false),
            (&[("origin", "http://localhost:8080")], false),
            (&[("origin", "http://10.0.0.1:8080"), ("host", "10.0.0.1:8080")], false),
            (&[("origin", "http://localhost.evil.test"), ("host", "localhost.evil.test")], false),
            (&[("origin", "http://127.0.0.1@evil.test"), ("host", "127.0.0.1@evil.test")], false),
        ] {
            assert_eq!(admits(&Method::POST, headers), admitted, "{headers:?}");
            assert_eq!(admits(&Method::DELETE, headers), admitted, "{headers:?}");
        }
    }

    #[test]
    fn reading_is_refused_only_to_pages_of_other_sites() {
        for (site, admitted) in [("same-origin", true), ("same-site", true), ("none", true), ("cross-site", false)] {
            assert_eq!(admits(&Method::GET, &[("sec-fetch-site", site)]), admitted, "{site}");
        }
        assert!(admits(&Method::HEAD, &[]));
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (url, origin) in [
            ("https://Stratora.Example.com/", Ok("https://stratora.example.com")),
            ("https://a.test:443", Ok("https://a.test")),
            ("http://a.test:443/x?y", Ok("http://a.test:443")),
            ("http://[::1]:8080", Ok("http://[::1]:8080")),
            ("ftp://a.test", Err(InvalidOrigin)),
            ("a.test", Err(InvalidOrigin)),
            ("https://user@a.test", Err(InvalidOrigin)),
            ("https://a.test:99999", Err(InvalidOrigin)),
        ] {
            let parsed = ExternalOrigin::of(url);
            assert_eq!(parsed.as_ref().map(ExternalOrigin::as_str).map_err(|error| *error), origin, "{url}");
        }
    }
}
