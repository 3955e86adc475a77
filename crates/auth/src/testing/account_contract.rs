//! What every [`AccountStore`] does.

use std::sync::Arc;

use stratora_audit::Action;
use stratora_port::{Limit, PageRequest};

use super::fixtures::{account, at, event, hash, id, proof, session, stranger, username};
use crate::{
    AccountChange, AccountStore, Admission, AuthSource, BrakeStore, ChangePasswordError, CreateAccountError,
    MissingAccount, NewAccount, NewPassword, Role, SessionStore, UserId,
};

/// Checks `store`, which has to be empty.
pub async fn account_store_contract<S>(store: Arc<S>)
where
    S: AccountStore + SessionStore + BrakeStore,
{
    accounts_are_kept_under_their_names(&*store).await;
    accounts_are_listed_by_name(&*store).await;
    changes_of_privilege_end_sessions(&*store).await;
    the_built_in_account_stays(&*store).await;
    a_password_is_changed_by_whoever_knows_the_present_one(&*store).await;
    a_reset_ends_everything(&*store).await;
    what_is_deleted_is_gone(&*store).await;
    one_of_many_gets_a_name(store).await;
}

async fn insert<S: AccountStore>(store: &S, account: NewAccount) -> UserId {
    let id = account.id;
    store.create(account, event(Action::UserCreate)).await.unwrap();
    id
}

async fn open<S: SessionStore>(store: &S, number: u128, user: UserId, name: &str) {
    let opened = store.open(session(number, user), proof('a'), &stranger(name), event(Action::SignIn)).await;
    opened.unwrap();
}

async fn sessions<S: SessionStore>(store: &S, user: UserId) -> usize {
    store.of_user(user, at(2)).await.unwrap().len()
}

async fn accounts_are_kept_under_their_names<S: AccountStore>(store: &S) {
    assert!(store.is_empty().await.unwrap(), "the contract starts with an empty store");
    let grace = insert(store, account(1, "grace")).await;
    assert!(!store.is_empty().await.unwrap());
    let found = store.find_by_username(&username("GRACE")).await.unwrap().unwrap();
    assert_eq!((found.id, found.role, found.source, found.active), (grace, Role::Operator, AuthSource::Local, true));
    assert_eq!((found.display_name.as_str(), found.email.as_deref()), ("Grace", Some("grace@example.com")));
    assert_eq!((found.must_change_password, found.password_expires_at), (true, Some(at(86_400))));
    assert_eq!((found.created_at, found.last_sign_in_at, found.built_in), (at(0), None, false));
    assert_eq!(found.password.unwrap().to_stored(), hash('a').to_stored());
    assert!(AccountStore::find(store, grace).await.unwrap().is_some());
    assert!(AccountStore::find(store, id(99)).await.unwrap().is_none());
    assert!(store.find_by_username(&username("nobody")).await.unwrap().is_none());
    let taken = store.create(account(2, "Grace"), event(Action::UserCreate)).await;
    assert!(matches!(taken, Err(CreateAccountError::Conflict)), "a name is unique in every spelling");
    assert!(AccountStore::find(store, id(2)).await.unwrap().is_none());
}

async fn accounts_are_listed_by_name<S: AccountStore>(store: &S) {
    for (number, name) in [(3, "ada"), (4, "zoe"), (5, "mary")] {
        insert(store, account(number, name)).await;
    }
    let mut request = PageRequest { limit: Limit::new(3).unwrap(), after: None };
    let first = store.page(&request).await.unwrap();
    let names = |accounts: &[crate::Account]| -> Vec<String> {
        accounts.iter().map(|account| account.username.to_string()).collect()
    };
    assert_eq!((names(&first.items), first.total), (vec!["ada".into(), "grace".into(), "mary".into()], 4));
    request.after = first.next;
    let last = store.page(&request).await.unwrap();
    assert_eq!((names(&last.items), last.next), (vec!["zoe".to_owned()], None));
}

async fn changes_of_privilege_end_sessions<S: AccountStore + SessionStore>(store: &S) {
    let user = insert(store, account(10, "changing")).await;
    let change = async |change: AccountChange| store.update(user, change, event(Action::UserUpdate)).await.unwrap();
    open(store, 100, user, "changing").await;
    let named = change(AccountChange {
        display_name: Some("Another".to_owned()),
        email: Some(None),
        ..AccountChange::default()
    });
    let named = named.await;
    assert_eq!((named.display_name.as_str(), named.email), ("Another", None));
    assert_eq!(sessions(store, user).await, 1, "a new display name ends no session");
    let promoted = change(AccountChange { role: Some(Role::Admin), ..AccountChange::default() }).await;
    assert_eq!(promoted.role, Role::Admin);
    assert_eq!(sessions(store, user).await, 0, "a new role ends every session");
    open(store, 101, user, "changing").await;
    let off = change(AccountChange { active: Some(false), ..AccountChange::default() }).await;
    assert!(!off.active);
    assert_eq!(sessions(store, user).await, 0, "deactivation ends every session");
    let opened = store.open(session(102, user), proof('a'), &stranger("changing"), event(Action::SignIn)).await;
    assert!(opened.is_err(), "no session is opened for an account that is off");
    let on = change(AccountChange { active: Some(true), ..AccountChange::default() }).await;
    assert!(on.active);
    assert_eq!(sessions(store, user).await, 0, "no session comes back");
    let missing = store.update(id(99), AccountChange::default(), event(Action::UserUpdate)).await;
    assert!(matches!(missing, Err(MissingAccount::Missing)));
}

async fn the_built_in_account_stays<S: AccountStore>(store: &S) {
    let built_in = NewAccount { built_in: true, role: Role::Admin, ..account(20, "admin") };
    let user = insert(store, built_in).await;
    for change in [
        AccountChange { active: Some(false), ..AccountChange::default() },
        AccountChange { role: Some(Role::Viewer), ..AccountChange::default() },
    ] {
        let refused = store.update(user, change, event(Action::UserUpdate)).await;
        assert!(matches!(refused, Err(MissingAccount::Missing)));
    }
    let refused = store.delete(user, event(Action::UserDelete)).await;
    assert!(matches!(refused, Err(MissingAccount::Missing)));
    let named = AccountChange { display_name: Some("Root".to_owned()), ..AccountChange::default() };
    assert!(store.update(user, named, event(Action::UserUpdate)).await.is_ok());
    let found = AccountStore::find(store, user).await.unwrap().unwrap();
    assert!(found.active && found.built_in && found.role == Role::Admin);
}

async fn a_password_is_changed_by_whoever_knows_the_present_one<S: AccountStore + SessionStore>(store: &S) {
    let user = insert(store, account(30, "secretive")).await;
    open(store, 300, user, "secretive").await;
    open(store, 301, user, "secretive").await;
    let change = async |current, number| {
        let event = event(Action::PasswordChange);
        store.change_password(user, &hash(current), hash('b'), session(number, user), event).await
    };
    assert!(matches!(change('x', 302).await, Err(ChangePasswordError::Changed)), "the present password is another");
    assert_eq!(sessions(store, user).await, 2);
    change('a', 303).await.unwrap();
    let own = store.of_user(user, at(2)).await.unwrap();
    assert_eq!(own.iter().map(|session| session.id).collect::<Vec<_>>(), [id(303)], "only the new session is left");
    let found = AccountStore::find(store, user).await.unwrap().unwrap();
    assert_eq!(found.password.unwrap().to_stored(), hash('b').to_stored());
    assert_eq!((found.must_change_password, found.password_expires_at), (false, None));
    assert!(matches!(change('a', 304).await, Err(ChangePasswordError::Changed)), "it was changed meanwhile");
}

async fn a_reset_ends_everything<S: AccountStore + SessionStore + BrakeStore>(store: &S) {
    let user = insert(store, account(40, "locked")).await;
    open(store, 400, user, "locked").await;
    while store.attempt(&stranger("locked"), at(5)).await.unwrap() == Admission::Admitted {}
    let new = NewPassword { hash: hash('c'), must_change: true, expires_at: Some(at(99)) };
    store.reset_password(user, new.clone(), event(Action::PasswordReset)).await.unwrap();
    let found = AccountStore::find(store, user).await.unwrap().unwrap();
    assert_eq!(found.password.unwrap().to_stored(), hash('c').to_stored());
    assert_eq!((found.must_change_password, found.password_expires_at), (true, Some(at(99))));
    assert_eq!(sessions(store, user).await, 0);
    assert_eq!(store.attempt(&stranger("locked"), at(5)).await.unwrap(), Admission::Admitted);
    let missing = store.reset_password(id(99), new, event(Action::PasswordReset)).await;
    assert!(matches!(missing, Err(MissingAccount::Missing)));
}

async fn what_is_deleted_is_gone<S: AccountStore + SessionStore>(store: &S) {
    let user = insert(store, account(50, "leaving")).await;
    open(store, 500, user, "leaving").await;
    store.delete(user, event(Action::UserDelete)).await.unwrap();
    assert!(AccountStore::find(store, user).await.unwrap().is_none());
    assert_eq!(sessions(store, user).await, 0);
    assert!(matches!(store.delete(user, event(Action::UserDelete)).await, Err(MissingAccount::Missing)));
    insert(store, account(51, "leaving")).await;
}

async fn one_of_many_gets_a_name<S: AccountStore>(store: Arc<S>) {
    let tries: Vec<_> = (600..620)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.create(account(number, "wanted"), event(Action::UserCreate)).await })
        })
        .collect();
    let mut created = 0;
    for each in tries {
        match each.await.unwrap() {
            Ok(()) => created += 1,
            Err(error) => assert!(matches!(error, CreateAccountError::Conflict), "{error:?}"),
        }
    }
    assert_eq!(created, 1);
}
