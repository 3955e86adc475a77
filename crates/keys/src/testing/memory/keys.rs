//! The part of the store in memory that is about components and their keys.

use async_trait::async_trait;
use stratora_audit::Event;
use stratora_clock::Timestamp;
use stratora_port::{Page, PageRequest, StoreError};
use stratora_token::Digest;

use super::MemoryStore;
use crate::{
    ChangeComponentError, Component, ComponentFilter, ComponentId, ComponentUpdate, FirstUse, Grace, Hostname, KeyId,
    KeyRecord, KeyState, KeyStore, MissingComponent, NewComponent, NewKey, Sighting, Standing,
};

fn matches(filter: &ComponentFilter, component: &Component, now: Timestamp) -> bool {
    let holds = |text: &String| {
        let hostname = component.hostname.as_ref().map_or("", Hostname::as_str);
        let searched = [component.name.as_str(), hostname, component.key_prefix.as_str()];
        searched.iter().any(|part| part.to_lowercase().contains(&text.to_lowercase()))
    };
    filter.kind.is_none_or(|kind| kind == component.kind)
        && filter.status.is_none_or(|status| status == component.status(now))
        && filter.text.as_ref().is_none_or(holds)
}

#[async_trait]
impl KeyStore for MemoryStore {
    async fn find_key(&self, digest: &Digest) -> Result<Option<KeyRecord>, StoreError> {
        let state = self.state()?;
        let stored = state.keys.iter().find(|stored| stored.key.digest.matches(digest));
        Ok(stored.and_then(|stored| {
            let component = state.components.get(&stored.component)?;
            Some(KeyRecord {
                key_id: stored.key.id,
                state: stored.state,
                used: stored.used_at.is_some(),
                created_at: stored.key.created_at,
                rotation_requested: component.rotation_requested_at.is_some(),
                component_id: component.id,
                name: component.name.clone(),
                kind: component.kind,
                standing: component.standing,
                config_etag: state.configs.get(&component.id).map(|config| config.etag),
            })
        }))
    }

    async fn create(&self, new: NewComponent, event: Event) -> Result<Component, ChangeComponentError> {
        let mut transaction = self.begin()?;
        if transaction.state.is_taken(&new.name, new.id) {
            return Err(ChangeComponentError::NameTaken);
        }
        let component = Component {
            id: new.id,
            name: new.name,
            hostname: new.hostname,
            kind: new.kind,
            standing: new.standing,
            key_prefix: new.key.prefix.clone(),
            key_created_at: new.key.created_at,
            rotation_requested_at: None,
            last_seen_at: None,
            last_seen_ip: None,
            version: None,
            created_at: new.key.created_at,
            revoked_at: None,
        };
        transaction.state.components.insert(new.id, component.clone());
        transaction.state.insert_key(new.id, new.key);
        transaction.commit(event)?;
        Ok(component)
    }

    async fn rotate(
        &self,
        id: ComponentId,
        key: NewKey,
        grace: Grace,
        event: Event,
    ) -> Result<Component, ChangeComponentError> {
        let mut transaction = self.begin()?;
        let component = transaction.state.standing(id, |standing| standing != Standing::Revoked)?;
        component.show(&key);
        let component = component.clone();
        let now = key.created_at;
        if let Grace::UntilFirstUse(own) = grace {
            let asking = transaction.state.keys_of(id).find(|stored| stored.key.id == own && stored.works(now));
            if matches!(asking.ok_or(ChangeComponentError::KeyEnded)?.state, KeyState::Grace { until: Some(_) }) {
                return Err(ChangeComponentError::KeyHandedOver);
            }
        }
        for stored in transaction.state.keys_of(id) {
            stored.state = match (stored.state, grace) {
                (KeyState::Live | KeyState::Grace { .. }, Grace::UntilFirstUse(own)) if own == stored.key.id => {
                    KeyState::Grace { until: None }
                }
                (KeyState::Live, Grace::For(span)) => KeyState::Grace { until: Some(now.plus(span)) },
                (KeyState::Live | KeyState::Grace { .. }, _) => KeyState::Rotated,
                (ended, _) => ended,
            };
        }
        transaction.state.insert_key(id, key);
        transaction.commit(event)?;
        Ok(component)
    }

    async fn revoke(&self, id: ComponentId, now: Timestamp, event: Event) -> Result<Component, MissingComponent> {
        let mut transaction = self.begin()?;
        let component = transaction.state.component(id).ok_or(MissingComponent::Missing)?;
        if component.standing == Standing::Revoked {
            transaction.state.requests.remove(&id);
        } else {
            transaction.state.shut_out(id, now);
        }
        let component = transaction.state.component(id).ok_or(MissingComponent::Missing)?.clone();
        transaction.commit(event)?;
        Ok(component)
    }

    async fn request_rotation(
        &self,
        id: ComponentId,
        now: Timestamp,
        event: Event,
    ) -> Result<Component, ChangeComponentError> {
        let mut transaction = self.begin()?;
        let component = transaction.state.standing(id, |standing| standing == Standing::Active)?;
        component.rotation_requested_at.get_or_insert(now);
        let component = component.clone();
        transaction.commit(event)?;
        Ok(component)
    }

    async fn restore(&self, id: ComponentId, key: NewKey, event: Event) -> Result<Component, ChangeComponentError> {
        let mut transaction = self.begin()?;
        let component = transaction.state.standing(id, |standing| standing == Standing::Revoked)?;
        component.standing = Standing::Active;
        component.revoked_at = None;
        component.show(&key);
        let component = component.clone();
        transaction.state.insert_key(id, key);
        transaction.commit(event)?;
        Ok(component)
    }

    async fn approve(&self, id: ComponentId, event: Event) -> Result<Component, ChangeComponentError> {
        let mut transaction = self.begin()?;
        let component = transaction.state.standing(id, |standing| standing == Standing::Pending)?;
        component.standing = Standing::Active;
        let component = component.clone();
        transaction.commit(event)?;
        Ok(component)
    }

    async fn update(
        &self,
        id: ComponentId,
        update: ComponentUpdate,
        event: Event,
    ) -> Result<Component, ChangeComponentError> {
        let mut transaction = self.begin()?;
        let is_taken = update.name.as_ref().is_some_and(|name| transaction.state.is_taken(name, id));
        let component = transaction.state.component(id).ok_or(ChangeComponentError::Missing)?;
        if is_taken {
            return Err(ChangeComponentError::NameTaken);
        }
        component.name = update.name.unwrap_or_else(|| component.name.clone());
        component.hostname = update.hostname.unwrap_or_else(|| component.hostname.clone());
        let component = component.clone();
        transaction.commit(event)?;
        Ok(component)
    }

    async fn delete(&self, id: ComponentId, event: Event) -> Result<(), MissingComponent> {
        let mut transaction = self.begin()?;
        let state = &mut transaction.state;
        state.components.remove(&id).ok_or(MissingComponent::Missing)?;
        state.keys.retain(|stored| stored.component != id);
        state.members.retain(|member| member.component != id);
        state.configs.remove(&id);
        state.reports.remove(&id);
        state.issuances.remove(&id);
        state.requests.remove(&id);
        Ok(transaction.commit(event)?)
    }

    async fn find(&self, id: ComponentId) -> Result<Option<Component>, StoreError> {
        Ok(self.state()?.components.get(&id).cloned())
    }

    async fn page(
        &self,
        filter: &ComponentFilter,
        now: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<Component>, StoreError> {
        let state = self.state()?;
        let mut found: Vec<_> =
            state.components.values().filter(|component| matches(filter, component, now)).cloned().collect();
        found.sort_by(|one, other| one.name.cmp(&other.name));
        let total = found.len() as u64;
        if let Some(cursor) = &page.after {
            found.retain(|component| component.name.as_str() > cursor.key());
        }
        Ok(Page::from_overfull(found, page.limit, total, |component| component.name.to_string()))
    }

    async fn first_use(&self, key: KeyId, now: Timestamp, event: Event) -> Result<FirstUse, StoreError> {
        let mut transaction = self.begin()?;
        let Some(stored) = transaction.state.key(key).filter(|stored| stored.works(now)) else {
            return Ok(FirstUse::Ended);
        };
        if stored.used_at.is_some() {
            return Ok(FirstUse::Before);
        }
        stored.used_at = Some(now);
        let (component, hash, is_live) = (stored.component, stored.key.hash.clone(), stored.state == KeyState::Live);
        for other in transaction.state.keys_of(component) {
            if is_live && other.key.id != key && matches!(other.state, KeyState::Grace { .. }) {
                other.state = KeyState::Rotated;
            }
        }
        transaction.commit(event)?;
        Ok(FirstUse::Now(hash))
    }

    async fn mark_corrupt(&self, key: KeyId, event: Event) -> Result<(), StoreError> {
        let mut transaction = self.begin()?;
        if let Some(stored) = transaction.state.key(key) {
            stored.state = KeyState::Corrupt;
        }
        transaction.commit(event)
    }

    async fn report_leak(&self, digest: &Digest, now: Timestamp, event: Event) -> Result<bool, StoreError> {
        let mut transaction = self.begin()?;
        let Some(stored) = transaction.state.keys.iter_mut().find(|stored| stored.key.digest.matches(digest)) else {
            return Ok(false);
        };
        match stored.state {
            KeyState::Live => {
                let component = stored.component;
                transaction.state.shut_out(component, now);
            }
            KeyState::Grace { until } if until.is_none_or(|until| now < until) => stored.state = KeyState::Revoked,
            KeyState::Grace { .. } | KeyState::Rotated | KeyState::Revoked | KeyState::Corrupt => return Ok(false),
        }
        transaction.commit(event)?;
        Ok(true)
    }

    async fn record_sightings(&self, sightings: &[Sighting]) -> Result<(), StoreError> {
        let mut state = self.state()?;
        let mut sightings = sightings.to_vec();
        sightings.sort_by_key(|sighting| sighting.at);
        for sighting in sightings {
            let Some(component) = state.component(sighting.component) else { continue };
            if component.last_seen_at < Some(sighting.at) {
                component.last_seen_at = Some(sighting.at);
                component.last_seen_ip = sighting.client;
                component.hostname = sighting.hostname.or(component.hostname.take());
                component.version = sighting.version.or(component.version.take());
            }
        }
        Ok(())
    }
}
