//! What the middleware asks: who may come in, and how often.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;
use actix_web::web::Data;
use stratora_auth::{RateLimiter, Sessions};
use stratora_clock::Clock;
use stratora_keys::Keys;
use stratora_token::Entropy;

use crate::{ApiError, ExternalOrigin, Refusals, TrustedProxies};

/// One for the whole process, however many workers: made outside of the closure that actix calls for each, and both
/// given to [`Envelope`](crate::Envelope) and put into the application's data.
pub struct Gate {
    /// Decides about sessions.
    pub sessions: Arc<Sessions>,
    /// Decides about component keys.
    pub keys: Arc<Keys>,
    /// Decides about rates.
    pub limiter: Arc<RateLimiter>,
    /// Writes down what was refused.
    pub refusals: Refusals,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where request identifiers come from.
    pub entropy: Arc<dyn Entropy>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// Where our own pages live.
    pub external_origin: ExternalOrigin,
}

impl Gate {
    /// Fails closed where the application's data holds none.
    pub(crate) fn of(request: &HttpRequest) -> Result<&Data<Self>, ApiError> {
        request.app_data::<Data<Self>>().ok_or_else(|| ApiError::internal("the application's data holds no Gate"))
    }

    pub(crate) fn of_service(request: &ServiceRequest) -> Result<&Data<Self>, ApiError> {
        Self::of(request.request())
    }
}
