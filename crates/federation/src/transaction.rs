//! A sign-in on its way: what is remembered between the moment a browser is sent to a provider and its return.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stratora_clock::Timestamp;
use stratora_sealing::Sealed;
use stratora_token::Digest;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ProviderId;

/// How long a person may take at the provider: typing a password and a second factor, and a look for the phone.
pub(crate) const LASTS: Duration = Duration::from_mins(10);

/// What only this installation may know of it.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct TransactionSecrets {
    /// What ties the ID token to this sign-in.
    pub nonce: String,
    /// What ties the code to this installation (RFC 7636).
    pub pkce_verifier: String,
}

impl fmt::Debug for TransactionSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransactionSecrets(…)")
    }
}

/// A sign-in on its way, as it is stored.
#[derive(Debug, Clone)]
pub struct StoredTransaction {
    /// The stored form of the state, which it is found by.
    pub state: Digest,
    /// At which provider.
    pub provider: ProviderId,
    /// The stored form of the secret in the cookie of the browser that started it.
    pub binding: Digest,
    /// The sealed [`TransactionSecrets`].
    pub secrets: Sealed,
    /// When it was started.
    pub created_at: Timestamp,
}

impl StoredTransaction {
    /// Whether it is too late to return.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        now >= self.created_at.plus(LASTS)
    }
}
