//! An identity provider, as an administrator has set it up.

use std::fmt;

use stratora_clock::Timestamp;
use stratora_sealing::Sealed;
use zeroize::Zeroizing;

use crate::{Policy, ProviderId, ProviderName, ProviderSettings, RefusedSetting};

/// The longest client secret, in bytes.
const MAX_SECRET: usize = 1024;

/// What this installation proves itself with at a provider. Redacted in logs, wiped when dropped; has no `==`.
#[derive(Clone)]
pub struct ClientSecret(Zeroizing<String>);

impl ClientSecret {
    /// # Errors
    /// [`RefusedSetting`] for what no provider gives out.
    pub fn parse(text: &str) -> Result<Self, RefusedSetting> {
        let is_one = (1..=MAX_SECRET).contains(&text.len()) && !text.contains(char::is_control);
        let must = "must have 1 to 1024 characters, without control characters";
        if is_one {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(RefusedSetting { field: "client_secret", must })
        }
    }

    /// The secret, for the token endpoint only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

/// An identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its identifier.
    pub id: ProviderId,
    /// What people call it.
    pub name: ProviderName,
    /// Whether people can sign in through it.
    pub enabled: bool,
    /// How it is spoken to.
    pub settings: ProviderSettings,
    /// Whom it may bring in.
    pub policy: Policy,
    /// The sealed client secret, if there is one.
    pub secret: Option<Sealed>,
    /// When it was set up.
    pub created_at: Timestamp,
}

impl Provider {
    /// Whether what `other` decides about people, this one decides the same: but for names and secrets, nothing has changed.
    pub fn decides_as(&self, other: &Self) -> bool {
        (self.enabled, &self.settings, &self.policy) == (other.enabled, &other.settings, &other.policy)
    }

    /// Whether its word about mail addresses counts for no less than that of `other`, from which it was changed.
    pub fn vouches_as(&self, other: &Self) -> bool {
        self.enabled
            && self.settings.issuer == other.settings.issuer
            && self.policy.verified_domains.is_superset(&other.policy.verified_domains)
    }
}
