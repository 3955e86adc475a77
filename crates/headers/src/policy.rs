//! Which header goes on which response, and why.

/// A response header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Its name, as it is usually written.
    pub name: &'static str,
    /// Its value.
    pub value: &'static str,
}

const fn header(name: &'static str, value: &'static str) -> Header {
    Header { name, value }
}

/// How a page travels to the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Over TLS.
    Tls,
    /// In clear: on port 80, or straight from the backend during development.
    Plain,
}

/// Nobody frames us: clickjacking. For browsers that do not know `frame-ancestors`.
const FRAME_OPTIONS: Header = header("X-Frame-Options", "DENY");
/// A response is what its type says.
const CONTENT_TYPE_OPTIONS: Header = header("X-Content-Type-Options", "nosniff");
/// For browsers that still have the filter.
const XSS_PROTECTION: Header = header("X-XSS-Protection", "1; mode=block");
/// No path leaves the origin.
const REFERRER_POLICY: Header = header("Referrer-Policy", "strict-origin-when-cross-origin");
/// No other site embeds what we answer (Fetch standard, cross-origin resource policy; ASVS 3.5.8).
const RESOURCE_POLICY: Header = header("Cross-Origin-Resource-Policy", "same-origin");
/// No window that another site opened keeps a handle on ours (ASVS 3.4.8).
const OPENER_POLICY: Header = header("Cross-Origin-Opener-Policy", "same-origin");
/// The browser comes back over TLS only. RFC 6797 §7.2 forbids it in clear.
const TRANSPORT_SECURITY: Header = header("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
/// Nothing here needs a sensor or a device.
const PERMISSIONS_POLICY: Header = header(
    "Permissions-Policy",
    "camera=(), microphone=(), geolocation=(), payment=(), usb=(), accelerometer=(), gyroscope=()",
);
/// Scripts come from us, and so does everything else.
const CONTENT_SECURITY_POLICY: Header = header(
    "Content-Security-Policy",
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
     img-src 'self' data: blob:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; \
     upgrade-insecure-requests;",
);
/// The same without the upgrade, which would send a page's own scripts to an HTTPS that is not there.
const CONTENT_SECURITY_POLICY_IN_CLEAR: Header = header(
    "Content-Security-Policy",
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
     img-src 'self' data: blob:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self';",
);
/// What the API answers is for the one who asked, now.
const NO_STORE: Header = header("Cache-Control", "no-store, private");
/// The same for HTTP/1.0.
const PRAGMA: Header = header("Pragma", "no-cache");
/// A collector keeps its configuration and has it validated each time.
const REVALIDATE: Header = header("Cache-Control", "private, no-cache");
/// Whose configuration it is depends on the key.
const VARY_BY_KEY: Header = header("Vary", "X-API-Key");

/// What the backend sets on every response of the API, errors included.
pub const fn api() -> &'static [Header] {
    &[CONTENT_TYPE_OPTIONS, FRAME_OPTIONS, XSS_PROTECTION, REFERRER_POLICY, RESOURCE_POLICY, NO_STORE, PRAGMA]
}

/// What the backend sets on a collector's configuration, 304 included.
pub const fn collector_config() -> &'static [Header] {
    &[CONTENT_TYPE_OPTIONS, FRAME_OPTIONS, XSS_PROTECTION, REFERRER_POLICY, RESOURCE_POLICY, REVALIDATE, VARY_BY_KEY]
}

/// What NGINX sets on every response, and the backend on the pages that it serves itself.
pub const fn page(transport: Transport) -> &'static [Header] {
    match transport {
        Transport::Tls => &[
            FRAME_OPTIONS,
            CONTENT_TYPE_OPTIONS,
            XSS_PROTECTION,
            REFERRER_POLICY,
            TRANSPORT_SECURITY,
            PERMISSIONS_POLICY,
            CONTENT_SECURITY_POLICY,
            RESOURCE_POLICY,
            OPENER_POLICY,
        ],
        Transport::Plain => &[
            FRAME_OPTIONS,
            CONTENT_TYPE_OPTIONS,
            XSS_PROTECTION,
            REFERRER_POLICY,
            PERMISSIONS_POLICY,
            CONTENT_SECURITY_POLICY_IN_CLEAR,
            RESOURCE_POLICY,
            OPENER_POLICY,
        ],
    }
}

/// Whether a header must not be sent in clear. Of NGINX's set that is HSTS alone: its errors and redirects on port 80 are
/// no pages of ours that an upgrade could break.
pub(crate) fn is_for_tls_only(header: &Header) -> bool {
    *header == TRANSPORT_SECURITY
}

/// What NGINX adds to the errors that it makes itself.
pub(crate) const fn not_stored() -> &'static [Header] {
    &[NO_STORE, PRAGMA]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn every_set() -> [&'static [Header]; 4] {
        [api(), collector_config(), page(Transport::Tls), page(Transport::Plain)]
    }

    fn value_in(set: &[Header], name: &str) -> Option<&'static str> {
        set.iter().find(|header| header.name == name).map(|header| header.value)
    }

    #[test]
    fn no_set_names_a_header_twice() {
        for set in every_set() {
            let names: HashSet<_> = set.iter().map(|header| header.name.to_ascii_lowercase()).collect();
            assert_eq!(names.len(), set.len());
        }
    }

    #[test]
    fn no_value_can_leave_its_line_or_its_quotes() {
        for header in every_set().concat() {
            assert!(header.value.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'$'));
            assert!(!header.value.contains("  "), "{}", header.name);
        }
    }

    #[test]
    fn hsts_is_sent_over_tls_only() {
        let name = "Strict-Transport-Security";
        assert_eq!(value_in(page(Transport::Tls), name), Some("max-age=31536000; includeSubDomains"));
        assert_eq!(value_in(page(Transport::Plain), name), None);
    }

    #[test]
    fn a_page_in_clear_does_not_upgrade_its_own_scripts() {
        let name = "Content-Security-Policy";
        let (tls, plain) =
            (value_in(page(Transport::Tls), name).unwrap(), value_in(page(Transport::Plain), name).unwrap());
        assert_eq!(tls.strip_suffix(" upgrade-insecure-requests;"), Some(plain));
    }

    #[test]
    fn the_configuration_of_a_collector_is_the_only_answer_that_may_be_kept() {
        assert_eq!(value_in(api(), "Cache-Control"), Some("no-store, private"));
        assert_eq!(value_in(api(), "Pragma"), Some("no-cache"));
        assert_eq!(value_in(collector_config(), "Cache-Control"), Some("private, no-cache"));
        assert_eq!(value_in(collector_config(), "Vary"), Some("X-API-Key"));
        assert_eq!(value_in(collector_config(), "Pragma"), None);
    }
}
