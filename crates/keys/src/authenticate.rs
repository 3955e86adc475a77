//! Who holds a key. What is in memory decides, or one indexed read; the slow hash is verified once in a key's life, at its
//! first use and off the request's path.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use newtype_uuid::GenericUuid as _;
use stratora_audit::{Action, Actor, ActorKind, Event, Origin, Outcome, RequestId, ResourceKind};
use stratora_cache::CredentialTag;
use stratora_clock::Timestamp;
use stratora_hashing::{BcryptHash, HashingError};
use stratora_port::StoreError;
use stratora_token::Digest;

use crate::service::preimage;
use crate::{
    ApiKey, ComponentId, ComponentKind, ETag, FirstUse, KeyId, KeyRecord, Keys, Name, Refusal, Sighting, subject_of,
};

/// How exactly it is recorded when a component was last seen from one address.
const SIGHTED_EVERY: Duration = Duration::from_secs(1);

/// A key in memory, with what was read of its component: it is forgotten when either changes.
#[derive(Debug)]
pub struct AuthenticatedKey {
    record: KeyRecord,
    /// When it was last recorded that the component was seen, and from where.
    sighted: Mutex<Option<(Timestamp, Option<IpAddr>)>>,
}

impl AuthenticatedKey {
    pub(crate) const fn new(record: KeyRecord) -> Self {
        Self { record, sighted: Mutex::new(None) }
    }

    /// Which component proved itself.
    pub const fn component(&self) -> ComponentId {
        self.record.component_id
    }

    /// Its name.
    pub const fn name(&self) -> &Name {
        &self.record.name
    }

    /// What it does.
    pub const fn kind(&self) -> ComponentKind {
        self.record.kind
    }

    /// With which of its keys.
    pub const fn key(&self) -> KeyId {
        self.record.key_id
    }

    /// The tag of its configuration; `None` when none is set.
    pub const fn config_etag(&self) -> Option<ETag> {
        self.record.config_etag
    }

    pub(crate) const fn record(&self) -> &KeyRecord {
        &self.record
    }

    /// Whether it is to be recorded that the component is there; not for each of many requests a second.
    fn is_worth_recording(&self, now: Timestamp, client: Option<IpAddr>) -> bool {
        let mut sighted = self.sighted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = sighted.is_some_and(|(at, from)| from == client && now.since(at) < SIGHTED_EVERY);
        if !is_known {
            *sighted = Some((now, client));
        }
        !is_known
    }
}

/// When, from where and with which request a key was used.
#[derive(Debug, Clone, Copy)]
pub struct KeyUse {
    /// When the request arrived. Whether the key has ended is judged as of then.
    pub at: Timestamp,
    /// The address that it came from, if that is known.
    pub client: Option<IpAddr>,
    /// The request.
    pub request_id: RequestId,
}

/// The key is not good.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateKeyError {
    /// It is refused.
    #[error("the key is refused")]
    Refused {
        /// Why.
        #[source]
        refusal: Refusal,
        /// Whose key it is, unless nobody's.
        holder: Option<(ComponentId, Name)>,
    },
    /// The store failed: nobody is let in.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl Keys {
    /// The component that holds `key`.
    ///
    /// # Errors
    /// [`AuthenticateKeyError`]: the caller is not let in.
    pub async fn authenticate(
        self: &Arc<Self>,
        key: &ApiKey,
        used: &KeyUse,
    ) -> Result<Arc<AuthenticatedKey>, AuthenticateKeyError> {
        let (digest, now, client) = (key.digest(), used.at, used.client);
        let known = match self.known.find(digest.as_bytes()) {
            Some(known) => known,
            // What is seldom done is on the heap: every request would carry its state.
            None => Box::pin(self.read(digest, now)).await?,
        };
        let record = &known.record;
        record.authorize(now).map_err(|refusal| AuthenticateKeyError::Refused {
            refusal,
            holder: Some((record.component_id, record.name.clone())),
        })?;
        if !record.used {
            Box::pin(self.use_for_the_first_time(key, record, used)).await?;
        }
        if known.is_worth_recording(now, client) {
            let component = record.component_id;
            self.sighted(Sighting { component, at: now, client, hostname: None, version: None });
        }
        Ok(known)
    }

    async fn read(&self, digest: Digest, now: Timestamp) -> Result<Arc<AuthenticatedKey>, AuthenticateKeyError> {
        let unknown = || AuthenticateKeyError::Refused { refusal: Refusal::Unknown, holder: None };
        if self.parts.coherence.surely_lacks(CredentialTag::of(digest.as_bytes())) {
            self.never_issued.increment(1);
            return Err(unknown());
        }
        if self.unknown.contains(digest.as_bytes(), now) {
            return Err(unknown());
        }
        let as_of = self.known.as_of_now();
        let Some(record) = self.parts.store.find_key(&digest).await? else {
            self.unknown.remember(*digest.as_bytes(), now);
            return Err(unknown());
        };
        let known = Arc::new(AuthenticatedKey::new(record));
        self.known.remember(*digest.as_bytes(), subject_of(known.component()), as_of, Arc::clone(&known));
        Ok(known)
    }

    async fn use_for_the_first_time(
        self: &Arc<Self>,
        key: &ApiKey,
        record: &KeyRecord,
        used: &KeyUse,
    ) -> Result<(), AuthenticateKeyError> {
        let id = Some(record.component_id.into_untyped_uuid());
        let actor = Actor { kind: ActorKind::Component, id, name: record.name.to_string() };
        let origin = Origin { actor, client: used.client, request_id: Some(used.request_id) };
        let event = key_event(&origin.event(self.now(), Action::KeyFirstUse), record);
        match self.parts.store.first_use(record.key_id, event.at, event).await? {
            FirstUse::Now(stored) => {
                let (keys, key, record) = (Arc::clone(self), key.clone(), record.clone());
                let mut verifications = self.verifications.lock().unwrap_or_else(PoisonError::into_inner);
                while verifications.try_join_next().is_some() {}
                verifications.spawn(async move { keys.verify_at_rest(&key, stored, &record).await });
                Ok(())
            }
            FirstUse::Before => Ok(()),
            FirstUse::Ended => Err(self.ended_meanwhile(key).await?),
        }
    }

    /// Why a key is refused that was good a moment ago. Its holder must not take it for the one to keep.
    async fn ended_meanwhile(&self, key: &ApiKey) -> Result<AuthenticateKeyError, StoreError> {
        let Some(record) = self.parts.store.find_key(&key.digest()).await? else {
            return Ok(AuthenticateKeyError::Refused { refusal: Refusal::Unknown, holder: None });
        };
        let refusal = record.authorize(self.now()).err().unwrap_or(Refusal::Rotated);
        Ok(AuthenticateKeyError::Refused { refusal, holder: Some((record.component_id, record.name)) })
    }

    /// Whether the row's two hashes are of one key. When they are not, somebody has written into the store.
    async fn verify_at_rest(&self, key: &ApiKey, stored: BcryptHash, record: &KeyRecord) {
        let verified: Result<bool, HashingError> = async {
            let permit = self.parts.hashing.reserve_when_free().await?;
            permit.verify(preimage(key), stored).await
        }
        .await;
        match verified {
            Ok(true) => {}
            Ok(false) => {
                tracing::error!(key = %record.key_id, component = %record.component_id, "the two hashes of a key disagree");
                let event = Origin::system().event(self.now(), Action::KeyCorrupt).ended(Outcome::Denied);
                if let Err(error) = self.parts.store.mark_corrupt(record.key_id, key_event(&event, record)).await {
                    tracing::error!(%error, key = %record.key_id, "a corrupt key could not be marked");
                }
            }
            Err(error) => tracing::warn!(%error, key = %record.key_id, "a key's slow hash was not verified"),
        }
    }

    /// Waits until every verification that was started is done. Called at the end, so that none is lost.
    pub async fn settled(&self) {
        let mut started = std::mem::take(&mut *self.verifications.lock().unwrap_or_else(PoisonError::into_inner));
        while started.join_next().await.is_some() {}
    }
}

fn key_event(event: &Event, record: &KeyRecord) -> Event {
    event
        .clone()
        .on(ResourceKind::Key, Some(record.key_id.into_untyped_uuid()), record.name.as_str())
        .with("component", record.component_id.to_string())
}
