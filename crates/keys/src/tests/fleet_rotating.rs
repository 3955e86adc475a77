//! Whole fleets that rotate their keys in waves: well-behaved, lossy, slow and called off.

use std::sync::Arc;
use std::time::Duration;

use stratora_audit::Action;
use stratora_port::StoreError;

use super::{Site, administrator};
use crate::{
    ApiKey, Component, FleetRotations, Progress, RETURN_WITHIN, RotationState, StartRotationError, Tally, WavePlan,
};

/// A component, as it runs on its host.
struct Agent {
    component: Component,
    key: ApiKey,
    habit: Habit,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Does what it is told.
    Good,
    /// Rotates, and loses the new key together with the old one.
    LosesItsKeys,
    /// Beats, and does not rotate.
    Stubborn,
}

struct Rehearsal {
    site: Site,
    agents: Vec<Agent>,
    rotations: FleetRotations,
}

impl Rehearsal {
    async fn new(habits: &[Habit]) -> Self {
        let site = Site::new();
        let mut agents = Vec::new();
        for (number, habit) in habits.iter().enumerate() {
            let (component, key) = site.create(&format!("Berlin {number}")).await;
            agents.push(Agent { component, key, habit: *habit });
        }
        let rotations = Self::server(&site);
        let mut rehearsal = Self { site, agents, rotations };
        rehearsal.beat().await;
        rehearsal.site.clock.advance(Duration::from_secs(1));
        rehearsal
    }

    fn server(site: &Site) -> FleetRotations {
        FleetRotations::new(site.store.clone(), site.store.clone(), site.clock.clone(), site.entropy.clone())
    }

    async fn start(&self, size: u32) -> Progress {
        let plan = WavePlan::new(None, Some(size), Some(10), Some(60)).unwrap();
        self.rotations.start(plan, &administrator()).await.unwrap()
    }

    /// Each component beats once, and rotates if it is told to.
    async fn beat(&mut self) {
        for agent in &mut self.agents {
            let Ok(known) = self.site.authenticate(&agent.key).await else { continue };
            self.site.keys.settled().await;
            if !self.site.keys.is_due(&known, self.site.now()) || agent.habit == Habit::Stubborn {
                continue;
            }
            let own = crate::Grace::UntilFirstUse(known.key());
            let (_, new) = self.site.keys.rotate(agent.component.id, own, &administrator()).await.unwrap();
            if agent.habit == Habit::LosesItsKeys {
                agent.key = ApiKey::generate(self.site.entropy.as_ref()).unwrap();
                continue;
            }
            agent.key = new;
            self.site.authenticate(&agent.key).await.unwrap();
            self.site.keys.settled().await;
        }
        self.site.keys.flush().await.unwrap();
    }

    /// Ten seconds of the fleet's life.
    async fn interval(&mut self) {
        self.site.clock.advance(Duration::from_secs(10));
        self.beat().await;
        self.rotations.step().await.unwrap();
    }

    async fn progress(&self) -> Progress {
        self.rotations.progress().await.unwrap().unwrap()
    }

    async fn asked(&self) -> u64 {
        self.progress().await.tally.asked
    }

    async fn state(&self) -> RotationState {
        self.progress().await.rotation.state
    }
}

#[tokio::test]
async fn a_fleet_gets_new_keys_wave_by_wave() {
    let mut fleet = Rehearsal::new(&[Habit::Good; 10]).await;
    let before: Vec<_> = fleet.agents.iter().map(|agent| agent.key.prefix()).collect();
    let started = fleet.start(4).await;
    assert_eq!((started.rotation.total, started.rotation.wave, started.tally), (10, 0, Tally::default()));
    fleet.rotations.step().await.unwrap();
    for (asked, wave) in [(4, 1), (8, 2), (10, 3)] {
        let progress = fleet.progress().await;
        assert_eq!((progress.tally.asked, progress.rotation.wave), (asked, wave));
        fleet.rotations.step().await.unwrap();
        assert_eq!(fleet.asked().await, asked, "a wave waits for the one before");
        fleet.interval().await;
    }
    let progress = fleet.progress().await;
    assert_eq!(progress.rotation.state, RotationState::Finished);
    assert_eq!(progress.tally, Tally { asked: 10, rotated: 10, lost: 0 });
    assert_eq!(progress.rotation.started_by, "ada");
    for (agent, before) in fleet.agents.iter().zip(before) {
        assert_ne!(agent.key.prefix(), before);
        assert!(fleet.site.authenticate(&agent.key).await.is_ok());
    }
    let actions = fleet.site.actions();
    let count = |action| actions.iter().filter(|logged| **logged == action).count();
    assert_eq!(count(Action::FleetRotationStart), 1);
    assert_eq!(count(Action::RotationRequest), 10);
    let events = fleet.site.store.log().events();
    let request = events.iter().find(|event| event.action == Action::RotationRequest).unwrap();
    assert!(request.resource.as_ref().unwrap().name.starts_with("Berlin "));
    assert_eq!((&*request.details["wave"], request.actor.name.as_str()), ("1", "stratora-server"));
    assert_eq!(count(Action::FleetRotationEnd), 1);
    fleet.interval().await;
    assert_eq!(fleet.progress().await.tally.asked, 10, "what has ended has ended");
}

#[tokio::test]
async fn it_stops_by_itself_when_components_are_lost() {
    let mut fleet = Rehearsal::new(&[Habit::LosesItsKeys; 6]).await;
    fleet.start(2).await;
    fleet.rotations.step().await.unwrap();
    for _ in 0..4 {
        fleet.interval().await;
        assert_eq!((fleet.state().await, fleet.asked().await), (RotationState::Running, 2), "the wave is waited for");
    }
    fleet.interval().await;
    let progress = fleet.progress().await;
    assert_eq!(progress.rotation.state, RotationState::Stopped);
    assert_eq!(progress.tally, Tally { asked: 2, rotated: 0, lost: 2 }, "nobody else was asked");
    assert!(progress.rotation.reason.unwrap().starts_with("2 of the 2 components"));
    for _ in 0..12 {
        fleet.interval().await;
    }
    assert_eq!(fleet.asked().await, 2);
    let told = fleet.site.keys.find(fleet.agents[5].component.id).await.unwrap().unwrap();
    assert_eq!(told.rotation_requested_at, None);
}

/// Everybody was asked when the server went away, and comes back when it is: the last one after minutes.
#[tokio::test]
async fn a_server_that_was_away_takes_nobody_for_lost_who_comes_back_late() {
    let mut fleet = Rehearsal::new(&[Habit::Good; 5]).await;
    fleet.start(3).await;
    fleet.rotations.step().await.unwrap();
    assert_eq!(fleet.asked().await, 3);
    fleet.site.clock.advance(Duration::from_mins(10));
    fleet.rotations = Rehearsal::server(&fleet.site);
    fleet.rotations.step().await.unwrap();
    assert_eq!(fleet.progress().await.tally, Tally { asked: 3, rotated: 0, lost: 0 });
    for _ in 0..30 {
        fleet.site.clock.advance(Duration::from_secs(10));
        fleet.rotations.step().await.unwrap();
        assert_eq!((fleet.state().await, fleet.asked().await), (RotationState::Running, 3));
    }
    for _ in 0..3 {
        fleet.interval().await;
    }
    let progress = fleet.progress().await;
    assert_eq!(progress.rotation.state, RotationState::Finished);
    assert_eq!(progress.tally, Tally { asked: 5, rotated: 5, lost: 0 });
}

/// To components a server whose store is away is away itself, and so is one that stands still.
#[tokio::test]
async fn a_store_that_was_away_and_a_server_that_stood_still_are_no_loss_of_components() {
    for is_still in [false, true] {
        let mut fleet = Rehearsal::new(&[Habit::Good; 4]).await;
        fleet.start(4).await;
        fleet.rotations.step().await.unwrap();
        for _ in 0..20 {
            fleet.site.clock.advance(Duration::from_secs(2));
            if !is_still {
                fleet.site.store.break_down();
                fleet.rotations.step().await.unwrap_err();
                fleet.site.store.mend();
            }
        }
        for _ in 0..20 {
            fleet.rotations.step().await.unwrap();
            assert_eq!(fleet.progress().await.tally, Tally { asked: 4, rotated: 0, lost: 0 }, "{is_still}");
            fleet.site.clock.advance(Duration::from_secs(2));
        }
        fleet.interval().await;
        assert_eq!(fleet.state().await, RotationState::Finished, "{is_still}");
    }
}

#[tokio::test]
async fn who_does_not_come_back_to_a_server_that_was_away_is_lost_in_the_end() {
    let mut fleet = Rehearsal::new(&[Habit::LosesItsKeys; 3]).await;
    fleet.start(1).await;
    fleet.rotations.step().await.unwrap();
    fleet.rotations = Rehearsal::server(&fleet.site);
    for _ in 0..=RETURN_WITHIN.as_secs() / 10 {
        assert_eq!(fleet.state().await, RotationState::Running);
        fleet.site.clock.advance(Duration::from_secs(10));
        fleet.rotations.step().await.unwrap();
    }
    assert_eq!(fleet.state().await, RotationState::Stopped);
    assert_eq!(fleet.progress().await.tally, Tally { asked: 1, rotated: 0, lost: 1 });
}

#[tokio::test]
async fn one_that_does_not_rotate_holds_a_wave_up_for_a_time_and_not_for_ever() {
    let mut habits = [Habit::Good; 4];
    habits[0] = Habit::Stubborn;
    let mut fleet = Rehearsal::new(&habits).await;
    fleet.start(4).await;
    fleet.rotations.step().await.unwrap();
    for _ in 0..5 {
        fleet.interval().await;
        assert_eq!(fleet.state().await, RotationState::Running);
    }
    assert_eq!(fleet.progress().await.tally, Tally { asked: 4, rotated: 3, lost: 0 });
    fleet.interval().await;
    assert_eq!(fleet.state().await, RotationState::Finished);
}

#[tokio::test]
async fn another_server_goes_on_where_one_was_killed() {
    let mut fleet = Rehearsal::new(&[Habit::Good; 6]).await;
    fleet.start(3).await;
    // It dies between the beginning of the wave and its first question.
    fleet.site.store.log().break_down();
    assert!(matches!(fleet.rotations.step().await, Err(StoreError::Unavailable(_))));
    fleet.site.store.log().mend();
    assert_eq!((fleet.progress().await.rotation.wave, fleet.asked().await), (1, 0));
    fleet.rotations = Rehearsal::server(&fleet.site);
    for _ in 0..3 {
        fleet.rotations.step().await.unwrap();
        fleet.interval().await;
    }
    assert_eq!(fleet.state().await, RotationState::Finished);
    assert_eq!(fleet.progress().await.tally, Tally { asked: 6, rotated: 6, lost: 0 });
}

#[tokio::test]
async fn it_can_be_called_off_and_begun_again() {
    let mut fleet = Rehearsal::new(&[Habit::Good; 6]).await;
    assert_eq!(fleet.rotations.progress().await.unwrap(), None);
    assert_eq!(fleet.rotations.cancel(&administrator()).await.unwrap(), None);
    fleet.start(2).await;
    let again = fleet.rotations.start(WavePlan::DEFAULT, &administrator()).await;
    assert!(matches!(again, Err(StartRotationError::Runs)));
    fleet.rotations.step().await.unwrap();
    let cancelled = fleet.rotations.cancel(&administrator()).await.unwrap().unwrap();
    assert_eq!((cancelled.rotation.state, cancelled.tally.asked), (RotationState::Cancelled, 2));
    for _ in 0..3 {
        fleet.interval().await;
    }
    assert_eq!((fleet.state().await, fleet.asked().await), (RotationState::Cancelled, 2));
    assert_eq!(fleet.rotations.cancel(&administrator()).await.unwrap(), None);
    let again = fleet.start(10).await;
    assert_eq!(again.rotation.total, 6, "whoever has a new key since has an old one for the next rotation");
}

#[tokio::test]
async fn without_randomness_or_a_store_nothing_begins() {
    let fleet = Rehearsal::new(&[Habit::Good]).await;
    fleet.site.entropy.break_down();
    let refused = fleet.rotations.start(WavePlan::DEFAULT, &administrator()).await;
    assert!(matches!(refused, Err(StartRotationError::Entropy(_))));
    fleet.site.entropy.mend();
    fleet.site.store.break_down();
    let refused = fleet.rotations.start(WavePlan::DEFAULT, &administrator()).await;
    assert!(matches!(refused, Err(StartRotationError::Store(_))));
    assert!(fleet.rotations.step().await.is_err());
    fleet.site.store.mend();
    assert_eq!(fleet.rotations.progress().await.unwrap(), None);
}

#[tokio::test]
async fn two_servers_at_once_ask_each_component_once() {
    let mut fleet = Rehearsal::new(&[Habit::Good; 8]).await;
    fleet.start(4).await;
    let servers: Vec<_> = (0..3).map(|_| Arc::new(Rehearsal::server(&fleet.site))).collect();
    for _ in 0..4 {
        let steps: Vec<_> = servers
            .iter()
            .map(|server| {
                let server = Arc::clone(server);
                tokio::spawn(async move { server.step().await })
            })
            .collect();
        for step in steps {
            step.await.unwrap().unwrap();
        }
        fleet.site.clock.advance(Duration::from_secs(10));
        fleet.beat().await;
    }
    assert_eq!(fleet.state().await, RotationState::Finished);
    let requests = fleet.site.actions().into_iter().filter(|action| *action == Action::RotationRequest).count();
    assert_eq!(requests, 8);
}
