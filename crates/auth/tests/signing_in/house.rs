//! Everything that signing in needs, with a store in memory and a clock that is turned by hand.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::sync::Arc;

use stratora_audit::{Action, Actor, Origin, Outcome};
use stratora_auth::testing::MemoryStore;
use stratora_auth::{
    Account, AuthenticateError, ChangeOwnPasswordError, Channel, ClientContext, Credentials, Directory, DisplayName,
    ImportedUser, KnownDevice, LiveSession, Password, PasswordHash, PasswordPolicy, Role, SessionTimeouts, Sessions,
    SignIn, SignInError, SignInParts, SignedIn, Username, Users,
};
use stratora_cache::Coherence;
use stratora_clock::{Clock as _, ManualClock};
use stratora_hashing::{Cost, HashingPool, PoolSettings};
use stratora_token::Secret;
use stratora_token::testing::BreakableEntropy;

pub(crate) const PASSPHRASE: &str = "a rather long passphrase";

pub(crate) struct House {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) entropy: Arc<BreakableEntropy>,
    pub(crate) hashing: HashingPool,
    pub(crate) sign_in: SignIn,
    pub(crate) sessions: Sessions,
    pub(crate) users: Users,
    pub(crate) coherence: Arc<Coherence>,
}

impl House {
    pub(crate) fn build() -> Self {
        Self::beside(None)
    }

    /// Beside a directory.
    pub(crate) fn beside(directory: Option<Arc<dyn Directory>>) -> Self {
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
            directory,
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
    pub(crate) async fn with_user(name: &str) -> (Self, Account) {
        let house = Self::build();
        let account = house.add(name, PASSPHRASE).await;
        (house, account)
    }

    /// A user as one that was taken over, whose password need not be changed.
    pub(crate) async fn add(&self, name: &str, password: &str) -> Account {
        let permit = self.hashing.reserve().unwrap();
        let hash = permit.hash(Password::parse(password).unwrap().preimage()).await.unwrap();
        self.import(name, PasswordHash::from_bcrypt(hash)).await
    }

    pub(crate) async fn import(&self, name: &str, password: PasswordHash) -> Account {
        let user = ImportedUser {
            username: Username::parse(name).unwrap(),
            role: Role::Operator,
            display_name: DisplayName::default(),
            email: None,
            password,
        };
        self.users.import(user, &Origin::system()).await.unwrap()
    }

    pub(crate) async fn sign_in_from(
        &self,
        name: &str,
        password: &str,
        device: Option<KnownDevice>,
    ) -> Result<SignedIn, SignInError> {
        let username = Username::parse(name).unwrap();
        let password = Password::parse(password).unwrap();
        self.sign_in.with_password(Credentials { username, password }, &client(device)).await
    }

    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Result<SignedIn, SignInError> {
        self.sign_in_from(name, password, None).await
    }

    pub(crate) async fn authenticate(&self, secret: &Secret) -> Result<Arc<LiveSession>, AuthenticateError> {
        self.sessions.authenticate(Channel::Bearer, secret, None, self.clock.now()).await
    }

    pub(crate) async fn is_in(&self, signed_in: &SignedIn) -> bool {
        self.authenticate(&signed_in.token.0).await.is_ok()
    }

    /// Fails until the brake holds. Returns after how many failures it did.
    pub(crate) async fn fail_until_throttled(&self, name: &str) -> usize {
        for failures in 0..200 {
            match self.sign_in(name, "wrong").await {
                Err(SignInError::InvalidCredentials) => {}
                Err(SignInError::Throttled { .. }) => return failures,
                other => panic!("{other:?}"),
            }
        }
        panic!("never throttled")
    }

    pub(crate) fn last_event(&self) -> (Action, Outcome, Option<String>) {
        let event = self.store.events().pop().unwrap();
        (event.action, event.outcome, event.details.get("reason").cloned())
    }
}

pub(crate) fn client(device: Option<KnownDevice>) -> ClientContext {
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let origin = Origin { actor: Actor::anonymous(), client: Some(address), request_id: None };
    ClientContext { origin, user_agent: "Mozilla/5.0\r\n\u{7}".to_owned(), device }
}

/// Changes one's own password.
pub(crate) async fn change(
    house: &House,
    own: &LiveSession,
    current: &str,
    new: &str,
) -> Result<SignedIn, ChangeOwnPasswordError> {
    let (current, new) = (Password::parse(current).unwrap(), Password::parse(new).unwrap());
    house.users.change_own_password(own, current, new, &client(None)).await
}
