//! Signing in, sessions and passwords, with a clock that is turned by hand and a store in memory.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails says so by a panic")]

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use newtype_uuid::GenericUuid as _;
use stratora_audit::{Action, Actor, Origin, Outcome};
use stratora_auth::testing::MemoryStore;
use stratora_auth::{
    Account, AccountChange, AuthenticateError, ChangeOwnPasswordError, Channel, ClientContext, Credentials,
    DisplayName, ImportedUser, KnownDevice, LiveSession, NewUser, OneTimePassword, Password, PasswordHash,
    PasswordPolicy, RefusedPassword, Role, SessionStore as _, SessionTimeouts, Sessions, SignIn, SignInError,
    SignInParts, SignedIn, Username, Users,
};
use stratora_cache::{Coherence, Subject};
use stratora_clock::{Clock as _, ManualClock};
use stratora_hashing::{Cost, HashingPool, PoolSettings};
use stratora_token::Secret;
use stratora_token::testing::BreakableEntropy;

const PASSPHRASE: &str = "a rather long passphrase";

struct House {
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    entropy: Arc<BreakableEntropy>,
    hashing: HashingPool,
    sign_in: SignIn,
    sessions: Sessions,
    users: Users,
    coherence: Arc<Coherence>,
}

impl House {
    fn build() -> Self {
        let store = Arc::new(MemoryStore::default());
        let clock = Arc::new(ManualClock::default());
        let entropy = Arc::new(BreakableEntropy::default());
        let settings = PoolSettings { threads: NonZeroUsize::MIN, queue: 200, cost: Cost::for_tests() };
        let hashing = HashingPool::start(settings, entropy.clone()).unwrap();
        let timeouts = SessionTimeouts::default();
        let coherence = Arc::new(Coherence::new(clock.clone()));
        let parts = SignInParts {
            accounts: store.clone(),
            sessions: store.clone(),
            brake: store.clone(),
            audit: store.clone(),
            hashing: hashing.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            timeouts,
        };
        Self {
            sign_in: SignIn::new(parts.clone()),
            sessions: Sessions::new(store.clone(), clock.clone(), timeouts, 100, coherence.clone()),
            users: Users::new(parts, PasswordPolicy::default()),
            store,
            clock,
            entropy,
            hashing,
            coherence,
        }
    }

    /// With a user who has chosen [`PASSPHRASE`].
    async fn with_user(name: &str) -> (Self, Account) {
        let house = Self::build();
        let account = house.add(name, PASSPHRASE).await;
        (house, account)
    }

    /// A user as one that was taken over, whose password need not be changed.
    async fn add(&self, name: &str, password: &str) -> Account {
        let permit = self.hashing.reserve().unwrap();
        let hash = permit.hash(Password::parse(password).unwrap().preimage()).await.unwrap();
        self.import(name, PasswordHash::from_bcrypt(hash)).await
    }

    async fn import(&self, name: &str, password: PasswordHash) -> Account {
        let user = ImportedUser {
            username: Username::parse(name).unwrap(),
            role: Role::Operator,
            display_name: DisplayName::default(),
            email: None,
            password,
        };
        self.users.import(user, &Origin::system()).await.unwrap()
    }

    async fn sign_in_from(
        &self,
        name: &str,
        password: &str,
        device: Option<KnownDevice>,
    ) -> Result<SignedIn, SignInError> {
        let username = Username::parse(name).unwrap();
        let password = Password::parse(password).unwrap();
        self.sign_in.with_password(Credentials { username, password }, &client(device)).await
    }

    async fn sign_in(&self, name: &str, password: &str) -> Result<SignedIn, SignInError> {
        self.sign_in_from(name, password, None).await
    }

    async fn authenticate(&self, secret: &Secret) -> Result<Arc<LiveSession>, AuthenticateError> {
        self.sessions.authenticate(Channel::Bearer, secret).await
    }

    async fn is_in(&self, signed_in: &SignedIn) -> bool {
        self.authenticate(&signed_in.token.0).await.is_ok()
    }

    /// Fails until the brake holds. Returns after how many failures it did.
    async fn fail_until_throttled(&self, name: &str) -> usize {
        for failures in 0..200 {
            match self.sign_in(name, "wrong").await {
                Err(SignInError::InvalidCredentials) => {}
                Err(SignInError::Throttled { .. }) => return failures,
                other => panic!("{other:?}"),
            }
        }
        panic!("never throttled")
    }

    fn last_event(&self) -> (Action, Outcome, Option<String>) {
        let event = self.store.events().pop().unwrap();
        (event.action, event.outcome, event.details.get("reason").cloned())
    }
}

fn client(device: Option<KnownDevice>) -> ClientContext {
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let origin = Origin { actor: Actor::anonymous(), client: Some(address), request_id: None };
    ClientContext { origin, user_agent: "Mozilla/5.0\r\n\u{7}".to_owned(), device }
}

#[tokio::test]
async fn whoever_knows_the_password_gets_two_different_secrets() {
    let (house, account) = House::with_user("grace").await;
    let signed_in = house.sign_in("GRACE", PASSPHRASE).await.unwrap();
    assert_eq!(signed_in.account.id, account.id);
    assert!(!signed_in.token.0.matches(&signed_in.cookie.0));
    assert_eq!(signed_in.session.user_agent, "Mozilla/5.0");
    let by_token = house.authenticate(&signed_in.token.0).await.unwrap();
    let by_cookie = house.sessions.authenticate(Channel::Cookie, &signed_in.cookie.0).await.unwrap();
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

async fn change(
    house: &House,
    own: &LiveSession,
    current: &str,
    new: &str,
) -> Result<SignedIn, ChangeOwnPasswordError> {
    let (current, new) = (Password::parse(current).unwrap(), Password::parse(new).unwrap());
    house.users.change_own_password(own, current, new, &client(None)).await
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
async fn a_session_lasts_a_day_and_no_longer_than_an_hour_unused() {
    let (house, _) = House::with_user("grace").await;
    let idle = house.sign_in("grace", PASSPHRASE).await.unwrap();
    house.clock.advance(Duration::from_mins(59));
    assert!(house.is_in(&idle).await);
    house.clock.advance(Duration::from_hours(1));
    assert!(!house.is_in(&idle).await, "idle for an hour");
    let busy = house.sign_in("grace", PASSPHRASE).await.unwrap();
    for _ in 0..47 {
        house.clock.advance(Duration::from_mins(30));
        assert!(house.is_in(&busy).await);
        house.sessions.flush().await.unwrap();
    }
    house.clock.advance(Duration::from_mins(30));
    assert!(!house.is_in(&busy).await, "24 hours from sign-in, however busy");
}

#[tokio::test]
async fn a_use_that_could_not_be_written_is_written_later() {
    let (house, _) = House::with_user("grace").await;
    let signed_in = house.sign_in("grace", PASSPHRASE).await.unwrap();
    house.clock.advance(Duration::from_mins(50));
    assert!(house.is_in(&signed_in).await);
    let used = house.clock.now();
    house.store.fail(true);
    assert!(house.sessions.flush().await.is_err());
    house.store.fail(false);
    house.sessions.flush().await.unwrap();
    let found = house.sessions.of_user(signed_in.account.id).await.unwrap();
    assert_eq!(found.first().unwrap().last_seen_at, used);
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

#[tokio::test]
async fn a_session_in_memory_needs_no_store_while_the_memory_is_trusted() {
    let (house, account) = House::with_user("grace").await;
    house.coherence.trust_always();
    let signed_in = house.sign_in("grace", PASSPHRASE).await.unwrap();
    assert!(house.is_in(&signed_in).await);
    house.store.fail(true);
    assert!(house.is_in(&signed_in).await);
    house.coherence.changed(Subject::User(account.id.into_untyped_uuid()));
    assert!(!house.is_in(&signed_in).await, "after a change the store decides, and it is away");
    house.store.fail(false);
    assert!(house.is_in(&signed_in).await);
    house.store.fail(true);
    house.coherence.distrust();
    assert!(!house.is_in(&signed_in).await, "what is in memory is not used while it is not trusted");
}

#[tokio::test]
async fn a_session_in_memory_that_is_used_stays_alive_and_ends_when_it_is_not() {
    let (house, _) = House::with_user("grace").await;
    house.coherence.trust_always();
    let signed_in = house.sign_in("grace", PASSPHRASE).await.unwrap();
    for _ in 0..5 {
        house.clock.advance(Duration::from_mins(50));
        assert!(house.is_in(&signed_in).await);
        house.sessions.flush().await.unwrap();
    }
    house.clock.advance(Duration::from_hours(1));
    assert!(!house.is_in(&signed_in).await);
}

#[tokio::test]
async fn a_session_that_is_used_through_another_replica_does_not_end_here() {
    let (house, _) = House::with_user("grace").await;
    house.coherence.trust_always();
    let signed_in = house.sign_in("grace", PASSPHRASE).await.unwrap();
    assert!(house.is_in(&signed_in).await);
    house.clock.advance(Duration::from_mins(50));
    house.store.touch(&[(signed_in.session.id, house.clock.now())]).await.unwrap();
    house.clock.advance(Duration::from_mins(50));
    assert!(house.is_in(&signed_in).await);
}
