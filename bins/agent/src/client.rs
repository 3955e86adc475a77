//! Requests to the server: bounded in time and size, never redirected, and errors in words that say what to do.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Method, StatusCode, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;
use zeroize::Zeroizing;

use crate::clock;
use crate::log::causes;
use crate::secret::Secret;
use crate::settings::Settings;

/// No answer is larger: a configuration has at most 1 MiB.
const LARGEST: usize = 1024 * 1024;

/// Longer than this nobody is made to wait.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The file with the authorities is not there or of no use.
    #[error("`ca_file` cannot be used: {0}")]
    Authorities(String),
    /// The system has no authorities, or a proxy's address in the environment is wrong.
    #[error("cannot set up HTTPS: {0}")]
    Setup(String),
}

/// A request was not answered as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Nobody answered, or not in time, or not somebody to be trusted.
    Unreachable(String),
    /// The server refused, and said why.
    Refused {
        /// The status.
        status: u16,
        /// The reason, for programs.
        reason: String,
        /// For how long to stay away.
        retry_after: Option<Duration>,
    },
    /// Somebody answered, but not as this server does.
    Strange {
        /// The status.
        status: u16,
        /// What was wrong with the answer.
        what: String,
        /// For how long to stay away.
        retry_after: Option<Duration>,
    },
}

impl Failure {
    /// The reason that the server gave, for programs.
    pub fn reason(&self) -> Option<(u16, &str)> {
        match self {
            Self::Refused { status, reason, .. } => Some((*status, reason)),
            _ => None,
        }
    }

    /// Which trouble it is, for whoever says each once. That of a server which is not well is one, whatever it and those
    /// in front of it answer by turns.
    pub fn trouble(&self) -> String {
        match self {
            Self::Refused { status: 500.., .. } | Self::Strange { status: 500.., .. } => "5xx".to_owned(),
            _ => self.to_string(),
        }
    }

    /// For how long to stay away.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } | Self::Strange { retry_after, .. } => *retry_after,
            Self::Unreachable(_) => None,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "the server cannot be reached: {why}"),
            Self::Refused { status, reason, .. } => write!(f, "the server answers {status} {reason}"),
            Self::Strange { what, .. } => write!(f, "{what}"),
        }
    }
}

/// What the server answered.
pub struct Answer {
    /// The status, 2xx or 304.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, which may hold a key.
    pub body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// Whether the body is of this media type.
    pub fn is(&self, media_type: &str) -> bool {
        content_type(&self.headers).eq_ignore_ascii_case(media_type)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`Failure::Strange`] when it is none.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let parsed = self.is("application/json").then(|| serde_json::from_slice(&self.body).ok());
        parsed.flatten().ok_or_else(|| strange(self.status, &self.headers, "is not what a Stratora server answers"))
    }
}

/// A request.
pub struct Request<'a> {
    method: Method,
    path: String,
    key: Option<&'a Secret>,
    header: Option<(&'static str, &'a str)>,
    body: Option<(&'static str, Vec<u8>)>,
}

impl<'a> Request<'a> {
    /// Reads.
    pub const fn get(path: String) -> Self {
        Self { method: Method::GET, path, key: None, header: None, body: None }
    }

    /// Writes, without a body.
    pub const fn post(path: String) -> Self {
        Self { method: Method::POST, path, key: None, header: None, body: None }
    }

    /// With an API key.
    #[must_use]
    pub const fn key(mut self, key: Option<&'a Secret>) -> Self {
        self.key = key;
        self
    }

    /// With a header.
    #[must_use]
    pub const fn header(mut self, name: &'static str, value: &'a str) -> Self {
        self.header = Some((name, value));
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: Vec<u8>) -> Self {
        self.body = Some((content_type, body));
        self
    }

    /// With a body in JSON.
    #[must_use]
    pub fn json(self, body: &impl Serialize) -> Self {
        // Strings only: it cannot fail, and the server would refuse an empty body.
        self.body("application/json", serde_json::to_vec(body).unwrap_or_default())
    }
}

/// The server, as it is asked.
pub struct Client {
    http: reqwest::Client,
    server: Url,
    timeout: Duration,
}

impl Client {
    /// A client for the server of these settings. To HTTPS it goes through the proxy that `HTTPS_PROXY` and `NO_PROXY`
    /// name, which passes on what it cannot read; over plain HTTP it goes through none.
    ///
    /// # Errors
    /// [`ClientError`] when the settings lead to none.
    pub fn new(settings: &Settings, timeout: Duration) -> Result<Self, ClientError> {
        let setup = |error: reqwest::Error| ClientError::Setup(causes(&error));
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("stratora-agent/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .pool_max_idle_per_host(2)
            .http1_only();
        if settings.server_url.scheme() == "http" {
            // The server is on this machine; a proxy elsewhere would be given the key to read.
            builder = builder.no_proxy();
        }
        if settings.insecure_skip_verify {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        if let Some(path) = &settings.ca_file {
            let unusable = |why: String| ClientError::Authorities(format!("{}: {why}", path.display()));
            let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
            let authorities = Certificate::from_pem_bundle(&pem).map_err(|error| unusable(causes(&error)))?;
            if authorities.is_empty() {
                return Err(unusable("no certificate in PEM is in it".to_owned()));
            }
            builder = builder.tls_certs_only(authorities);
        }
        let http = builder.build().map_err(setup)?;
        Ok(Self { http, server: settings.server_url.clone(), timeout })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// [`Failure`] for every answer but 2xx and 304.
    pub async fn send(&self, request: Request<'_>) -> Result<Answer, Failure> {
        let unreachable = |error: reqwest::Error| Failure::Unreachable(self.explain(&error.without_url()));
        let mut url = self.server.clone();
        url.set_path(&request.path);
        let mut builder = self.http.request(request.method, url);
        if let Some(key) = request.key {
            let mut value = reqwest::header::HeaderValue::from_str(key.expose())
                .map_err(|_| Failure::Unreachable("the key cannot be sent".to_owned()))?;
            value.set_sensitive(true);
            builder = builder.header("X-API-Key", value);
        }
        if let Some((name, value)) = request.header {
            builder = builder.header(name, value);
        }
        if let Some((content_type, body)) = request.body {
            builder = builder.header(CONTENT_TYPE, content_type).body(body);
        }
        let mut response = builder.send().await.map_err(unreachable)?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(strange(status, &headers, "is larger than 1 MiB"));
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(Answer { status, headers, body });
        }
        Err(refusal(status, &headers, &body))
    }

    fn explain(&self, error: &reqwest::Error) -> String {
        if error.is_timeout() {
            return format!("no whole answer within {} s", self.timeout.as_secs_f32());
        }
        let why = causes(error);
        if why.contains("UnknownIssuer") {
            return "its certificate is signed by nobody that this host trusts; \
                    if that is as it should be, name the authority in `ca_file`"
                .to_owned();
        }
        if why.contains("invalid peer certificate") {
            return format!("its certificate is not good: {why}");
        }
        why
    }
}

fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
    if status.is_redirection() {
        return strange(
            status,
            headers,
            "leads elsewhere, and is not followed; `server_url` must be the server itself",
        );
    }
    let error = serde_json::from_slice::<stratora_wire::Error>(body).ok().filter(|error| is_reason(&error.error));
    match error {
        Some(error) => {
            Failure::Refused { status: status.as_u16(), reason: error.error, retry_after: retry_after(headers) }
        }
        None => strange(status, headers, "is not from a Stratora server, or from one that is not well"),
    }
}

/// The words of the server's API, and nothing that could upset a terminal or a log.
fn is_reason(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn strange(status: StatusCode, headers: &HeaderMap, what: &str) -> Failure {
    let kind = content_type(headers);
    let kind = if kind.is_empty() { "without a type" } else { kind };
    let what = format!("the answer ({}, {kind}) {what}", status.as_u16());
    Failure::Strange { status: status.as_u16(), what, retry_after: retry_after(headers) }
}

fn content_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// For how long the server wants to be left alone: seconds or a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = value.parse().ok().map(Duration::from_secs);
    let wait = seconds.or_else(|| {
        let date = httpdate::parse_http_date(value).ok()?;
        date.duration_since(clock::system()).ok()
    });
    wait.map(|wait| wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn headers(retry_after: &str) -> HeaderMap {
        HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(retry_after).unwrap())])
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_an_hour_at_most() {
        assert_eq!(retry_after(&headers("7")), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(&headers("86400")), Some(LONGEST_WAIT));
        assert_eq!(retry_after(&headers("Tue, 31 Dec 2199 23:59:59 GMT")), Some(LONGEST_WAIT));
        for none in ["Sun, 06 Nov 1994 08:49:37 GMT", "-1", "soon", ""] {
            assert_eq!(retry_after(&headers(none)), None, "{none}");
        }
    }

    #[test]
    fn a_reason_is_a_word_of_the_servers_api() {
        let body = br#"{"error":"key_revoked","message":"m","request_id":"r"}"#;
        let failure = refusal(StatusCode::UNAUTHORIZED, &HeaderMap::new(), body);
        assert_eq!(failure.reason(), Some((401, "key_revoked")));
        let forged = br#"{"error":"key_revoked\n<3>forged","message":"m","request_id":"r"}"#;
        assert_eq!(refusal(StatusCode::UNAUTHORIZED, &HeaderMap::new(), forged).reason(), None);
    }

    #[test]
    fn a_server_that_is_not_well_is_one_trouble_whatever_it_answers() {
        let trouble = |status, body: &str| {
            refusal(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes()).trouble()
        };
        let json = r#"{"error":"unavailable","message":"m","request_id":"r"}"#;
        let said = [trouble(503, json), trouble(502, "<html>"), trouble(500, "")];
        assert!(said.iter().all(|trouble| *trouble == said[0]), "{said:?}");
        assert_ne!(trouble(429, json), trouble(403, json));
    }

    #[test]
    fn a_refusal_by_something_else_is_no_reason_to_give_up_a_key() {
        for (status, body) in [(401, "<html>proxy</html>"), (401, ""), (502, "bad gateway"), (302, "{}")] {
            let failure = refusal(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes());
            assert_eq!(failure.reason(), None, "{status} {body}");
        }
    }
}
