//! A store under test. Every call through here is checked to write exactly its own event, or none where it fails.
#![expect(clippy::unwrap_used, reason = "a store that fails its contract ends the test")]

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use newtype_uuid::GenericUuid;
use stratora_audit::{Action, AuditLog, Event, Origin};
use stratora_clock::Timestamp;
use stratora_hashing::BcryptHash;
use stratora_token::{Digest, OsEntropy, random_uuid};

use crate::{
    ApiKey, ChangeComponentError, Component, ComponentId, ComponentKind, ComponentUpdate, FirstUse, Grace, KeyRecord,
    KeyState, KeyStore, MissingComponent, Name, NewComponent, NewKey, Refusal, Sighting, Standing,
};

pub(super) struct Fleet<S> {
    pub(super) store: Arc<S>,
}

/// So many seconds into the test, in the year 2026.
pub(super) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_780_000_000_000_000).unwrap().plus(Duration::from_secs(seconds))
}

pub(super) fn new_id<T: GenericUuid>() -> T {
    T::from_untyped_uuid(random_uuid(&OsEntropy).unwrap())
}

pub(super) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(super) fn event(action: Action) -> Event {
    Origin::system().event(at(0), action)
}

/// A key made at that time, with a slow hash that no other key has.
pub(super) fn key_made_at(created_at: Timestamp) -> NewKey {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let hash = BcryptHash::parse(&format!("$2b$12$abcdefghijklmnopqrstuu{number:030}.")).unwrap();
    NewKey::of(new_id(), &ApiKey::generate(&OsEntropy).unwrap(), hash, created_at)
}

pub(super) fn component_named(text: &str) -> NewComponent {
    NewComponent {
        id: new_id(),
        name: name(text),
        hostname: None,
        kind: ComponentKind::Agent,
        standing: Standing::Active,
        key: key_made_at(at(0)),
    }
}

pub(super) fn sighting(component: ComponentId, seen_at: Timestamp) -> Sighting {
    let client = "192.0.2.7".parse::<IpAddr>().unwrap();
    Sighting { component, at: seen_at, client: Some(client), hostname: None, version: None }
}

impl<S: KeyStore + AuditLog> Fleet<S> {
    /// What `call` returns, and the events that were written meanwhile.
    pub(super) async fn watch<T>(&self, call: impl Future<Output = T>) -> (T, Vec<Event>) {
        let before = self.store.head().await.unwrap().seq;
        let returned = call.await;
        let records = self.store.records_after(before, 100).await.unwrap();
        (returned, records.into_iter().map(|record| record.event).collect())
    }

    /// What `call` returns, which has written `event` if it succeeded, and nothing otherwise.
    pub(super) async fn all_or_nothing<T, E>(
        &self,
        event: Event,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let (returned, written) = self.watch(call).await;
        assert_eq!(written, if returned.is_ok() { vec![event] } else { Vec::new() });
        returned
    }

    pub(super) async fn create(&self, new: NewComponent) -> Result<Component, ChangeComponentError> {
        let event = event(Action::ComponentCreate).with("name", new.name.as_str());
        self.all_or_nothing(event.clone(), self.store.create(new, event)).await
    }

    /// An active component of that name, and its key.
    pub(super) async fn enroll(&self, text: &str) -> (ComponentId, NewKey) {
        let new = component_named(text);
        let (id, key) = (new.id, new.key.clone());
        self.create(new).await.unwrap();
        (id, key)
    }

    pub(super) async fn rotate(
        &self,
        id: ComponentId,
        key: &NewKey,
        grace: Grace,
    ) -> Result<Component, ChangeComponentError> {
        let event = event(Action::ComponentRotate).with("key_prefix", key.prefix.as_str());
        self.all_or_nothing(event.clone(), self.store.rotate(id, key.clone(), grace, event)).await
    }

    /// The key that the component was given at that time.
    pub(super) async fn rotated(&self, id: ComponentId, now: Timestamp, grace: Grace) -> NewKey {
        let key = key_made_at(now);
        self.rotate(id, &key, grace).await.unwrap();
        key
    }

    pub(super) async fn revoke(&self, id: ComponentId, now: Timestamp) -> Result<Component, MissingComponent> {
        let event = event(Action::ComponentRevoke);
        self.all_or_nothing(event.clone(), self.store.revoke(id, now, event)).await
    }

    pub(super) async fn request_rotation(
        &self,
        id: ComponentId,
        now: Timestamp,
    ) -> Result<Component, ChangeComponentError> {
        let event = event(Action::RotationRequest);
        self.all_or_nothing(event.clone(), self.store.request_rotation(id, now, event)).await
    }

    pub(super) async fn restore(&self, id: ComponentId, key: &NewKey) -> Result<Component, ChangeComponentError> {
        let event = event(Action::ComponentRestore);
        self.all_or_nothing(event.clone(), self.store.restore(id, key.clone(), event)).await
    }

    pub(super) async fn approve(&self, id: ComponentId) -> Result<Component, ChangeComponentError> {
        let event = event(Action::ComponentApprove);
        self.all_or_nothing(event.clone(), self.store.approve(id, event)).await
    }

    pub(super) async fn update(
        &self,
        id: ComponentId,
        update: ComponentUpdate,
    ) -> Result<Component, ChangeComponentError> {
        let event = event(Action::ComponentUpdate);
        self.all_or_nothing(event.clone(), self.store.update(id, update, event)).await
    }

    pub(super) async fn delete(&self, id: ComponentId) -> Result<(), MissingComponent> {
        let event = event(Action::ComponentDelete);
        self.all_or_nothing(event.clone(), self.store.delete(id, event)).await
    }

    pub(super) async fn mark_corrupt(&self, key: &NewKey) {
        let event = event(Action::KeyCorrupt);
        self.all_or_nothing(event.clone(), self.store.mark_corrupt(key.id, event)).await.unwrap();
    }

    /// What the use was; only a first one is written down.
    pub(super) async fn use_first(&self, key: &NewKey, now: Timestamp) -> FirstUse {
        let event = event(Action::KeyFirstUse);
        let (used, written) = self.watch(self.store.first_use(key.id, now, event.clone())).await;
        let used = used.unwrap();
        assert_eq!(written, if matches!(used, FirstUse::Now(_)) { vec![event] } else { Vec::new() });
        used
    }

    /// The slow hash, if that was the key's first use.
    pub(super) async fn first_use(&self, key: &NewKey, now: Timestamp) -> Option<BcryptHash> {
        match self.use_first(key, now).await {
            FirstUse::Now(hash) => Some(hash),
            FirstUse::Before | FirstUse::Ended => None,
        }
    }

    /// Whether a report of a leak changed something; only that is written down.
    pub(super) async fn report_leak(&self, digest: &Digest, now: Timestamp) -> bool {
        let event = event(Action::KeyLeakReport);
        let (changed, written) = self.watch(self.store.report_leak(digest, now, event.clone())).await;
        let changed = changed.unwrap();
        assert_eq!(written, if changed { vec![event] } else { Vec::new() });
        changed
    }

    /// Nothing of this is written down.
    pub(super) async fn see(&self, sightings: &[Sighting]) {
        let (seen, written) = self.watch(self.store.record_sightings(sightings)).await;
        seen.unwrap();
        assert_eq!(written, []);
    }

    pub(super) async fn component(&self, id: ComponentId) -> Component {
        self.store.find(id).await.unwrap().unwrap()
    }

    pub(super) async fn key(&self, key: &NewKey) -> KeyRecord {
        let record = self.store.find_key(&key.digest).await.unwrap().unwrap();
        assert_eq!(record.key_id, key.id);
        record
    }

    pub(super) async fn state(&self, key: &NewKey) -> KeyState {
        self.key(key).await.state
    }

    pub(super) async fn authorize(&self, key: &NewKey, now: Timestamp) -> Result<(), Refusal> {
        self.key(key).await.authorize(now)
    }
}
