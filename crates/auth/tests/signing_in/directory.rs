//! Signing in with a password that a directory keeps.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stratora_audit::{Action, Origin, Outcome};
use stratora_auth::{
    AccountChange, AccountStore as _, AuthSource, Directory, DirectoryPerson, DirectoryUnavailable, Password, Role,
    SignInError, Username,
};

use crate::house::{House, PASSPHRASE};

const IN_DIRECTORY: &str = "the password in the directory";

/// Knows everybody, under one password.
struct FakeDirectory {
    asked: AtomicUsize,
    role: Mutex<Option<Role>>,
}

#[async_trait]
impl Directory for FakeDirectory {
    async fn verify(&self, _: &Username, password: &Password) -> Result<Option<DirectoryPerson>, DirectoryUnavailable> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let Some(role) = *self.role.lock().unwrap() else {
            return Err(DirectoryUnavailable { advice: "switch it on".to_owned() });
        };
        let person =
            DirectoryPerson { display_name: "Ada".to_owned(), email: Some("ada@example.com".to_owned()), role };
        Ok((password.expose() == IN_DIRECTORY).then_some(person))
    }
}

fn house() -> (House, Arc<FakeDirectory>) {
    let directory = Arc::new(FakeDirectory { asked: AtomicUsize::new(0), role: Mutex::new(Some(Role::Viewer)) });
    (House::beside(Some(directory.clone())), directory)
}

#[tokio::test]
async fn whoever_the_directory_knows_gets_an_account_at_the_first_sign_in() {
    let (house, directory) = house();
    let first = house.sign_in("Ada", IN_DIRECTORY).await.unwrap();
    let account = &first.account;
    assert_eq!((account.username.as_str(), account.source, account.role), ("ada", AuthSource::Ldap, Role::Viewer));
    assert_eq!((account.display_name.as_str(), account.email.as_deref()), ("Ada", Some("ada@example.com")));
    assert!(account.password.is_none() && !account.must_change_password);
    let actions: Vec<_> = house.store.events().iter().map(|event| event.action).collect();
    assert_eq!(actions, [Action::UserCreate, Action::SignIn]);
    *directory.role.lock().unwrap() = Some(Role::Admin);
    let second = house.sign_in("ada", IN_DIRECTORY).await.unwrap();
    assert_eq!((second.account.id, second.account.role), (account.id, Role::Admin));
    assert!(!house.is_in(&first).await && house.is_in(&second).await, "another role ends the other sessions");
}

#[tokio::test]
async fn neither_store_answers_for_the_other() {
    let (house, directory) = house();
    house.add("grace", PASSPHRASE).await;
    for password in [IN_DIRECTORY, "wrong"] {
        assert!(matches!(house.sign_in("grace", password).await, Err(SignInError::InvalidCredentials)));
    }
    assert!(house.sign_in("grace", PASSPHRASE).await.is_ok());
    assert_eq!(directory.asked.load(Ordering::SeqCst), 0, "somebody with a local account is not looked for");
    let refused = house.sign_in("ada", PASSPHRASE).await;
    assert!(matches!(refused, Err(SignInError::InvalidCredentials)));
    assert_eq!(house.last_event(), (Action::SignIn, Outcome::Failure, Some("wrong_password".to_owned())));
    assert!(house.store.find_by_username(&Username::parse("ada").unwrap()).await.unwrap().is_none());
}

#[tokio::test]
async fn whoever_was_turned_off_here_stays_out_whatever_the_directory_says() {
    let (house, directory) = house();
    let admin = house.add("admin-two", PASSPHRASE).await;
    let ada = house.sign_in("ada", IN_DIRECTORY).await.unwrap();
    let off = AccountChange { active: Some(false), ..AccountChange::default() };
    house.users.update(ada.account.id, off, admin.id, &Origin::system()).await.unwrap();
    let asked = directory.asked.load(Ordering::SeqCst);
    assert!(matches!(house.sign_in("ada", IN_DIRECTORY).await, Err(SignInError::InvalidCredentials)));
    assert_eq!(directory.asked.load(Ordering::SeqCst), asked);
}

#[tokio::test]
async fn a_directory_that_is_away_keeps_its_own_people_out_and_nobody_else() {
    let (house, directory) = house();
    house.add("grace", PASSPHRASE).await;
    *directory.role.lock().unwrap() = None;
    assert!(matches!(house.sign_in("ada", IN_DIRECTORY).await, Err(SignInError::DirectoryUnavailable(_))));
    let reason = Some("directory_unavailable".to_owned());
    assert_eq!(house.last_event(), (Action::SignIn, Outcome::Failure, reason));
    assert!(house.sign_in("grace", PASSPHRASE).await.is_ok());
}

#[tokio::test]
async fn the_brake_holds_before_the_directory_is_asked() {
    let (house, directory) = house();
    house.fail_until_throttled("ada").await;
    let asked = directory.asked.load(Ordering::SeqCst);
    assert!(matches!(house.sign_in("ada", IN_DIRECTORY).await, Err(SignInError::Throttled { .. })));
    assert_eq!(directory.asked.load(Ordering::SeqCst), asked);
}
