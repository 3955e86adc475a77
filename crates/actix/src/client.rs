//! Who is really asking. Behind a proxy the socket's peer is the proxy, and what the proxy says about the client stands
//! next to whatever the client wrote there itself; only what a trusted proxy added is believed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::{HeaderMap, HeaderValue, X_FORWARDED_FOR};
use actix_web::{FromRequest, HttpRequest};
use ipnet::IpNet;
use std::future::{Ready, ready};
use stratora_auth::ClientKey;

use crate::{ApiError, RequestContext};

/// The networks whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// The text is neither an address nor a network in CIDR notation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a network such as 10.0.0.0/8")]
pub struct InvalidProxy(String);

impl TrustedProxies {
    /// Reads addresses and networks. An empty list trusts nobody.
    ///
    /// # Errors
    /// [`InvalidProxy`] names the first text that is neither.
    pub fn parse<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidProxy> {
        let network = |text: &str| {
            text.parse::<IpNet>()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| InvalidProxy(text.to_owned()))
        };
        networks.into_iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The two loopback addresses, not all of 127/8: any local user can send from the rest.
impl Default for TrustedProxies {
    fn default() -> Self {
        Self(vec![IpNet::from(IpAddr::from([127, 0, 0, 1])), IpNet::from(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]))])
    }
}

/// The address that a request counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The address.
    pub const fn ip(self) -> IpAddr {
        self.0
    }

    /// What limits count.
    pub fn key(self) -> ClientKey {
        ClientKey::from(self.0)
    }

    /// The peer, or, if that is a trusted proxy, the rightmost address of the `X-Forwarded-For` lines that is not one.
    /// The lines are read from their end, where the trusted proxies wrote: as soon as something there is not an address,
    /// or when all are trusted, it is the peer. Never `Forwarded`, `X-Real-IP` or any other header.
    pub fn resolve<'a>(
        peer: IpAddr,
        forwarded_for: impl DoubleEndedIterator<Item = &'a HeaderValue>,
        trusted: &TrustedProxies,
    ) -> Self {
        let peer = peer.to_canonical();
        if !trusted.trusts(peer) {
            return Self(peer);
        }
        let elements = forwarded_for.rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for element in elements {
            match parse_address(element) {
                Some(address) if trusted.trusts(address) => {}
                Some(address) => return Self(address),
                None => break,
            }
        }
        Self(peer)
    }

    pub(crate) fn of(request: &ServiceRequest, trusted: &TrustedProxies) -> Self {
        // Only a test has no peer: every real connection is a TCP connection.
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let lines = forwarded_for(request.headers());
        Self::resolve(peer, lines.into_iter(), trusted)
    }
}

fn forwarded_for(headers: &HeaderMap) -> Vec<&HeaderValue> {
    headers.get_all(X_FORWARDED_FOR).collect()
}

fn parse_address(element: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(element).ok()?.trim_matches([' ', '\t']);
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromRequest for ClientAddress {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(RequestContext::of(request).map(|context| context.client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(peer: &str, lines: &[&[u8]]) -> String {
        let lines: Vec<_> = lines.iter().map(|line| HeaderValue::from_bytes(line).unwrap()).collect();
        let trusted = TrustedProxies::parse(["127.0.0.1", "::1/128", "10.0.0.0/8"]).unwrap();
        ClientAddress::resolve(peer.parse().unwrap(), lines.iter(), &trusted).to_string()
    }

    #[test]
    fn a_peer_that_is_no_trusted_proxy_is_the_client_whatever_it_forwards() {
        for line in [&b"1.2.3.4"[..], b"127.0.0.1", b"unknown", b"\xff"] {
            assert_eq!(resolve("192.0.2.9", &[line]), "192.0.2.9");
        }
        assert_eq!(resolve("127.0.0.2", &[b"1.2.3.4"]), "127.0.0.2");
        assert_eq!(resolve("::ffff:192.0.2.9", &[]), "192.0.2.9");
    }

    #[test]
    fn behind_trusted_proxies_the_rightmost_other_address_is_the_client() {
        for (lines, client) in [
            (&[&b"1.2.3.4"[..]][..], "1.2.3.4"),
            (&[b"1.2.3.4, 5.6.7.8"], "5.6.7.8"),
            (&[b"5.6.7.8,10.1.1.1,\t127.0.0.1 "], "5.6.7.8"),
            (&[b"1.2.3.4", b"5.6.7.8"], "5.6.7.8"),
            (&[b"1.2.3.4", b"10.0.0.1"], "1.2.3.4"),
            (&[b"::ffff:1.2.3.4"], "1.2.3.4"),
            (&[b"1.2.3.4, ::ffff:10.0.0.1"], "1.2.3.4"),
            (&[b"2001:db8::7"], "2001:db8::7"),
            (&[b"unknown, 1.2.3.4"], "1.2.3.4"),
        ] {
            assert_eq!(resolve("127.0.0.1", lines), client, "{lines:?}");
            assert_eq!(resolve("::ffff:127.0.0.1", lines), client, "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_address_or_only_names_proxies_falls_back_to_the_peer() {
        for line in [
            &b"1.2.3.4:99"[..],
            b"[::1]:1",
            b"[2001:db8::7]",
            b"unknown",
            b"_hidden",
            &[b','; 4096],
            b"127.0.0.1",
            b"10.0.0.1, 127.0.0.1",
            b"fe80::1%eth0",
            b"0177.0.0.1",
            b"1.2.3",
            b"1.2.3.4, unknown",
            b"1.2.3.4,",
            b"\xc3\xa9",
            b"",
        ] {
            assert_eq!(resolve("127.0.0.1", &[line]), "127.0.0.1", "{line:?}");
        }
        assert_eq!(resolve("127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn by_default_the_two_loopback_addresses_are_trusted_and_no_other() {
        let trusted = TrustedProxies::default();
        assert_eq!(trusted, TrustedProxies::parse(["127.0.0.1/32", "::1/128"]).unwrap());
        assert!(!trusted.trusts("127.0.0.2".parse().unwrap()));
        assert_eq!(TrustedProxies::parse(["localhost"]), Err(InvalidProxy("localhost".to_owned())));
    }
}
