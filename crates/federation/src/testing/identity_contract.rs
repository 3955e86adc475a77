//! What every [`IdentityStore`] does.

use std::sync::Arc;

use newtype_uuid::GenericUuid as _;
use stratora_audit::Action;
use stratora_auth::{
    AccountChange, AccountStore, AuthSource, Channel, NewAccount, NewSession, Role, SessionStore, UserId,
};

use super::fixtures::{account, at, event, id, identity, provider, session, sign_in, token};
use crate::{Entry, FederatedSignIn, FederatedSignInError, IdentityStore, Provider, ProviderStore};

/// Where accounts and their sessions are.
pub trait Accounts: AccountStore + SessionStore {}
impl<A: AccountStore + SessionStore> Accounts for A {}

/// Where the rest is.
pub trait Stores: ProviderStore + IdentityStore {}
impl<S: ProviderStore + IdentityStore> Stores for S {}

/// Checks `store`, which has to be empty and to keep accounts and sessions in `accounts`.
///
/// # Panics
/// When the contract is broken.
pub async fn identity_store_contract<A: Accounts, S: Stores>(accounts: Arc<A>, store: Arc<S>) {
    for (number, name) in [(1, "One"), (2, "Two")] {
        store.create(provider(number, name), event(Action::ProviderCreate)).await.unwrap();
    }
    an_identity_belongs_to_one_account_whoever_is_quicker(Arc::clone(&store)).await;
    let (accounts, store) = (&*accounts, &*store);
    whoever_is_new_gets_an_account_and_is_known_from_then_on(accounts, store).await;
    an_identity_is_the_pair_of_provider_and_subject(accounts, store).await;
    a_name_that_is_taken_makes_no_account(accounts, store).await;
    only_an_account_that_may_be_linked_is(accounts, store).await;
    a_mail_address_is_known_by_the_word_of_who_counts(accounts, store).await;
    whoever_was_turned_off_gets_no_session(accounts, store).await;
    another_role_ends_the_other_sessions(accounts, store).await;
    a_provider_ends_the_sessions_it_names(accounts, store).await;
    a_session_of_a_sign_in_waits_for_its_confirmation(accounts, store).await;
    sessions_end_with_their_provider_and_accounts_stay(accounts, store).await;
}

async fn create_account<A: Accounts>(accounts: &A, account: NewAccount) {
    accounts.create(account, event(Action::UserCreate)).await.unwrap();
}

async fn is_live<A: Accounts>(accounts: &A, number: u128) -> bool {
    SessionStore::find(accounts, Channel::Bearer, &token(number)).await.unwrap().is_some()
}

async fn provision<S: IdentityStore>(store: &S, number: u128, name: &str, subject: &str) -> UserId {
    let entry = Entry::Provision(account(number, name));
    store.sign_in(sign_in(number, entry, identity(1, subject))).await.unwrap();
    id(number)
}

async fn whoever_is_new_gets_an_account_and_is_known_from_then_on<A: Accounts, S: Stores>(accounts: &A, store: &S) {
    assert!(store.account_of(&identity(1, "grace")).await.unwrap().is_none());
    let user = provision(store, 10, "grace", "grace").await;
    let known = store.account_of(&identity(1, "grace")).await.unwrap().unwrap();
    assert_eq!((known.id, known.source, known.last_sign_in_at), (user, AuthSource::Oidc, Some(at(1))));
    assert_eq!((known.display_name.as_str(), known.email.as_deref()), ("Grace Hopper", Some("grace@example.com")));
    assert_eq!(store.provider_of(id(10)).await.unwrap(), Some(id(1)));
    assert!(store.is_taken(&known.username).await.unwrap());
    store.sign_in(sign_in(11, Entry::Known(user), identity(1, "grace"))).await.unwrap();
    assert!(is_live(accounts, 10).await && is_live(accounts, 11).await, "several devices at once");
}

async fn an_identity_is_the_pair_of_provider_and_subject<A: Accounts, S: Stores>(_: &A, store: &S) {
    for other in [identity(2, "grace"), identity(1, "Grace"), identity(1, "grace ")] {
        assert!(store.account_of(&other).await.unwrap().is_none(), "{other:?}");
        let stranger = store.sign_in(sign_in(12, Entry::Known(id(10)), other)).await;
        assert!(matches!(stranger, Err(FederatedSignInError::Changed)), "the account is not theirs");
    }
}

async fn a_name_that_is_taken_makes_no_account<A: Accounts, S: Stores>(accounts: &A, store: &S) {
    let taken = store.sign_in(sign_in(13, Entry::Provision(account(13, "grace")), identity(1, "other"))).await;
    assert!(matches!(taken, Err(FederatedSignInError::NameTaken)));
    assert!(AccountStore::find(accounts, id(13)).await.unwrap().is_none());
    assert!(store.account_of(&identity(1, "other")).await.unwrap().is_none());
}

async fn an_identity_belongs_to_one_account_whoever_is_quicker<S: Stores>(store: Arc<S>) {
    let arrivals: Vec<_> = (20..40)
        .map(|number| {
            let store = Arc::clone(&store);
            let entry = Entry::Provision(account(number, &format!("twin-{number}")));
            tokio::spawn(async move { store.sign_in(sign_in(number, entry, identity(1, "twin"))).await })
        })
        .collect();
    let mut made = 0;
    for arrival in arrivals {
        let arrived = arrival.await.unwrap();
        assert!(matches!(arrived, Ok(()) | Err(FederatedSignInError::Changed)), "{arrived:?}");
        made += usize::from(arrived.is_ok());
    }
    assert_eq!(made, 1);
}

async fn only_an_account_that_may_be_linked_is<A: Accounts, S: Stores>(accounts: &A, store: &S) {
    let viewer = account(40, "viewer");
    let local = NewAccount { source: AuthSource::Local, ..account(41, "local") };
    let operator = NewAccount { role: Role::Operator, ..account(42, "operator") };
    for (account, is_linked) in [(viewer, true), (local, false), (operator, false)] {
        let (number, user) = (account.id.as_untyped_uuid().as_u128(), account.id);
        create_account(accounts, account).await;
        let linked = store.sign_in(sign_in(number, Entry::Link(user), identity(2, &number.to_string()))).await;
        assert_eq!(linked.is_ok(), is_linked, "{number}");
    }
    let again = store.sign_in(sign_in(43, Entry::Link(id(40)), identity(2, "40"))).await;
    assert!(matches!(again, Err(FederatedSignInError::Changed)), "the identity has an account");
}

async fn a_mail_address_is_known_by_the_word_of_who_counts<A: Accounts, S: Stores>(accounts: &A, store: &S) {
    let ids = async |email: &str| -> Vec<UserId> {
        let accounts = store.accounts_with_email(email).await.unwrap();
        accounts.into_iter().map(|account| account.id).collect()
    };
    assert!(ids("grace@example.com").await.is_empty(), "many say so of themselves");
    let known = FederatedSignIn {
        verified_email: Some("Grace@Example.com".to_owned()),
        ..sign_in(45, Entry::Known(id(10)), identity(1, "grace"))
    };
    store.sign_in(known).await.unwrap();
    assert_eq!(ids("gracE@example.com").await, [id(10)]);
    let in_directory =
        NewAccount { source: AuthSource::Ldap, email: Some("Ada@Example.com".to_owned()), ..account(46, "ada") };
    create_account(accounts, in_directory).await;
    assert_eq!(ids("ada@example.com").await, [id(46)]);
    store.sign_in(sign_in(47, Entry::Known(id(10)), identity(1, "grace"))).await.unwrap();
    assert!(ids("grace@example.com").await.is_empty(), "the provider does not say so any more");
    let known = FederatedSignIn {
        verified_email: Some("grace@example.com".to_owned()),
        ..sign_in(48, Entry::Known(id(10)), identity(1, "grace"))
    };
    store.sign_in(known).await.unwrap();
    let before = ProviderStore::find(store, id(1)).await.unwrap().unwrap();
    let off = Provider { enabled: false, ..before.clone() };
    store.replace(&before, off.clone(), event(Action::ProviderUpdate)).await.unwrap();
    assert!(ids("grace@example.com").await.is_empty(), "its word counts no more");
    let late = store.sign_in(sign_in(49, Entry::Known(id(10)), identity(1, "grace"))).await;
    assert!(matches!(late, Err(FederatedSignInError::Changed)), "it was decided by what the provider was before");
    store.replace(&off, before, event(Action::ProviderUpdate)).await.unwrap();
}

async fn whoever_was_turned_off_gets_no_session<A: Accounts, S: Stores>(accounts: &A, store: &S) {
    let user = provision(store, 50, "off", "off").await;
    let off = AccountChange { active: Some(false), ..AccountChange::default() };
    accounts.update(user, off, event(Action::UserUpdate)).await.unwrap();
    let refused = store.sign_in(sign_in(51, Entry::Known(user), identity(1, "off"))).await;
    assert!(matches!(refused, Err(FederatedSignInError::Changed)));
    assert!(!is_live(accounts, 50).await && !is_live(accounts, 51).await);
    AccountStore::delete(accounts, user, event(Action::UserDelete)).await.unwrap();
    assert!(store.account_of(&identity(1, "off")).await.unwrap().is_none(), "who they were is forgotten with them");
}

async fn another_role_ends_the_other_sessions<A: Accounts, S: Stores>(accounts: &A, store: &S) {
    let user = provision(store, 60, "rising", "rising").await;
    let risen = FederatedSignIn { role: Role::Admin, ..sign_in(61, Entry::Known(user), identity(1, "rising")) };
    store.sign_in(risen).await.unwrap();
    assert!(!is_live(accounts, 60).await && is_live(accounts, 61).await);
    assert_eq!(AccountStore::find(accounts, user).await.unwrap().unwrap().role, Role::Admin);
}

async fn a_provider_ends_the_sessions_it_names<A: Accounts, S: Stores>(accounts: &A, store: &S) {
    let user = provision(store, 70, "leaving", "leaving").await;
    for number in [71, 72, 73] {
        store.sign_in(sign_in(number, Entry::Known(user), identity(1, "leaving"))).await.unwrap();
    }
    let end = async |provider: u128, subject: Option<&str>, sid: Option<&str>| {
        store.end_sessions(id(provider), subject, sid, event(Action::SessionEndAll)).await.unwrap()
    };
    for (provider, subject, sid) in [
        (2, Some("leaving"), None),
        (1, Some("somebody"), None),
        (1, None, None),
        (1, Some("somebody"), Some("sid 70")),
        (1, None, Some("sid")),
    ] {
        assert_eq!(end(provider, subject, sid).await, 0, "{provider} {subject:?} {sid:?}");
    }
    assert_eq!(end(1, None, Some("sid 70")).await, 1);
    assert_eq!(end(1, Some("leaving"), Some("sid 71")).await, 1);
    assert!(!is_live(accounts, 70).await && !is_live(accounts, 71).await && is_live(accounts, 72).await);
    assert_eq!(end(1, Some("leaving"), None).await, 2);
    assert!(!is_live(accounts, 72).await && !is_live(accounts, 73).await);
}

async fn a_session_of_a_sign_in_waits_for_its_confirmation<A: Accounts, S: Stores>(accounts: &A, store: &S) {
    let user = provision(store, 80, "waiting", "waiting").await;
    let NewSession { cookie, .. } = session(80, user);
    let waits = async || SessionStore::find(accounts, Channel::Bearer, &token(80)).await.unwrap().unwrap().must_confirm;
    assert!(waits().await);
    let confirm = async |user: UserId, cookie, seconds| {
        accounts.confirm(id(80), user, &cookie, at(seconds), event(Action::SessionConfirm)).await.unwrap()
    };
    assert!(!confirm(user, token(80), 30).await, "another secret");
    assert!(!confirm(id(10), cookie, 30).await, "somebody else's session");
    assert!(!confirm(user, cookie, 61).await, "too late");
    assert!(waits().await);
    assert!(confirm(user, cookie, 60).await);
    assert!(!waits().await);
    assert!(confirm(user, cookie, 90).await, "it was confirmed before");
}

async fn sessions_end_with_their_provider_and_accounts_stay<A: Accounts, S: Stores>(accounts: &A, store: &S) {
    let user = provision(store, 90, "orphan", "orphan").await;
    ProviderStore::delete(store, id(1), event(Action::ProviderDelete)).await.unwrap();
    assert!(!is_live(accounts, 90).await);
    assert!(AccountStore::find(accounts, user).await.unwrap().is_some());
    assert!(store.account_of(&identity(1, "orphan")).await.unwrap().is_none());
    assert!(is_live(accounts, 40).await, "the session of another provider");
}
