//! Which headers every response gets. The values of those for security come from the header policy of the whole product.

use std::sync::LazyLock;

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use stratora_audit::RequestId;
use stratora_headers::{Header, Transport};
use uuid::Uuid;

use crate::ApiError;
use crate::visit::Visit;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

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

    /// Gives an answer these headers and its `request_id`, each in place of whatever stood under the same name.
    pub(crate) fn write(self, headers: &mut HeaderMap, request_id: RequestId) {
        static API: LazyLock<Lines> = LazyLock::new(|| parsed(stratora_headers::api()));
        static CONFIG: LazyLock<Lines> = LazyLock::new(|| parsed(stratora_headers::collector_config()));
        static PAGE: LazyLock<Lines> = LazyLock::new(|| parsed(stratora_headers::page(Transport::Plain)));
        let set = match self {
            Self::Api => &API,
            Self::CollectorConfig => &CONFIG,
            Self::Page => &PAGE,
        };
        // What is appended must not be there yet. To insert it would move each once more, to hand back what it replaces.
        headers.retain(|name, _| name != X_REQUEST_ID && !set.iter().any(|(ours, _)| ours == name));
        for (name, value) in set.iter() {
            headers.append(name.clone(), value.clone());
        }
        let mut buffer = Uuid::encode_buffer();
        if let Ok(request_id) = HeaderValue::from_str(request_id.as_uuid().hyphenated().encode_lower(&mut buffer)) {
            headers.append(X_REQUEST_ID, request_id);
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
