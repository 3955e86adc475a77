//! What is kept of a provider, for how long, and how often it is read.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use stratora_federation::RelyingParty as _;
use stratora_testing::Misbehaviour;

use crate::house::{CLIENT, House, pinned};

#[tokio::test]
async fn metadata_and_keys_are_read_once_for_many_sign_ins() {
    let house = House::new();
    for _ in 0..5 {
        house.sign_in().await.verified.unwrap();
    }
    assert_eq!((house.hostile.metadata_requests(), house.hostile.jwks_requests()), (1, 1));
    let all = join_all((0..20).map(|_| house.sign_in())).await;
    assert!(all.iter().all(|ended| ended.verified.is_ok()));
    assert_eq!((house.hostile.metadata_requests(), house.hostile.jwks_requests()), (1, 1));
}

#[tokio::test]
async fn many_sign_ins_at_once_read_metadata_and_keys_once() {
    let house = House::new();
    let all = join_all((0..20).map(|_| house.sign_in())).await;
    assert!(all.iter().all(|ended| ended.verified.is_ok()));
    assert_eq!((house.hostile.metadata_requests(), house.hostile.jwks_requests()), (1, 1));
}

#[tokio::test]
async fn an_unknown_key_has_the_keys_read_again_once_in_five_minutes() {
    let house = House::new();
    house.sign_in().await.verified.unwrap();
    house.hostile.misbehave(Misbehaviour::KeyUnknown);
    for _ in 0..5 {
        assert_eq!(house.sign_in().await.flaw().check, "signature");
    }
    assert_eq!(house.hostile.jwks_requests(), 2);
    advance(&house, Duration::from_secs(299));
    house.sign_in().await;
    assert_eq!(house.hostile.jwks_requests(), 2);
    advance(&house, Duration::from_secs(1));
    house.sign_in().await;
    assert_eq!(house.hostile.jwks_requests(), 3);
}

#[tokio::test]
async fn a_key_that_is_new_is_found_by_everybody_who_needs_it() {
    let house = House::new();
    house.sign_in().await.verified.unwrap();
    house.hostile.rotate_keys().unwrap();
    let all = join_all((0..20).map(|_| house.sign_in())).await;
    for ended in all {
        ended.verified.unwrap();
    }
    assert_eq!(house.hostile.jwks_requests(), 2);
}

#[tokio::test]
async fn a_new_key_that_cannot_be_read_is_the_providers_matter_and_the_old_ones_stay() {
    let house = House::new();
    house.sign_in().await.verified.unwrap();
    let before = house.hostile.logout_token(CLIENT, &json!({})).unwrap();
    house.hostile.rotate_keys().unwrap();
    house.hostile.misbehave(Misbehaviour::KeysHtml);
    let ended = house.sign_in().await;
    assert_eq!((ended.flaw().check, ended.flaw().is_unavailable), ("keys", true));
    assert!(house.party.verify_logout(&house.provider, &before).await.is_ok());
}

#[tokio::test]
async fn keys_are_used_for_a_day_while_the_provider_is_away_and_no_longer() {
    let house = House::new();
    house.sign_in().await.verified.unwrap();
    house.hostile.misbehave(Misbehaviour::KeysFail);
    for _ in 0..23 {
        advance(&house, Duration::from_hours(1));
        house.party.refresh(std::slice::from_ref(&house.provider)).await;
        house.sign_in().await.verified.unwrap();
    }
    advance(&house, Duration::from_hours(1));
    let ended = house.sign_in().await;
    assert_eq!((ended.flaw().check, ended.flaw().is_unavailable), ("keys", true));
}

#[tokio::test]
async fn refreshing_reads_again_and_forgets_the_others() {
    let house = House::new();
    house.sign_in().await.verified.unwrap();
    house.party.refresh(std::slice::from_ref(&house.provider)).await;
    assert_eq!((house.hostile.metadata_requests(), house.hostile.jwks_requests()), (2, 2));
    house.party.refresh(&[]).await;
    house.sign_in().await.verified.unwrap();
    assert_eq!((house.hostile.metadata_requests(), house.hostile.jwks_requests()), (3, 3));
    house.party.forget(house.provider.id);
    house.sign_in().await.verified.unwrap();
    assert_eq!((house.hostile.metadata_requests(), house.hostile.jwks_requests()), (4, 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_hangs_holds_up_nobody_else() {
    let (house, other) = (House::new(), House::new());
    // Both are known to the same relying party.
    let mut good = pinned(other.hostile.issuer());
    good.id = newtype_uuid::GenericUuid::from_untyped_uuid(uuid::Uuid::from_u128(2));
    house.hostile.misbehave(Misbehaviour::MetadataSlow);
    let hanging = house.party.start(&house.provider, "state");
    let quick = async {
        for _ in 0..20 {
            house.party.start(&good, "state").await.unwrap();
        }
    };
    tokio::pin!(hanging);
    tokio::select! {
        ended = &mut hanging => panic!("the slow one was quicker: {ended:?}"),
        () = quick => {}
    }
    // Neither does a refresh of both: the good one is read, whatever becomes of the other.
    let both = [house.provider.clone(), good.clone()];
    let refreshing = house.party.refresh(&both);
    let read = async {
        while other.hostile.metadata_requests() < 2 || other.hostile.jwks_requests() < 1 {
            tokio::task::yield_now().await;
        }
        house.party.start(&good, "state").await.unwrap();
    };
    tokio::select! {
        () = refreshing => panic!("the slow one was quicker"),
        () = read => {}
    }
    // The one who waits is told in the end.
    let flaw = hanging.await.unwrap_err();
    assert!(flaw.advice.contains("10 seconds"), "{}", flaw.advice);
}

#[tokio::test]
async fn a_provider_that_was_set_up_anew_is_read_anew() {
    let (mut house, other) = (House::new(), House::new());
    house.sign_in().await.verified.unwrap();
    // Another server of the installation has changed it: nobody told this one to forget.
    house.provider = pinned(other.hostile.issuer());
    house.party.start(&house.provider, "state").await.unwrap();
    assert_eq!(other.hostile.metadata_requests(), 1);
}

fn advance(house: &House, span: Duration) {
    house.clock.advance(span);
    house.hostile.advance(span);
}
