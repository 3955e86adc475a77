//! How long sessions last, and what is known of them in memory.

use std::time::Duration;

use newtype_uuid::GenericUuid as _;
use stratora_auth::SessionStore as _;
use stratora_cache::Subject;
use stratora_clock::Clock as _;

use crate::house::{House, PASSPHRASE};

#[tokio::test]
async fn a_session_lasts_a_day_and_no_longer_than_an_hour_unused() {
    for is_in_memory in [false, true] {
        let (house, _) = House::with_user("grace").await;
        if is_in_memory {
            house.coherence.trust_always();
        }
        lasts_a_day_and_no_longer_than_an_hour_unused(&house).await;
    }
}

async fn lasts_a_day_and_no_longer_than_an_hour_unused(house: &House) {
    let idle = house.sign_in("grace", PASSPHRASE).await.unwrap();
    house.clock.advance(Duration::from_mins(59));
    assert!(house.is_in(&idle).await);
    house.clock.advance(Duration::from_hours(1));
    assert!(!house.is_in(&idle).await, "idle for an hour");
    let busy = house.sign_in("grace", PASSPHRASE).await.unwrap();
    for _ in 0..47 {
        house.clock.advance(Duration::from_mins(30));
        assert!(house.is_in(&busy).await);
        house.sessions.flush().await.unwrap();
    }
    house.clock.advance(Duration::from_mins(30));
    assert!(!house.is_in(&busy).await, "24 hours from sign-in, however busy");
}

#[tokio::test]
async fn a_use_that_could_not_be_written_is_written_later() {
    let (house, _) = House::with_user("grace").await;
    let signed_in = house.sign_in("grace", PASSPHRASE).await.unwrap();
    house.clock.advance(Duration::from_mins(50));
    assert!(house.is_in(&signed_in).await);
    let used = house.clock.now();
    house.store.fail(true);
    assert!(house.sessions.flush().await.is_err());
    house.store.fail(false);
    house.sessions.flush().await.unwrap();
    let found = house.sessions.of_user(signed_in.account.id).await.unwrap();
    assert_eq!(found.first().unwrap().last_seen_at, used);
}

#[tokio::test]
async fn a_session_in_memory_needs_no_store_while_the_memory_is_trusted() {
    let (house, account) = House::with_user("grace").await;
    house.coherence.trust_always();
    let signed_in = house.sign_in("grace", PASSPHRASE).await.unwrap();
    assert!(house.is_in(&signed_in).await);
    house.store.fail(true);
    assert!(house.is_in(&signed_in).await);
    house.coherence.changed(Subject::User(account.id.into_untyped_uuid()));
    assert!(!house.is_in(&signed_in).await, "after a change the store decides, and it is away");
    house.store.fail(false);
    assert!(house.is_in(&signed_in).await);
    house.store.fail(true);
    house.coherence.distrust();
    assert!(!house.is_in(&signed_in).await, "what is in memory is not used while it is not trusted");
}

#[tokio::test]
async fn a_session_in_memory_that_is_used_stays_alive_and_ends_when_it_is_not() {
    let (house, _) = House::with_user("grace").await;
    house.coherence.trust_always();
    let signed_in = house.sign_in("grace", PASSPHRASE).await.unwrap();
    for _ in 0..5 {
        house.clock.advance(Duration::from_mins(50));
        assert!(house.is_in(&signed_in).await);
        house.sessions.flush().await.unwrap();
    }
    house.clock.advance(Duration::from_hours(1));
    assert!(!house.is_in(&signed_in).await);
}

#[tokio::test]
async fn a_session_that_is_used_through_another_replica_does_not_end_here() {
    let (house, _) = House::with_user("grace").await;
    house.coherence.trust_always();
    let signed_in = house.sign_in("grace", PASSPHRASE).await.unwrap();
    assert!(house.is_in(&signed_in).await);
    house.clock.advance(Duration::from_mins(50));
    house.store.touch(&[(signed_in.session.id, house.clock.now())]).await.unwrap();
    house.clock.advance(Duration::from_mins(50));
    assert!(house.is_in(&signed_in).await);
}
