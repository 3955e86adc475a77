//! What every store must do with a key from its first use to its end.
#![expect(clippy::unwrap_used, reason = "a store that fails its contract ends the test")]

use std::time::Duration;

use stratora_audit::AuditLog;
use stratora_token::{OsEntropy, Secret};

use super::fleet::{Fleet, at, component_named, key_made_at};
use crate::{ChangeComponentError, Component, Grace, KeyState, KeyStore, NewComponent, Refusal, Standing};

pub(super) async fn contract<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    a_rotation_without_grace_ends_the_old_key_at_once(fleet).await;
    a_grace_with_a_deadline_ends_there(fleet).await;
    a_grace_ends_with_the_first_use_of_the_new_key(fleet).await;
    a_second_rotation_ends_the_grace_of_the_first(fleet).await;
    a_rotation_shows_the_new_key_and_changes_nothing_else(fleet).await;
    a_key_is_first_used_once(fleet).await;
    a_revocation_ends_every_key_and_a_rotation_revives_none(fleet).await;
    a_restored_component_comes_in_with_its_new_key_only(fleet).await;
    a_leak_of_the_live_key_shuts_the_component_out(fleet).await;
    a_leak_of_a_key_in_grace_ends_that_key_only(fleet).await;
    a_leak_of_a_dead_key_changes_nothing(fleet).await;
    a_corrupt_key_is_refused_and_replaced_by_a_rotation(fleet).await;
}

async fn a_rotation_without_grace_ends_the_old_key_at_once<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, old) = fleet.enroll("rotated").await;
    let new = fleet.rotated(id, at(10), Grace::None).await;
    assert_eq!(fleet.state(&old).await, KeyState::Rotated);
    assert_eq!(fleet.authorize(&old, at(10)).await, Err(Refusal::Rotated));
    assert_eq!(fleet.authorize(&new, at(10)).await, Ok(()));
}

async fn a_grace_with_a_deadline_ends_there<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, old) = fleet.enroll("rotated with a deadline").await;
    let new = fleet.rotated(id, at(10), Grace::For(Duration::from_mins(1))).await;
    assert_eq!(fleet.state(&old).await, KeyState::Grace { until: Some(at(70)) });
    assert_eq!(fleet.authorize(&old, at(69)).await, Ok(()));
    assert_eq!(fleet.authorize(&old, at(70)).await, Err(Refusal::Rotated));
    assert_eq!(fleet.authorize(&new, at(10)).await, Ok(()));
}

async fn a_grace_ends_with_the_first_use_of_the_new_key<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    for (name, deadline) in [("used within a grace", None), ("used before a deadline", Some(Duration::from_mins(1)))] {
        let (id, old) = fleet.enroll(name).await;
        let grace = deadline.map_or(Grace::UntilFirstUse(old.id), Grace::For);
        let until = deadline.map(|_| at(70));
        let new = fleet.rotated(id, at(10), grace).await;
        // The old key's own first use, however late, ends no grace.
        assert!(fleet.first_use(&old, at(20)).await.is_some());
        assert_eq!(fleet.state(&old).await, KeyState::Grace { until });
        assert!(fleet.first_use(&new, at(30)).await.is_some());
        assert_eq!(fleet.state(&old).await, KeyState::Rotated);
        assert_eq!(fleet.authorize(&old, at(30)).await, Err(Refusal::Rotated));
        assert_eq!(fleet.authorize(&new, at(30)).await, Ok(()));
    }
}

async fn a_second_rotation_ends_the_grace_of_the_first<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, first) = fleet.enroll("rotated twice").await;
    let second = fleet.rotated(id, at(10), Grace::UntilFirstUse(first.id)).await;
    let third = fleet.rotated(id, at(20), Grace::UntilFirstUse(second.id)).await;
    assert_eq!(fleet.state(&first).await, KeyState::Rotated);
    assert_eq!(fleet.state(&second).await, KeyState::Grace { until: None });
    assert_eq!(fleet.state(&third).await, KeyState::Live);
    let fourth = fleet.rotated(id, at(30), Grace::None).await;
    for dead in [&first, &second, &third] {
        assert_eq!(fleet.state(dead).await, KeyState::Rotated);
    }
    assert_eq!(fleet.state(&fourth).await, KeyState::Live);
}

async fn a_rotation_shows_the_new_key_and_changes_nothing_else<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let new = NewComponent { standing: Standing::Pending, ..component_named("rotated while it waits") };
    let id = new.id;
    let before = fleet.create(new).await.unwrap();
    let key = key_made_at(at(10));
    let after = fleet.rotate(id, &key, Grace::None).await.unwrap();
    assert_eq!(after, Component { key_prefix: key.prefix.clone(), key_created_at: at(10), ..before });
    assert_eq!(fleet.component(id).await, after);
    assert_eq!(fleet.authorize(&key, at(11)).await, Err(Refusal::NotApproved));
}

async fn a_key_is_first_used_once<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (_, key) = fleet.enroll("used").await;
    let (_, other) = fleet.enroll("not used").await;
    let hash = fleet.first_use(&key, at(10)).await.unwrap();
    assert_eq!(hash.as_str(), key.hash.as_str());
    assert!(fleet.key(&key).await.used);
    assert!(fleet.first_use(&key, at(11)).await.is_none());
    assert!(!fleet.key(&other).await.used);
}

async fn a_revocation_ends_every_key_and_a_rotation_revives_none<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, first) = fleet.enroll("revoked once").await;
    let second = fleet.rotated(id, at(10), Grace::None).await;
    let third = fleet.rotated(id, at(20), Grace::UntilFirstUse(second.id)).await;
    let before = fleet.component(id).await;
    let revoked = fleet.revoke(id, at(30)).await.unwrap();
    assert_eq!(revoked, Component { standing: Standing::Revoked, revoked_at: Some(at(30)), ..before });
    assert_eq!(fleet.state(&first).await, KeyState::Rotated, "what was replaced before stays so");
    for ended in [&second, &third] {
        assert_eq!(fleet.state(ended).await, KeyState::Revoked);
        assert_eq!(fleet.authorize(ended, at(30)).await, Err(Refusal::Revoked));
    }
    assert_eq!(
        fleet.revoke(id, at(40)).await.unwrap(),
        revoked,
        "a second revocation is written down and nothing else"
    );

    let late = key_made_at(at(50));
    let refused = fleet.rotate(id, &late, Grace::None).await;
    assert!(matches!(refused, Err(ChangeComponentError::WrongStanding { standing: Standing::Revoked })), "{refused:?}");
    assert_eq!(fleet.store.find_key(&late.digest).await.unwrap(), None);
    assert_eq!(fleet.component(id).await, revoked);
}

async fn a_restored_component_comes_in_with_its_new_key_only<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, old) = fleet.enroll("restored").await;
    let new = key_made_at(at(20));
    let refused = fleet.restore(id, &new).await;
    assert!(matches!(refused, Err(ChangeComponentError::WrongStanding { standing: Standing::Active })), "{refused:?}");
    assert_eq!(fleet.store.find_key(&new.digest).await.unwrap(), None);

    let revoked = fleet.revoke(id, at(10)).await.unwrap();
    let restored = fleet.restore(id, &new).await.unwrap();
    let expected = Component {
        standing: Standing::Active,
        revoked_at: None,
        key_prefix: new.prefix.clone(),
        key_created_at: at(20),
        ..revoked
    };
    assert_eq!(restored, expected);
    assert_eq!(fleet.component(id).await, expected);
    assert_eq!(fleet.authorize(&old, at(20)).await, Err(Refusal::Revoked));
    assert_eq!(fleet.authorize(&new, at(20)).await, Ok(()));
}

async fn a_leak_of_the_live_key_shuts_the_component_out<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, old) = fleet.enroll("leaked").await;
    let live = fleet.rotated(id, at(10), Grace::UntilFirstUse(old.id)).await;
    assert!(fleet.report_leak(&live.digest, at(20)).await);
    let component = fleet.component(id).await;
    assert_eq!((component.standing, component.revoked_at), (Standing::Revoked, Some(at(20))));
    assert_eq!(component.key_prefix, live.prefix);
    for key in [&old, &live] {
        assert_eq!(fleet.authorize(key, at(20)).await, Err(Refusal::Revoked));
        assert!(!fleet.report_leak(&key.digest, at(30)).await);
    }
    assert_eq!(fleet.component(id).await, component);
}

async fn a_leak_of_a_key_in_grace_ends_that_key_only<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, old) = fleet.enroll("leaked in its grace").await;
    let live = fleet.rotated(id, at(10), Grace::For(Duration::from_mins(1))).await;
    let component = fleet.component(id).await;
    assert!(fleet.report_leak(&old.digest, at(69)).await);
    assert_eq!(fleet.state(&old).await, KeyState::Revoked);
    assert_eq!(fleet.authorize(&live, at(69)).await, Ok(()));
    assert_eq!(fleet.component(id).await, component);
}

async fn a_leak_of_a_dead_key_changes_nothing<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let unknown = Secret::generate(&OsEntropy).unwrap().digest();
    assert!(!fleet.report_leak(&unknown, at(10)).await);

    let (id, rotated) = fleet.enroll("leaked too late").await;
    let corrupt = fleet.rotated(id, at(10), Grace::None).await;
    fleet.mark_corrupt(&corrupt).await;
    let past_its_grace = fleet.rotated(id, at(20), Grace::None).await;
    let live = fleet.rotated(id, at(30), Grace::For(Duration::from_mins(1))).await;
    for dead in [&rotated, &corrupt, &past_its_grace] {
        assert!(!fleet.report_leak(&dead.digest, at(90)).await);
    }
    assert_eq!(fleet.state(&rotated).await, KeyState::Rotated);
    assert_eq!(fleet.state(&corrupt).await, KeyState::Corrupt);
    assert_eq!(fleet.authorize(&live, at(90)).await, Ok(()));
}

async fn a_corrupt_key_is_refused_and_replaced_by_a_rotation<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, corrupt) = fleet.enroll("corrupt").await;
    fleet.mark_corrupt(&corrupt).await;
    assert_eq!(fleet.state(&corrupt).await, KeyState::Corrupt);
    assert_eq!(fleet.authorize(&corrupt, at(10)).await, Err(Refusal::Revoked));
    let (other, in_grace) = fleet.enroll("corrupt in its grace").await;
    fleet.rotated(other, at(10), Grace::For(Duration::from_mins(1))).await;
    fleet.mark_corrupt(&in_grace).await;
    assert_eq!(fleet.state(&in_grace).await, KeyState::Corrupt);

    let refused = fleet.rotate(id, &key_made_at(at(20)), Grace::UntilFirstUse(corrupt.id)).await;
    assert!(matches!(refused, Err(ChangeComponentError::KeyEnded)), "{refused:?}");
    let new = fleet.rotated(id, at(20), Grace::For(Duration::from_mins(1))).await;
    assert_eq!(fleet.state(&corrupt).await, KeyState::Corrupt, "a rotation gives it no grace");
    assert_eq!(fleet.authorize(&new, at(20)).await, Ok(()));
}
