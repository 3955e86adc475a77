//! Who holds a key.

use std::time::Duration;

use newtype_uuid::{GenericUuid as _, TypedUuid};
use stratora_audit::{Action, ActorKind, Outcome, RequestId};
use stratora_token::{OsEntropy, random_uuid};
use uuid::Uuid;

use super::{Site, address, administrator};
use crate::service::preimage;
use crate::{
    ApiKey, AuthenticateKeyError, ComponentId, ComponentKind, Grace, KeyStore, Name, NewComponent, NewKey, Refusal,
    Standing,
};

#[tokio::test]
async fn a_key_tells_whose_it_is() {
    let site = Site::new();
    let (component, key) = site.create("Berlin").await;
    let record = site.store.find_key(&key.digest()).await.unwrap().unwrap();
    for _ in 0..2 {
        let known = site.authenticate(&key).await.unwrap();
        assert_eq!((known.component(), known.name()), (component.id, &component.name));
        assert_eq!((known.kind(), known.key()), (ComponentKind::Collector, record.key_id));
    }
}

#[tokio::test]
async fn an_unknown_key_is_nobodys() {
    let site = Site::new();
    site.create("Berlin").await;
    let stranger = ApiKey::generate(&OsEntropy).unwrap();
    let refused = site.authenticate(&stranger).await;
    assert!(matches!(refused, Err(AuthenticateKeyError::Refused { refusal: Refusal::Unknown, holder: None })));
    assert_eq!(site.actions(), [Action::ComponentCreate]);
}

#[tokio::test]
async fn the_holder_of_a_dead_key_learns_why_it_is_refused() {
    let site = Site::new();
    let (component, rotated) = site.create("Berlin").await;
    let revoked = site.rotate(component.id, Grace::None).await;
    site.keys.revoke(component.id, &administrator()).await.unwrap();
    for (key, expected) in [(rotated, Refusal::Rotated), (revoked, Refusal::Revoked)] {
        match site.authenticate(&key).await {
            Err(AuthenticateKeyError::Refused { refusal, holder: Some(holder) }) => {
                assert_eq!((refusal, holder), (expected, (component.id, component.name.clone())));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_pending_component_is_let_in_once_it_is_approved() {
    let site = Site::new();
    let (waiting, key) = stored_with_hash_of(&site, Standing::Pending, None).await;
    assert_eq!(site.refusal(&key).await, Refusal::NotApproved);
    site.keys.approve(waiting, &administrator()).await.unwrap();
    assert!(site.authenticate(&key).await.is_ok());
}

#[tokio::test]
async fn the_old_key_lives_until_the_new_one_is_first_used() {
    let site = Site::new();
    let (component, old) = site.create("Berlin").await;
    let new = site.rotate(component.id, site.own(&old).await).await;
    site.clock.advance(Duration::from_hours(24 * 400));
    assert!(site.authenticate(&old).await.is_ok());
    assert!(site.authenticate(&new).await.is_ok());
    assert_eq!(site.refusal(&old).await, Refusal::Rotated);
}

#[tokio::test]
async fn a_grace_of_a_minute_lasts_a_minute() {
    let site = Site::new();
    let (component, old) = site.create("Berlin").await;
    let new = site.rotate(component.id, Grace::For(Duration::from_mins(1))).await;
    site.clock.advance(Duration::from_mins(1) - Duration::from_micros(1));
    assert!(site.authenticate(&old).await.is_ok());
    site.clock.advance(Duration::from_micros(1));
    assert_eq!(site.refusal(&old).await, Refusal::Rotated);
    assert!(site.authenticate(&new).await.is_ok());
}

#[tokio::test]
async fn only_the_first_use_is_written_down() {
    let site = Site::new();
    let (component, key) = site.create("Berlin").await;
    for _ in 0..3 {
        site.authenticate(&key).await.unwrap();
    }
    site.keys.settled().await;
    assert_eq!(site.actions(), [Action::ComponentCreate, Action::KeyFirstUse]);
    let event = site.store.log().events().pop().unwrap();
    assert_eq!((event.actor.kind, event.actor.id), (ActorKind::Component, Some(component.id.into_untyped_uuid())));
    assert_eq!((event.actor.name.as_str(), event.client), ("Berlin", Some(address())));
    assert_eq!(event.request_id, Some(RequestId::from_uuid(Uuid::from_u128(9))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_first_requests_at_once_are_all_let_in_and_one_is_the_first() {
    let site = Site::new();
    let (_, key) = site.create("Berlin").await;
    let requests: Vec<_> = (0..50)
        .map(|_| {
            let (keys, key, used) = (site.keys.clone(), key.clone(), site.used_from(None));
            tokio::spawn(async move { keys.authenticate(&key, &used).await })
        })
        .collect();
    for request in requests {
        request.await.unwrap().unwrap();
    }
    site.keys.settled().await;
    assert_eq!(site.actions(), [Action::ComponentCreate, Action::KeyFirstUse]);
}

#[tokio::test]
async fn nobody_is_let_in_while_the_store_is_away() {
    let site = Site::new();
    let (_, key) = site.create("Berlin").await;
    site.store.break_down();
    assert!(matches!(site.authenticate(&key).await, Err(AuthenticateKeyError::Unavailable(_))));
    site.store.mend();
    assert!(site.authenticate(&key).await.is_ok());
}

#[tokio::test]
async fn a_first_use_that_cannot_be_written_down_does_not_happen() {
    let site = Site::new();
    let (component, old) = site.create("Berlin").await;
    let new = site.rotate(component.id, site.own(&old).await).await;
    site.authenticate(&old).await.unwrap();
    site.store.log().break_down();
    assert!(matches!(site.authenticate(&new).await, Err(AuthenticateKeyError::Unavailable(_))));
    assert!(site.authenticate(&old).await.is_ok(), "the new key was not used, so the old one still is good");
    site.store.log().mend();
    assert!(site.authenticate(&new).await.is_ok());
    assert_eq!(site.refusal(&old).await, Refusal::Rotated);
}

/// A component whose key has the slow hash of another one, if one is given, and the key.
async fn stored_with_hash_of(site: &Site, standing: Standing, other: Option<ApiKey>) -> (ComponentId, ApiKey) {
    let key = ApiKey::generate(&OsEntropy).unwrap();
    let hashed = other.as_ref().unwrap_or(&key);
    let hash = site.hashing.reserve().unwrap().hash(preimage(hashed)).await.unwrap();
    let (id, key_id) = (random_uuid(&OsEntropy).unwrap(), random_uuid(&OsEntropy).unwrap());
    let new = NewComponent {
        id: TypedUuid::from_untyped_uuid(id),
        name: Name::parse("stored").unwrap(),
        hostname: None,
        kind: ComponentKind::Agent,
        standing,
        key: NewKey::of(TypedUuid::from_untyped_uuid(key_id), &key, hash, site.now()),
    };
    let event = administrator().event(site.now(), Action::ComponentCreate);
    (site.store.create(new, event).await.unwrap().id, key)
}

#[tokio::test]
async fn a_key_whose_two_hashes_disagree_is_refused_and_reported() {
    let site = Site::new();
    let other = ApiKey::generate(&OsEntropy).unwrap();
    let (id, key) = stored_with_hash_of(&site, Standing::Active, Some(other.clone())).await;
    site.authenticate(&key).await.unwrap();
    site.keys.settled().await;
    assert_eq!(site.refusal(&key).await, Refusal::Revoked);
    assert_eq!(site.refusal(&other).await, Refusal::Unknown);
    assert_eq!(site.actions(), [Action::ComponentCreate, Action::KeyFirstUse, Action::KeyCorrupt]);
    let event = site.store.log().events().pop().unwrap();
    assert_eq!((event.actor.kind, event.outcome), (ActorKind::System, Outcome::Denied));
    assert_eq!(event.details["component"], id.to_string());
}

#[tokio::test]
async fn keys_that_differ_in_their_last_characters_do_not_share_a_slow_hash() {
    let site = Site::new();
    let key = ApiKey::generate(&OsEntropy).unwrap();
    let mut text = key.expose().to_string();
    // Of 51 characters, the last one only.
    let last = text.pop().unwrap();
    text.push(if last == 'A' { 'E' } else { 'A' });
    let neighbour = ApiKey::parse(&text).unwrap();
    let hash = site.hashing.reserve().unwrap().hash(preimage(&key)).await.unwrap();
    assert!(!site.hashing.reserve().unwrap().verify(preimage(&neighbour), hash).await.unwrap());
}

#[tokio::test]
async fn a_request_never_waits_for_the_slow_hash() {
    let site = Site::new();
    let other = ApiKey::generate(&OsEntropy).unwrap();
    let (_, key) = stored_with_hash_of(&site, Standing::Active, Some(other)).await;
    let places = site.fill_the_pool();
    site.authenticate(&key).await.unwrap();
    site.authenticate(&key).await.unwrap();
    assert_eq!(site.actions(), [Action::ComponentCreate, Action::KeyFirstUse]);
    drop(places);
    // The verification waited for a place instead.
    site.keys.settled().await;
    assert_eq!(site.refusal(&key).await, Refusal::Revoked);
}
