//! How a sign-in through a provider ends without a session: in a word that the sign-in page explains, and a reference.

use stratora_port::StoreError;
use stratora_token::EntropyError;

use crate::{FlowError, Reference};

/// What the sign-in page says in plain words. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusedCode {
    /// There is no such provider, or it is turned off.
    ProviderUnknown,
    /// The provider cannot be reached, or is not set up right.
    ProviderUnavailable,
    /// No such sign-in was started, or it took too long, or it was used before.
    StateInvalid,
    /// It was started in another browser.
    BrowserMismatch,
    /// The provider did not let the person in.
    ProviderRefused,
    /// What came back is not what a provider sends.
    ResponseInvalid,
    /// What the provider says is not proved.
    TokenInvalid,
    /// The account was turned off.
    AccountInactive,
    /// There is no account, and the provider may not make one.
    NotProvisioned,
}

impl RefusedCode {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProviderUnknown => "provider_unknown",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::StateInvalid => "state_invalid",
            Self::BrowserMismatch => "browser_mismatch",
            Self::ProviderRefused => "provider_refused",
            Self::ResponseInvalid => "response_invalid",
            Self::TokenInvalid => "token_invalid",
            Self::AccountInactive => "account_inactive",
            Self::NotProvisioned => "not_provisioned",
        }
    }
}

/// The sign-in ended without a session.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// For this reason, which is recorded under a reference.
    #[error("{}", .code.as_str())]
    Recorded {
        /// What the sign-in page says.
        code: RefusedCode,
        /// What an administrator finds the record by.
        reference: Reference,
    },
    /// Something that is needed is not there; nothing could be recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// A provider's word was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BackChannelError {
    /// There is no such provider.
    #[error("no such provider")]
    Missing,
    /// It is not proved that the provider said it.
    #[error("the logout token is refused")]
    Refused(#[source] FlowError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
