//! What many failures lead to, and for whom.

use std::time::Duration;

use stratora_audit::{Action, Origin, Outcome};
use stratora_auth::{ChangeOwnPasswordError, SignInError};

use crate::house::{House, PASSPHRASE, change};

#[tokio::test]
async fn wrong_present_passwords_count_like_wrong_sign_ins() {
    let (house, _) = House::with_user("grace").await;
    let signed_in = house.sign_in("grace", PASSPHRASE).await.unwrap();
    let own = house.authenticate(&signed_in.token.0).await.unwrap();
    for _ in 0..21 {
        change(&house, &own, "wrong", "another long passphrase").await.unwrap_err();
    }
    let throttled = change(&house, &own, PASSPHRASE, "another long passphrase").await;
    assert!(matches!(throttled, Err(ChangeOwnPasswordError::Throttled { retry_after: Some(_) })));
}

#[tokio::test]
async fn names_that_exist_and_names_that_do_not_are_braked_alike() {
    let (house, _) = House::with_user("grace").await;
    assert_eq!(house.fail_until_throttled("grace").await, 21);
    assert_eq!(house.fail_until_throttled("nobody").await, 21);
    let right = house.sign_in("grace", PASSPHRASE).await;
    assert!(matches!(right, Err(SignInError::Throttled { retry_after: Some(_) })), "no password is looked at");
    assert_eq!(house.last_event(), (Action::AccountThrottle, Outcome::Denied, None));
    house.clock.advance(Duration::from_secs(1));
    assert!(house.sign_in("grace", PASSPHRASE).await.is_ok());
    assert!(house.sign_in("grace", "wrong").await.is_err_and(|error| matches!(error, SignInError::InvalidCredentials)));
}

#[tokio::test]
async fn strangers_do_not_lock_out_a_known_device() {
    let (house, _) = House::with_user("grace").await;
    let device = house.sign_in("grace", PASSPHRASE).await.unwrap().device;
    house.fail_until_throttled("grace").await;
    let known = house.sign_in_from("grace", PASSPHRASE, Some(device)).await.unwrap();
    assert_eq!(known.device.device, device.device, "it stays the same device");
    assert!(
        house.sign_in("grace", PASSPHRASE).await.is_ok(),
        "a sign-in from a known device clears the strangers' counter"
    );
}

#[tokio::test]
async fn a_device_known_to_another_account_is_a_stranger() {
    let (house, _) = House::with_user("grace").await;
    house.add("mallory", PASSPHRASE).await;
    let device = house.sign_in("mallory", PASSPHRASE).await.unwrap().device;
    house.fail_until_throttled("grace").await;
    let refused = house.sign_in_from("grace", PASSPHRASE, Some(device)).await;
    assert!(matches!(refused, Err(SignInError::Throttled { .. })));
}

#[tokio::test]
async fn at_a_hundred_failures_only_a_reset_or_a_known_device_helps() {
    let (house, account) = House::with_user("grace").await;
    let mut failures = 0;
    while failures < 100 {
        match house.sign_in("grace", "wrong").await {
            Err(SignInError::InvalidCredentials) => failures += 1,
            Err(SignInError::Throttled { retry_after: Some(wait) }) => house.clock.advance(wait),
            other => panic!("{other:?}"),
        }
    }
    house.clock.advance(Duration::from_hours(24 * 365));
    let refused = house.sign_in("grace", PASSPHRASE).await;
    assert!(matches!(refused, Err(SignInError::Throttled { retry_after: None })));
    let (_, one_time) = house.users.reset_password(account.id, &Origin::system()).await.unwrap();
    assert!(house.sign_in("grace", one_time.expose()).await.is_ok());
}
