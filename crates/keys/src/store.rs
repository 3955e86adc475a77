//! The port to where components and their keys are kept.

use std::net::IpAddr;

use async_trait::async_trait;
use stratora_audit::Event;
use stratora_clock::Timestamp;
use stratora_hashing::BcryptHash;
use stratora_port::{Page, PageRequest, StoreError};
use stratora_token::Digest;

use crate::{
    ApiKey, Component, ComponentId, ComponentKind, Grace, Hostname, KeyId, KeyPrefix, KeyRecord, Name, Standing,
    Status, Version,
};

/// A key as it is stored: never the key itself.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its identifier.
    pub id: KeyId,
    /// What it is looked up by.
    pub digest: Digest,
    /// Its slow hash, verified once at its first use.
    pub hash: BcryptHash,
    /// What may be shown of it.
    pub prefix: KeyPrefix,
    /// When it was made.
    pub created_at: Timestamp,
}

impl NewKey {
    /// The stored form of `key`.
    pub fn of(id: KeyId, key: &ApiKey, hash: BcryptHash, created_at: Timestamp) -> Self {
        Self { id, digest: key.digest(), hash, prefix: key.prefix(), created_at }
    }
}

/// A component as it is created, with its first key.
#[derive(Debug, Clone)]
pub struct NewComponent {
    /// Its identifier.
    pub id: ComponentId,
    /// What people call it.
    pub name: Name,
    /// The host that it runs on.
    pub hostname: Option<Hostname>,
    /// What it does.
    pub kind: ComponentKind,
    /// Whether it is let in from the start.
    pub standing: Standing,
    /// Its first key.
    pub key: NewKey,
}

/// What an administrator changes of a component; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComponentUpdate {
    /// Another name.
    pub name: Option<Name>,
    /// Another host name; `Some(None)` removes it.
    pub hostname: Option<Option<Hostname>>,
}

/// Which components are wanted; every condition that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComponentFilter {
    /// Of this kind.
    pub kind: Option<ComponentKind>,
    /// Of this status at the time asked about.
    pub status: Option<Status>,
    /// With this text, in any case, in the name, the host name or the key prefix.
    pub text: Option<String>,
}

/// That a component was there: recorded in batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Which component.
    pub component: ComponentId,
    /// When.
    pub at: Timestamp,
    /// From which address.
    pub client: Option<IpAddr>,
    /// The host name that it reported, if it did.
    pub hostname: Option<Hostname>,
    /// The version that it reported, if it did.
    pub version: Option<Version>,
}

/// There is no such component, or the store failed.
#[derive(Debug, thiserror::Error)]
pub enum MissingComponent {
    /// There is none.
    #[error("no such component")]
    Missing,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The component could not be created or changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeComponentError {
    /// There is none.
    #[error("no such component")]
    Missing,
    /// The name is taken.
    #[error("the name is taken")]
    NameTaken,
    /// It does not stand where the change starts from: rotating a revoked one, restoring an active one, approving one
    /// that is not pending.
    #[error("the component is {}", .standing.as_str())]
    WrongStanding {
        /// Where it stands.
        standing: Standing,
    },
    /// The key with which the component rotates itself has ended meanwhile.
    #[error("the key that asks has ended")]
    KeyEnded,
    /// The key with which the component wants to rotate itself lives until a deadline: an administrator has made its
    /// successor.
    #[error("the key that asks has a successor from an administrator")]
    KeyHandedOver,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the first use of a key was.
#[derive(Debug, Clone)]
pub enum FirstUse {
    /// The first: here is the slow hash to verify.
    Now(BcryptHash),
    /// One of many.
    Before,
    /// None: the key has ended meanwhile, or is gone.
    Ended,
}

/// Where components and keys are kept. Every method is one transaction that includes its audit event.
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// The key with that digest and its component, in one indexed read.
    async fn find_key(&self, digest: &Digest) -> Result<Option<KeyRecord>, StoreError>;

    /// Creates a component with its first key.
    async fn create(&self, component: NewComponent, event: Event) -> Result<Component, ChangeComponentError>;

    /// Gives a component a new key; `grace` decides what becomes of the one before. A key that was in grace already ends,
    /// unless it is the one that asks; one with a deadline may not ask. Whatever was asked of the component about its key is done with. When several run side
    /// by side, the last one's key is the live one.
    async fn rotate(
        &self,
        id: ComponentId,
        key: NewKey,
        grace: Grace,
        event: Event,
    ) -> Result<Component, ChangeComponentError>;

    /// Ends all keys of a component and shuts it out, and forgets who asks for its place: no approval from before undoes
    /// it. Revoking a revoked component changes nothing else.
    async fn revoke(&self, id: ComponentId, now: Timestamp, event: Event) -> Result<Component, MissingComponent>;

    /// Asks an active component to rotate its key. To ask again changes nothing but the log.
    async fn request_rotation(
        &self,
        id: ComponentId,
        now: Timestamp,
        event: Event,
    ) -> Result<Component, ChangeComponentError>;

    /// Lets a revoked component in again with a new key.
    async fn restore(&self, id: ComponentId, key: NewKey, event: Event) -> Result<Component, ChangeComponentError>;

    /// Lets a pending component in.
    async fn approve(&self, id: ComponentId, event: Event) -> Result<Component, ChangeComponentError>;

    /// Changes what describes a component.
    async fn update(
        &self,
        id: ComponentId,
        update: ComponentUpdate,
        event: Event,
    ) -> Result<Component, ChangeComponentError>;

    /// Deletes a component, its keys and its configuration.
    async fn delete(&self, id: ComponentId, event: Event) -> Result<(), MissingComponent>;

    /// The component with that identifier.
    async fn find(&self, id: ComponentId) -> Result<Option<Component>, StoreError>;

    /// The components that match, by name.
    async fn page(
        &self,
        filter: &ComponentFilter,
        now: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<Component>, StoreError>;

    /// Notes the first use of a key; that of the live one ends the grace of the one before it. Anything but
    /// [`FirstUse::Now`] changes nothing, not even the log.
    async fn first_use(&self, key: KeyId, now: Timestamp, event: Event) -> Result<FirstUse, StoreError>;

    /// Marks a key whose two hashes disagree; it is refused from then on.
    async fn mark_corrupt(&self, key: KeyId, event: Event) -> Result<(), StoreError>;

    /// Ends the key with that digest because it leaked; when it was its component's live key, the component is revoked, as
    /// [`Self::revoke`] does it.
    /// A key that is unknown or has ended changes nothing. Returns whether something changed.
    async fn report_leak(&self, digest: &Digest, now: Timestamp, event: Event) -> Result<bool, StoreError>;

    /// Records when components were last seen. Never moves a record backwards; one that is gone is passed over.
    async fn record_sightings(&self, sightings: &[Sighting]) -> Result<(), StoreError>;
}
