//! The flood guard over the whole API: not a limit that anybody meets in ordinary use, but what keeps one client from
//! taking the server away from the others. It counts in memory, for each process.

use std::hash::BuildHasher as _;
use std::time::Duration;

use actix_governor::governor::NotUntil;
use actix_governor::governor::clock::{Clock as _, DefaultClock, QuantaInstant};
use actix_governor::governor::middleware::NoOpMiddleware;
use actix_governor::{GovernorConfig, GovernorConfigBuilder, KeyExtractor};
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{AUTHORIZATION, HeaderName, RETRY_AFTER};
use actix_web::{HttpResponse, HttpResponseBuilder};
use anyhow::Context as _;
use foldhash::quality::RandomState;
use stratora_actix::{ApiError, RequestContext};
use stratora_auth::ClientKey;

use crate::settings::Flood;

/// How often what is idle is forgotten, so that memory is bounded.
pub const SWEEP: Duration = Duration::from_mins(1);

/// Where components are counted one by one. Decides about counting only, never about who may come in.
const COMPONENT_ROUTES: [&str; 4] =
    ["/api/v1/agents/", "/api/v1/remote-collectors/", "/api/v1/ingest/", INFLUX_WRITERS];
/// Where the key may travel in `Authorization`.
const INFLUX_WRITERS: &str = "/api/v2/write";

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flooder {
    client: ClientKey,
    /// Which of a client's components, on the routes that components use: a site of thousands of agents may stand behind one
    /// address. Two bytes of the key's hash, so that whoever makes up keys gets many places but not endless memory; keys that
    /// are unknown have a limit of their own.
    component: Option<u16>,
}

/// Finds out whose request it is. The client address is the one that the envelope has resolved, never the proxy's.
#[derive(Debug, Clone, Default)]
pub struct ByClientAndComponent {
    /// Quick rather than strong, since every request pays for it: whoever wants all of a client's places needs no hash for that,
    /// only many keys.
    keys: RandomState,
}

impl KeyExtractor for ByClientAndComponent {
    type Key = Flooder;
    type KeyExtractionError = ApiError;

    fn extract(&self, request: &ServiceRequest) -> Result<Flooder, ApiError> {
        let client = RequestContext::of(request)?.client;
        let is_of_components = COMPONENT_ROUTES.iter().any(|prefix| request.path().starts_with(prefix));
        let token = || request.headers().get(AUTHORIZATION).filter(|_| request.path() == INFLUX_WRITERS);
        let key = is_of_components.then(|| request.headers().get(X_API_KEY).or_else(token)).flatten();
        let component = key.map(|key| {
            let [high, low, ..] = self.keys.hash_one(key.as_bytes()).to_be_bytes();
            u16::from_be_bytes([high, low])
        });
        Ok(Flooder { client: client.key(), component })
    }

    fn exceed_rate_limit_response(&self, until: &NotUntil<QuantaInstant>, _: HttpResponseBuilder) -> HttpResponse {
        let wait = until.wait_time_from(DefaultClock::default().now());
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        HttpResponse::TooManyRequests().insert_header((RETRY_AFTER, seconds.max(1))).finish()
    }
}

/// The guard's configuration, shared by all workers.
pub type FloodGuard = GovernorConfig<ByClientAndComponent, NoOpMiddleware<QuantaInstant>>;

/// Builds the guard.
///
/// # Errors
/// When a number is 0.
pub fn guard(flood: Flood) -> anyhow::Result<FloodGuard> {
    GovernorConfigBuilder::default()
        .requests_per_second(flood.requests_per_second.into())
        .burst_size(flood.burst)
        .key_extractor(ByClientAndComponent::default())
        .finish()
        .context("flood.requests_per_second and flood.burst must be at least 1")
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use actix_web::test::TestRequest;
    use stratora_actix::{ClientAddress, TrustedProxies};
    use stratora_audit::RequestId;
    use stratora_clock::Timestamp;
    use stratora_token::OsEntropy;

    use super::*;

    /// Whose request it is, to whichever worker's copy of the guard.
    fn flooder(keys: &ByClientAndComponent, address: &str, path: &str, header: (&str, &str)) -> Flooder {
        let request = TestRequest::post().uri(path).insert_header(header).to_srv_request();
        let peer: IpAddr = address.parse().unwrap();
        let client = ClientAddress::resolve(peer, std::iter::empty(), &TrustedProxies::default());
        let request_id = RequestId::generate(&OsEntropy).unwrap();
        RequestContext::new(request_id, client, Timestamp::UNIX_EPOCH).attach_to(&request);
        keys.extract(&request).unwrap()
    }

    const HERE: &str = "192.0.2.7";
    const ROUTES: [(&str, &str, &str); 4] = [
        ("/api/v1/agents/heartbeat/1", "X-API-Key", ""),
        ("/api/v1/remote-collectors/1/config", "X-API-Key", ""),
        ("/api/v1/ingest/influx", "X-API-Key", ""),
        ("/api/v2/write?bucket=b", "Authorization", "Token "),
    ];

    #[test]
    fn a_component_is_counted_in_one_place_by_every_worker() {
        let keys = ByClientAndComponent::default();
        for (path, name, before) in ROUTES {
            let header = format!("{before}one");
            let first = flooder(&keys, HERE, path, (name, &header));
            assert!(first.component.is_some(), "{path}");
            assert_eq!(flooder(&keys.clone(), HERE, path, (name, &header)), first, "{path}");
            assert_ne!(flooder(&keys, "198.51.100.9", path, (name, &header)), first, "{path}: another address");
        }
    }

    #[test]
    fn components_behind_one_address_are_counted_apart() {
        for (path, name, before) in ROUTES {
            let are_apart = || {
                let keys = ByClientAndComponent::default();
                let place = |key: &str| flooder(&keys, HERE, path, (name, &format!("{before}{key}")));
                place("one") != place("other")
            };
            // Two of 65,536 places may be the same, but not with one hash after the other.
            assert!((0..4).any(|_| are_apart()), "{path}");
        }
    }

    #[test]
    fn no_key_gives_a_client_another_place_where_people_come_in_or_a_key_does_not_travel() {
        let keys = ByClientAndComponent::default();
        for (path, name) in [
            ("/api/v1/auth/login", "X-API-Key"),
            ("/api/v1/components/register", "X-API-Key"),
            ("/api/v1/agents/heartbeat/1", "Authorization"),
            ("/api/v1/ingest/influx", "Authorization"),
        ] {
            assert_eq!(flooder(&keys, HERE, path, (name, "one")).component, None, "{path} {name}");
        }
    }

    #[test]
    fn a_request_that_nobody_has_resolved_is_not_counted_as_anybodys() {
        assert!(ByClientAndComponent::default().extract(&TestRequest::default().to_srv_request()).is_err());
    }
}
