//! Who somebody is at a provider, and how they come to an account here.

use stratora_auth::{NewAccount, UserId};

use crate::ProviderId;

/// Who somebody is at a provider: nothing less identifies (OpenID Connect Core 1.0 §5.7).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Through which provider.
    pub provider: ProviderId,
    /// Who says so.
    pub issuer: String,
    /// Who they are there.
    pub subject: String,
}

/// How they come to their account.
#[derive(Debug, Clone)]
pub enum Entry {
    /// It is theirs already.
    Known(UserId),
    /// It becomes theirs.
    Link(UserId),
    /// It is made.
    Provision(NewAccount),
}

impl Entry {
    /// The account.
    pub const fn user(&self) -> UserId {
        match self {
            Self::Known(user) | Self::Link(user) => *user,
            Self::Provision(account) => account.id,
        }
    }
}
