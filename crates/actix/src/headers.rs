//! Which security headers a response gets. Their values come from the header policy of the whole product.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use stratora_headers::Transport;

/// The set of security headers of a response. An error gets [`HeaderSet::Api`] whatever it is marked with, unless it is a
/// page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderSet {
    /// What the API answers: never stored by anybody. Needs no mark.
    Api,
    /// A collector's configuration: kept by the collector, and validated by its tag each time.
    CollectorConfig,
    /// A page for browsers. The backend itself speaks no TLS; what stands before it adds what TLS needs.
    Page,
}

impl HeaderSet {
    /// Asks for this set.
    #[must_use]
    pub fn mark(self, mut response: HttpResponse) -> HttpResponse {
        response.extensions_mut().insert(self);
        response
    }

    /// Sets its headers, each in place of whatever stood under the same name.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let set = match self {
            Self::Api => stratora_headers::api(),
            Self::CollectorConfig => stratora_headers::collector_config(),
            Self::Page => stratora_headers::page(Transport::Plain),
        };
        for header in set {
            if let Ok(name) = HeaderName::try_from(header.name) {
                headers.insert(name, HeaderValue::from_static(header.value));
            }
        }
    }
}
