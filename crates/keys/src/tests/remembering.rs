//! What is kept in memory, and when it is not used.

use std::time::Duration;

use stratora_audit::Action;
use stratora_cache::CredentialTag;
use stratora_token::OsEntropy;

use super::{Site, administrator};
use crate::{ApiKey, AuthenticateKeyError, Grace, KeyStore as _, Refusal, subject_of};

impl Site {
    /// A site whose memory is trusted for good.
    fn that_trusts_its_memory() -> Self {
        let site = Self::new();
        site.coherence.trust_always();
        site
    }
}

#[tokio::test]
async fn a_key_that_was_used_is_known_without_the_store() {
    let site = Site::that_trusts_its_memory();
    let (component, key) = site.create("Berlin").await;
    site.authenticate(&key).await.unwrap();
    site.coherence.changed(subject_of(component.id));
    site.authenticate(&key).await.unwrap();
    site.store.break_down();
    assert_eq!(site.authenticate(&key).await.unwrap().component(), component.id);
    site.coherence.distrust();
    assert!(site.authenticate(&key).await.is_err(), "nothing in memory is used while it is not trusted");
}

#[tokio::test]
async fn a_change_makes_the_store_be_asked_again() {
    let site = Site::that_trusts_its_memory();
    let (component, key) = site.create("Berlin").await;
    site.authenticate(&key).await.unwrap();
    let event = administrator().event(site.now(), Action::ComponentRevoke);
    site.store.revoke(component.id, site.now(), event).await.unwrap();
    site.coherence.changed(subject_of(component.id));
    assert_eq!(site.refusal(&key).await, Refusal::Revoked);
    site.store.break_down();
    assert_eq!(site.refusal(&key).await, Refusal::Revoked, "a dead key is remembered as well, with the reason");
}

#[tokio::test]
async fn a_grace_ends_in_memory_too() {
    let site = Site::that_trusts_its_memory();
    let (component, old) = site.create("Berlin").await;
    site.authenticate(&old).await.unwrap();
    site.rotate(component.id, Grace::For(Duration::from_mins(1))).await;
    site.coherence.changed(subject_of(component.id));
    site.authenticate(&old).await.unwrap();
    site.clock.advance(Duration::from_mins(1));
    assert_eq!(site.refusal(&old).await, Refusal::Rotated);
}

#[tokio::test]
async fn a_key_that_was_never_issued_is_refused_without_the_store() {
    let site = Site::that_trusts_its_memory();
    let (_, key) = site.create("Berlin").await;
    let reading = site.coherence.issued().begin_reading();
    reading.add([CredentialTag::of(key.digest().as_bytes())]);
    reading.complete();
    site.store.break_down();
    let stranger = ApiKey::generate(&OsEntropy).unwrap();
    assert_eq!(site.refusal(&stranger).await, Refusal::Unknown);
    assert!(matches!(site.authenticate(&key).await, Err(AuthenticateKeyError::Unavailable(_))));
    site.store.mend();
    assert!(site.authenticate(&key).await.is_ok(), "beside however many guesses");
}

#[tokio::test]
async fn a_tag_is_known_without_the_store_until_the_configuration_changes() {
    let site = Site::that_trusts_its_memory();
    let (component, key) = site.create("Berlin").await;
    assert_eq!(site.etag(&key).await, None);
    site.coherence.changed(subject_of(component.id));
    assert_eq!(site.etag(&key).await, None);
    site.keys.put_config(component.id, "a = 1".to_owned(), &administrator()).await.unwrap();
    assert_eq!(site.etag(&key).await, None, "nothing was heard of a change");
    site.coherence.changed(subject_of(component.id));
    let etag = site.etag(&key).await;
    assert!(etag.is_some());
    site.store.break_down();
    assert_eq!(site.etag(&key).await, etag);
}

#[tokio::test]
async fn an_unknown_key_that_is_repeated_costs_one_read() {
    let site = Site::new();
    let (component, key) = site.create("Berlin").await;
    site.keys.delete(component.id, &administrator()).await.unwrap();
    assert_eq!(site.refusal(&key).await, Refusal::Unknown);
    site.store.break_down();
    assert_eq!(site.refusal(&key).await, Refusal::Unknown);
    site.clock.advance(Duration::from_secs(10));
    assert!(matches!(site.authenticate(&key).await, Err(AuthenticateKeyError::Unavailable(_))));
}
