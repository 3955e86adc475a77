//! What happens side by side ends as if it had happened one after another.

use std::future::Future;

use std::net::IpAddr;
use std::time::Duration;

use stratora_audit::Action;
use stratora_auth::{
    AccountChange, Admission, Bucket, ChangePasswordError, Channel, ClientKey, Decision, OpenSessionError, Quota,
    quotas,
};
use stratora_keys::{ChangeComponentError, FirstUse, Grace, KeyState, Standing};
use stratora_storage::Storage;
use stratora_token::Digest;

use crate::support::fixtures::{account, at, component, event, id, key, password, proof, session, stranger, username};
use crate::support::{Database, connect, on_both_databases};

on_both_databases!(
    parallel_rotations_leave_one_live_key,
    a_rotation_never_survives_a_revocation,
    a_hundred_requests_at_once_are_admitted_up_to_the_quota,
    two_servers_share_one_window,
    attempts_at_once_are_all_counted,
    no_session_survives_a_deactivation,
    one_of_two_password_changes_wins,
    one_name_goes_to_one_account,
    a_key_is_first_used_once,
    no_session_survives_the_provider_that_it_came_from,
);

/// Runs `work` so many times at once.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    storage: &Storage,
    times: u128,
    work: impl Fn(Storage, u128) -> F,
) -> Vec<T> {
    let running: Vec<_> = (1..=times).map(|number| tokio::spawn(work(storage.clone(), number))).collect();
    let mut results = Vec::new();
    for task in running {
        results.push(task.await.unwrap());
    }
    results
}

async fn parallel_rotations_leave_one_live_key(database: Database) {
    use stratora_keys::KeyStore as _;

    let first = component(1, "berlin");
    let mut digests = vec![first.key.digest];
    database.storage.create(first, event(Action::ComponentCreate)).await.unwrap();
    let rotated = at_once(&database.storage, 50, |storage, number| async move {
        let new = key(100 + number);
        let digest = new.digest;
        let grace = if number % 2 == 0 { Grace::None } else { Grace::For(Duration::from_mins(1)) };
        storage.rotate(id(1), new, grace, event(Action::ComponentRotate)).await.unwrap();
        digest
    })
    .await;
    digests.extend(rotated);
    let mut live = Vec::new();
    for digest in digests {
        let record = database.storage.find_key(&digest).await.unwrap().unwrap();
        if record.state == KeyState::Live {
            live.push(digest);
        }
    }
    assert_eq!(live.len(), 1);
}

async fn a_rotation_never_survives_a_revocation(database: Database) {
    use stratora_keys::KeyStore as _;

    for round in 1..=10_u128 {
        let new = component(round, &format!("site {round}"));
        database.storage.create(new, event(Action::ComponentCreate)).await.unwrap();
        let rotations = at_once(&database.storage, 4, move |storage, number| async move {
            let new = key(round * 100 + number);
            let digest = new.digest;
            if number == 2 {
                storage.revoke(id(round), at(5), event(Action::ComponentRevoke)).await.unwrap();
                return None;
            }
            match storage.rotate(id(round), new, Grace::None, event(Action::ComponentRotate)).await {
                Ok(_) => Some(digest),
                Err(ChangeComponentError::WrongStanding { standing: Standing::Revoked }) => None,
                Err(error) => panic!("{error:?}"),
            }
        })
        .await;
        for digest in rotations.into_iter().flatten() {
            let record = database.storage.find_key(&digest).await.unwrap().unwrap();
            assert!(record.authorize(at(6)).is_err(), "{record:?}");
            assert!(matches!(record.state, KeyState::Rotated | KeyState::Revoked), "{record:?}");
        }
        let after = database.storage.find(id(round)).await.unwrap().unwrap();
        assert_eq!(after.standing, Standing::Revoked);
    }
}

fn bucket(quota: &'static Quota) -> Bucket {
    Bucket { quota, client: ClientKey::from("192.0.2.7".parse::<IpAddr>().unwrap()) }
}

fn admitted(decisions: &[Decision]) -> usize {
    decisions.iter().filter(|decision| matches!(decision, Decision::Admitted { .. })).count()
}

async fn a_hundred_requests_at_once_are_admitted_up_to_the_quota(database: Database) {
    use stratora_auth::LimitStore as _;

    let bucket = bucket(&quotas::LOGIN);
    let decisions =
        at_once(&database.storage, 100, move |storage, _| async move { storage.admit(&bucket, at(0)).await.unwrap() })
            .await;
    assert_eq!(admitted(&decisions), 5);
    let before = database.snapshot().await;
    assert!(matches!(database.storage.admit(&bucket, at(1)).await.unwrap(), Decision::Refused { .. }));
    assert_eq!(database.snapshot().await, before);
}

async fn two_servers_share_one_window(database: Database) {
    use stratora_auth::LimitStore as _;

    let bucket = bucket(&quotas::SSO);
    let other = connect(&database.url).await;
    let ours =
        at_once(&database.storage, 20, move |storage, _| async move { storage.admit(&bucket, at(0)).await.unwrap() });
    let theirs = at_once(&other, 20, move |storage, _| async move { storage.admit(&bucket, at(0)).await.unwrap() });
    let (ours, theirs) = tokio::join!(ours, theirs);
    assert_eq!(admitted(&ours) + admitted(&theirs), 10);
}

async fn attempts_at_once_are_all_counted(database: Database) {
    use stratora_auth::BrakeStore as _;

    let admissions =
        at_once(
            &database.storage,
            60,
            |storage, _| async move { storage.attempt(&stranger("ada"), at(0)).await.unwrap() },
        )
        .await;
    // Twenty are free, and the one that makes the first delay.
    assert_eq!(admissions.iter().filter(|admission| **admission == Admission::Admitted).count(), 21);
}

async fn no_session_survives_a_deactivation(database: Database) {
    use stratora_auth::{AccountStore as _, SessionStore as _};

    for round in 1..=10_u128 {
        let name = format!("user{round}");
        database.storage.create(account(round, &name), event(Action::UserCreate)).await.unwrap();
        let results = at_once(&database.storage, 6, move |storage, number| {
            let name = name.clone();
            async move {
                if number == 3 {
                    let off = AccountChange { active: Some(false), ..AccountChange::default() };
                    storage.update(id(round), off, event(Action::UserUpdate)).await.unwrap();
                    return;
                }
                let new = session(round * 100 + number, id(round));
                match storage.open(new, proof('a'), &stranger(&name), event(Action::SignIn)).await {
                    Ok(()) | Err(OpenSessionError::AccountChanged) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        })
        .await;
        assert_eq!(results.len(), 6);
        assert!(database.storage.of_user(id(round), at(2)).await.unwrap().is_empty());
    }
}

async fn one_of_two_password_changes_wins(database: Database) {
    use stratora_auth::{AccountStore, SessionStore};

    AccountStore::create(&database.storage, account(1, "ada"), event(Action::UserCreate)).await.unwrap();
    let changes = at_once(&database.storage, 8, |storage, number| async move {
        let letter = char::from(b'b' + u8::try_from(number).unwrap());
        let new = session(number, id(1));
        let digest = new.token;
        let changed =
            storage.change_password(id(1), &password('a'), password(letter), new, event(Action::PasswordChange)).await;
        (changed, digest)
    })
    .await;
    let winners: Vec<Digest> =
        changes.iter().filter(|(changed, _)| changed.is_ok()).map(|(_, digest)| *digest).collect();
    assert_eq!(winners.len(), 1);
    assert!(changes.iter().all(|(changed, _)| matches!(changed, Ok(()) | Err(ChangePasswordError::Changed))));
    assert!(SessionStore::find(&database.storage, Channel::Bearer, &winners[0]).await.unwrap().is_some());
    assert_eq!(database.storage.of_user(id(1), at(2)).await.unwrap().len(), 1);
}

async fn one_name_goes_to_one_account(database: Database) {
    use stratora_auth::AccountStore as _;

    let created = at_once(&database.storage, 8, |storage, number| async move {
        storage.create(account(number, "ada"), event(Action::UserCreate)).await.is_ok()
    })
    .await;
    assert_eq!(created.iter().filter(|created| **created).count(), 1);
    assert!(database.storage.find_by_username(&username("ada")).await.unwrap().is_some());
}

async fn a_key_is_first_used_once(database: Database) {
    use stratora_keys::KeyStore as _;

    let first = component(1, "berlin");
    let old = first.key.digest;
    database.storage.create(first, event(Action::ComponentCreate)).await.unwrap();
    database.storage.rotate(id(1), key(2), Grace::UntilFirstUse(id(1)), event(Action::ComponentRotate)).await.unwrap();
    let uses = at_once(&database.storage, 10, |storage, _| async move {
        storage.first_use(id(2), at(3), event(Action::KeyFirstUse)).await.unwrap()
    })
    .await;
    assert_eq!(uses.iter().filter(|used| matches!(used, FirstUse::Now(_))).count(), 1);
    assert_eq!(database.storage.find_key(&old).await.unwrap().unwrap().state, KeyState::Rotated);
}

async fn no_session_survives_the_provider_that_it_came_from(database: Database) {
    use stratora_auth::SessionStore;
    use stratora_federation::testing::{example_provider, example_sign_in};
    use stratora_federation::{IdentityStore as _, ProviderStore as _};

    for number in 1..=25 {
        let provider = example_provider(number, &format!("Provider {number}"));
        database.storage.create(provider.clone(), event(Action::ProviderCreate)).await.unwrap();
        let sign_in = example_sign_in(number, &format!("grace-{number}"), &provider);
        let token = sign_in.session.token;
        let (signing_in, deleting) = (database.storage.clone(), database.storage.clone());
        let signing_in = tokio::spawn(async move { signing_in.sign_in(sign_in).await });
        let deleting = tokio::spawn(async move { deleting.delete(provider.id, event(Action::ProviderDelete)).await });
        let _either: Result<_, _> = signing_in.await.unwrap();
        deleting.await.unwrap().unwrap();
        let left = SessionStore::find(&database.storage, Channel::Bearer, &token).await.unwrap();
        assert!(left.is_none(), "{number}");
    }
}
