//! Signing in, sessions and passwords, with a clock that is turned by hand and a store in memory.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails says so by a panic")]

mod brake;
mod directory;
mod house;
mod sessions;

use std::time::Duration;

use stratora_audit::{Action, Origin, Outcome};
use stratora_auth::{
    AccountChange, AuthenticateError, ChangeOwnPasswordError, Channel, NewUser, OneTimePassword, Password,
    PasswordHash, RefusedPassword, Role, SignInError, Username,
};
use stratora_clock::Clock as _;

use crate::house::{House, PASSPHRASE, change};

#[tokio::test]
async fn whoever_knows_the_password_gets_two_different_secrets() {
    let (house, account) = House::with_user("grace").await;
    let signed_in = house.sign_in("GRACE", PASSPHRASE).await.unwrap();
    assert_eq!(signed_in.account.id, account.id);
    assert!(!signed_in.token.0.matches(&signed_in.cookie.0));
    assert_eq!(signed_in.session.user_agent, "Mozilla/5.0");
    let by_token = house.authenticate(&signed_in.token.0).await.unwrap();
    let now = house.clock.now();
    let by_cookie = house.sessions.authenticate(Channel::Cookie, &signed_in.cookie.0, None, now).await.unwrap();
    assert_eq!(by_token.id, by_cookie.id);
    assert!(house.authenticate(&signed_in.cookie.0).await.is_err(), "the cookie is no bearer token");
    assert_eq!(house.last_event(), (Action::SignIn, Outcome::Success, None));
}

#[tokio::test]
async fn every_wrong_way_in_ends_alike_and_is_told_apart_in_the_log_only() {
    let (house, account) = House::with_user("grace").await;
    let inactive = house.add("inactive", PASSPHRASE).await;
    let off = AccountChange { active: Some(false), ..AccountChange::default() };
    house.users.update(inactive.id, off, account.id, &Origin::system()).await.unwrap();
    let (_, one_time) =
        house.users.reset_password(house.add("expired", "x").await.id, &Origin::system()).await.unwrap();
    house.clock.advance(Duration::from_hours(24));
    for (name, password, reason) in [
        ("grace", "wrong", "wrong_password"),
        ("nobody", PASSPHRASE, "unknown_user"),
        ("inactive", PASSPHRASE, "inactive"),
        ("expired", one_time.expose(), "expired"),
    ] {
        let refused = house.sign_in(name, password).await;
        assert!(matches!(refused, Err(SignInError::InvalidCredentials)), "{name}");
        assert_eq!(house.last_event(), (Action::SignIn, Outcome::Failure, Some(reason.to_owned())));
    }
}

#[tokio::test]
async fn the_log_holds_no_password() {
    let (house, _) = House::with_user("grace").await;
    house.sign_in("grace", PASSPHRASE).await.unwrap();
    house.sign_in("grace", "hunter2hunter2").await.unwrap_err();
    let log = format!("{:?}", house.store.events());
    assert!(!log.contains(PASSPHRASE) && !log.contains("hunter2"), "{log}");
}

#[tokio::test]
async fn a_one_time_password_is_spent_by_the_change_that_it_forces() {
    let house = House::build();
    let one_time = house.users.ensure_built_in().await.unwrap().unwrap();
    assert!(house.users.ensure_built_in().await.unwrap().is_none(), "the built-in administrator is made once");
    let first = house.sign_in("admin", one_time.expose()).await.unwrap();
    assert!(first.account.must_change_password && first.account.role == Role::Admin);
    let own = house.authenticate(&first.token.0).await.unwrap();
    let changed = change(&house, &own, one_time.expose(), PASSPHRASE).await.unwrap();
    assert!(!changed.account.must_change_password);
    assert!(!house.is_in(&first).await && house.is_in(&changed).await, "the old secret is dead at once");
    assert!(house.sign_in("admin", one_time.expose()).await.is_err());
    assert!(house.sign_in("admin", PASSPHRASE).await.is_ok());
}

#[tokio::test]
async fn a_new_password_has_to_be_new_and_good_and_the_present_one_right() {
    let (house, _) = House::with_user("grace").await;
    let signed_in = house.sign_in("grace", PASSPHRASE).await.unwrap();
    let own = house.authenticate(&signed_in.token.0).await.unwrap();
    let refusal =
        async |current: &'static str, new: &'static str| change(&house, &own, current, new).await.unwrap_err();
    let unchanged = refusal(PASSPHRASE, PASSPHRASE).await;
    assert!(matches!(unchanged, ChangeOwnPasswordError::Refused(RefusedPassword::Unchanged)));
    let short = refusal(PASSPHRASE, "short").await;
    assert!(matches!(short, ChangeOwnPasswordError::Refused(RefusedPassword::TooShort { min: 15 })));
    let wrong = refusal("wrong", "another long passphrase").await;
    assert!(matches!(wrong, ChangeOwnPasswordError::WrongPassword));
    assert_eq!(house.last_event(), (Action::PasswordChange, Outcome::Failure, Some("wrong_password".to_owned())));
    assert!(house.is_in(&signed_in).await);
}

#[tokio::test]
async fn a_hash_that_was_taken_over_is_upgraded_at_the_next_sign_in() {
    let house = House::build();
    // The published test vector of bcrypt's authors: the password is U*U.
    let imported = PasswordHash::parse("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW").unwrap();
    let account = house.import("old", imported).await;
    assert!(house.sign_in("old", "U*V").await.is_err());
    assert!(house.sign_in("old", "U*U").await.is_ok());
    let upgraded = house.users.find(account.id).await.unwrap().unwrap().password.unwrap();
    assert!(upgraded.to_stored().starts_with("hmac-sha384:$2b$04$"), "{}", upgraded.to_stored());
    assert!(house.sign_in("old", "U*U").await.is_ok());
}

#[tokio::test]
async fn a_store_that_is_away_closes_every_door() {
    let (house, account) = House::with_user("grace").await;
    let signed_in = house.sign_in("grace", PASSPHRASE).await.unwrap();
    let own = house.authenticate(&signed_in.token.0).await.unwrap();
    house.store.fail(true);
    assert!(matches!(house.sign_in("grace", PASSPHRASE).await, Err(SignInError::Unavailable(_))));
    let session = house.authenticate(&signed_in.token.0).await;
    assert!(matches!(session, Err(AuthenticateError::Unavailable(_))));
    let changed = change(&house, &own, PASSPHRASE, "another long passphrase").await;
    assert!(matches!(changed, Err(ChangeOwnPasswordError::Unavailable(_))));
    assert!(house.users.reset_password(account.id, &Origin::system()).await.is_err());
    house.store.fail(false);
    assert!(house.is_in(&signed_in).await, "nothing was lost");
}

#[tokio::test]
async fn without_randomness_nothing_is_made() {
    let (house, account) = House::with_user("grace").await;
    house.entropy.break_down();
    assert!(matches!(house.sign_in("grace", PASSPHRASE).await, Err(SignInError::Unavailable(_))));
    assert!(house.users.reset_password(account.id, &Origin::system()).await.is_err());
    assert!(OneTimePassword::generate(house.entropy.as_ref()).is_err());
    house.entropy.mend();
    assert!(house.sign_in("grace", PASSPHRASE).await.is_ok());
}

#[tokio::test]
async fn a_full_hashing_pool_refuses_before_anything_is_counted() {
    let (house, _) = House::with_user("grace").await;
    let mut places = Vec::new();
    while let Ok(place) = house.hashing.reserve() {
        places.push(place);
    }
    for _ in 0..50 {
        assert!(matches!(house.sign_in("grace", "wrong").await, Err(SignInError::Busy(_))));
    }
    drop(places);
    assert!(house.sign_in("grace", PASSPHRASE).await.is_ok());
}

#[tokio::test]
async fn a_user_that_an_administrator_makes_has_to_choose_a_password() {
    let house = House::build();
    let new = |name: &str, password: Option<&str>| NewUser {
        username: Username::parse(name).unwrap(),
        role: Role::Viewer,
        display_name: None,
        email: None,
        password: password.map(|password| Password::parse(password).unwrap()),
    };
    let (made, one_time) = house.users.create(new("ada", None), &Origin::system()).await.unwrap();
    assert!(made.must_change_password && made.password_expires_at.is_some());
    assert!(house.sign_in("ada", one_time.unwrap().expose()).await.is_ok());
    let (given, none) = house.users.create(new("eve", Some(PASSPHRASE)), &Origin::system()).await.unwrap();
    assert!(given.must_change_password && given.password_expires_at.is_none() && none.is_none());
    let common = house.users.create(new("bob", Some("aaaaaaaaaaaaaaaaaa")), &Origin::system()).await;
    assert!(common.is_err());
    assert!(house.users.create(new("ADA", None), &Origin::system()).await.is_err(), "the name is taken");
}
