//! When components are told to rotate, and that none is stranded by doing so.

use std::time::Duration;

use stratora_audit::Action;

use super::{MAX_KEY_AGE, Site, administrator, nobody};
use crate::{ApiKey, ChangeComponentError, Grace, IssueKeyError, KeyStore as _, Refusal, Standing};

impl Site {
    /// Whether whoever holds `key` is told to rotate it.
    async fn is_told(&self, key: &ApiKey) -> bool {
        self.keys.is_due(self.authenticate(key).await.unwrap().as_ref(), self.now())
    }
}

#[tokio::test]
async fn a_key_that_got_too_old_is_to_be_rotated() {
    let site = Site::new();
    let (component, old) = site.create("Berlin").await;
    site.clock.advance((MAX_KEY_AGE * 9 / 10).saturating_sub(Duration::from_secs(1)));
    assert!(!site.is_told(&old).await);
    site.clock.advance(MAX_KEY_AGE / 10 + Duration::from_secs(1));
    assert!(site.is_told(&old).await);
    let new = site.rotate(component.id, site.own(&old).await).await;
    assert!(!site.is_told(&new).await);
}

#[tokio::test]
async fn what_an_administrator_asks_for_is_told_from_the_next_request_on_and_until_it_is_done() {
    let site = Site::new();
    site.coherence.trust_always();
    let (component, old) = site.create("Berlin").await;
    site.authenticate(&old).await.unwrap();
    site.coherence.changed(crate::subject_of(component.id));
    assert!(!site.is_told(&old).await);
    let asked = site.keys.request_rotation(component.id, &administrator()).await.unwrap();
    assert_eq!(asked.rotation_requested_at, Some(site.now()));
    site.coherence.changed(crate::subject_of(component.id));
    assert!(site.is_told(&old).await);
    site.store.break_down();
    assert!(site.is_told(&old).await, "what is in memory says so without the store");
    site.store.mend();
    let new = site.rotate(component.id, site.own(&old).await).await;
    assert!(!site.is_told(&new).await);
    assert_eq!(site.actions().iter().filter(|action| **action == Action::RotationRequest).count(), 1);
}

#[tokio::test]
async fn only_an_active_component_can_be_asked() {
    let site = Site::new();
    let (component, _) = site.create("Berlin").await;
    site.keys.revoke(component.id, &administrator()).await.unwrap();
    let refused = site.keys.request_rotation(component.id, &administrator()).await;
    assert!(matches!(refused, Err(ChangeComponentError::WrongStanding { standing: Standing::Revoked })), "{refused:?}");
    let refused = site.keys.request_rotation(nobody(), &administrator()).await;
    assert!(matches!(refused, Err(ChangeComponentError::Missing)), "{refused:?}");
}

#[tokio::test]
async fn a_component_that_lost_its_new_key_is_told_to_ask_again_with_the_one_it_has() {
    let site = Site::new();
    let (component, kept) = site.create("Berlin").await;
    let own = site.own(&kept).await;
    for _ in 0..5 {
        let lost = site.rotate(component.id, own).await;
        assert!(site.is_told(&kept).await);
        drop(lost);
    }
    let new = site.rotate(component.id, own).await;
    assert!(!site.is_told(&new).await);
    assert_eq!(site.refusal(&kept).await, Refusal::Rotated);
    let late = site.keys.rotate(component.id, own, &administrator()).await;
    assert!(matches!(late, Err(IssueKeyError::Component(ChangeComponentError::KeyEnded))));
    assert!(site.authenticate(&new).await.is_ok());
}

/// It would end the key that the administrator is handing over, and outlive its deadline.
#[tokio::test]
async fn whoever_holds_the_old_key_of_an_administrators_rotation_is_not_told_to_rotate_and_may_not() {
    let site = Site::new();
    let (component, old) = site.create("Berlin").await;
    site.clock.advance(MAX_KEY_AGE);
    assert!(site.is_told(&old).await, "it is old enough");
    let new = site.rotate(component.id, Grace::For(Duration::from_hours(1))).await;
    site.keys.request_rotation(component.id, &administrator()).await.unwrap();
    assert!(!site.is_told(&old).await);
    let own = site.own(&old).await;
    let refused = site.keys.rotate(component.id, own, &administrator()).await;
    assert!(matches!(refused, Err(IssueKeyError::Component(ChangeComponentError::KeyHandedOver))), "{refused:?}");
    site.clock.advance(Duration::from_hours(1));
    assert_eq!(site.refusal(&old).await, Refusal::Rotated, "at the administrator's deadline");
    assert!(site.is_told(&new).await, "the new key is what was asked for a rotation");
}

/// Or its holder would take it for the key to keep, and forget the one that works.
#[tokio::test]
async fn a_key_that_was_replaced_before_its_first_use_is_refused_by_it() {
    let site = Site::new();
    site.coherence.trust_always();
    let (component, kept) = site.create("Berlin").await;
    let own = site.own(&kept).await;
    let replaced = site.rotate(component.id, own).await;
    site.store.log().break_down();
    site.authenticate(&replaced).await.unwrap_err();
    site.store.log().mend();
    // Behind the back of what is in memory, which takes the key for live.
    let live = site.rotate(component.id, own).await;
    assert_eq!(site.refusal(&replaced).await, Refusal::Rotated);
    assert!(site.authenticate(&kept).await.is_ok());
    assert!(site.authenticate(&live).await.is_ok());
    assert_eq!(site.refusal(&replaced).await, Refusal::Rotated);
    let event = administrator().event(site.now(), Action::ComponentDelete);
    site.store.delete(component.id, event).await.unwrap();
}
