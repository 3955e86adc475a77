//! Looks after components: what administrators do with them.

use std::sync::{Arc, Mutex};

use metrics::{Counter, counter};
use newtype_uuid::{GenericUuid as _, TypedUuid};
use stratora_audit::{Action, Event, Origin, ResourceKind};
use stratora_cache::{Coherence, CredentialCache, UnknownCredentials};
use stratora_clock::{Clock, Timestamp};
use stratora_hashing::{Busy, HashingError, HashingPool, Permit, Preimage};
use stratora_port::{Page, PageRequest, StoreError};
use stratora_token::{Entropy, EntropyError, random_uuid};
use tokio::task::JoinSet;

use crate::sightings::Sightings;
use crate::{
    ApiKey, AuthenticatedKey, ChangeComponentError, Component, ComponentFilter, ComponentId, ComponentKind,
    ComponentUpdate, ConfigStore, ETagKey, Grace, Hostname, KeyStore, MaxKeyAge, MissingComponent, Name, NewComponent,
    NewKey, Standing,
};

/// A component as an administrator describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewComponentRequest {
    /// What people call it.
    pub name: Name,
    /// What it does.
    pub kind: ComponentKind,
    /// The host that it runs on.
    pub hostname: Option<Hostname>,
}

/// A component was not given a key.
#[derive(Debug, thiserror::Error)]
pub enum IssueKeyError {
    /// The component could not be created or changed.
    #[error(transparent)]
    Component(#[from] ChangeComponentError),
    /// Too many hashes are being computed.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The key's slow hash could not be computed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// There is no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// What looking after components needs.
#[derive(Clone)]
pub struct KeysParts {
    /// Where components and keys are kept.
    pub store: Arc<dyn KeyStore>,
    /// Where configurations are kept.
    pub configs: Arc<dyn ConfigStore>,
    /// Computes the slow hashes of keys.
    pub hashing: HashingPool,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes keys.
    pub entropy: Arc<dyn Entropy>,
    /// Makes entity tags.
    pub etags: ETagKey,
    /// How many keys are kept in memory at the most.
    pub in_memory: usize,
    /// How old a key may get before its component is told to rotate it, if that is limited.
    pub max_key_age: Option<MaxKeyAge>,
    /// Says while what is in memory can be trusted.
    pub coherence: Arc<Coherence>,
}

/// Looks after components.
pub struct Keys {
    pub(crate) parts: KeysParts,
    pub(crate) known: CredentialCache<[u8; 32], Arc<AuthenticatedKey>>,
    pub(crate) unknown: UnknownCredentials<[u8; 32]>,
    pub(crate) never_issued: Counter,
    pub(crate) sightings: Sightings,
    pub(crate) verifications: Mutex<JoinSet<()>>,
}

impl Keys {
    /// Looks after components with `parts`.
    pub fn new(parts: KeysParts) -> Self {
        Self {
            known: CredentialCache::new("keys", parts.in_memory, Arc::clone(&parts.coherence)),
            unknown: UnknownCredentials::default(),
            never_issued: counter!("cache_never_issued_total"),
            parts,
            sightings: Sightings::default(),
            verifications: Mutex::default(),
        }
    }

    /// Creates a component with its first key: the only time that the key is seen.
    ///
    /// # Errors
    /// [`IssueKeyError`] says why not.
    pub async fn create(
        &self,
        request: NewComponentRequest,
        origin: &Origin,
    ) -> Result<(Component, ApiKey), IssueKeyError> {
        let (api_key, key) = self.issue(self.parts.hashing.reserve()?).await?;
        let id: ComponentId = TypedUuid::from_untyped_uuid(random_uuid(self.parts.entropy.as_ref())?);
        let event = origin
            .event(key.created_at, Action::ComponentCreate)
            .on(ResourceKind::Component, Some(id.into_untyped_uuid()), request.name.as_str())
            .with("kind", request.kind.as_str())
            .with("key_prefix", key.prefix.as_str());
        let NewComponentRequest { name, kind, hostname } = request;
        let component = NewComponent { id, name, hostname, kind, standing: Standing::Active, key };
        Ok((self.parts.store.create(component, event).await?, api_key))
    }

    /// Gives a component a new key: the only time that it is seen. `grace` decides what becomes of the old one.
    ///
    /// # Errors
    /// [`IssueKeyError`] says why not; the old key is as good as before then.
    pub async fn rotate(
        &self,
        id: ComponentId,
        grace: Grace,
        origin: &Origin,
    ) -> Result<(Component, ApiKey), IssueKeyError> {
        let permit = self.parts.hashing.reserve()?;
        let component = self.existing(id).await?;
        if component.standing == Standing::Revoked {
            return Err(ChangeComponentError::WrongStanding { standing: component.standing }.into());
        }
        let (api_key, key) = self.issue(permit).await?;
        let grace_detail = match grace {
            Grace::None => "none".to_owned(),
            Grace::For(span) => format!("{} s", span.as_secs()),
            Grace::UntilFirstUse(_) => "until first use".to_owned(),
        };
        let event = self
            .event(origin, Action::ComponentRotate, &component)
            .with("key_prefix", key.prefix.as_str())
            .with("grace", grace_detail);
        Ok((self.as_last_seen(self.parts.store.rotate(id, key, grace, event).await?), api_key))
    }

    /// Asks a component to rotate its key: the next answer to a heartbeat says so.
    ///
    /// # Errors
    /// [`ChangeComponentError`] says why not.
    pub async fn request_rotation(&self, id: ComponentId, origin: &Origin) -> Result<Component, ChangeComponentError> {
        let component = self.existing(id).await?;
        let event = self.event(origin, Action::RotationRequest, &component);
        Ok(self.as_last_seen(self.parts.store.request_rotation(id, event.at, event).await?))
    }

    /// Whether the component should rotate that key at `now`.
    pub fn is_due(&self, key: &AuthenticatedKey, now: Timestamp) -> bool {
        key.record().is_due(now, self.parts.max_key_age)
    }

    /// Lets a revoked component in again with a new key: the only time that it is seen.
    ///
    /// # Errors
    /// [`IssueKeyError`] says why not.
    pub async fn restore(&self, id: ComponentId, origin: &Origin) -> Result<(Component, ApiKey), IssueKeyError> {
        let permit = self.parts.hashing.reserve()?;
        let component = self.existing(id).await?;
        if component.standing != Standing::Revoked {
            return Err(ChangeComponentError::WrongStanding { standing: component.standing }.into());
        }
        let (api_key, key) = self.issue(permit).await?;
        let event = self.event(origin, Action::ComponentRestore, &component).with("key_prefix", key.prefix.as_str());
        Ok((self.as_last_seen(self.parts.store.restore(id, key, event).await?), api_key))
    }

    /// Ends all keys of a component, at once.
    ///
    /// # Errors
    /// [`MissingComponent`] when there is no such component, or the store fails.
    pub async fn revoke(&self, id: ComponentId, origin: &Origin) -> Result<Component, MissingComponent> {
        let component = self.existing_or_missing(id).await?;
        let event = self.event(origin, Action::ComponentRevoke, &component);
        Ok(self.as_last_seen(self.parts.store.revoke(id, event.at, event).await?))
    }

    /// Lets a pending component in.
    ///
    /// # Errors
    /// [`ChangeComponentError`] says why not.
    pub async fn approve(&self, id: ComponentId, origin: &Origin) -> Result<Component, ChangeComponentError> {
        let component = self.existing(id).await?;
        self.parts.store.approve(id, self.event(origin, Action::ComponentApprove, &component)).await
    }

    /// Changes what describes a component.
    ///
    /// # Errors
    /// [`ChangeComponentError`] says why not.
    pub async fn update(
        &self,
        id: ComponentId,
        update: ComponentUpdate,
        origin: &Origin,
    ) -> Result<Component, ChangeComponentError> {
        let component = self.existing(id).await?;
        let mut event = self.event(origin, Action::ComponentUpdate, &component);
        if let Some(name) = &update.name {
            event = event.with("name", name.as_str());
        }
        if let Some(hostname) = &update.hostname {
            event = event.with("hostname", hostname.as_ref().map_or("", Hostname::as_str));
        }
        Ok(self.as_last_seen(self.parts.store.update(id, update, event).await?))
    }

    /// Deletes a component, its keys and its configuration.
    ///
    /// # Errors
    /// [`MissingComponent`] when there is no such component, or the store fails.
    pub async fn delete(&self, id: ComponentId, origin: &Origin) -> Result<(), MissingComponent> {
        let component = self.existing_or_missing(id).await?;
        self.parts.store.delete(id, self.event(origin, Action::ComponentDelete, &component)).await
    }

    /// Ends a key that leaked, on the word of whoever holds it. Returns whether there was such a key that still lived.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn report_leak(&self, key: &ApiKey, origin: &Origin) -> Result<bool, StoreError> {
        let now = self.parts.clock.now();
        let event = origin.event(now, Action::KeyLeakReport).on(ResourceKind::Key, None, key.prefix().as_str());
        self.parts.store.report_leak(&key.digest(), now, event).await
    }

    /// One component.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn find(&self, id: ComponentId) -> Result<Option<Component>, StoreError> {
        Ok(self.parts.store.find(id).await?.map(|component| self.as_last_seen(component)))
    }

    /// The components that match, by name.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn page(&self, filter: &ComponentFilter, page: &PageRequest) -> Result<Page<Component>, StoreError> {
        let components = self.parts.store.page(filter, self.parts.clock.now(), page).await?;
        Ok(components.map(|component| self.as_last_seen(component)))
    }

    pub(crate) async fn existing(&self, id: ComponentId) -> Result<Component, ChangeComponentError> {
        self.parts.store.find(id).await?.ok_or(ChangeComponentError::Missing)
    }

    pub(crate) async fn existing_or_missing(&self, id: ComponentId) -> Result<Component, MissingComponent> {
        self.parts.store.find(id).await?.ok_or(MissingComponent::Missing)
    }

    pub(crate) fn event(&self, origin: &Origin, action: Action, component: &Component) -> Event {
        let id = Some(component.id.into_untyped_uuid());
        origin.event(self.now(), action).on(ResourceKind::Component, id, component.name.as_str())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// A new key and its stored form.
    pub(crate) async fn issue(&self, permit: Permit) -> Result<(ApiKey, NewKey), IssueKeyError> {
        let entropy = self.parts.entropy.as_ref();
        let key = ApiKey::generate(entropy)?;
        let id = TypedUuid::from_untyped_uuid(random_uuid(entropy)?);
        let hash = permit.hash(preimage(&key)).await?;
        let stored = NewKey::of(id, &key, hash, self.now());
        Ok((key, stored))
    }
}

/// What bcrypt is given of a key: its text.
pub(crate) fn preimage(key: &ApiKey) -> Preimage {
    Preimage::new(key.expose().as_bytes()).unwrap_or_else(|_| unreachable!("a key has 51 ASCII characters"))
}
