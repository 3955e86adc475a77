//! The port to where enrollment tokens are kept, and what was asked with them.

use async_trait::async_trait;
use stratora_audit::Event;
use stratora_clock::Timestamp;
use stratora_port::{Page, PageRequest, StoreError};
use stratora_token::Digest;

use super::decision::{Admission, Call, EnrollmentPolicy, Reenrollment, RefusedRegistration};
use super::token::EnrollmentToken;
use crate::{Component, ComponentId, EnrollmentTokenId, NewKey};

/// An enrollment token as it is stored: never its value.
#[derive(Debug, Clone)]
pub struct NewEnrollmentToken {
    /// What it is looked up by.
    pub digest: Digest,
    /// The rest.
    pub token: EnrollmentToken,
}

/// What a caller is given if it is admitted.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The identifier that a new component gets.
    pub component: ComponentId,
    /// The key.
    pub key: NewKey,
}

/// A call was decided about, and that is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The caller was admitted, and the offered key is its component's live one.
    Admitted {
        /// How.
        admission: Admission,
        /// As what.
        component: Box<Component>,
    },
    /// There is such a component. That somebody asks for its place is written down.
    Exists {
        /// The component.
        component: ComponentId,
    },
}

/// A call led to nothing, and nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// It is refused.
    #[error(transparent)]
    Refused(#[from] RefusedRegistration),
    /// It would be admitted, if there were an offer.
    #[error("a key has to be offered")]
    OfferNeeded,
    /// Somebody else took the name meanwhile: the same call will be decided anew.
    #[error("another registration was faster")]
    Raced,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// There is no such token, or the store failed.
#[derive(Debug, thiserror::Error)]
pub enum MissingToken {
    /// There is none.
    #[error("no such enrollment token")]
    Missing,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Nobody asks for that component's place, or the store failed.
#[derive(Debug, thiserror::Error)]
pub enum MissingRequest {
    /// Nobody does.
    #[error("no such request")]
    Missing,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A request was not approved.
#[derive(Debug, thiserror::Error)]
pub enum ApproveRequestError {
    /// Nobody asks for that component's place.
    #[error("no such request")]
    Missing,
    /// It is another request than the one that was looked at.
    #[error("the request is another by now")]
    Changed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A request with the component whose place is asked for.
#[derive(Debug, Clone)]
pub struct WaitingRequest {
    /// The component.
    pub component: Component,
    /// The request.
    pub request: Reenrollment,
}

/// Where enrollment tokens are kept. Every method is one transaction that includes its audit event.
#[async_trait]
pub trait EnrollmentStore: Send + Sync + 'static {
    /// Keeps a new token.
    async fn create_token(&self, token: NewEnrollmentToken, event: Event) -> Result<(), StoreError>;

    /// The token with that identifier.
    async fn find_token(&self, id: EnrollmentTokenId) -> Result<Option<EnrollmentToken>, StoreError>;

    /// All tokens, the newest first.
    async fn tokens(&self, page: &PageRequest) -> Result<Page<EnrollmentToken>, StoreError>;

    /// Forgets a token: nobody registers with it from then on.
    async fn delete_token(&self, id: EnrollmentTokenId, event: Event) -> Result<(), MissingToken>;

    /// Decides about a call with [`decide`](super::decide) and does what follows from it: gathers the situation under
    /// locks, counts the use of the token, creates the component or gives it the offered key, ends its other keys, and
    /// writes the call's own event. Of any number of calls side by side, as many use a token as may, and no two create a
    /// component for the same host. Where a component exists, the request is written down instead, if it is news.
    async fn register(
        &self,
        call: &Call,
        policy: EnrollmentPolicy,
        offer: Option<&Offer>,
    ) -> Result<Answer, RegisterError>;

    /// Who asks for the place of a component, the latest first.
    async fn requests(&self, page: &PageRequest) -> Result<Page<WaitingRequest>, StoreError>;

    /// Approves the request for a component's place, at the event's time; the one that was made at `requested_at`, if that
    /// is given, and no other.
    async fn approve_request(
        &self,
        component: ComponentId,
        requested_at: Option<Timestamp>,
        event: Event,
    ) -> Result<Component, ApproveRequestError>;

    /// Forgets the request for a component's place.
    async fn dismiss_request(&self, component: ComponentId, event: Event) -> Result<(), MissingRequest>;

    /// Forgets tokens that were spent before that time, and requests and answers from before it. Returns how many tokens.
    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError>;
}
