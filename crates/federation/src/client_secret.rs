//! Client secrets at rest: sealed for their provider's row, opened to be shown to that provider, and sealed anew when the
//! installation's keys change.

use newtype_uuid::GenericUuid as _;
use stratora_audit::{Action, Origin};
use stratora_port::StoreError;
use stratora_sealing::{Keyring, Place, Sealed};
use stratora_token::EntropyError;

use crate::federation::FederationParts;
use crate::providers::event;
use crate::{ClientSecret, Provider, ProviderId, ProviderName, Providers};

impl Providers {
    /// Seals every secret under the newest key. Returns how many were not yet.
    ///
    /// # Errors
    /// [`ResealError`] when one cannot be opened, or the store fails.
    pub async fn reseal(&self, origin: &Origin) -> Result<usize, ResealError> {
        let mut resealed = 0;
        for provider in self.0.providers.all().await? {
            let Some(before) = &provider.secret else { continue };
            if before.version() == self.0.sealing.newest() {
                continue;
            }
            let place = place_of(provider.id);
            let opened = self.0.sealing.open(before, &place);
            let secret = opened.map_err(|_| ResealError::CannotOpen(provider.name.clone()))?;
            let after = self.0.sealing.seal(&secret, &place, self.0.entropy.as_ref())?;
            let event = event(origin, self.0.clock.now(), Action::ProviderUpdate, &provider);
            let event = event.with("changed", "sealing_key").with("sealing_key", after.version().0.to_string());
            resealed += usize::from(self.0.providers.reseal(provider.id, before, &after, event).await?);
        }
        Ok(resealed)
    }
}

/// Secrets were not sealed anew, or not all of them.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    /// One cannot be opened with any key of the key file.
    #[error("the client secret of {0} cannot be opened with the keys of the key file")]
    CannotOpen(ProviderName),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

pub(crate) fn seal_secret(
    parts: &FederationParts,
    id: ProviderId,
    secret: &ClientSecret,
) -> Result<Sealed, EntropyError> {
    parts.sealing.seal(secret.expose().as_bytes(), &place_of(id), parts.entropy.as_ref())
}

fn place_of(provider: ProviderId) -> Place<'static> {
    Place { table: "oidc_providers", column: "secret", row: provider.into_untyped_uuid() }
}

/// The client secret, or what to do when it cannot be opened.
pub(crate) fn open_secret(keys: &Keyring, provider: &Provider) -> Result<Option<ClientSecret>, &'static str> {
    let advice = "the client secret cannot be opened with the keys of this installation: give it anew";
    let Some(sealed) = &provider.secret else { return Ok(None) };
    let opened = keys.open(sealed, &place_of(provider.id)).map_err(|_| advice)?;
    let text = std::str::from_utf8(&opened).map_err(|_| advice)?;
    ClientSecret::parse(text).map(Some).map_err(|_| advice)
}
