//! Signing in through identity providers: which there are, whom they vouch for, and what those may do here. How a provider
//! is spoken to is the concern of whoever implements the port [`RelyingParty`].

mod arrival;
mod attempt;
mod callback;
mod claims;
mod client_secret;
mod course;
mod federation;
mod id;
mod identity;
mod pin;
mod policy;
mod provider;
mod providers;
mod refused;
mod relying_party;
mod settings;
mod store;
mod transaction;

pub use attempt::{Attempt, AttemptFilter, Check, Reference, Step, StepOutcome};
pub use callback::CallbackParameters;
pub use claims::{Claims, RefusedClaims};
pub use client_secret::ResealError;
pub use federation::{Federation, FederationParts, Started};
pub use id::{ProviderId, ProviderKind};
pub use identity::{Entry, Identity};
pub use policy::{Decision, Policy, RefusedIdentity, RoleDecision, RoleMapping};
pub use provider::{ClientSecret, Provider};
pub use providers::{DryRun, NewProvider, ProviderError, ProviderUpdate, Providers};
pub use refused::{BackChannelError, Refused, RefusedCode};
pub use relying_party::{
    Authorization, CallbackResponse, FlowError, LogoutToken, Probe, ProbeStep, RelyingParty, Verified,
};
pub use settings::{
    Algorithm, ClaimName, ClientAuth, ClientId, Domain, Endpoints, GroupName, Issuer, ProviderName, ProviderSettings,
    RefusedSetting, Scope,
};
pub use store::{
    AttemptStore, ChangeProviderError, FederatedSignIn, FederatedSignInError, IdentityStore, ProviderStore,
    SessionOrigin, TransactionStore,
};
pub use transaction::{StoredTransaction, TransactionSecrets};

#[cfg(feature = "testing")]
pub mod testing;
