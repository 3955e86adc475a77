//! What every store must do when components rotate their own keys: whatever is lost on the way, and however many ask at
//! once, the component keeps a key that works.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a store that fails its contract ends the test")]

use std::sync::Arc;
use std::time::Duration;

use stratora_audit::{Action, AuditLog};

use super::fleet::{Fleet, at, component_named, event, key_made_at};
use super::key_races::side_by_side;
use crate::{
    ChangeComponentError, Component, ComponentId, FirstUse, Grace, KeyState, KeyStore, NewComponent, NewKey, Standing,
};

/// How often a race is run, each time with another outcome perhaps.
const ROUNDS: u64 = 10;

pub(super) async fn contract<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    a_component_that_loses_its_new_keys_keeps_the_one_it_has(fleet).await;
    a_key_that_an_administrator_replaced_keeps_its_deadline(fleet).await;
    a_key_that_has_ended_gets_no_other(fleet).await;
    a_key_that_has_ended_is_not_used_first_and_ends_no_grace(fleet).await;
    rotations_of_oneself_side_by_side_leave_the_own_key_and_one_other(fleet).await;
    of_a_first_use_and_a_rotation_one_sees_the_other(fleet).await;
    a_rotation_is_asked_for_until_it_is_done(fleet).await;
    only_an_active_component_is_asked(fleet).await;
}

fn own(key: &NewKey) -> Grace {
    Grace::UntilFirstUse(key.id)
}

async fn a_component_that_loses_its_new_keys_keeps_the_one_it_has<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, kept) = fleet.enroll("loses its new keys").await;
    let mut lost = Vec::new();
    for time in 1..=20 {
        let new = fleet.rotated(id, at(time), own(&kept)).await;
        assert_eq!(fleet.state(&kept).await, KeyState::Grace { until: None });
        assert_eq!(fleet.state(&new).await, KeyState::Live);
        for key in &lost {
            assert_eq!(fleet.state(key).await, KeyState::Rotated);
        }
        lost.push(new);
    }
    let found = lost.pop().unwrap();
    assert!(fleet.first_use(&found, at(30)).await.is_some());
    assert_eq!(fleet.state(&kept).await, KeyState::Rotated);
    assert_eq!(fleet.authorize(&found, at(30)).await, Ok(()));
}

async fn a_key_that_an_administrator_replaced_keeps_its_deadline<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, old) = fleet.enroll("rotates itself before a deadline").await;
    let handed_over = fleet.rotated(id, at(10), Grace::For(Duration::from_mins(1))).await;
    let before = fleet.component(id).await;
    let new = key_made_at(at(69));
    let refused = fleet.rotate(id, &new, own(&old)).await;
    assert!(matches!(refused, Err(ChangeComponentError::KeyHandedOver)), "{refused:?}");
    assert_eq!(fleet.store.find_key(&new.digest).await.unwrap(), None);
    assert_eq!(fleet.component(id).await, before);
    assert_eq!(fleet.state(&old).await, KeyState::Grace { until: Some(at(70)) });
    assert_eq!(fleet.state(&handed_over).await, KeyState::Live);

    assert_ended(fleet, id, &old, at_its_end()).await;
    assert_eq!(fleet.state(&handed_over).await, KeyState::Live);
    let new = fleet.rotated(id, at(70), own(&handed_over)).await;
    assert_eq!(fleet.state(&handed_over).await, KeyState::Grace { until: None }, "its successor rotates as ever");
    assert_eq!(fleet.state(&new).await, KeyState::Live);
}

fn at_its_end() -> NewKey {
    key_made_at(at(70))
}

/// A rotation with `key` is refused and changes nothing.
async fn assert_ended<S: KeyStore + AuditLog>(fleet: &Fleet<S>, id: ComponentId, key: &NewKey, new: NewKey) {
    let before = fleet.component(id).await;
    let refused = fleet.rotate(id, &new, own(key)).await;
    assert!(matches!(refused, Err(ChangeComponentError::KeyEnded)), "{refused:?}");
    assert_eq!(fleet.store.find_key(&new.digest).await.unwrap(), None);
    assert_eq!(fleet.component(id).await, before);
}

async fn a_key_that_has_ended_gets_no_other<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, old) = fleet.enroll("rotated by others").await;
    let live = fleet.rotated(id, at(10), Grace::None).await;
    let (_, foreign) = fleet.enroll("another one").await;
    let unknown = key_made_at(at(1));
    for key in [&old, &foreign, &unknown] {
        assert_ended(fleet, id, key, key_made_at(at(20))).await;
    }
    assert_eq!(fleet.state(&live).await, KeyState::Live);
    assert_eq!(fleet.state(&foreign).await, KeyState::Live);

    let (id, old) = fleet.enroll("has used its new key").await;
    let new = fleet.rotated(id, at(10), own(&old)).await;
    assert!(fleet.first_use(&new, at(20)).await.is_some());
    assert_ended(fleet, id, &old, key_made_at(at(30))).await;
    assert_eq!(fleet.state(&new).await, KeyState::Live);
}

async fn a_key_that_has_ended_is_not_used_first_and_ends_no_grace<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, kept) = fleet.enroll("uses a key that was replaced").await;
    let replaced = fleet.rotated(id, at(10), own(&kept)).await;
    let live = fleet.rotated(id, at(20), own(&kept)).await;
    assert!(matches!(fleet.use_first(&replaced, at(30)).await, FirstUse::Ended));
    assert_eq!(fleet.state(&kept).await, KeyState::Grace { until: None });
    assert!(matches!(fleet.use_first(&live, at(30)).await, FirstUse::Now(_)));
    assert!(matches!(fleet.use_first(&live, at(30)).await, FirstUse::Before));
    assert!(matches!(fleet.use_first(&kept, at(30)).await, FirstUse::Ended));
}

async fn rotations_of_oneself_side_by_side_leave_the_own_key_and_one_other<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    for round in 0..ROUNDS {
        let (id, kept) = fleet.enroll(&format!("rotates itself twice at once {round}")).await;
        let grace = own(&kept);
        let keys: Vec<NewKey> = side_by_side(2 + round % 3, |_| {
            let store = Arc::clone(&fleet.store);
            async move {
                let key = key_made_at(at(10));
                store.rotate(id, key.clone(), grace, event(Action::ComponentRotate)).await.unwrap();
                key
            }
        })
        .await;
        assert_eq!(fleet.authorize(&kept, at(10)).await, Ok(()));
        let mut live = Vec::new();
        for key in &keys {
            match fleet.state(key).await {
                KeyState::Live => live.push(key),
                state => assert_eq!(state, KeyState::Rotated),
            }
        }
        let [live] = live.as_slice() else { panic!("{} keys are live", live.len()) };
        assert!(fleet.first_use(live, at(20)).await.is_some());
        assert_eq!(fleet.state(&kept).await, KeyState::Rotated);
    }
}

/// Two processes share a key; one has got a new key and uses it while the other one asks for one.
async fn of_a_first_use_and_a_rotation_one_sees_the_other<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    for round in 0..ROUNDS {
        let (id, kept) = fleet.enroll(&format!("used and rotated at once {round}")).await;
        let first = fleet.rotated(id, at(10), own(&kept)).await;
        let (grace, used) = (own(&kept), first.id);
        let outcomes = side_by_side(2, |number| {
            let store = Arc::clone(&fleet.store);
            async move {
                if number == round % 2 {
                    let used = store.first_use(used, at(20), event(Action::KeyFirstUse)).await.unwrap();
                    return matches!(used, FirstUse::Now(_));
                }
                let key = key_made_at(at(20));
                match store.rotate(id, key, grace, event(Action::ComponentRotate)).await {
                    Ok(_) => true,
                    Err(ChangeComponentError::KeyEnded) => false,
                    Err(error) => panic!("{error:?}"),
                }
            }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|succeeded| **succeeded).count(), 1, "{outcomes:?}");
        let (kept, first) = (fleet.authorize(&kept, at(20)).await, fleet.authorize(&first, at(20)).await);
        assert_ne!(kept.is_ok(), first.is_ok());
    }
}

async fn a_rotation_is_asked_for_until_it_is_done<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, mut key) = fleet.enroll("asked to rotate").await;
    let before = fleet.component(id).await;
    let asked = fleet.request_rotation(id, at(10)).await.unwrap();
    assert_eq!(asked, Component { rotation_requested_at: Some(at(10)), ..before });
    assert_eq!(fleet.component(id).await, asked);
    assert!(fleet.key(&key).await.rotation_requested);
    assert_eq!(fleet.request_rotation(id, at(11)).await.unwrap(), asked, "it has been asked since the first time");

    for time in [20, 30, 40] {
        fleet.request_rotation(id, at(time)).await.unwrap();
        let grace = match time {
            20 => own(&key),
            30 => Grace::None,
            _ => Grace::For(Duration::from_mins(1)),
        };
        key = fleet.rotated(id, at(time), grace).await;
        assert_eq!(fleet.component(id).await.rotation_requested_at, None);
        assert!(!fleet.key(&key).await.rotation_requested);
    }
    fleet.request_rotation(id, at(50)).await.unwrap();
    assert_eq!(fleet.revoke(id, at(60)).await.unwrap().rotation_requested_at, None);
    let restored = fleet.restore(id, &key_made_at(at(70))).await.unwrap();
    assert_eq!(restored.rotation_requested_at, None);
}

async fn only_an_active_component_is_asked<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let new = NewComponent { standing: Standing::Pending, ..component_named("asked while it waits") };
    let id = new.id;
    fleet.create(new).await.unwrap();
    for standing in [Standing::Pending, Standing::Revoked] {
        let refused = fleet.request_rotation(id, at(10)).await;
        assert!(matches!(refused, Err(ChangeComponentError::WrongStanding { standing: s }) if s == standing));
        assert_eq!(fleet.component(id).await.rotation_requested_at, None);
        fleet.revoke(id, at(20)).await.unwrap();
    }
}
