//! Which security headers a response gets. Their values come from the header policy of the whole product.

use std::sync::LazyLock;

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use stratora_headers::{Header, Transport};

use crate::ApiError;
use crate::visit::Visit;

/// The set of security headers of a response. An error gets [`HeaderSet::Api`] whatever was asked for, unless a
/// handler has written it as a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderSet {
    /// What the API answers: never stored by anybody. Set for every request.
    Api,
    /// A collector's configuration: kept by the collector, and validated by its tag each time.
    CollectorConfig,
    /// A page for browsers. The backend itself speaks no TLS; what stands before it adds what TLS needs.
    Page,
}

impl HeaderSet {
    /// Has the answer to `request` get this set.
    ///
    /// # Errors
    /// 500 where the application is not wrapped in [`Envelope`](crate::Envelope).
    pub fn set_for(self, request: &HttpRequest) -> Result<(), ApiError> {
        Visit::change(request, |visit| visit.headers = self)
    }

    /// Sets its headers, each in place of whatever stood under the same name.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        static API: LazyLock<Lines> = LazyLock::new(|| parsed(stratora_headers::api()));
        static CONFIG: LazyLock<Lines> = LazyLock::new(|| parsed(stratora_headers::collector_config()));
        static PAGE: LazyLock<Lines> = LazyLock::new(|| parsed(stratora_headers::page(Transport::Plain)));
        let set = match self {
            Self::Api => &API,
            Self::CollectorConfig => &CONFIG,
            Self::Page => &PAGE,
        };
        for (name, value) in set.iter() {
            headers.insert(name.clone(), value.clone());
        }
    }
}

type Lines = Vec<(HeaderName, HeaderValue)>;

/// In the form that responses take: every response has them, and to read a name takes longer than to look up a key. The names
/// are leaked, once a process, so that to clone one that is not a standard name counts no references.
fn parsed(set: &[Header]) -> Lines {
    let line = |Header { name, value }: &Header| {
        (HeaderName::from_static(name.to_ascii_lowercase().leak()), HeaderValue::from_static(value))
    };
    set.iter().map(line).collect()
}
