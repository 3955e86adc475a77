//! What every store must do when calls run side by side: end as if they had run one after another.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a store that fails its contract ends the test")]

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use stratora_audit::{Action, AuditLog};

use super::fleet::{Fleet, at, component_named, event, key_made_at};
use crate::{ChangeComponentError, FirstUse, Grace, KeyState, KeyStore, NewKey, Standing};

/// How many calls run side by side.
const CALLS: u64 = 50;
/// How often a race between two kinds of call is run.
const ROUNDS: u64 = 10;

pub(super) async fn contract<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    rotations_side_by_side_leave_one_live_key(fleet).await;
    no_rotation_survives_a_revocation(fleet).await;
    one_of_many_first_uses_is_the_first(fleet).await;
    one_of_many_creations_gets_the_name(fleet).await;
    one_of_many_restorations_succeeds(fleet).await;
}

pub(super) async fn side_by_side<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    calls: u64,
    call: impl Fn(u64) -> F,
) -> Vec<T> {
    let running: Vec<_> = (0..calls).map(|number| tokio::spawn(call(number))).collect();
    let mut returned = Vec::new();
    for call in running {
        returned.push(call.await.unwrap());
    }
    returned
}

fn grace(number: u64) -> Grace {
    if number.is_multiple_of(2) { Grace::None } else { Grace::For(Duration::from_mins(1)) }
}

async fn written<S: AuditLog>(fleet: &Fleet<S>) -> u64 {
    fleet.store.head().await.unwrap().seq
}

async fn rotations_side_by_side_leave_one_live_key<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, first) = fleet.enroll("rotated by many").await;
    let before = written(fleet).await;
    let mut keys: Vec<NewKey> = side_by_side(CALLS, |number| {
        let store = Arc::clone(&fleet.store);
        async move {
            let key = key_made_at(at(10));
            store.rotate(id, key.clone(), grace(number), event(Action::ComponentRotate)).await.unwrap();
            key
        }
    })
    .await;
    assert_eq!(written(fleet).await, before + CALLS);
    keys.push(first);
    let (mut live, mut in_grace) = (Vec::new(), 0);
    for key in &keys {
        match fleet.state(key).await {
            KeyState::Live => live.push(&key.prefix),
            KeyState::Grace { .. } => in_grace += 1,
            KeyState::Rotated => {}
            state => panic!("{state:?}"),
        }
    }
    assert_eq!(live, [&fleet.component(id).await.key_prefix]);
    assert!(in_grace <= 1, "{in_grace} keys are in grace");
}

async fn no_rotation_survives_a_revocation<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    for round in 0..ROUNDS {
        let (id, first) = fleet.enroll(&format!("rotated and revoked {round}")).await;
        let before = written(fleet).await;
        let rotated = side_by_side(4, |number| {
            let store = Arc::clone(&fleet.store);
            async move {
                if number == 2 {
                    store.revoke(id, at(10), event(Action::ComponentRevoke)).await.unwrap();
                    return None;
                }
                let key = key_made_at(at(10));
                match store.rotate(id, key.clone(), grace(round + number), event(Action::ComponentRotate)).await {
                    Ok(_) => Some(key),
                    Err(ChangeComponentError::WrongStanding { standing: Standing::Revoked }) => None,
                    Err(error) => panic!("{error:?}"),
                }
            }
        })
        .await;
        let keys: Vec<_> = rotated.into_iter().flatten().collect();
        assert_eq!(written(fleet).await, before + 1 + keys.len() as u64);
        assert_eq!(fleet.component(id).await.standing, Standing::Revoked);
        for key in keys.iter().chain([&first]) {
            let state = fleet.state(key).await;
            assert!(matches!(state, KeyState::Rotated | KeyState::Revoked), "{state:?}");
        }
    }
}

async fn one_of_many_first_uses_is_the_first<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (_, key) = fleet.enroll("used by many").await;
    let before = written(fleet).await;
    let id = key.id;
    let uses = side_by_side(CALLS, |_| {
        let store = Arc::clone(&fleet.store);
        async move { store.first_use(id, at(10), event(Action::KeyFirstUse)).await.unwrap() }
    })
    .await;
    assert_eq!(uses.iter().filter(|used| matches!(used, FirstUse::Now(_))).count(), 1);
    assert_eq!(written(fleet).await, before + 1);
}

async fn one_of_many_creations_gets_the_name<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let before = written(fleet).await;
    let created = side_by_side(CALLS, |_| {
        let store = Arc::clone(&fleet.store);
        async move {
            let new = component_named("created by many");
            match store.create(new, event(Action::ComponentCreate)).await {
                Ok(_) => true,
                Err(ChangeComponentError::NameTaken) => false,
                Err(error) => panic!("{error:?}"),
            }
        }
    })
    .await;
    assert_eq!(created.into_iter().filter(|created| *created).count(), 1);
    assert_eq!(written(fleet).await, before + 1);
}

async fn one_of_many_restorations_succeeds<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, _) = fleet.enroll("restored by many").await;
    fleet.revoke(id, at(10)).await.unwrap();
    let before = written(fleet).await;
    let restored = side_by_side(CALLS, |_| {
        let store = Arc::clone(&fleet.store);
        async move {
            let key = key_made_at(at(20));
            match store.restore(id, key.clone(), event(Action::ComponentRestore)).await {
                Ok(_) => Some(key),
                Err(ChangeComponentError::WrongStanding { standing: Standing::Active }) => None,
                Err(error) => panic!("{error:?}"),
            }
        }
    })
    .await;
    let keys: Vec<_> = restored.into_iter().flatten().collect();
    assert_eq!(written(fleet).await, before + 1);
    let [key] = keys.as_slice() else { panic!("{} restorations succeeded", keys.len()) };
    assert_eq!(fleet.authorize(key, at(20)).await, Ok(()));
}
