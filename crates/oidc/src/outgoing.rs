//! Requests to providers: none follows a redirect, takes longer than ten seconds or reads more than a mebibyte, and none goes
//! where the policy does not let it. The address that was checked is the address that is connected to: names are resolved
//! here and nowhere else, so that an answer of DNS that changes in between changes nothing.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use openidconnect::http::header::{ACCEPT, CONTENT_ENCODING, DATE};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect;
use stratora_clock::Timestamp;
use url::{Host, Url};

use crate::address::OutgoingPolicy;
use crate::endpoint;
use crate::openid_connect::RefusedSetup;
use crate::tls::{self, TlsFlaw, causes};

/// How long a request may take, from the name to the last byte. A person waits.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long connecting may take, of that.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How much is read of an answer. Metadata has about 5 KiB, and a set of a dozen keys with certificates less than 50.
const MAX_BODY: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OutgoingError {
    #[error(
        "the provider's host leads to an address that requests may not go to, such as this machine itself, a link-local \
         address or a cloud's metadata service: check the issuer, or allow it in this server's settings"
    )]
    Forbidden,
    #[error("the name of the provider's host is not known: check the issuer, and the DNS of this server")]
    UnknownHost,
    #[error("the provider's host cannot be reached: check the issuer, and the network between it and this server")]
    Unreachable,
    #[error(
        "the provider's certificate is not trusted: add the certification authority that issued it to those that this \
         server trusts"
    )]
    Untrusted,
    #[error("the provider's certificate has expired or is not valid yet: renew it, and check the clock of this server")]
    CertificateNotNow,
    #[error("the provider's certificate is for another host name: check the issuer, or have the certificate reissued")]
    CertificateOtherName,
    #[error("TLS with the provider's host fails: it must speak TLS 1.2 or 1.3 at that port")]
    Handshake,
    #[error("the provider takes longer than 10 seconds to answer: check how it is doing, and the network to it")]
    TooSlow,
    #[error("the provider answers with more than 1 MiB, which is no answer to this question: check the issuer")]
    TooLarge,
    #[error(
        "the provider redirects instead of answering: the issuer must be written exactly as the provider writes it"
    )]
    Redirected,
    #[error("the provider compresses its answer although it was not asked to: turn that off for its endpoints")]
    Compressed,
    #[error("the provider fails with an error of its own (HTTP 5xx): look into its log")]
    ProviderFailed,
    #[error("the provider breaks off its answer, or does not speak HTTP: check what is at that port")]
    BrokenOff,
}

impl From<TlsFlaw> for OutgoingError {
    fn from(flaw: TlsFlaw) -> Self {
        match flaw {
            TlsFlaw::Untrusted => Self::Untrusted,
            TlsFlaw::NotNow => Self::CertificateNotNow,
            TlsFlaw::OtherName => Self::CertificateOtherName,
            TlsFlaw::Handshake => Self::Handshake,
        }
    }
}

impl From<reqwest::Error> for OutgoingError {
    fn from(error: reqwest::Error) -> Self {
        if let Some(ours) = causes(&error).find_map(|cause| cause.downcast_ref::<Self>()) {
            return *ours;
        }
        if let Some(flaw) = causes(&error).find_map(TlsFlaw::of) {
            return flaw.into();
        }
        let hung_up = |cause: &(dyn Error + 'static)| {
            cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof)
        };
        // Connecting has a shorter time: whoever does not even answer that is not there.
        if error.is_connect() && causes(&error).any(hung_up) {
            Self::Handshake
        } else if error.is_connect() {
            Self::Unreachable
        } else if error.is_timeout() {
            Self::TooSlow
        } else {
            Self::BrokenOff
        }
    }
}

/// Sends requests to providers.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    http: reqwest::Client,
    policy: Arc<OutgoingPolicy>,
}

impl Outgoing {
    pub(crate) fn new(policy: OutgoingPolicy) -> Result<Self, RefusedSetup> {
        let tls = tls::config(policy.extra_ca.as_deref()).map_err(|_| RefusedSetup::ExtraCa)?;
        let policy = Arc::new(policy);
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            // A proxy would resolve names by itself, and no rule about addresses would hold.
            .no_proxy()
            // Also where somebody else in the program has them compiled in: a small answer must not unpack to a large one.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            // A connection that is kept may be dead when the next person signs in, minutes later.
            .pool_max_idle_per_host(0)
            .user_agent("stratora")
            .dns_resolver(Resolver(Arc::clone(&policy)));
        Ok(Self { http: http.build().map_err(RefusedSetup::Client)?, policy })
    }

    /// Whether providers on this machine may be spoken to, and so without TLS.
    pub(crate) fn allows_loopback(&self) -> bool {
        self.policy.allow_loopback
    }

    /// Reads a document.
    pub(crate) async fn read(&self, url: &str) -> Result<HttpResponse, OutgoingError> {
        let request =
            openidconnect::http::Request::builder().uri(url).header(ACCEPT, "application/json").body(Vec::new());
        self.send(request.map_err(|_| OutgoingError::Unreachable)?).await
    }

    /// Sends a request. An answer that redirects, or tells of a failure at the provider, is none.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, OutgoingError> {
        let request = reqwest::Request::try_from(request).map_err(|_| OutgoingError::Unreachable)?;
        self.check(request.url())?;
        let mut response = self.http.execute(request).await?;
        if response.status().is_redirection() {
            return Err(OutgoingError::Redirected);
        }
        if response.status().is_server_error() {
            return Err(OutgoingError::ProviderFailed);
        }
        let encoding = response.headers().get(CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(OutgoingError::Compressed);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len().saturating_add(chunk.len()) > MAX_BODY {
                return Err(OutgoingError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }

    /// An address in the URL itself is never resolved, so it is looked at here. The `url` crate has already turned `0x7f.1` and
    /// other spellings into the address that they mean.
    fn check(&self, url: &Url) -> Result<(), OutgoingError> {
        let address = match url.host().ok_or(OutgoingError::Forbidden)? {
            Host::Ipv4(address) => Some(IpAddr::from(address)),
            Host::Ipv6(address) => Some(IpAddr::from(address)),
            Host::Domain(_) => None,
        };
        let may_go = endpoint::is_protected(url, self.allows_loopback())
            && address.is_none_or(|address| self.policy.permits(address));
        if may_go { Ok(()) } else { Err(OutgoingError::Forbidden) }
    }
}

impl<'c> AsyncHttpClient<'c> for Outgoing {
    type Error = OutgoingError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutgoingError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// When the other side says that it is.
pub(crate) fn date_of(response: &HttpResponse) -> Option<Timestamp> {
    let date = response.headers().get(DATE)?.to_str().ok()?;
    let since = httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::UNIX_EPOCH.plus(since))
}

/// Resolves names to the addresses that requests may go to, and to no others.
struct Resolver(Arc<OutgoingPolicy>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            Ok(permitted(found, name.as_str(), &policy)?)
        })
    }
}

fn permitted(
    found: io::Result<impl Iterator<Item = SocketAddr>>,
    name: &str,
    policy: &OutgoingPolicy,
) -> Result<Addrs, OutgoingError> {
    let all: Vec<_> = found.map_err(|_| OutgoingError::UnknownHost)?.collect();
    if all.is_empty() {
        return Err(OutgoingError::UnknownHost);
    }
    // Without TLS, `localhost` must not lead elsewhere, whatever a resolver says (RFC 6761 §6.3).
    let is_own = |address: &SocketAddr| name != "localhost" || address.ip().is_loopback();
    let permitted: Vec<_> = all.into_iter().filter(|address| policy.permits(address.ip()) && is_own(address)).collect();
    if permitted.is_empty() { Err(OutgoingError::Forbidden) } else { Ok(Box::new(permitted.into_iter())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow_loopback: bool) -> OutgoingPolicy {
        OutgoingPolicy { allow_loopback, ..OutgoingPolicy::default() }
    }

    fn resolved(name: &str, addresses: &[&str], policy: &OutgoingPolicy) -> Result<Vec<String>, OutgoingError> {
        let found = addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0));
        permitted(Ok(found), name, policy).map(|found| found.map(|address| address.ip().to_string()).collect())
    }

    #[test]
    fn only_addresses_that_were_checked_are_connected_to() {
        let all = ["127.0.0.1", "192.0.2.7", "fe80::1", "2001:db8::7"];
        assert_eq!(resolved("id.example.com", &all, &policy(false)).unwrap(), ["192.0.2.7", "2001:db8::7"]);
        assert_eq!(resolved("id.example.com", &["::1"], &policy(false)), Err(OutgoingError::Forbidden));
        assert_eq!(resolved("id.example.com", &[], &policy(false)), Err(OutgoingError::UnknownHost));
        let failed = permitted(Err::<std::vec::IntoIter<_>, _>(io::Error::other("no")), "a", &policy(true));
        assert_eq!(failed.err(), Some(OutgoingError::UnknownHost));
    }

    #[test]
    fn localhost_is_this_machine_or_nothing() {
        assert_eq!(resolved("localhost", &["192.0.2.7"], &policy(true)), Err(OutgoingError::Forbidden));
        assert_eq!(resolved("localhost", &["192.0.2.7", "::1"], &policy(true)).unwrap(), ["::1"]);
    }

    #[test]
    fn an_address_in_the_url_is_checked_in_every_spelling() {
        let outgoing = Outgoing::new(policy(false)).unwrap();
        for host in [
            "127.0.0.1",
            "0x7f.1",
            "2130706433",
            "017700000001",
            "127.1",
            "127.0.0.1.",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "0",
            "[::]",
            "169.254.169.254",
            "[fe80::1]",
            "[::ffff:a9fe:a9fe]",
            "224.0.0.1",
            "255.255.255.255",
            "\u{ff11}27.0.0.1",
        ] {
            let url = Url::parse(&format!("https://{host}/")).unwrap();
            assert_eq!(outgoing.check(&url), Err(OutgoingError::Forbidden), "{host}");
        }
        for url in ["http://id.example.com/", "ftp://id.example.com/", "http://10.0.0.1/"] {
            assert_eq!(outgoing.check(&Url::parse(url).unwrap()), Err(OutgoingError::Forbidden), "{url}");
        }
        assert_eq!(outgoing.check(&Url::parse("https://10.0.0.1/").unwrap()), Ok(()));
        assert_eq!(outgoing.check(&Url::parse("https://id.example.com/").unwrap()), Ok(()));
    }
}
