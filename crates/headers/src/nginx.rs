//! The policy as NGINX include files. One `add_header` in a block drops all that it would inherit, so every block that
//! adds one includes a whole file; `always` puts them on errors too.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::policy::{Header, Transport, api, collector_config, not_stored, page, port_80};

/// A file of the NGINX site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// Its name in the include directory.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// Every include file.
pub fn includes() -> [Include; 4] {
    let tls = page(Transport::Tls);
    [
        Include { name: "headers-tls.conf", text: rendered("On every response over TLS.", tls.iter().map(add)) },
        Include {
            name: "headers-plain.conf",
            text: rendered("On every response in clear: no HSTS (RFC 6797 section 7.2).", port_80().iter().map(add)),
        },
        Include {
            name: "headers-no-store.conf",
            text: rendered("On NGINX's own errors under /api/, besides the others.", not_stored().iter().map(add)),
        },
        Include {
            name: "hide-backend-headers.conf",
            text: rendered(
                "What the backend sets too would stand twice.",
                set_by_both(tls).into_iter().map(|name| format!("proxy_hide_header {name};")),
            ),
        },
    ]
}

/// What the backend sets of its own and NGINX sets again.
fn set_by_both(nginx: &[Header]) -> BTreeSet<&'static str> {
    let backend = api().iter().chain(collector_config()).chain(page(Transport::Plain));
    backend.map(|header| header.name).filter(|name| nginx.iter().any(|header| header.name == *name)).collect()
}

fn add(header: &Header) -> String {
    format!("add_header {} \"{}\" always;", header.name, header.value)
}

fn rendered(purpose: &str, directives: impl Iterator<Item = String>) -> String {
    let mut text = format!("# {purpose} Rendered from the header policy: do not edit.\n");
    for directive in directives {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{directive}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_checked_in_files_are_what_the_policy_renders() {
        let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../nginx");
        for include in includes() {
            let path = site.join(include.name);
            let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(checked_in, include.text, "{}: run `stratora-server nginx render --dir nginx`", include.name);
        }
    }

    #[test]
    fn caching_is_the_backends_to_decide() {
        for include in includes() {
            let touches_caching = include.text.contains("Cache-Control") || include.text.contains("Pragma");
            assert_eq!(touches_caching, include.name == "headers-no-store.conf", "{}", include.name);
        }
    }
}
