//! The part of the store in memory that is about rotations of the fleet.

use async_trait::async_trait;
use stratora_audit::Event;
use stratora_clock::Timestamp;
use stratora_port::StoreError;

use super::{MemoryStore, State, StoredMember};
use crate::{
    ComponentId, FleetRotation, FleetRotationId, FleetRotationStore, KeyId, KeyState, Member, NewFleetRotation,
    RotationState, Standing, StartRotationError,
};

impl State {
    /// Who can be asked, in the order of their identifiers, each with its key.
    fn candidates(&self, rotation: &FleetRotation, seen_since: Timestamp) -> Vec<(ComponentId, KeyId)> {
        let old_key_of = |id: ComponentId| {
            let is_old = |stored: &&super::StoredKey| {
                stored.component == id && stored.state == KeyState::Live && stored.key.created_at < rotation.started_at
            };
            self.keys.iter().find(is_old).map(|stored| stored.key.id)
        };
        let is_asked = |id: ComponentId| {
            self.members.iter().any(|member| member.rotation == rotation.id && member.component == id)
        };
        self.components
            .values()
            .filter(|component| {
                component.standing == Standing::Active
                    && rotation.plan.kind().is_none_or(|kind| kind == component.kind)
                    && component.last_seen_at >= Some(seen_since)
                    && !is_asked(component.id)
            })
            .filter_map(|component| Some((component.id, old_key_of(component.id)?)))
            .collect()
    }

    fn running(&mut self, id: FleetRotationId) -> Option<&mut FleetRotation> {
        self.rotations.iter_mut().find(|rotation| rotation.id == id && rotation.state == RotationState::Running)
    }
}

#[async_trait]
impl FleetRotationStore for MemoryStore {
    async fn start(
        &self,
        new: NewFleetRotation,
        seen_since: Timestamp,
        event: Event,
    ) -> Result<FleetRotation, StartRotationError> {
        let mut transaction = self.begin()?;
        let state = &mut transaction.state;
        if state.rotations.iter().any(|rotation| rotation.state == RotationState::Running) {
            return Err(StartRotationError::Runs);
        }
        let mut rotation = FleetRotation {
            id: new.id,
            plan: new.plan,
            state: RotationState::Running,
            reason: None,
            total: 0,
            wave: 0,
            wave_began_at: None,
            started_by: new.started_by,
            started_at: new.started_at,
            ended_at: None,
        };
        rotation.total = state.candidates(&rotation, seen_since).len() as u64;
        state.members.clear();
        state.rotations.push(rotation.clone());
        transaction.commit(event)?;
        Ok(rotation)
    }

    async fn latest(&self) -> Result<Option<FleetRotation>, StoreError> {
        Ok(self.state()?.rotations.iter().max_by_key(|rotation| rotation.started_at).cloned())
    }

    async fn members(&self, id: FleetRotationId) -> Result<Vec<Member>, StoreError> {
        let state = self.state()?;
        let as_now = |member: &StoredMember| {
            let component = state.components.get(&member.component)?;
            let live =
                state.keys.iter().find(|stored| stored.component == member.component && stored.state == KeyState::Live);
            let new = live.filter(|stored| stored.key.id != member.key);
            Some(Member {
                component: member.component,
                wave: member.wave,
                asked_at: member.asked_at,
                standing: component.standing,
                last_seen_at: component.last_seen_at,
                has_new_key: new.is_some(),
                new_key_used_at: new.and_then(|stored| stored.used_at),
            })
        };
        let mut members: Vec<_> =
            state.members.iter().filter(|member| member.rotation == id).filter_map(as_now).collect();
        members.sort_by_key(|member| (member.wave, member.component));
        Ok(members)
    }

    async fn begin_wave(
        &self,
        id: FleetRotationId,
        wave: u64,
        seen_since: Timestamp,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        let mut state = self.state()?;
        let Some(rotation) = state.running(id).filter(|rotation| rotation.wave == wave).cloned() else {
            return Ok(None);
        };
        let mut picked = state.candidates(&rotation, seen_since);
        picked.truncate(rotation.plan.size() as usize);
        if let Some(rotation) = state.running(id).filter(|_| !picked.is_empty()) {
            rotation.wave = wave + 1;
            rotation.wave_began_at = Some(now);
        }
        let members = picked
            .iter()
            .map(|(component, key)| StoredMember {
                rotation: id,
                component: *component,
                wave: wave + 1,
                key: *key,
                asked_at: None,
            })
            .collect::<Vec<_>>();
        state.members.extend(members);
        Ok(Some(picked.len() as u64))
    }

    async fn ask(
        &self,
        id: FleetRotationId,
        component: ComponentId,
        now: Timestamp,
        event: Event,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin()?;
        let state = &mut transaction.state;
        if state.running(id).is_none() {
            return Ok(false);
        }
        let picked = |member: &&mut StoredMember| {
            member.rotation == id && member.component == component && member.asked_at.is_none()
        };
        let Some(member) = state.members.iter_mut().find(picked) else { return Ok(false) };
        member.asked_at = Some(now);
        if let Some(component) = state.component(component).filter(|found| found.standing == Standing::Active) {
            component.rotation_requested_at.get_or_insert(now);
        }
        transaction.commit(event)?;
        Ok(true)
    }

    async fn end(
        &self,
        id: FleetRotationId,
        state: RotationState,
        reason: Option<String>,
        now: Timestamp,
        event: Event,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin()?;
        let Some(rotation) = transaction.state.running(id) else { return Ok(false) };
        rotation.state = state;
        rotation.reason = reason;
        rotation.ended_at = Some(now);
        transaction.commit(event)?;
        Ok(true)
    }
}
