//! The flood guard over the whole API: not a limit that anybody meets in ordinary use, but what keeps one client from
//! taking the server away from the others. It counts in memory, for each process.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use actix_governor::governor::NotUntil;
use actix_governor::governor::clock::{Clock as _, DefaultClock, QuantaInstant};
use actix_governor::governor::middleware::NoOpMiddleware;
use actix_governor::{GovernorConfig, GovernorConfigBuilder, KeyExtractor};
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{AUTHORIZATION, RETRY_AFTER};
use actix_web::{HttpMessage as _, HttpResponse, HttpResponseBuilder};
use anyhow::Context as _;
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
    keys: RandomState,
}

impl KeyExtractor for ByClientAndComponent {
    type Key = Flooder;
    type KeyExtractionError = ApiError;

    fn extract(&self, request: &ServiceRequest) -> Result<Flooder, ApiError> {
        let context = request.extensions().get::<RequestContext>().copied();
        let client =
            context.ok_or_else(|| ApiError::internal("the flood guard stands outside of the envelope"))?.client;
        let is_of_components = COMPONENT_ROUTES.iter().any(|prefix| request.path().starts_with(prefix));
        let token = || request.headers().get(AUTHORIZATION).filter(|_| request.path() == INFLUX_WRITERS);
        let key = request.headers().get("X-API-Key").or_else(token).filter(|_| is_of_components);
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
