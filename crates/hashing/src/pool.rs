//! The pool. A place in it is reserved before anything else is done for a request, so that whoever finds it full has
//! cost nothing and left no trace.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use stratora_token::{Entropy, EntropyError};
use thread_priority::{ThreadPriority, ThreadPriorityValue};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use zeroize::Zeroizing;

use crate::{BcryptHash, Cost, Preimage};

/// How a pool is built.
#[derive(Debug, Clone, Copy)]
pub struct PoolSettings {
    /// How many hashes run side by side.
    pub threads: NonZeroUsize,
    /// How many more may wait.
    pub queue: usize,
    /// The work of new hashes.
    pub cost: Cost,
}

impl PoolSettings {
    /// Half of the cores, so that the others answer requests; and a queue in which nobody waits for longer than about
    /// 16 × 0.27 s, which is when people give up.
    pub fn for_cores(cores: NonZeroUsize) -> Self {
        let threads = NonZeroUsize::new(cores.get() / 2).unwrap_or(NonZeroUsize::MIN);
        Self { threads, queue: 16 * threads.get(), cost: Cost::default() }
    }
}

/// All places are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked")]
pub struct Busy {
    /// When the queue will have been worked off.
    pub retry_after: Duration,
}

/// The hash could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum HashingError {
    /// There was no randomness for a salt.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The work was not finished.
    #[error("a hash could not be computed")]
    Failed,
}

type Job = Box<dyn FnOnce() + Send>;

struct Shared {
    jobs: Sender<Job>,
    places: Arc<Semaphore>,
    entropy: Arc<dyn Entropy>,
    cost: Cost,
    dummy: BcryptHash,
    retry_after: Duration,
}

/// Threads that compute bcrypt, and the places to wait for them. Cheap to clone; the threads end with the last clone.
#[derive(Clone)]
pub struct HashingPool(Arc<Shared>);

impl HashingPool {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`HashingError`] when there is no randomness, or threads cannot be started.
    #[expect(clippy::disallowed_methods, reason = "measures this machine once, for an estimate that decides nothing")]
    pub fn start(settings: PoolSettings, entropy: Arc<dyn Entropy>) -> Result<Self, HashingError> {
        let mut unguessable = Zeroizing::new([0; 16]);
        entropy.fill(unguessable.as_mut_slice())?;
        let started = Instant::now();
        let preimage = Preimage::new(unguessable.map(|byte| byte | 1).to_vec()).map_err(|_| HashingError::Failed)?;
        let dummy = hash(&preimage, salt(entropy.as_ref())?, settings.cost)?;
        let one_hash = started.elapsed();

        let (jobs, waiting) = channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..settings.threads.get() {
            let waiting = Arc::clone(&waiting);
            std::thread::Builder::new()
                .name(format!("hashing-{number}"))
                .spawn(move || work(&waiting))
                .map_err(|_| HashingError::Failed)?;
        }
        let places = settings.threads.get() + settings.queue;
        let rounds = u32::try_from(places.div_ceil(settings.threads.get())).unwrap_or(u32::MAX);
        Ok(Self(Arc::new(Shared {
            jobs,
            places: Arc::new(Semaphore::new(places)),
            entropy,
            cost: settings.cost,
            dummy,
            retry_after: one_hash.saturating_mul(rounds),
        })))
    }

    /// Takes a place, or says at once that there is none.
    ///
    /// # Errors
    /// [`Busy`] when all places are taken.
    pub fn reserve(&self) -> Result<Permit, Busy> {
        match Arc::clone(&self.0.places).try_acquire_owned() {
            Ok(place) => Ok(Permit { place, shared: Arc::clone(&self.0) }),
            Err(_) => Err(Busy { retry_after: self.0.retry_after }),
        }
    }

    /// Takes a place when one comes free: for work that no request waits for.
    ///
    /// # Errors
    /// [`HashingError::Failed`] when the pool is gone.
    pub async fn reserve_when_free(&self) -> Result<Permit, HashingError> {
        let place = Arc::clone(&self.0.places).acquire_owned().await.map_err(|_| HashingError::Failed)?;
        Ok(Permit { place, shared: Arc::clone(&self.0) })
    }

    /// A hash that nothing verifies against and that costs as much as any other: for users that do not exist.
    pub fn dummy(&self) -> &BcryptHash {
        &self.0.dummy
    }

    /// The work of new hashes.
    pub fn cost(&self) -> Cost {
        self.0.cost
    }
}

impl std::fmt::Debug for HashingPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HashingPool").field("free_places", &self.0.places.available_permits()).finish_non_exhaustive()
    }
}

/// A place in the pool, for one piece of work. It is given back when that work is done, even when nobody waits for it
/// any more: a caller who goes away makes no room for another.
pub struct Permit {
    place: OwnedSemaphorePermit,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Permit")
    }
}

impl Permit {
    /// Hashes with a fresh salt at the pool's cost.
    ///
    /// # Errors
    /// [`HashingError`]; there is no default value.
    pub async fn hash(self, preimage: Preimage) -> Result<BcryptHash, HashingError> {
        let salt = salt(self.shared.entropy.as_ref())?;
        let cost = self.shared.cost;
        self.run(move || hash(&preimage, salt, cost)).await
    }

    /// Whether `hash` was made of `preimage`.
    ///
    /// # Errors
    /// [`HashingError`]; whoever asked must then refuse.
    pub async fn verify(self, preimage: Preimage, hash: BcryptHash) -> Result<bool, HashingError> {
        self.run(move || verify(&preimage, &hash)).await
    }

    /// Verifies, and when that succeeds hashes the same secret anew from `upgrade`, in one place.
    ///
    /// # Errors
    /// [`HashingError`]; whoever asked must then refuse.
    pub async fn verify_and_upgrade(
        self,
        preimage: Preimage,
        stored: BcryptHash,
        upgrade: Preimage,
    ) -> Result<Option<BcryptHash>, HashingError> {
        let salt = salt(self.shared.entropy.as_ref())?;
        let cost = self.shared.cost;
        self.run(move || if verify(&preimage, &stored)? { hash(&upgrade, salt, cost).map(Some) } else { Ok(None) })
            .await
    }

    async fn run<T, F>(self, work: F) -> Result<T, HashingError>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, HashingError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let place = self.place;
        let job = Box::new(move || {
            // A panic drops `answer`, which its receiver takes for a failure.
            let result = work();
            drop(place);
            drop(answer.send(result));
        });
        self.shared.jobs.send(job).map_err(|_| HashingError::Failed)?;
        answered.await.map_err(|_| HashingError::Failed)?
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    // Nice 10 on Linux: yields to request threads, and is not starved by them. Where it is refused, it stays as it is.
    if let Ok(low) = ThreadPriorityValue::try_from(25) {
        drop(ThreadPriority::Crossplatform(low).set_for_current());
    }
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => drop(catch_unwind(AssertUnwindSafe(job))),
            Err(_) => return,
        }
    }
}

fn salt(entropy: &dyn Entropy) -> Result<[u8; 16], EntropyError> {
    let mut salt = [0; 16];
    entropy.fill(&mut salt)?;
    Ok(salt)
}

fn hash(preimage: &Preimage, salt: [u8; 16], cost: Cost) -> Result<BcryptHash, HashingError> {
    // A `Preimage` has at most 72 bytes: nothing is cut. (The crate's non-truncating functions stop at 71.)
    let parts = bcrypt::hash_with_salt(preimage.as_bytes(), cost.get(), salt);
    let text = parts.map_err(|_| HashingError::Failed)?.to_string();
    BcryptHash::parse(&text).map_err(|_| HashingError::Failed)
}

fn verify(preimage: &Preimage, hash: &BcryptHash) -> Result<bool, HashingError> {
    bcrypt::verify(preimage.as_bytes(), hash.as_str()).map_err(|_| HashingError::Failed)
}

#[cfg(test)]
mod tests {
    use stratora_token::OsEntropy;
    use stratora_token::testing::BreakableEntropy;

    use super::*;

    fn settings(queue: usize) -> PoolSettings {
        PoolSettings { threads: NonZeroUsize::MIN, queue, cost: Cost::for_tests() }
    }

    fn pool(queue: usize) -> HashingPool {
        HashingPool::start(settings(queue), Arc::new(OsEntropy)).unwrap()
    }

    fn preimage(text: &str) -> Preimage {
        Preimage::new(text).unwrap()
    }

    #[tokio::test]
    async fn a_hash_verifies_what_it_was_made_of_and_nothing_else() {
        let pool = pool(4);
        let longest = "x".repeat(72);
        let hash = pool.reserve().unwrap().hash(preimage(&longest)).await.unwrap();
        assert!(pool.reserve().unwrap().verify(preimage(&longest), hash.clone()).await.unwrap());
        for index in [0, 35, 70, 71] {
            let mut other = longest.clone();
            other.replace_range(index..=index, "y");
            assert!(!pool.reserve().unwrap().verify(preimage(&other), hash.clone()).await.unwrap(), "{index}");
        }
    }

    #[tokio::test]
    async fn hashes_of_other_implementations_verify() {
        let pool = pool(4);
        for hash in [
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        ] {
            let hash = BcryptHash::parse(hash).unwrap();
            assert!(pool.reserve().unwrap().verify(preimage("U*U"), hash).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_full_pool_refuses_at_once() {
        let pool = pool(1);
        let places = [pool.reserve().unwrap(), pool.reserve().unwrap()];
        assert!(pool.reserve().unwrap_err().retry_after > Duration::ZERO);
        drop(places);
        assert!(pool.reserve().is_ok());
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_keeps_its_place_until_it_is_done() {
        let pool = pool(0);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let permit = pool.reserve().unwrap();
        let mut abandoned = Box::pin(permit.run(move || held.recv().map_err(|_| HashingError::Failed)));
        assert!(futures_poll(&mut abandoned).is_pending());
        drop(abandoned);
        assert!(pool.reserve().is_err());
        release.send(()).unwrap();
        assert!(pool.reserve_when_free().await.is_ok());
    }

    #[tokio::test]
    async fn a_thread_survives_work_that_panics() {
        let pool = pool(0);
        let panicked = pool.reserve().unwrap().run(|| -> Result<(), HashingError> { panic!("as intended") }).await;
        assert!(matches!(panicked, Err(HashingError::Failed)));
        let hash = pool.reserve_when_free().await.unwrap().hash(preimage("a")).await;
        assert!(hash.is_ok());
    }

    #[tokio::test]
    async fn without_randomness_there_is_no_hash() {
        let entropy = Arc::new(BreakableEntropy::default());
        let pool = HashingPool::start(settings(1), Arc::<BreakableEntropy>::clone(&entropy)).unwrap();
        entropy.break_down();
        assert!(matches!(pool.reserve().unwrap().hash(preimage("a")).await, Err(HashingError::Entropy(_))));
    }

    #[tokio::test]
    async fn an_upgrade_is_made_for_the_right_secret_only() {
        let pool = pool(4);
        let stored = pool.reserve().unwrap().hash(preimage("old form")).await.unwrap();
        let upgrade = |typed: &str| {
            pool.reserve().unwrap().verify_and_upgrade(preimage(typed), stored.clone(), preimage("new form"))
        };
        assert!(upgrade("wrong").await.unwrap().is_none());
        let upgraded = upgrade("old form").await.unwrap().unwrap();
        assert!(pool.reserve().unwrap().verify(preimage("new form"), upgraded).await.unwrap());
    }

    fn futures_poll<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
        std::pin::Pin::new(future).poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    }
}
