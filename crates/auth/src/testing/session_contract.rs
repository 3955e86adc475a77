//! What every [`SessionStore`] does.

use std::sync::Arc;

use stratora_audit::Action;

use super::fixtures::{account, at, cookie, event, hash, id, proof, session, stranger, token};
use crate::{
    AccountChange, AccountStore, Admission, AuthSource, BrakeStore, BrakeSubject, Channel, DirectoryPerson,
    DirectorySignIn, Lifetime, MissingSession, NewAccount, NewSession, OpenSessionError, Proof, Role, SessionId,
    SessionStore, UserId,
};

/// Checks `store`, which has to be empty.
pub async fn session_store_contract<S>(store: Arc<S>)
where
    S: AccountStore + SessionStore + BrakeStore,
{
    let user = insert(&*store, 1, "grace").await;
    a_session_is_found_by_each_secret_in_its_own_channel(&*store, user).await;
    opening_needs_a_proof_that_still_holds(&*store, user).await;
    opening_upgrades_the_hash(&*store).await;
    opening_clears_the_brake_of_whoever_signs_in(&*store).await;
    uses_are_recorded_forwards_only(&*store).await;
    sessions_end_one_by_one_or_all_but_one(&*store).await;
    expired_sessions_are_purged(&*store).await;
    a_directory_opens_sessions_of_its_own_people_only(&*store).await;
}

async fn insert<S: AccountStore>(store: &S, number: u128, name: &str) -> UserId {
    store.create(account(number, name), event(Action::UserCreate)).await.unwrap();
    id(number)
}

async fn open<S: SessionStore>(store: &S, session: NewSession, name: &str) -> Result<(), OpenSessionError> {
    store.open(session, proof('a'), &stranger(name), event(Action::SignIn)).await
}

async fn ids<S: SessionStore>(store: &S, user: UserId) -> Vec<SessionId> {
    store.of_user(user, at(2)).await.unwrap().into_iter().map(|session| session.id).collect()
}

async fn a_session_is_found_by_each_secret_in_its_own_channel<S: AccountStore + SessionStore>(store: &S, user: UserId) {
    open(store, session(10, user), "grace").await.unwrap();
    for (channel, own, foreign) in [(Channel::Bearer, token(10), cookie(10)), (Channel::Cookie, cookie(10), token(10))]
    {
        let found = SessionStore::find(store, channel, &own).await.unwrap().unwrap();
        assert_eq!((found.id, found.user.id), (id(10), user));
        let at_start = Lifetime { created_at: at(1), last_seen_at: at(1), expires_at: at(86_401) };
        assert_eq!(found.lifetime, at_start);
        assert!(
            SessionStore::find(store, channel, &foreign).await.unwrap().is_none(),
            "a secret works in its own channel only"
        );
        assert!(SessionStore::find(store, channel, &token(99)).await.unwrap().is_none());
    }
    let listed = store.of_user(user, at(2)).await.unwrap().remove(0);
    assert_eq!((listed.client, listed.user_agent.as_str()), (session(10, user).client, "curl"));
    let account = AccountStore::find(store, user).await.unwrap().unwrap();
    assert_eq!(account.last_sign_in_at, Some(at(1)));
}

async fn opening_needs_a_proof_that_still_holds<S: AccountStore + SessionStore>(store: &S, user: UserId) {
    let other = store.open(session(11, user), proof('x'), &stranger("grace"), event(Action::SignIn)).await;
    assert!(matches!(other, Err(OpenSessionError::AccountChanged)), "the password was changed meanwhile");
    let nobody = open(store, session(12, id(99)), "nobody").await;
    assert!(matches!(nobody, Err(OpenSessionError::AccountChanged)), "the account was deleted meanwhile");
    assert_eq!(ids(store, user).await, [id(10)]);
}

async fn opening_upgrades_the_hash<S: AccountStore + SessionStore>(store: &S) {
    let user = insert(store, 2, "upgraded").await;
    let proof = Proof::Password { verified: hash('a'), upgrade: Some(hash('u')) };
    store.open(session(20, user), proof, &stranger("upgraded"), event(Action::SignIn)).await.unwrap();
    let found = AccountStore::find(store, user).await.unwrap().unwrap();
    assert_eq!(found.password.unwrap().to_stored(), hash('u').to_stored());
    assert!(found.must_change_password, "an upgrade is no change of the password");
}

async fn opening_clears_the_brake_of_whoever_signs_in<S: AccountStore + SessionStore + BrakeStore>(store: &S) {
    let user = insert(store, 3, "braked").await;
    let device = |number| BrakeSubject { device: Some(id(number)), ..stranger("braked") };
    let fill = async |subject: &BrakeSubject| {
        while store.attempt(subject, at(5)).await.unwrap() == Admission::Admitted {}
    };
    let is_free = async |subject: &BrakeSubject| store.attempt(subject, at(5)).await.unwrap() == Admission::Admitted;
    for subject in [stranger("braked"), device(1), device(2)] {
        fill(&subject).await;
    }
    store.open(session(30, user), proof('a'), &device(1), event(Action::SignIn)).await.unwrap();
    assert!(is_free(&stranger("braked")).await && is_free(&device(1)).await);
    assert!(!is_free(&device(2)).await, "another device has its own counter");
}

async fn uses_are_recorded_forwards_only<S: AccountStore + SessionStore>(store: &S) {
    let user = insert(store, 4, "busy").await;
    open(store, session(40, user), "busy").await.unwrap();
    open(store, session(41, user), "busy").await.unwrap();
    store.touch(&[(id(40), at(50)), (id(41), at(60)), (id(99), at(70))]).await.unwrap();
    store.touch(&[(id(40), at(40)), (id(41), at(61))]).await.unwrap();
    store.touch(&[]).await.unwrap();
    let seen = async |number| {
        SessionStore::find(store, Channel::Bearer, &token(number)).await.unwrap().unwrap().lifetime.last_seen_at
    };
    assert_eq!((seen(40).await, seen(41).await), (at(50), at(61)));
}

async fn sessions_end_one_by_one_or_all_but_one<S: AccountStore + SessionStore>(store: &S) {
    let (user, other) = (insert(store, 5, "ending").await, insert(store, 6, "staying").await);
    for number in 50..54 {
        open(store, NewSession { created_at: at(number), ..session(number.into(), user) }, "ending").await.unwrap();
    }
    open(store, session(60, other), "staying").await.unwrap();
    assert_eq!(ids(store, user).await, [id(53), id(52), id(51), id(50)], "the newest first");
    store.end(user, id(50), event(Action::SessionEnd)).await.unwrap();
    assert!(SessionStore::find(store, Channel::Bearer, &token(50)).await.unwrap().is_none());
    assert!(SessionStore::find(store, Channel::Cookie, &cookie(50)).await.unwrap().is_none());
    for missing in [id(50), id(60), id(99)] {
        let ended = store.end(user, missing, event(Action::SessionEnd)).await;
        assert!(matches!(ended, Err(MissingSession::Missing)), "nobody ends what is not theirs");
    }
    assert_eq!(store.end_all(user, Some(id(51)), event(Action::SessionEndAll)).await.unwrap(), 2);
    assert_eq!(ids(store, user).await, [id(51)]);
    assert_eq!(store.end_all(user, None, event(Action::SessionEndAll)).await.unwrap(), 1);
    assert_eq!((ids(store, user).await.len(), ids(store, other).await.len()), (0, 1));
}

async fn expired_sessions_are_purged<S: AccountStore + SessionStore>(store: &S) {
    let user = insert(store, 7, "expiring").await;
    open(store, NewSession { expires_at: at(10), ..session(70, user) }, "expiring").await.unwrap();
    open(store, NewSession { expires_at: at(20), ..session(71, user) }, "expiring").await.unwrap();
    assert_eq!(store.of_user(user, at(15)).await.unwrap().len(), 1, "what has expired is not listed");
    assert_eq!(SessionStore::purge(store, at(15)).await.unwrap(), 1);
    assert!(SessionStore::find(store, Channel::Bearer, &token(70)).await.unwrap().is_none());
    assert!(SessionStore::find(store, Channel::Bearer, &token(71)).await.unwrap().is_some());
}

fn vouched(number: u128, user: UserId, role: Role) -> DirectorySignIn {
    let person = DirectoryPerson { display_name: "Ada".to_owned(), email: None, role };
    DirectorySignIn { session: session(number, user), person, made: None, event: event(Action::SignIn) }
}

async fn a_directory_opens_sessions_of_its_own_people_only<S: AccountStore + SessionStore>(store: &S) {
    let new = NewAccount { source: AuthSource::Ldap, password: None, ..account(8, "ada") };
    let made = Some((new, event(Action::UserCreate)));
    let first = DirectorySignIn { made: made.clone(), ..vouched(80, id(8), Role::Viewer) };
    store.open_from_directory(first, &stranger("ada")).await.unwrap();
    let found = AccountStore::find(store, id(8)).await.unwrap().unwrap();
    assert_eq!((found.display_name.as_str(), found.role, found.last_sign_in_at), ("Ada", Role::Viewer, Some(at(1))));
    let twice = DirectorySignIn { made, ..vouched(81, id(8), Role::Viewer) };
    let local = vouched(82, insert(store, 9, "local").await, Role::Viewer);
    let nobody = vouched(83, id(99), Role::Viewer);
    for refused in [twice, local, nobody] {
        let refused = store.open_from_directory(refused, &stranger("ada")).await;
        assert!(matches!(refused, Err(OpenSessionError::AccountChanged)));
    }
    store.open_from_directory(vouched(84, id(8), Role::Viewer), &stranger("ada")).await.unwrap();
    assert_eq!(ids(store, id(8)).await.len(), 2);
    store.open_from_directory(vouched(85, id(8), Role::Operator), &stranger("ada")).await.unwrap();
    assert_eq!(ids(store, id(8)).await, [id(85)], "another role ends the other sessions");
    let off = AccountChange { active: Some(false), ..AccountChange::default() };
    store.update(id(8), off, event(Action::UserUpdate)).await.unwrap();
    let refused = store.open_from_directory(vouched(86, id(8), Role::Operator), &stranger("ada")).await;
    assert!(matches!(refused, Err(OpenSessionError::AccountChanged)));
}
