//! The ports to where providers, sign-ins on their way, identities and records are kept. Every method is one transaction
//! that includes its audit events.

use async_trait::async_trait;
use stratora_audit::Event;
use stratora_auth::{Account, NewSession, Role, SessionId, Username};
use stratora_clock::Timestamp;
use stratora_port::{Page, PageRequest, StoreError};
use stratora_sealing::Sealed;
use stratora_token::Digest;

use crate::{Attempt, AttemptFilter, Entry, Identity, Provider, ProviderId, StoredTransaction};

/// The provider could not be created or changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeProviderError {
    /// There is none.
    #[error("no such provider")]
    Missing,
    /// Another one is called so.
    #[error("the name is taken")]
    NameTaken,
    /// Meanwhile somebody else changed it.
    #[error("the provider changed meanwhile")]
    Changed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where providers are kept. There are few: they are read all together.
#[async_trait]
pub trait ProviderStore: Send + Sync + 'static {
    /// All, by name.
    async fn all(&self) -> Result<Vec<Provider>, StoreError>;

    /// The one with that identifier.
    async fn find(&self, id: ProviderId) -> Result<Option<Provider>, StoreError>;

    /// Creates one.
    async fn create(&self, provider: Provider, event: Event) -> Result<(), ChangeProviderError>;

    /// Replaces one by `after`, which has the same identifier, if it still is `before`. Where its word about mail addresses
    /// counts for less from then on ([`Provider::vouches_as`]), what it said about them is forgotten.
    async fn replace(&self, before: &Provider, after: Provider, event: Event) -> Result<(), ChangeProviderError>;

    /// Replaces the sealed secret of one, if it still is `before`. Returns whether it was.
    async fn reseal(&self, id: ProviderId, before: &Sealed, after: &Sealed, event: Event) -> Result<bool, StoreError>;

    /// Deletes one, and with it who its people are; their accounts stay, and their sessions end.
    async fn delete(&self, id: ProviderId, event: Event) -> Result<(), ChangeProviderError>;
}

/// Where sign-ins on their way are kept.
#[async_trait]
pub trait TransactionStore: Send + Sync + 'static {
    /// Keeps one.
    async fn begin(&self, transaction: StoredTransaction) -> Result<(), StoreError>;

    /// Takes the one with that state: of many calls at once one gets it.
    async fn consume(&self, state: &Digest) -> Result<Option<StoredTransaction>, StoreError>;

    /// Forgets those that were started before. Returns how many.
    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// What is kept of a session that a provider may end.
#[derive(Debug, Clone)]
pub struct SessionOrigin {
    /// Whose it is at the provider.
    pub identity: Identity,
    /// What the provider calls its own session.
    pub sid: Option<String>,
}

/// A sign-in, decided and not yet done.
#[derive(Debug, Clone)]
pub struct FederatedSignIn {
    /// The provider by which it was decided. It holds only while that still decides so.
    pub provider: Provider,
    /// How the person comes to their account.
    pub entry: Entry,
    /// What they are from now on. A change ends their other sessions.
    pub role: Role,
    /// How they want to be called, as the provider says.
    pub display_name: String,
    /// The mail address.
    pub email: Option<String>,
    /// The same, where this provider's word about it counts.
    pub verified_email: Option<String>,
    /// The session to open.
    pub session: NewSession,
    /// What is kept of it.
    pub origin: SessionOrigin,
    /// The record of it.
    pub attempt: Attempt,
    /// The event of the account that is made or linked.
    pub made: Option<Event>,
    /// The event of the sign-in.
    pub event: Event,
}

/// The sign-in was not done, and nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum FederatedSignInError {
    /// Meanwhile the account was turned off or deleted, the identity came to an account by another sign-in, or the provider
    /// was changed.
    #[error("the account changed meanwhile")]
    Changed,
    /// Meanwhile somebody got the name.
    #[error("the username is taken")]
    NameTaken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where identities are kept.
#[async_trait]
pub trait IdentityStore: Send + Sync + 'static {
    /// The account of an identity.
    async fn account_of(&self, identity: &Identity) -> Result<Option<Account>, StoreError>;

    /// The accounts that have that mail address, in any case of letters, by the word of a directory or of a provider whose word
    /// about it counted. What anybody else says about a mail address is not looked at.
    async fn accounts_with_email(&self, email: &str) -> Result<Vec<Account>, StoreError>;

    /// Whether an account has that name.
    async fn is_taken(&self, username: &Username) -> Result<bool, StoreError>;

    /// Does a sign-in: makes or updates the account, notes the identity, opens the session, records it all.
    async fn sign_in(&self, sign_in: FederatedSignIn) -> Result<(), FederatedSignInError>;

    /// Through which provider a session was opened, if it was.
    async fn provider_of(&self, session: SessionId) -> Result<Option<ProviderId>, StoreError>;

    /// Ends the sessions that came from a provider for `subject` and under `sid`, as far as these are given; none when neither
    /// is. Returns how many.
    async fn end_sessions(
        &self,
        provider: ProviderId,
        subject: Option<&str>,
        sid: Option<&str>,
        event: Event,
    ) -> Result<u64, StoreError>;
}

/// Where the records of sign-ins are kept.
#[async_trait]
pub trait AttemptStore: Send + Sync + 'static {
    /// Records one that ended without a session.
    async fn record(&self, attempt: Attempt, event: Event) -> Result<(), StoreError>;

    /// Writes down what is no sign-in.
    async fn note(&self, event: Event) -> Result<(), StoreError>;

    /// Those that match, the newest first.
    async fn attempts(&self, filter: &AttemptFilter, page: &PageRequest) -> Result<Page<Attempt>, StoreError>;

    /// Forgets those from before, and the oldest where there are very many. Returns how many.
    async fn purge_attempts(&self, before: Timestamp) -> Result<u64, StoreError>;
}
