//! What every store of rotations of the fleet must do.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a store that fails its contract ends the test")]

use std::sync::Arc;

use stratora_audit::testing::verify_chain;
use stratora_audit::{Action, AuditLog};
use stratora_clock::Timestamp;

use super::fleet::{Fleet, at, component_named, event, key_made_at, new_id, sighting};
use super::key_races::side_by_side;
use crate::{
    ComponentId, ComponentKind, FleetRotation, FleetRotationId, FleetRotationStore, Grace, KeyStore, Member,
    NewComponent, NewFleetRotation, NewKey, RotationState, Standing, StartRotationError, WavePlan,
};

/// Runs the contract on an empty store, within a runtime of several threads. The log is the one that the store writes to.
///
/// # Panics
/// When the store does not fulfil it.
pub async fn fleet_rotation_store_contract<S: KeyStore + FleetRotationStore + AuditLog>(store: Arc<S>) {
    let fleet = Fleet { store };
    before_the_first_rotation_there_is_none(&fleet).await;
    one_rotation_runs_at_a_time(&fleet).await;
    waves_take_those_who_are_there_and_have_old_keys_once(&fleet).await;
    whoever_is_asked_is_told_and_is_asked_once(&fleet).await;
    its_members_are_shown_as_they_are(&fleet).await;
    of_many_servers_one_begins_a_wave_and_one_asks(&fleet).await;
    nothing_happens_after_its_end(&fleet).await;
    verify_chain(fleet.store.as_ref()).await;
}

/// From when on components count as seen, in all of these.
fn seen_since() -> Timestamp {
    at(5_000)
}

fn plan(kind: Option<ComponentKind>, size: u32) -> WavePlan {
    WavePlan::new(kind, Some(size), None, None).unwrap()
}

impl<S: KeyStore + FleetRotationStore + AuditLog> Fleet<S> {
    async fn start(&self, plan: WavePlan, started_at: Timestamp) -> Result<FleetRotation, StartRotationError> {
        let event = event(Action::FleetRotationStart).with("wave_size", plan.size().to_string());
        let new = NewFleetRotation { id: new_id(), plan, started_by: "ada".to_owned(), started_at };
        self.all_or_nothing(event.clone(), self.store.start(new, seen_since(), event)).await
    }

    async fn running(&self, plan: WavePlan, started_at: Timestamp) -> FleetRotationId {
        self.start(plan, started_at).await.unwrap().id
    }

    async fn rotation(&self) -> FleetRotation {
        self.store.latest().await.unwrap().unwrap()
    }

    async fn begin_wave(&self, id: FleetRotationId, wave: u64) -> Option<u64> {
        self.store.begin_wave(id, wave, seen_since(), at(6_000)).await.unwrap()
    }

    async fn ask(&self, id: FleetRotationId, component: ComponentId) -> bool {
        let event = event(Action::RotationRequest);
        let before = self.store.head().await.unwrap().seq;
        let asked = self.store.ask(id, component, at(6_001), event).await.unwrap();
        assert_eq!(
            self.store.head().await.unwrap().seq,
            before + u64::from(asked),
            "only what happened is written down"
        );
        asked
    }

    async fn end(&self, id: FleetRotationId, state: RotationState, reason: Option<&str>) -> bool {
        let event = event(Action::FleetRotationEnd);
        let before = self.store.head().await.unwrap().seq;
        let ended = self.store.end(id, state, reason.map(str::to_owned), at(7_000), event).await.unwrap();
        assert_eq!(
            self.store.head().await.unwrap().seq,
            before + u64::from(ended),
            "only what happened is written down"
        );
        ended
    }

    async fn members_of(&self, id: FleetRotationId) -> Vec<Member> {
        self.store.members(id).await.unwrap()
    }

    /// An active component that was seen just now.
    async fn present(&self, text: &str) -> (ComponentId, NewKey) {
        let (id, key) = self.enroll(text).await;
        self.see(&[sighting(id, seen_since())]).await;
        (id, key)
    }

    /// Takes a component out of everybody's way.
    async fn dismiss(&self, ids: &[ComponentId]) {
        for id in ids {
            self.delete(*id).await.unwrap();
        }
    }
}

async fn before_the_first_rotation_there_is_none<S: KeyStore + FleetRotationStore + AuditLog>(fleet: &Fleet<S>) {
    assert_eq!(fleet.store.latest().await.unwrap(), None);
    assert_eq!(fleet.members_of(new_id()).await, []);
    assert_eq!(fleet.begin_wave(new_id(), 0).await, None);
    assert!(!fleet.ask(new_id(), new_id()).await);
    assert!(!fleet.end(new_id(), RotationState::Cancelled, None).await);
}

async fn one_rotation_runs_at_a_time<S: KeyStore + FleetRotationStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, _) = fleet.present("counted").await;
    let started = fleet.start(plan(Some(ComponentKind::Agent), 7), at(100)).await.unwrap();
    let expected = FleetRotation {
        id: started.id,
        plan: plan(Some(ComponentKind::Agent), 7),
        state: RotationState::Running,
        reason: None,
        total: 1,
        wave: 0,
        wave_began_at: None,
        started_by: "ada".to_owned(),
        started_at: at(100),
        ended_at: None,
    };
    assert_eq!(started, expected);
    assert_eq!(fleet.rotation().await, expected);
    let refused = fleet.start(plan(None, 1), at(101)).await;
    assert!(matches!(refused, Err(StartRotationError::Runs)), "{refused:?}");
    let at_once = side_by_side(10, |_| {
        let store = Arc::clone(&fleet.store);
        let new =
            NewFleetRotation { id: new_id(), plan: plan(None, 1), started_by: "ada".to_owned(), started_at: at(102) };
        async move { store.start(new, seen_since(), event(Action::FleetRotationStart)).await.is_ok() }
    })
    .await;
    assert_eq!(at_once, [false; 10]);

    assert!(fleet.end(started.id, RotationState::Stopped, Some("too many were lost")).await);
    let ended = FleetRotation {
        state: RotationState::Stopped,
        reason: Some("too many were lost".to_owned()),
        ended_at: Some(at(7_000)),
        ..expected
    };
    assert_eq!(fleet.rotation().await, ended);
    let next = fleet.running(plan(None, 1), at(200)).await;
    assert_eq!((fleet.rotation().await.id, fleet.rotation().await.plan.kind()), (next, None));
    assert!(fleet.end(next, RotationState::Cancelled, None).await);
    fleet.dismiss(&[id]).await;
}

async fn waves_take_those_who_are_there_and_have_old_keys_once<S: KeyStore + FleetRotationStore + AuditLog>(
    fleet: &Fleet<S>,
) {
    let mut wanted = Vec::new();
    for number in 0..5 {
        wanted.push(fleet.present(&format!("taken {number}")).await.0);
    }
    let mut others = vec![fleet.enroll("never seen").await.0, fleet.present("revoked meanwhile").await.0];
    fleet.revoke(others[1], at(10)).await.unwrap();
    let (away, _) = fleet.enroll("away").await;
    fleet.see(&[sighting(away, at(4_999))]).await;
    let (new_key, _) = fleet.present("rotated just now").await;
    fleet.rotated(new_key, at(300), Grace::None).await;
    others.extend([away, new_key]);
    for (text, kind, standing) in [
        ("a collector", ComponentKind::Collector, Standing::Active),
        ("waits for approval", ComponentKind::Agent, Standing::Pending),
    ] {
        let new = NewComponent { kind, standing, ..component_named(text) };
        others.push(new.id);
        fleet.create(new).await.unwrap();
        fleet.see(&[sighting(*others.last().unwrap(), seen_since())]).await;
    }

    let id = fleet.running(plan(Some(ComponentKind::Agent), 2), at(300)).await;
    assert_eq!(fleet.rotation().await.total, 5);
    assert_eq!(fleet.begin_wave(id, 1).await, None, "there was no wave before");
    for (wave, size) in [(0, 2), (1, 2), (2, 1)] {
        assert_eq!(fleet.begin_wave(id, wave).await, Some(size));
        assert_eq!(fleet.begin_wave(id, wave).await, None, "it has begun already");
        assert_eq!((fleet.rotation().await.wave, fleet.rotation().await.wave_began_at), (wave + 1, Some(at(6_000))));
    }
    assert_eq!(fleet.begin_wave(id, 3).await, Some(0));
    assert_eq!(fleet.rotation().await.wave, 3, "a wave of nobody does not begin");
    let members = fleet.members_of(id).await;
    assert_eq!(members.iter().map(|member| member.wave).collect::<Vec<_>>(), [1, 1, 2, 2, 3]);
    let mut taken: Vec<_> = members.iter().map(|member| member.component).collect();
    taken.sort();
    wanted.sort();
    assert_eq!(taken, wanted);
    assert!(fleet.end(id, RotationState::Finished, None).await);
    fleet.dismiss(&wanted).await;
    assert_eq!(fleet.members_of(id).await, [], "who is deleted is in no wave");
    fleet.dismiss(&others).await;
}

async fn whoever_is_asked_is_told_and_is_asked_once<S: KeyStore + FleetRotationStore + AuditLog>(fleet: &Fleet<S>) {
    let (one, key) = fleet.present("asked in a wave").await;
    let (other, _) = fleet.present("picked and not asked").await;
    let id = fleet.running(plan(None, 5), at(400)).await;
    assert!(!fleet.ask(id, one).await, "nobody was picked yet");
    assert_eq!(fleet.begin_wave(id, 0).await, Some(2));
    assert!(!fleet.key(&key).await.rotation_requested);
    assert!(fleet.ask(id, one).await);
    assert!(!fleet.ask(id, one).await);
    assert!(fleet.key(&key).await.rotation_requested);
    assert_eq!(fleet.component(one).await.rotation_requested_at, Some(at(6_001)));
    assert_eq!(fleet.component(other).await.rotation_requested_at, None);
    let asked = |id| fleet.members_of(id);
    let members = asked(id).await;
    let asked_at = |of| members.iter().find(|member| member.component == of).unwrap().asked_at;
    assert_eq!((asked_at(one), asked_at(other)), (Some(at(6_001)), None));

    // Who was shut out meanwhile is asked nothing, but is not picked for ever.
    fleet.revoke(other, at(6_002)).await.unwrap();
    assert!(fleet.ask(id, other).await);
    assert_eq!(fleet.component(other).await.rotation_requested_at, None);
    assert!(fleet.end(id, RotationState::Cancelled, None).await);
    fleet.dismiss(&[one, other]).await;
}

async fn its_members_are_shown_as_they_are<S: KeyStore + FleetRotationStore + AuditLog>(fleet: &Fleet<S>) {
    let (component, old) = fleet.present("shown").await;
    let id = fleet.running(plan(None, 5), at(500)).await;
    fleet.begin_wave(id, 0).await;
    fleet.ask(id, component).await;
    let expected = Member {
        component,
        wave: 1,
        asked_at: Some(at(6_001)),
        standing: Standing::Active,
        last_seen_at: Some(seen_since()),
        has_new_key: false,
        new_key_used_at: None,
    };
    assert_eq!(fleet.members_of(id).await, [expected]);
    assert!(fleet.first_use(&old, at(6_100)).await.is_some());
    assert_eq!(fleet.members_of(id).await, [expected], "the old key's use is none of the new one");
    let new = fleet.rotated(component, at(6_200), Grace::UntilFirstUse(old.id)).await;
    let expected = Member { has_new_key: true, ..expected };
    assert_eq!(fleet.members_of(id).await, [expected]);
    assert!(fleet.first_use(&new, at(6_300)).await.is_some());
    fleet.see(&[sighting(component, at(6_300))]).await;
    let expected = Member { new_key_used_at: Some(at(6_300)), last_seen_at: Some(at(6_300)), ..expected };
    assert_eq!(fleet.members_of(id).await, [expected]);
    fleet.revoke(component, at(6_400)).await.unwrap();
    let expected = Member { standing: Standing::Revoked, has_new_key: false, new_key_used_at: None, ..expected };
    assert_eq!(fleet.members_of(id).await, [expected]);
    assert!(fleet.end(id, RotationState::Cancelled, None).await);
    fleet.dismiss(&[component]).await;
}

async fn of_many_servers_one_begins_a_wave_and_one_asks<S: KeyStore + FleetRotationStore + AuditLog>(fleet: &Fleet<S>) {
    let mut present = Vec::new();
    for number in 0..20 {
        present.push(fleet.present(&format!("of many servers {number}")).await.0);
    }
    let id = fleet.running(plan(None, 3), at(600)).await;
    for wave in 0..4 {
        let begun = side_by_side(5, |_| {
            let store = Arc::clone(&fleet.store);
            async move { store.begin_wave(id, wave, seen_since(), at(6_000)).await.unwrap() }
        })
        .await;
        let mut begun: Vec<_> = begun.into_iter().flatten().collect();
        begun.sort_unstable();
        assert_eq!(begun, [3]);
    }
    assert_eq!(fleet.members_of(id).await.len(), 12);
    let before = fleet.store.head().await.unwrap().seq;
    let picked = fleet.members_of(id).await[0].component;
    let asked = side_by_side(10, |_| {
        let store = Arc::clone(&fleet.store);
        async move { store.ask(id, picked, at(6_001), event(Action::RotationRequest)).await.unwrap() }
    })
    .await;
    assert_eq!(asked.into_iter().filter(|asked| *asked).count(), 1);
    assert_eq!(fleet.store.head().await.unwrap().seq, before + 1);
    let ended = side_by_side(10, |_| {
        let store = Arc::clone(&fleet.store);
        let event = event(Action::FleetRotationEnd);
        async move { store.end(id, RotationState::Cancelled, None, at(7_000), event).await.unwrap() }
    })
    .await;
    assert_eq!(ended.into_iter().filter(|ended| *ended).count(), 1);
    fleet.dismiss(&present).await;
}

async fn nothing_happens_after_its_end<S: KeyStore + FleetRotationStore + AuditLog>(fleet: &Fleet<S>) {
    let (one, _) = fleet.present("asked too late").await;
    let (other, _) = fleet.present("picked too late").await;
    let id = fleet.running(plan(None, 1), at(700)).await;
    assert_eq!(fleet.begin_wave(id, 0).await, Some(1));
    let ended = RotationState::Cancelled;
    assert!(fleet.end(id, ended, None).await);
    assert!(!fleet.end(id, RotationState::Finished, None).await);
    let picked = fleet.members_of(id).await[0].component;
    assert!(!fleet.ask(id, picked).await);
    assert_eq!(fleet.begin_wave(id, 1).await, None);
    assert_eq!((fleet.rotation().await.state, fleet.rotation().await.wave), (ended, 1));
    for component in [one, other] {
        assert_eq!(fleet.component(component).await.rotation_requested_at, None);
    }
    let next = fleet.running(plan(None, 5), at(800)).await;
    assert_eq!(fleet.begin_wave(next, 0).await, Some(2), "those of a rotation before are asked again");
    assert_eq!(fleet.members_of(id).await, [], "only the last one's waves are kept");
    assert!(fleet.end(next, RotationState::Cancelled, None).await);
    assert!(fleet.store.find_key(&key_made_at(at(1)).digest).await.unwrap().is_none());
}
