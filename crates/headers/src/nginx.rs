//! The policy as NGINX include files.
//!
//! One `add_header` in a block drops all that the block would inherit, so the site adds headers once, at the level of the
//! server, and nowhere below. What does not belong on every response has a variable for its value: NGINX leaves out a
//! header whose value is empty. `always` puts them on errors too.

use std::fmt::{self, Display, Formatter};

use crate::policy::{Header, Transport, is_for_tls_only, not_stored, page};

/// A file of the NGINX site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// Its name in the include directory.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// Every include file: for the http context, for each server, and for the server that stands before the backend.
pub fn includes() -> [Include; 3] {
    let set = every_response();
    [
        Include {
            name: "header-values.conf",
            text: rendered("What not every response carries: empty elsewhere.", set.iter().filter_map(Rule::value)),
        },
        Include {
            name: "headers.conf",
            text: rendered("On every response, NGINX's own errors and redirects included.", set.iter().map(Rule::add)),
        },
        Include {
            name: "hide-backend-headers.conf",
            text: rendered("What the backend sets too would stand twice.", page(Transport::Tls).iter().map(hide)),
        },
    ]
}

/// When NGINX sends a header.
#[derive(Clone, Copy)]
enum When {
    Always,
    OverTls,
    /// On errors that NGINX makes itself; what the backend says about caching stands otherwise.
    OnOwnErrors,
}

impl When {
    /// The variable to look at, and what it then is.
    const fn condition(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Always => None,
            Self::OverTls => Some(("$https", "on")),
            // Where the site's `error_page` leads.
            Self::OnOwnErrors => Some(("$uri", "\"~^/stratora-error/\"")),
        }
    }
}

/// A header of NGINX's, and when it is sent.
struct Rule {
    header: Header,
    when: When,
}

fn every_response() -> Vec<Rule> {
    let pages = page(Transport::Tls).iter().map(|header| {
        let when = if is_for_tls_only(header) { When::OverTls } else { When::Always };
        Rule { header: *header, when }
    });
    let errors = not_stored().iter().map(|header| Rule { header: *header, when: When::OnOwnErrors });
    pages.chain(errors).collect()
}

impl Rule {
    fn add(&self) -> String {
        let Header { name, value } = self.header;
        match self.when.condition() {
            None => format!("add_header {name} \"{value}\" always;"),
            Some(_) => format!("add_header {name} {} always;", Variable(name)),
        }
    }

    fn value(&self) -> Option<String> {
        let Header { name, value } = self.header;
        let (looked_at, is) = self.when.condition()?;
        Some(format!("map {looked_at} {} {{\n    default \"\";\n    {is} \"{value}\";\n}}", Variable(name)))
    }
}

/// The variable that holds the value of the header of that name.
struct Variable(&'static str);

impl Display for Variable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "$stratora_{}", self.0.to_ascii_lowercase().replace('-', "_"))
    }
}

fn hide(header: &Header) -> String {
    format!("proxy_hide_header {};", header.name)
}

fn rendered(purpose: &str, directives: impl Iterator<Item = String>) -> String {
    let preamble = format!("# {purpose} Rendered from the header policy: do not edit.\n");
    directives.fold(preamble, |text, directive| text + &directive + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api;

    fn text_of(name: &str) -> String {
        includes().into_iter().find(|include| include.name == name).unwrap().text
    }

    fn names_after(directive: &str, text: &str) -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(directive));
        lines.map(|rest| rest.trim_matches([' ', ';']).split(' ').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_header_of_a_page_is_added_once_and_on_errors_too() {
        let text = text_of("headers.conf");
        let names = names_after("add_header ", &text);
        for header in page(Transport::Tls) {
            assert_eq!(names.iter().filter(|name| *name == header.name).count(), 1, "{}", header.name);
        }
        assert!(text.lines().skip(1).all(|line| line.ends_with(" always;")));
    }

    #[test]
    fn hsts_depends_on_tls() {
        let add = "add_header Strict-Transport-Security $stratora_strict_transport_security always;";
        assert!(text_of("headers.conf").contains(add));
        let value = "map $https $stratora_strict_transport_security {\n    default \"\";\n    \
                     on \"max-age=31536000; includeSubDomains\";\n}";
        assert!(text_of("header-values.conf").contains(value));
    }

    #[test]
    fn no_header_of_the_backend_comes_out_twice_and_caching_is_its_to_decide() {
        let hidden = names_after("proxy_hide_header ", &text_of("hide-backend-headers.conf"));
        for set in [api(), page(Transport::Plain)] {
            for header in set {
                let is_caching = not_stored().iter().any(|caching| caching.name == header.name);
                assert_eq!(hidden.iter().any(|name| name == header.name), !is_caching, "{}", header.name);
            }
        }
    }
}
