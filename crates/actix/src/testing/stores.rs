//! Stores in memory that know just what the middleware asks for; whatever else is asked fails.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use newtype_uuid::{GenericUuid as _, TypedUuid};
use stratora_audit::{Action, AuditLog, Event, Filter, Head, Record, Stats};
use stratora_auth::{
    AuthSource, AuthenticatedSession, BrakeSubject, Bucket, Channel, Decision, DirectorySignIn, Lifetime, LimitStore,
    MissingSession, NewSession, OpenSessionError, Proof, Role, Session, SessionId, SessionStore, User, UserId,
    Username, Window,
};
use stratora_clock::Timestamp;
use stratora_keys::{
    ApiKey, ChangeComponentError, Component, ComponentFilter, ComponentId, ComponentKind, ComponentUpdate, ConfigStore,
    FirstUse, Grace, KeyId, KeyRecord, KeyState, KeyStore, MissingComponent, Name, NewComponent, NewKey, Report,
    Sighting, Standing, StoredConfig,
};
use stratora_port::{Page, PageRequest, StoreError};
use stratora_token::{Digest, OsEntropy, Secret, random_uuid};

/// An audit log that remembers what was appended.
#[derive(Default)]
pub(crate) struct RecordingLog(Mutex<Vec<Event>>);

impl RecordingLog {
    pub(crate) fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn actions(&self) -> Vec<Action> {
        self.events().into_iter().map(|event| event.action).collect()
    }
}

#[async_trait]
impl AuditLog for RecordingLog {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        self.0.lock().unwrap().push(event);
        Ok(())
    }

    async fn page(&self, _: &Filter, _: &PageRequest) -> Result<Page<Record>, StoreError> {
        Err(StoreError::unavailable("write only"))
    }

    async fn stats(&self, _: &Filter) -> Result<Stats, StoreError> {
        Err(StoreError::unavailable("write only"))
    }

    async fn records_after(&self, _: u64, _: usize) -> Result<Vec<Record>, StoreError> {
        Err(StoreError::unavailable("write only"))
    }

    async fn head(&self) -> Result<Head, StoreError> {
        Ok(Head::EMPTY)
    }
}

/// Windows in memory, with a switch that makes the store fail.
#[derive(Default)]
pub(crate) struct MemoryLimits {
    windows: Mutex<HashMap<(&'static str, String), Window>>,
    pub(crate) is_away: AtomicBool,
}

#[async_trait]
impl LimitStore for MemoryLimits {
    async fn admit(&self, bucket: &Bucket, now: Timestamp) -> Result<Decision, StoreError> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(away());
        }
        let key = (bucket.quota.name, bucket.client.to_string());
        Ok(self.windows.lock().unwrap().entry(key).or_default().decide(bucket.quota, now))
    }

    async fn purge(&self, _: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }
}

fn away() -> StoreError {
    StoreError::unavailable("away")
}

/// A person with a session.
pub(crate) struct Person {
    pub(crate) token: String,
    pub(crate) cookie: String,
}

/// Sessions in memory, with a switch that makes the store fail.
#[derive(Default)]
pub(crate) struct MemorySessions {
    sessions: Mutex<Vec<(Digest, Digest, AuthenticatedSession)>>,
    pub(crate) is_away: AtomicBool,
}

impl MemorySessions {
    /// Opens a session for a person of that role.
    pub(crate) fn open(&self, role: Role, must_change_password: bool, now: Timestamp) -> Person {
        let (token, cookie) = (Secret::generate(&OsEntropy).unwrap(), Secret::generate(&OsEntropy).unwrap());
        let user_id = TypedUuid::from_untyped_uuid(random_uuid(&OsEntropy).unwrap());
        let user = User {
            id: user_id,
            username: Username::parse(role.as_str()).unwrap(),
            display_name: "".into(),
            email: None,
            role,
            source: AuthSource::Local,
            active: true,
            must_change_password,
        };
        let lifetime =
            Lifetime { created_at: now, last_seen_at: now, expires_at: now.plus(std::time::Duration::from_hours(24)) };
        let id = TypedUuid::from_untyped_uuid(random_uuid(&OsEntropy).unwrap());
        let found = AuthenticatedSession { id, lifetime, must_confirm: false, user };
        self.sessions.lock().unwrap().push((token.digest(), cookie.digest(), found));
        Person { token: token.expose().to_string(), cookie: cookie.expose().to_string() }
    }
}

#[async_trait]
impl SessionStore for MemorySessions {
    async fn find(&self, channel: Channel, digest: &Digest) -> Result<Option<AuthenticatedSession>, StoreError> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(away());
        }
        let sessions = self.sessions.lock().unwrap();
        let found = sessions.iter().find(|(token, cookie, _)| match channel {
            Channel::Bearer => token.matches(digest),
            Channel::Cookie => cookie.matches(digest),
        });
        Ok(found.map(|(_, _, session)| session.clone()))
    }

    async fn open(&self, _: NewSession, _: Proof, _: &BrakeSubject, _: Event) -> Result<(), OpenSessionError> {
        Err(away().into())
    }

    async fn open_from_directory(&self, _: DirectorySignIn, _: &BrakeSubject) -> Result<(), OpenSessionError> {
        Err(away().into())
    }

    async fn confirm(&self, _: SessionId, _: UserId, _: &Digest, _: Timestamp, _: Event) -> Result<bool, StoreError> {
        Err(away())
    }

    async fn touch(&self, _: &[(SessionId, Timestamp)]) -> Result<(), StoreError> {
        Err(away())
    }

    async fn of_user(&self, _: UserId, _: Timestamp) -> Result<Vec<Session>, StoreError> {
        Err(away())
    }

    async fn end(&self, _: UserId, _: SessionId, _: Event) -> Result<(), MissingSession> {
        Err(away().into())
    }

    async fn end_all(&self, _: UserId, _: Option<SessionId>, _: Event) -> Result<u64, StoreError> {
        Err(away())
    }

    async fn purge(&self, _: Timestamp) -> Result<u64, StoreError> {
        Err(away())
    }
}

/// A component with its key.
pub(crate) struct Holder {
    pub(crate) id: ComponentId,
    pub(crate) key: String,
}

/// Component keys in memory, with a switch that makes the store fail.
#[derive(Default)]
pub(crate) struct MemoryKeys {
    keys: Mutex<Vec<(Digest, KeyRecord)>>,
    pub(crate) is_away: AtomicBool,
}

impl MemoryKeys {
    /// Adds a component with a key in that state, used before.
    pub(crate) fn add(&self, state: KeyState, standing: Standing) -> Holder {
        let key = ApiKey::generate(&OsEntropy).unwrap();
        let record = KeyRecord {
            key_id: TypedUuid::from_untyped_uuid(random_uuid(&OsEntropy).unwrap()),
            state,
            used: true,
            created_at: Timestamp::UNIX_EPOCH,
            rotation_requested: false,
            component_id: TypedUuid::from_untyped_uuid(random_uuid(&OsEntropy).unwrap()),
            name: Name::parse("Berlin").unwrap(),
            kind: ComponentKind::Agent,
            standing,
            config_etag: None,
        };
        let id = record.component_id;
        self.keys.lock().unwrap().push((key.digest(), record));
        Holder { id, key: key.expose().to_string() }
    }
}

#[async_trait]
impl KeyStore for MemoryKeys {
    async fn find_key(&self, digest: &Digest) -> Result<Option<KeyRecord>, StoreError> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(away());
        }
        let keys = self.keys.lock().unwrap();
        Ok(keys.iter().find(|(key, _)| key.matches(digest)).map(|(_, record)| record.clone()))
    }

    async fn create(&self, _: NewComponent, _: Event) -> Result<Component, ChangeComponentError> {
        Err(away().into())
    }

    async fn rotate(&self, _: ComponentId, _: NewKey, _: Grace, _: Event) -> Result<Component, ChangeComponentError> {
        Err(away().into())
    }

    async fn request_rotation(
        &self,
        _: ComponentId,
        _: Timestamp,
        _: Event,
    ) -> Result<Component, ChangeComponentError> {
        Err(away().into())
    }

    async fn revoke(&self, _: ComponentId, _: Timestamp, _: Event) -> Result<Component, MissingComponent> {
        Err(away().into())
    }

    async fn restore(&self, _: ComponentId, _: NewKey, _: Event) -> Result<Component, ChangeComponentError> {
        Err(away().into())
    }

    async fn approve(&self, _: ComponentId, _: Event) -> Result<Component, ChangeComponentError> {
        Err(away().into())
    }

    async fn update(&self, _: ComponentId, _: ComponentUpdate, _: Event) -> Result<Component, ChangeComponentError> {
        Err(away().into())
    }

    async fn delete(&self, _: ComponentId, _: Event) -> Result<(), MissingComponent> {
        Err(away().into())
    }

    async fn find(&self, _: ComponentId) -> Result<Option<Component>, StoreError> {
        Err(away())
    }

    async fn page(&self, _: &ComponentFilter, _: Timestamp, _: &PageRequest) -> Result<Page<Component>, StoreError> {
        Err(away())
    }

    async fn first_use(&self, _: KeyId, _: Timestamp, _: Event) -> Result<FirstUse, StoreError> {
        Err(away())
    }

    async fn mark_corrupt(&self, _: KeyId, _: Event) -> Result<(), StoreError> {
        Err(away())
    }

    async fn report_leak(&self, _: &Digest, _: Timestamp, _: Event) -> Result<bool, StoreError> {
        Err(away())
    }

    async fn record_sightings(&self, _: &[Sighting]) -> Result<(), StoreError> {
        Err(away())
    }
}

#[async_trait]
impl ConfigStore for MemoryKeys {
    async fn config(&self, _: ComponentId) -> Result<Option<StoredConfig>, StoreError> {
        Err(away())
    }

    async fn put_config(&self, _: ComponentId, _: StoredConfig, _: Event) -> Result<(), MissingComponent> {
        Err(away().into())
    }

    async fn put_report(&self, _: ComponentId, _: Report, _: Event) -> Result<(), MissingComponent> {
        Err(away().into())
    }

    async fn report(&self, _: ComponentId) -> Result<Option<Report>, StoreError> {
        Err(away())
    }
}
