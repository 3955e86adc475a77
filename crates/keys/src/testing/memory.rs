//! Components, keys and configurations in memory, in a store that can be made to fail.

mod enrollment;
mod keys;
mod rotations;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use stratora_audit::testing::MemoryLog;
use stratora_audit::{AuditLog, Event, Filter, Head, Record, Stats};
use stratora_clock::Timestamp;
use stratora_port::{Page, PageRequest, StoreError};
use stratora_token::Digest;

use crate::{
    ChangeComponentError, Component, ComponentId, ConfigStore, EnrollmentTokenId, FleetRotation, FleetRotationId,
    KeyId, KeyState, MissingComponent, Name, NewEnrollmentToken, NewKey, Reenrollment, Report, Standing, StoredConfig,
};

/// Components, keys, configurations and the audit log in memory, with a switch that makes all of it fail.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    log: MemoryLog,
    /// How many more calls succeed, if not all.
    calls_left: Mutex<Option<usize>>,
}

#[derive(Debug, Clone, Default)]
struct State {
    components: BTreeMap<ComponentId, Component>,
    keys: Vec<StoredKey>,
    configs: BTreeMap<ComponentId, StoredConfig>,
    reports: BTreeMap<ComponentId, Report>,
    tokens: Vec<NewEnrollmentToken>,
    issuances: BTreeMap<ComponentId, Issuance>,
    requests: BTreeMap<ComponentId, Reenrollment>,
    rotations: Vec<FleetRotation>,
    members: Vec<StoredMember>,
}

/// What a component was last given through enrollment with an idempotency key.
#[derive(Debug, Clone)]
struct Issuance {
    token: EnrollmentTokenId,
    repeat: Digest,
    key: KeyId,
    was_new: bool,
    at: Timestamp,
}

#[derive(Debug, Clone)]
struct StoredMember {
    rotation: FleetRotationId,
    component: ComponentId,
    wave: u64,
    key: KeyId,
    asked_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct StoredKey {
    component: ComponentId,
    key: NewKey,
    state: KeyState,
    used_at: Option<Timestamp>,
}

impl StoredKey {
    fn works(&self, now: Timestamp) -> bool {
        match self.state {
            KeyState::Live => true,
            KeyState::Grace { until } => until.is_none_or(|until| now < until),
            KeyState::Rotated | KeyState::Revoked | KeyState::Corrupt => false,
        }
    }
}

/// A copy of the state, which takes its place when it is committed.
struct Transaction<'a> {
    committed: MutexGuard<'a, State>,
    log: &'a MemoryLog,
    state: State,
}

impl Transaction<'_> {
    fn commit(mut self, event: Event) -> Result<(), StoreError> {
        self.log.write(event)?;
        *self.committed = self.state;
        Ok(())
    }
}

impl MemoryStore {
    /// From now on every call fails, until [`Self::mend`].
    pub fn break_down(&self) {
        self.break_down_after(0);
    }

    /// The next `calls` succeed, and every later one fails, until [`Self::mend`].
    pub fn break_down_after(&self, calls: usize) {
        *self.calls_left.lock().unwrap_or_else(PoisonError::into_inner) = Some(calls);
    }

    /// From now on calls succeed again.
    pub fn mend(&self) {
        *self.calls_left.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The log that events are written to; can be made to fail by itself.
    pub const fn log(&self) -> &MemoryLog {
        &self.log
    }

    fn state(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        if let Some(left) = self.calls_left.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            *left = left.checked_sub(1).ok_or_else(|| StoreError::unavailable("the store is broken"))?;
        }
        Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn begin(&self) -> Result<Transaction<'_>, StoreError> {
        let committed = self.state()?;
        let state = committed.clone();
        Ok(Transaction { committed, log: &self.log, state })
    }
}

impl State {
    fn component(&mut self, id: ComponentId) -> Option<&mut Component> {
        self.components.get_mut(&id)
    }

    /// The component, if it stands where a change starts from.
    fn standing(
        &mut self,
        id: ComponentId,
        is_right: impl Fn(Standing) -> bool,
    ) -> Result<&mut Component, ChangeComponentError> {
        let component = self.component(id).ok_or(ChangeComponentError::Missing)?;
        let standing = component.standing;
        if is_right(standing) { Ok(component) } else { Err(ChangeComponentError::WrongStanding { standing }) }
    }

    fn is_taken(&self, name: &Name, by_other_than: ComponentId) -> bool {
        self.components.values().any(|component| component.name == *name && component.id != by_other_than)
    }

    fn keys_of(&mut self, id: ComponentId) -> impl Iterator<Item = &mut StoredKey> {
        self.keys.iter_mut().filter(move |stored| stored.component == id)
    }

    fn key(&mut self, id: KeyId) -> Option<&mut StoredKey> {
        self.keys.iter_mut().find(|stored| stored.key.id == id)
    }

    fn insert_key(&mut self, component: ComponentId, key: NewKey) {
        self.keys.push(StoredKey { component, key, state: KeyState::Live, used_at: None });
    }

    fn shut_out(&mut self, id: ComponentId, now: Timestamp) {
        self.requests.remove(&id);
        for stored in self.keys_of(id) {
            if matches!(stored.state, KeyState::Live | KeyState::Grace { .. }) {
                stored.state = KeyState::Revoked;
            }
        }
        if let Some(component) = self.component(id) {
            component.standing = Standing::Revoked;
            component.rotation_requested_at = None;
            component.revoked_at = Some(now);
        }
    }
}

impl Component {
    fn show(&mut self, key: &NewKey) {
        self.key_prefix = key.prefix.clone();
        self.key_created_at = key.created_at;
        self.rotation_requested_at = None;
    }
}

#[async_trait]
impl ConfigStore for MemoryStore {
    async fn config(&self, component: ComponentId) -> Result<Option<StoredConfig>, StoreError> {
        Ok(self.state()?.configs.get(&component).cloned())
    }

    async fn put_config(
        &self,
        component: ComponentId,
        config: StoredConfig,
        event: Event,
    ) -> Result<(), MissingComponent> {
        let mut transaction = self.begin()?;
        transaction.state.component(component).ok_or(MissingComponent::Missing)?;
        transaction.state.configs.insert(component, config);
        Ok(transaction.commit(event)?)
    }

    async fn put_report(&self, component: ComponentId, report: Report, event: Event) -> Result<(), MissingComponent> {
        let mut transaction = self.begin()?;
        transaction.state.component(component).ok_or(MissingComponent::Missing)?;
        transaction.state.reports.insert(component, report);
        Ok(transaction.commit(event)?)
    }

    async fn report(&self, component: ComponentId) -> Result<Option<Report>, StoreError> {
        Ok(self.state()?.reports.get(&component).cloned())
    }
}

#[async_trait]
impl AuditLog for MemoryStore {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        self.log.append(event).await
    }

    async fn page(&self, filter: &Filter, page: &PageRequest) -> Result<Page<Record>, StoreError> {
        self.log.page(filter, page).await
    }

    async fn stats(&self, filter: &Filter) -> Result<Stats, StoreError> {
        self.log.stats(filter).await
    }

    async fn records_after(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.log.records_after(after, limit).await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        self.log.head().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::{
        config_store_contract, enrollment_store_contract, fleet_rotation_store_contract, key_store_contract,
    };

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_store_in_memory_fulfils_the_contract_of_keys() {
        key_store_contract(Arc::new(MemoryStore::default())).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_store_in_memory_fulfils_the_contract_of_configurations() {
        config_store_contract(Arc::new(MemoryStore::default())).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_store_in_memory_fulfils_the_contract_of_enrollment() {
        enrollment_store_contract(Arc::new(MemoryStore::default())).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_store_in_memory_fulfils_the_contract_of_rotations_of_the_fleet() {
        fleet_rotation_store_contract(Arc::new(MemoryStore::default())).await;
    }
}
