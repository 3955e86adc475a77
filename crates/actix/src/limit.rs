//! Rate limits at the door: asked before the body is read, and told in the fields of
//! draft-ietf-httpapi-ratelimit-headers.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use metrics::counter;
use stratora_audit::{Action, Origin, Outcome, ResourceKind};
use stratora_auth::{ClientKey, Decision, Per, Quota};

use crate::error::whole_seconds;
use crate::{ApiError, AuthenticatedComponent, Gate, RequestContext};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// What a caller is told about a quota and what is left of it.
pub(crate) struct RateLimitFields {
    policy: String,
    state: String,
}

impl RateLimitFields {
    fn of(quota: &Quota, decision: &Decision) -> Self {
        let (remaining, span) = match *decision {
            Decision::Admitted { remaining, resets_in } => (remaining, resets_in),
            Decision::Refused { retry_after } => (0, retry_after),
        };
        let Quota { name, requests, window, .. } = quota;
        Self {
            policy: format!("\"{name}\";q={requests};w={}", whole_seconds(*window)),
            state: format!("\"{name}\";r={remaining};t={}", whole_seconds(span).max(1)),
        }
    }

    /// Puts them on an answer.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        for (name, text) in [(POLICY, self.policy), (STATE, self.state)] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(name, value);
            }
        }
    }

    /// Puts them on an error.
    pub(crate) fn on(self, error: ApiError) -> ApiError {
        error.with_header((POLICY, self.policy)).with_header((STATE, self.state))
    }
}

/// Counts a request of its client address against `quota`, or refuses it with 429. The store being away refuses with 503.
pub(crate) async fn admit(
    gate: &Gate,
    context: &RequestContext,
    quota: &'static Quota,
) -> Result<RateLimitFields, ApiError> {
    Box::pin(count(gate, quota, context.client.key(), context.origin(), context)).await
}

/// The same for a request of that component.
pub(crate) async fn admit_component(
    gate: &Gate,
    component: &AuthenticatedComponent,
    quota: &'static Quota,
) -> Result<RateLimitFields, ApiError> {
    let counted = ClientKey::of_component(component.key.component());
    Box::pin(count(gate, quota, counted, component.origin(), component.context())).await
}

/// Few requests are counted; on the heap, since every one would carry its state.
async fn count(
    gate: &Gate,
    quota: &'static Quota,
    counted: ClientKey,
    origin: Origin,
    context: &RequestContext,
) -> Result<RateLimitFields, ApiError> {
    let decision = gate.limiter.admit(quota, counted).await?;
    let fields = RateLimitFields::of(quota, &decision);
    let Decision::Refused { retry_after } = decision else { return Ok(fields) };
    counter!("http_rate_limited_total", "quota" => quota.name).increment(1);
    let event = origin.event(gate.clock.now(), Action::RateLimit).ended(Outcome::Denied).on(
        ResourceKind::Endpoint,
        None,
        quota.name,
    );
    gate.refusals.write_seldom(event, context.client.key()).await;
    let seconds = whole_seconds(retry_after).max(1);
    let whom = match quota.per {
        Per::Address => "your address",
        Per::Component => "this component",
    };
    let message = format!("Too many requests from {whom}. Try again in {seconds} s.");
    Err(fields.on(ApiError::throttled("rate_limited", message, Some(retry_after))))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use stratora_auth::quotas;

    use super::*;

    #[test]
    fn the_fields_read_as_in_the_draft() {
        let refused = Decision::Refused { retry_after: Duration::from_millis(116_001) };
        let fields = RateLimitFields::of(&quotas::LOGIN, &refused);
        assert_eq!((fields.policy.as_str(), fields.state.as_str()), ("\"login\";q=5;w=300", "\"login\";r=0;t=117"));
        let admitted = Decision::Admitted { remaining: 4, resets_in: Duration::from_mins(5) };
        assert_eq!(RateLimitFields::of(&quotas::LOGIN, &admitted).state, "\"login\";r=4;t=300");
    }
}
