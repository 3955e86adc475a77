//! An HTTP client that follows nothing, keeps nothing and shows everything, duplicates included.

use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use reqwest::{ClientBuilder, Method, RequestBuilder};
use serde::Serialize;

use crate::Certificate;

/// Longer than anything that is expected to be answered takes.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A client of one server.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

/// Decides which cryptography clients of this process use. Whoever comes first decides; the others find it decided alike.
pub fn decide_cryptography() {
    let _installed = rustls::crypto::ring::default_provider().install_default();
}

fn builder() -> ClientBuilder {
    decide_cryptography();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT).no_proxy()
}

/// Takes any certificate: the server made it a moment ago.
fn careless() -> ClientBuilder {
    builder().tls_danger_accept_invalid_certs(true)
}

impl Client {
    /// A client of the server at `base`, whoever that claims to be.
    ///
    /// # Errors
    /// When the client cannot be built.
    pub fn new(base: impl Into<String>) -> anyhow::Result<Self> {
        Ok(Self { http: careless().build()?, base: base.into() })
    }

    /// A client that believes this certificate and no other.
    ///
    /// # Errors
    /// When the certificate cannot be read, or the client cannot be built.
    pub fn trusting(base: impl Into<String>, certificate: &Certificate) -> anyhow::Result<Self> {
        let trusted = reqwest::Certificate::from_pem(&fs::read(&certificate.certificate)?)?;
        Ok(Self { http: builder().tls_certs_only([trusted]).build()?, base: base.into() })
    }

    /// A client that connects from another address of this machine.
    ///
    /// # Errors
    /// When the client cannot be built.
    pub fn from_address(base: impl Into<String>, address: IpAddr) -> anyhow::Result<Self> {
        Ok(Self { http: careless().local_address(address).build()?, base: base.into() })
    }

    /// A request.
    pub fn request(&self, method: Method, path: &str) -> Request {
        Request(self.http.request(method, format!("{}{path}", self.base)))
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// `POST`.
    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    /// `PUT`.
    pub fn put(&self, path: &str) -> Request {
        self.request(Method::PUT, path)
    }

    /// `PATCH`.
    pub fn patch(&self, path: &str) -> Request {
        self.request(Method::PATCH, path)
    }

    /// `DELETE`.
    pub fn delete(&self, path: &str) -> Request {
        self.request(Method::DELETE, path)
    }
}

/// A request before it is sent.
#[derive(Debug)]
pub struct Request(RequestBuilder);

impl Request {
    /// With one more header, beside others of the same name. One that HTTP does not know makes [`Self::send`] fail.
    #[must_use]
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        Self(self.0.header(name, value.as_ref()))
    }

    /// With one more cookie, in a header of its own.
    #[must_use]
    pub fn cookie(self, name: &str, value: &str) -> Self {
        self.header("cookie", format!("{name}={value}"))
    }

    /// With a session's token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// With a component's key.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.header("x-api-key", key)
    }

    /// As if a proxy that is trusted had been asked by `address`.
    #[must_use]
    pub fn from(self, address: &str) -> Self {
        self.header("x-forwarded-for", address)
    }

    /// With query parameters.
    #[must_use]
    pub fn query<T: Serialize + ?Sized>(self, query: &T) -> Self {
        Self(self.0.query(query))
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(self, body: &serde_json::Value) -> Self {
        Self(self.0.json(body))
    }

    /// With a body of that type.
    #[must_use]
    pub fn body(self, content_type: &str, body: impl Into<reqwest::Body>) -> Self {
        let request = self.header("content-type", content_type);
        Self(request.0.body(body))
    }

    /// Sends it.
    ///
    /// # Errors
    /// When a header is none, or there is no answer.
    pub async fn send(self) -> anyhow::Result<Answer> {
        let response = self.0.send().await?;
        let status = response.status().as_u16();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers =
            response.headers().iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
        let body = response.bytes().await.context("the body breaks off")?;
        Ok(Answer { status, headers, body })
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, names in lower case, as often and in the order as they came; those of one name stand together.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The `error` of the product's error shape.
    pub fn error(&self) -> String {
        self.json().get("error").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    }

    /// Every value of a header, in order.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.values(name).map(str::to_owned).collect()
    }

    /// How often a header is there.
    pub fn header_count(&self, name: &str) -> usize {
        self.values(name).count()
    }

    /// The value of a header that may be there once.
    ///
    /// # Panics
    /// When it is there more than once.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.values(name);
        let first = values.next();
        assert_eq!(values.next(), None, "{name} is there more than once");
        first
    }

    /// The only value of a header; `None` when there is none, or more than one.
    pub fn only(&self, name: &str) -> Option<String> {
        let mut values = self.all(name);
        let first = values.pop();
        if values.is_empty() { first } else { None }
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The value of the cookie that it sets under that name.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let of_name = |field: &String| field.strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
        let pair = self.all("set-cookie").iter().find_map(of_name)?;
        pair.split(';').next().map(str::to_owned)
    }
}
