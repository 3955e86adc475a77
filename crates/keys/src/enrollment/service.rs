//! Lets components in by themselves, and looks after what they come in with.

use std::sync::Arc;
use std::time::Duration;

use newtype_uuid::{GenericUuid as _, TypedUuid};
use stratora_audit::{Action, Event, Origin, ResourceKind};
use stratora_clock::Timestamp;
use stratora_hashing::{Busy, HashingError};
use stratora_port::{Page, PageRequest, StoreError};
use stratora_token::{EntropyError, random_uuid};

use super::decision::{Admission, Call, EnrollmentPolicy, RefusedRegistration};
use super::store::{
    Answer, ApproveRequestError, EnrollmentStore, MissingRequest, MissingToken, NewEnrollmentToken, Offer,
    RegisterError, WaitingRequest,
};
use super::token::{Allowance, Description, EnrollmentSecret, EnrollmentToken, Validity};
use crate::{ApiKey, ChangeComponentError, Component, ComponentId, EnrollmentTokenId, IssueKeyError, Keys, Standing};

/// How long spent tokens stay listed, so that it can be looked up what came in with them.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// How often a call is decided anew because another one took its name meanwhile. Each time somebody else came in.
const TRIES: u32 = 10;

/// A token as an administrator describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTokenRequest {
    /// What it is for.
    pub description: Description,
    /// How many components may register with it.
    pub allowance: Allowance,
    /// For how long it is good.
    pub validity: Validity,
}

/// A component was let in, or waits for approval with its key.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The component.
    pub component: Component,
    /// Its key: the only time that it is seen.
    pub key: ApiKey,
    /// How it came in.
    pub admission: Admission,
}

/// A component was not let in.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// It is refused.
    #[error(transparent)]
    Refused(#[from] RefusedRegistration),
    /// Too many hashes are being computed.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The key's slow hash could not be computed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// There is no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<IssueKeyError> for RegistrationError {
    fn from(error: IssueKeyError) -> Self {
        match error {
            IssueKeyError::Busy(busy) => Self::Busy(busy),
            IssueKeyError::Hashing(error) => Self::Hashing(error),
            IssueKeyError::Entropy(error) => Self::Entropy(error),
            IssueKeyError::Component(ChangeComponentError::Store(error)) => Self::Store(error),
            IssueKeyError::Component(error) => Self::Store(StoreError::unavailable(error)),
        }
    }
}

/// Lets components in by themselves.
pub struct Enrollment {
    keys: Arc<Keys>,
    store: Arc<dyn EnrollmentStore>,
    policy: EnrollmentPolicy,
}

impl Enrollment {
    /// With the keys of `keys`, what is kept in `store`, and as `policy` says.
    pub fn new(keys: Arc<Keys>, store: Arc<dyn EnrollmentStore>, policy: EnrollmentPolicy) -> Self {
        Self { keys, store, policy }
    }

    /// Makes a token: the only time that its value is seen.
    ///
    /// # Errors
    /// [`RegistrationError`] when there is no randomness or the store fails.
    pub async fn create_token(
        &self,
        request: NewTokenRequest,
        origin: &Origin,
    ) -> Result<(EnrollmentToken, EnrollmentSecret), RegistrationError> {
        let (entropy, now) = (self.keys.parts.entropy.as_ref(), self.keys.now());
        let secret = EnrollmentSecret::generate(entropy)?;
        let token = EnrollmentToken {
            id: TypedUuid::from_untyped_uuid(random_uuid(entropy)?),
            description: request.description,
            allowance: request.allowance,
            uses: 0,
            created_at: now,
            expires_at: request.validity.end(now),
            last_used_at: None,
        };
        let uses = token.allowance.max_uses().map_or_else(|| "any number".to_owned(), |max| max.to_string());
        let event = token_event(&origin.event(now, Action::EnrollmentTokenCreate), &token)
            .with("max_uses", uses)
            .with("expires_at", token.expires_at.map_or_else(|| "never".to_owned(), |at| at.to_string()));
        let new = NewEnrollmentToken { digest: secret.digest(), token: token.clone() };
        self.store.create_token(new, event).await?;
        Ok((token, secret))
    }

    /// All tokens, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn tokens(&self, page: &PageRequest) -> Result<Page<EnrollmentToken>, StoreError> {
        self.store.tokens(page).await
    }

    /// Forgets a token. Components that came in with it stay.
    ///
    /// # Errors
    /// [`MissingToken`] when there is none, or the store fails.
    pub async fn delete_token(&self, id: EnrollmentTokenId, origin: &Origin) -> Result<(), MissingToken> {
        let token = self.store.find_token(id).await?.ok_or(MissingToken::Missing)?;
        let event = token_event(&origin.event(self.keys.now(), Action::EnrollmentTokenDelete), &token);
        self.store.delete_token(id, event).await
    }

    /// Registers whoever calls, or says why not.
    ///
    /// # Errors
    /// [`RegistrationError`]: no key was given to anybody, and none has ended.
    pub async fn register(&self, call: &Call) -> Result<Registered, RegistrationError> {
        let mut offer: Option<(Offer, ApiKey)> = None;
        for _ in 0..TRIES {
            match self.store.register(call, self.policy, offer.as_ref().map(|(offer, _)| offer)).await {
                Ok(Answer::Admitted { admission, component }) => {
                    let Some((_, key)) = offer else { break };
                    return Ok(Registered { component: *component, key, admission });
                }
                Ok(Answer::Exists { component }) => {
                    return Err(RefusedRegistration::Exists { component, is_news: false }.into());
                }
                // The slow hash of a key costs a quarter of a second: nobody is offered one who would not get it.
                Err(RegisterError::OfferNeeded) => offer = Some(self.offer().await?),
                Err(RegisterError::Raced) => {}
                Err(RegisterError::Refused(refused)) => return Err(refused.into()),
                Err(RegisterError::Store(error)) => return Err(error.into()),
            }
        }
        Err(StoreError::unavailable("other registrations were faster each time").into())
    }

    /// Approves the request for the component's place that was made at `requested_at`. Without that time it lets the
    /// component itself in where it is pending, and approves whatever request there is where it is not. The two may be two
    /// parties: whoever registered as a host first, and the host.
    ///
    /// # Errors
    /// [`ApproveError`] says why not.
    pub async fn approve(
        &self,
        id: ComponentId,
        requested_at: Option<Timestamp>,
        origin: &Origin,
    ) -> Result<Component, ApproveError> {
        let component = self.keys.existing(id).await?;
        let standing = component.standing;
        if standing == Standing::Pending && requested_at.is_none() {
            return Ok(self.keys.approve(id, origin).await?);
        }
        let event = self.keys.event(origin, Action::ComponentApprove, &component).with("of", "re-enrollment");
        match self.store.approve_request(id, requested_at, event).await {
            Ok(component) => Ok(self.keys.as_last_seen(component)),
            // A component that waits itself is not what was looked at either.
            Err(ApproveRequestError::Missing) if standing == Standing::Pending => Err(ApproveError::Changed),
            Err(ApproveRequestError::Missing) => Err(ChangeComponentError::WrongStanding { standing }.into()),
            Err(ApproveRequestError::Changed) => Err(ApproveError::Changed),
            Err(ApproveRequestError::Store(error)) => Err(ChangeComponentError::Store(error).into()),
        }
    }

    /// Who asks for the place of a component, the latest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn requests(&self, page: &PageRequest) -> Result<Page<WaitingRequest>, StoreError> {
        let requests = self.store.requests(page).await?;
        Ok(requests.map(|waiting| WaitingRequest {
            component: self.keys.as_last_seen(waiting.component),
            request: waiting.request,
        }))
    }

    /// Forgets the request for a component's place.
    ///
    /// # Errors
    /// [`MissingRequest`] when there is none, or the store fails.
    pub async fn dismiss(&self, id: ComponentId, origin: &Origin) -> Result<(), MissingRequest> {
        let component = self.keys.find(id).await?.ok_or(MissingRequest::Missing)?;
        let event = self.keys.event(origin, Action::EnrollmentRequestDismiss, &component);
        self.store.dismiss_request(id, event).await
    }

    /// Forgets what has been of no use for a month. Returns how many tokens that were.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn purge(&self) -> Result<u64, StoreError> {
        self.store.purge(self.keys.now().minus(KEPT)).await
    }

    async fn offer(&self) -> Result<(Offer, ApiKey), RegistrationError> {
        let (api_key, key) = self.keys.issue(self.keys.parts.hashing.reserve()?).await?;
        let component = TypedUuid::from_untyped_uuid(random_uuid(self.keys.parts.entropy.as_ref())?);
        Ok((Offer { component, key }, api_key))
    }
}

/// Nothing was approved.
#[derive(Debug, thiserror::Error)]
pub enum ApproveError {
    /// The component does not wait for it.
    #[error(transparent)]
    Component(#[from] ChangeComponentError),
    /// It is another request than the one that was looked at, or there is none any more.
    #[error("the request is another by now")]
    Changed,
}

fn token_event(event: &Event, token: &EnrollmentToken) -> Event {
    let id = Some(token.id.into_untyped_uuid());
    event.clone().on(ResourceKind::EnrollmentToken, id, token.description.as_str())
}
