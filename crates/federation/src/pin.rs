//! Where a provider is spoken to, noted once it was seen, so that later nobody can have secrets sent elsewhere by changing what
//! the provider says of itself.

use stratora_audit::{Action, Origin};
use stratora_port::StoreError;

use crate::federation::FederationParts;
use crate::providers::event;
use crate::{ChangeProviderError, Endpoints, Provider};

/// Speaks to `provider` at `endpoints` from now on. Refused, with advice, when another provider is spoken to there: whoever can
/// change a provider's metadata could have the secrets and codes of the other one sent to them, or theirs to it.
pub(crate) async fn pin(
    parts: &FederationParts,
    provider: &Provider,
    endpoints: Endpoints,
    origin: &Origin,
) -> Result<Result<Provider, &'static str>, StoreError> {
    if provider.settings.endpoints.as_ref() == Some(&endpoints) {
        return Ok(Ok(provider.clone()));
    }
    let is_foreign = |other: &Provider| {
        let pinned = other.settings.endpoints.as_ref();
        other.settings.issuer != provider.settings.issuer
            && pinned.is_some_and(|pinned| pinned.token == endpoints.token || pinned.jwks == endpoints.jwks)
    };
    if parts.providers.all().await?.iter().any(is_foreign) {
        return Ok(Err("its metadata names endpoints of another provider: is the issuer the right one?"));
    }
    let mut pinned = provider.clone();
    pinned.settings.endpoints = Some(endpoints);
    let event = event(origin, parts.clock.now(), Action::ProviderPin, &pinned);
    match parts.providers.replace(provider, pinned.clone(), event).await {
        Ok(()) => Ok(Ok(pinned)),
        Err(ChangeProviderError::Store(error)) => Err(error),
        // Somebody else was quicker, who has seen the same or knows better.
        Err(_) => match parts.providers.find(provider.id).await? {
            Some(changed) if changed.settings.endpoints.is_some() => Ok(Ok(changed)),
            _ => Ok(Err("the provider was changed at this moment: try again")),
        },
    }
}
