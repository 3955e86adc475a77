//! What an endpoint's URL must be.

use url::{Host, Url};

/// The longest URL of an endpoint, in bytes: much more than any has.
const MAX_LENGTH: usize = 1024;

/// Whether what is sent there is protected on its way: by TLS, or because it does not leave this machine.
pub(crate) fn is_protected(url: &Url, allows_loopback: bool) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => allows_loopback && is_this_machine(url),
        _ => false,
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The endpoint that `text` names, if it can be one, in the one spelling that it has: two providers that name the same one are
/// found to. It may have a query (RFC 6749 §3.1); whoever writes names and fragments into it confuses somebody.
pub(crate) fn parse(text: &str, allows_loopback: bool) -> Option<String> {
    let is_plain = text.len() <= MAX_LENGTH && text.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
    let url = Url::parse(text).ok().filter(|_| is_plain)?;
    let is_one = is_protected(&url, allows_loopback)
        // With a dot at its end, a name is the same and looks like another.
        && url.host_str().is_some_and(|host| !host.ends_with('.'))
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    is_one.then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_protected_by_tls_or_on_this_machine() {
        for text in ["https://id.example.com/token", "https://id.example.com/authorize?p=b2c", "https://10.0.0.1/t"] {
            assert_eq!(parse(text, false).as_deref(), Some(text));
        }
        for text in ["http://127.0.0.1:9000/token", "http://[::1]/token", "http://localhost/token"] {
            assert_eq!((parse(text, true).as_deref(), parse(text, false)), (Some(text), None));
        }
        let long = format!("https://id.example.com/{}", "a".repeat(MAX_LENGTH));
        for text in [
            "http://id.example.com/token",
            "http://localhost.example.com/token",
            "javascript:alert(1)",
            "data:text/html,hi",
            "https://",
            "https://a:b@id.example.com/",
            "https://id.example.com/#a",
            "https://id.example.com/ a",
            "https://id.example.com/\r\nx: y",
            "https://id.example.com./token",
            "/token",
            "",
            &long,
        ] {
            assert_eq!(parse(text, true), None, "{text:?}");
        }
    }

    #[test]
    fn one_endpoint_has_one_spelling() {
        for text in [
            "HTTPS://ID.example.com/token",
            "https://id.example.com:443/token",
            "https:/id.example.com/token",
            "https:\\\\id.example.com\\token",
            "https://id.example.com/./a/../token",
        ] {
            assert_eq!(parse(text, false).as_deref(), Some("https://id.example.com/token"), "{text}");
        }
    }
}
