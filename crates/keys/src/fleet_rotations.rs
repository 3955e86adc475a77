//! Rotates the keys of a whole fleet, wave by wave. What is going on is in the store alone, so that any server goes on with
//! it; that each thing is done once is the store's affair.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use newtype_uuid::GenericUuid as _;
use newtype_uuid::TypedUuid;
use stratora_audit::{Action, Event, Origin, ResourceKind};
use stratora_clock::{Clock, Timestamp};
use stratora_port::StoreError;
use stratora_token::{Entropy, EntropyError, random_uuid};

use crate::{
    ComponentId, FleetRotation, FleetRotationId, KeyStore, Member, NextStep, RotationState, Status, Tally, Watch,
    WavePlan,
};

/// A rotation as it begins.
#[derive(Debug, Clone)]
pub struct NewFleetRotation {
    /// Its identifier.
    pub id: FleetRotationId,
    /// How it is done.
    pub plan: WavePlan,
    /// Who begins it.
    pub started_by: String,
    /// When.
    pub started_at: Timestamp,
}

/// A rotation could not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartRotationError {
    /// Another one runs.
    #[error("the fleet is being rotated already")]
    Runs,
    /// There is no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where rotations of the fleet are kept. Every method is one transaction that includes its audit event. A component can be
/// asked when it is active, of the plan's kind, was seen at `seen_since` or later, is in no wave yet, and has a key that was
/// made before the rotation began.
#[async_trait]
pub trait FleetRotationStore: Send + Sync + 'static {
    /// Begins a rotation; there is at most one that runs.
    async fn start(
        &self,
        new: NewFleetRotation,
        seen_since: Timestamp,
        event: Event,
    ) -> Result<FleetRotation, StartRotationError>;

    /// The rotation that began last.
    async fn latest(&self) -> Result<Option<FleetRotation>, StoreError>;

    /// The components of its waves, as they are now.
    async fn members(&self, id: FleetRotationId) -> Result<Vec<Member>, StoreError>;

    /// Begins the wave after `wave`, with as many components as it may have. Returns how many those are; 0, and nothing
    /// happens, when nobody is left. `None` when the rotation does not run, or that wave has begun already.
    async fn begin_wave(
        &self,
        id: FleetRotationId,
        wave: u64,
        seen_since: Timestamp,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError>;

    /// Asks a component that was picked to rotate its key. Changes nothing, not even the log, when it was asked already, when
    /// the rotation does not run, or when there is no such component. Returns whether it was asked now.
    async fn ask(
        &self,
        id: FleetRotationId,
        component: ComponentId,
        now: Timestamp,
        event: Event,
    ) -> Result<bool, StoreError>;

    /// Ends a rotation that runs. Changes nothing, not even the log, when it does not. Returns whether it did.
    async fn end(
        &self,
        id: FleetRotationId,
        state: RotationState,
        reason: Option<String>,
        now: Timestamp,
        event: Event,
    ) -> Result<bool, StoreError>;
}

/// A rotation, and how its components are doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The rotation.
    pub rotation: FleetRotation,
    /// How many of its components are in which condition.
    pub tally: Tally,
}

/// Rotates fleets.
pub struct FleetRotations {
    store: Arc<dyn FleetRotationStore>,
    components: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    looks: Mutex<Looks>,
}

/// Longer than this no server looks away while it is there: as long as a component between two heartbeats.
const LONGEST_BREAK: Duration = Duration::from_secs(10);

/// Since when this server has been looking after rotations.
#[derive(Debug, Clone, Copy)]
struct Looks {
    since: Timestamp,
    last: Timestamp,
    /// The store was away, and so this server was for components.
    failed: bool,
}

impl FleetRotations {
    /// Rotates the keys of `components`, as is kept in `store`. The server counts as being there from now on.
    pub fn new(
        store: Arc<dyn FleetRotationStore>,
        components: Arc<dyn KeyStore>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let now = clock.now();
        let looks = Mutex::new(Looks { since: now, last: now, failed: false });
        Self { store, components, clock, entropy, looks }
    }

    /// Begins a rotation. Its first wave begins with the next [`Self::step`] of any server.
    ///
    /// # Errors
    /// [`StartRotationError`] says why not.
    pub async fn start(&self, plan: WavePlan, origin: &Origin) -> Result<Progress, StartRotationError> {
        let id = TypedUuid::from_untyped_uuid(random_uuid(self.entropy.as_ref())?);
        let now = self.clock.now();
        let event = event(origin, now, Action::FleetRotationStart, id)
            .with("kind", plan.kind().map_or("all", |kind| kind.as_str()))
            .with("wave_size", plan.size().to_string())
            .with("max_refused_percent", plan.max_refused_percent().to_string());
        let new = NewFleetRotation { id, plan, started_by: origin.actor.name.clone(), started_at: now };
        let rotation = self.store.start(new, seen_since(now), event).await?;
        Ok(Progress { rotation, tally: Tally::default() })
    }

    /// How far the rotation is that runs, or the one before; none when there never was one.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn progress(&self) -> Result<Option<Progress>, StoreError> {
        let Some(rotation) = self.store.latest().await? else { return Ok(None) };
        let members = self.store.members(rotation.id).await?;
        Ok(Some(Progress { tally: Tally::of(&members, self.watch()), rotation }))
    }

    /// Ends the rotation that runs: nobody else is asked. Returns how far it came; none when none runs.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn cancel(&self, origin: &Origin) -> Result<Option<Progress>, StoreError> {
        let running = self.store.latest().await?.filter(|rotation| rotation.state == RotationState::Running);
        let Some(FleetRotation { id, .. }) = running else { return Ok(None) };
        let now = self.clock.now();
        let event = event(origin, now, Action::FleetRotationEnd, id).with("state", RotationState::Cancelled.as_str());
        if !self.store.end(id, RotationState::Cancelled, None, now, event).await? {
            return Ok(None);
        }
        self.progress().await
    }

    /// Does what is to be done next, if a rotation runs. Called every few seconds by every server.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails; the next call goes on from there.
    pub async fn step(&self) -> Result<(), StoreError> {
        self.look();
        let stepped = self.all_there_is().await;
        self.change_looks(|looks, now| Looks { last: now, failed: stepped.is_err(), ..looks });
        stepped
    }

    async fn all_there_is(&self) -> Result<(), StoreError> {
        while self.go_on().await? {}
        Ok(())
    }

    /// After a failure or a break, during which components could not be heard, the server is there from now on.
    fn look(&self) {
        self.change_looks(|looks, now| {
            let was_away = looks.failed || now.since(looks.last) > LONGEST_BREAK;
            if was_away { Looks { since: now, ..looks } } else { looks }
        });
    }

    fn change_looks(&self, change: impl FnOnce(Looks, Timestamp) -> Looks) -> Looks {
        let now = self.clock.now();
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        *looks = change(*looks, now);
        *looks
    }

    fn watch(&self) -> Watch {
        Watch { now: self.clock.now(), since: self.change_looks(|looks, _| looks).since }
    }

    /// Whether there is more to be done at once.
    async fn go_on(&self) -> Result<bool, StoreError> {
        let running = self.store.latest().await?.filter(|rotation| rotation.state == RotationState::Running);
        let Some(rotation) = running else { return Ok(false) };
        let (id, watch) = (rotation.id, self.watch());
        let now = watch.now;
        let members = self.store.members(id).await?;
        match rotation.next_step(&members, watch) {
            NextStep::Wait => Ok(false),
            NextStep::Ask(components) => {
                for component in components {
                    self.ask(&rotation, component).await?;
                }
                Ok(true)
            }
            NextStep::BeginWave => {
                let begun = self.store.begin_wave(id, rotation.wave, seen_since(now), now).await?;
                let Some(picked) = begun else { return Ok(false) };
                if picked == 0 && !rotation.is_over_without_more(&members, watch) {
                    return Ok(false);
                }
                if picked == 0 {
                    return self.end(id, RotationState::Finished, None).await;
                }
                tracing::info!(wave = rotation.wave + 1, picked, "a wave of the fleet's rotation begins");
                Ok(true)
            }
            NextStep::Stop(reason) => {
                tracing::warn!(reason, "the fleet's rotation stops");
                self.end(id, RotationState::Stopped, Some(reason)).await
            }
        }
    }

    async fn ask(&self, rotation: &FleetRotation, component: ComponentId) -> Result<(), StoreError> {
        // One that was deleted meanwhile is in no wave any more.
        let Some(found) = self.components.find(component).await? else { return Ok(()) };
        let now = self.clock.now();
        let event = Origin::system()
            .event(now, Action::RotationRequest)
            .on(ResourceKind::Component, Some(component.into_untyped_uuid()), found.name.as_str())
            .with("fleet_rotation", rotation.id.to_string())
            .with("wave", rotation.wave.to_string());
        self.store.ask(rotation.id, component, now, event).await.map(drop)
    }

    /// Always returns that nothing more is to be done.
    async fn end(&self, id: FleetRotationId, state: RotationState, reason: Option<String>) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let event = event(&Origin::system(), now, Action::FleetRotationEnd, id).with("state", state.as_str());
        let event = match &reason {
            Some(reason) => event.with("reason", reason.as_str()),
            None => event,
        };
        self.store.end(id, state, reason, now, event).await?;
        Ok(false)
    }
}

fn event(origin: &Origin, now: Timestamp, action: Action, id: FleetRotationId) -> Event {
    origin.event(now, action).with("fleet_rotation", id.to_string())
}

/// A component that is away would not hear that it is asked.
fn seen_since(now: Timestamp) -> Timestamp {
    now.minus(Status::OFFLINE_AFTER)
}
