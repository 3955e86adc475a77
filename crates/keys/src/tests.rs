//! The service, with a store in memory, a clock that is turned by hand, and stores and randomness that can be made to fail.

mod authenticating;
mod configuring;
mod enrolling;
mod fleet_rotating;
mod issuing;
mod remembering;
mod rotating;
mod sighting;

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use newtype_uuid::TypedUuid;
use stratora_audit::{Action, Actor, ActorKind, Origin, RequestId};
use stratora_cache::Coherence;
use stratora_clock::{Clock as _, ManualClock, Timestamp};
use stratora_hashing::{Cost, HashingPool, Permit, PoolSettings};
use stratora_token::MacKey;
use stratora_token::testing::BreakableEntropy;
use uuid::Uuid;

use crate::testing::MemoryStore;
use crate::{
    ApiKey, AuthenticateKeyError, AuthenticatedKey, Component, ComponentId, ComponentKind, ETagKey, Grace, KeyUse,
    Keys, KeysParts, MaxKeyAge, Name, NewComponentRequest, Refusal,
};

/// How old a key may get here.
const MAX_KEY_AGE: Duration = Duration::from_hours(24 * 90);

/// The service, and all that stands behind it.
struct Site {
    keys: Arc<Keys>,
    store: Arc<MemoryStore>,
    hashing: HashingPool,
    clock: Arc<ManualClock>,
    entropy: Arc<BreakableEntropy>,
    coherence: Arc<Coherence>,
}

impl Site {
    /// A site whose pool has two places.
    fn new() -> Self {
        let (store, clock) = (Arc::new(MemoryStore::default()), Arc::new(ManualClock::default()));
        let entropy = Arc::new(BreakableEntropy::default());
        let coherence = Arc::new(Coherence::new(clock.clone()));
        let settings = PoolSettings { threads: NonZeroUsize::MIN, queue: 1, cost: Cost::for_tests() };
        let hashing = HashingPool::start(settings, entropy.clone()).unwrap();
        let keys = Arc::new(Keys::new(KeysParts {
            store: store.clone(),
            configs: store.clone(),
            hashing: hashing.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            etags: ETagKey::new(MacKey::from_bytes([5; 32])),
            in_memory: 100,
            max_key_age: Some(MaxKeyAge::new(MAX_KEY_AGE).unwrap()),
            coherence: coherence.clone(),
        }));
        Self { keys, store, hashing, clock, entropy, coherence }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn create(&self, name: &str) -> (Component, ApiKey) {
        self.keys.create(request(name), &administrator()).await.unwrap()
    }

    async fn rotate(&self, id: ComponentId, grace: Grace) -> ApiKey {
        self.keys.rotate(id, grace, &administrator()).await.unwrap().1
    }

    /// The grace of a component that rotates itself with `key`.
    async fn own(&self, key: &ApiKey) -> Grace {
        Grace::UntilFirstUse(self.authenticate(key).await.unwrap().key())
    }

    /// Asks in the name of whoever holds `key`, from [`address`].
    async fn authenticate(&self, key: &ApiKey) -> Result<Arc<AuthenticatedKey>, AuthenticateKeyError> {
        self.keys.authenticate(key, &self.used_from(Some(address()))).await
    }

    /// A use of a key at this moment.
    fn used_from(&self, client: Option<IpAddr>) -> KeyUse {
        KeyUse { at: self.now(), client, request_id: RequestId::from_uuid(Uuid::from_u128(9)) }
    }

    /// Why `key` is refused.
    async fn refusal(&self, key: &ApiKey) -> Refusal {
        match self.authenticate(key).await {
            Err(AuthenticateKeyError::Refused { refusal, .. }) => refusal,
            other => panic!("{other:?}"),
        }
    }

    fn actions(&self) -> Vec<Action> {
        self.store.log().events().iter().map(|event| event.action).collect()
    }

    /// Takes every place in the pool.
    fn fill_the_pool(&self) -> Vec<Permit> {
        std::iter::from_fn(|| self.hashing.reserve().ok()).collect()
    }
}

fn request(name: &str) -> NewComponentRequest {
    NewComponentRequest { name: Name::parse(name).unwrap(), kind: ComponentKind::Collector, hostname: None }
}

fn administrator() -> Origin {
    let actor = Actor { kind: ActorKind::User, id: Some(Uuid::from_u128(1)), name: "ada".to_owned() };
    Origin { actor, client: Some(address()), request_id: Some(RequestId::from_uuid(Uuid::from_u128(2))) }
}

fn address() -> IpAddr {
    "192.0.2.7".parse().unwrap()
}

fn nobody() -> ComponentId {
    TypedUuid::nil()
}
